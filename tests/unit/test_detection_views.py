"""What the Detection page shows, from outputs arranged by hand: cells, counts, the first YOLO's grid, matchings."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import nms

from explorer.detection_views import best, counts, few_of_a_class, known_classes, others, places_in, trace_nms
from explorer.detections import Detections, best_first, keep
from explorer.letterbox import letterbox
from explorer.models.yolo import decode
from explorer.set_matching import MOST_OBJECTS, MOST_PREDICTIONS, match
from explorer.yolo_grid import coarsest_without, collisions, responsible, yolo_predictions, yolox_predictions
from explorer.yolox_cells import Place, beyond, cell_at, class_maps, objectness_maps, place_of
from explorer.yolox_cells import best_first as cells_by_score
from tests.pages.arranged import STREET, arranged_look

CLASSES = ("bus", "car", "motorbike", "person", "truck")
DETECTOR = SimpleNamespace(classes=CLASSES, model=SimpleNamespace(input_size=320))
PHOTO = np.zeros((640, 480, 3), np.uint8)


def look():
    return arranged_look(DETECTOR, PHOTO, STREET)


def random_grids(seed: int, classes: int = 3, side: int = 64) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(5 + classes, side // s, side // s)).astype(np.float32) for s in (8, 16, 32)]


def test_the_arranged_street_is_what_it_says():
    kept = keep(look().found, 0.5, 0.45)
    assert counts(kept) == {"person": 6, "bus": 1, "car": 1}
    np.testing.assert_allclose(kept.boxes[0], STREET[0].box, atol=0.01)
    assert kept.scores[0] == pytest.approx(0.93, abs=1e-4)


@given(seed=st.integers(0, 9999), number=st.integers(0, 83))
def test_a_cells_arithmetic_is_that_of_decode(seed, number):
    grids = random_grids(seed)
    box = letterbox(np.zeros((40, 80, 3), np.uint8), 64)
    row = decode([torch.from_numpy(grid)[None] for grid in grids])[0][number].numpy()
    place = place_of(grids, number)
    cell = cell_at(grids, box, place)
    np.testing.assert_allclose(
        [cell.x, cell.y, cell.width, cell.height, cell.objectness], row[:5], rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(cell.classes, row[5:], rtol=1e-4)
    assert cell.score == pytest.approx(float(row[4] * row[5:].max()), rel=1e-4)
    centre = (cell.inside[0] + cell.inside[2]) / 2, (cell.inside[1] + cell.inside[3]) / 2
    np.testing.assert_allclose(centre, (cell.x, cell.y), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(cell.photo, np.clip(np.array(cell.inside) / 0.8, 0, (80, 40, 80, 40)), atol=1e-3)
    assert objectness_maps(grids)[place.level][place.row, place.column] == pytest.approx(cell.objectness, rel=1e-5)
    assert class_maps(grids, 2)[place.level][place.row, place.column] == pytest.approx(float(cell.classes[2]), rel=1e-5)


def test_cells_are_numbered_the_finest_grid_first():
    grids = random_grids(0)
    assert place_of(grids, 0) == Place(0, 0, 0)
    assert place_of(grids, 63) == Place(0, 7, 7)
    assert place_of(grids, 64 + 5) == Place(1, 1, 1)
    assert place_of(grids, 83) == Place(2, 1, 1)
    assert Place(1, 1, 2).edges == (32, 16, 48, 32)
    with pytest.raises(IndexError):
        place_of(grids, 84)


def test_the_cell_behind_every_box_is_found():
    seen = look()
    order = cells_by_score(seen.grids)
    assert len(order) == len(seen.found) == 2100
    for place in (0, 1, 17, 40, 2099):
        cell = cell_at(seen.grids, seen.box, place_of(seen.grids, int(order[place])))
        np.testing.assert_allclose(cell.photo, seen.found.boxes[place], atol=0.01)
        assert cell.score == pytest.approx(float(seen.found.scores[place]), rel=1e-4)


STREET_BEYOND, STRIP_BEYOND = [(0, 10), (0, 5), (0, 2)], [(38, 0), (19, 0), (9, 0)]


@pytest.mark.parametrize(("size", "expected"), [((640, 480), STREET_BEYOND), ((10, 320), STRIP_BEYOND)])
def test_what_lies_on_the_filling(size, expected):
    box = letterbox(np.zeros((*size, 3), np.uint8), 320)
    assert [beyond(box, level) for level in range(3)] == expected


def test_places_among_all_tell_equal_boxes_apart():
    twice = np.array([[0, 0, 4, 4], [0, 0, 4, 4], [1, 1, 2, 2]], np.float32)
    found = best_first(twice, np.array([0.5, 0.5, 0.4]), np.array([1, 1, 1]), CLASSES)
    assert places_in(found, found) == [0, 1, 2]
    assert places_in(found, found.chosen(np.array([1, 2]))) == [0, 2]
    assert places_in(found, keep(found, 0.0, 0.5)) == [0, 2]
    assert others(found, found.chosen(np.array([0])), 5).scores.tolist() == pytest.approx([0.5, 0.4])
    assert len(others(found, found, 5)) == 0


def test_gaps_and_background_are_no_classes():
    assert known_classes(("__background__", "person", "N/A", "N/A", "cat")) == ("person", "cat")
    assert known_classes(CLASSES) == CLASSES


def test_a_few_of_the_class_that_is_found_most():
    seen = look().found
    few = few_of_a_class(keep(seen, 0.3), seen)
    assert set(few.names) == {"person"}
    assert len(few) == 8
    assert set(few_of_a_class(keep(seen, 0.99), seen).names) == {"bus"}
    nothing = best(seen, 0)
    assert len(few_of_a_class(nothing, nothing)) == 0


def test_the_steps_of_suppression_end_in_what_torchvision_keeps():
    seen = look().found
    few = few_of_a_class(keep(seen, 0.3), seen)
    steps = trace_nms(few, 0.45)
    expected = nms(torch.from_numpy(few.boxes), torch.from_numpy(few.scores), 0.45)
    assert torch.equal(steps.result, expected)
    assert "intersection / union" in steps.steps[steps.first("div")].expression
    assert len(steps.steps) < 400


boxes = st.lists(
    st.tuples(st.floats(0, 99), st.floats(0, 49), st.floats(0, 99), st.floats(0, 49)), min_size=1, max_size=8
).map(lambda rows: np.sort(np.array(rows, np.float32).reshape(-1, 2, 2), axis=1).reshape(-1, 4))


@given(boxes=boxes, side=st.integers(1, 20))
def test_the_cell_that_answers_holds_the_centre(boxes, side):
    cells = responsible(boxes, 100, 50, side)
    for (x0, y0, x1, y1), cell in zip(boxes.tolist(), cells, strict=True):
        assert 0 <= cell.row < side
        assert 0 <= cell.column < side
        x, y, width, height = cell.target
        assert (cell.column + x) / side * 100 == pytest.approx((x0 + x1) / 2, abs=1e-4)
        assert (cell.row + y) / side * 50 == pytest.approx((y0 + y1) / 2, abs=1e-4)
        assert (width * 100, height * 50) == pytest.approx((x1 - x0, y1 - y0), abs=1e-4)
        assert -1e-6 <= x <= 1
        assert -1e-6 <= y <= 1
    held = collisions(cells)
    assert all(len(places) > 1 and {cells[k].cell for k in places} == {cell} for cell, places in held.items())
    single = {cell.cell for cell in cells} - held.keys()
    assert len(single) + sum(map(len, held.values())) == len(cells)


def test_when_centres_stop_sharing_cells():
    boxes = np.array([[0, 0, 20, 20], [20, 0, 40, 20]], np.float32)  # centres 10 and 30 of 100
    assert collisions(responsible(boxes, 100, 100, 2)) == {(0, 0): (0, 1)}
    assert coarsest_without(boxes, 100, 100) == 4
    assert coarsest_without(boxes[[0, 0]], 100, 100) is None
    assert coarsest_without(boxes[:1], 100, 100) == 1


def test_how_many_numbers():
    assert yolo_predictions(7, 2, 20).numbers == 1470  # the paper's
    assert yolo_predictions(7, 2, 20).boxes == 98
    made = yolox_predictions(640, 80)
    assert made.cells == (6400, 1600, 400)
    assert (made.boxes, made.numbers) == (8400, 8400 * 85)


@given(seed=st.integers(0, 9999), count=st.integers(1, MOST_OBJECTS), more=st.integers(0, 3))
def test_the_cheapest_matching_is_the_hungarian_algorithms(seed, count, more):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 80, (2 * count + more, 2))
    made = np.concatenate([corner, corner + rng.uniform(1, 20, corner.shape)], axis=1).astype(np.float32)
    linear_sum_assignment = pytest.importorskip("scipy.optimize").linear_sum_assignment
    found = match(made[:count], made[count:], 100, 50)
    rows, columns = linear_sum_assignment(found.cost)
    assert found.total == pytest.approx(float(found.cost[rows, columns].sum()), abs=1e-4)
    assert len(set(found.chosen)) == count
    np.testing.assert_allclose(found.cost, 5 * found.l1 - 2 * found.giou, rtol=1e-5, atol=1e-5)


def test_the_cost_of_the_same_box_is_least():
    one = np.array([[10, 10, 30, 20]], np.float32)
    found = match(one, np.concatenate([one + 5, one]), 100, 100)
    assert found.chosen == (1,)
    assert found.tried == 2
    assert found.cost[0, 1] == pytest.approx(-2)  # no difference, GIoU 1
    assert found.l1[0, 0] == pytest.approx(0.1)
    with pytest.raises(ValueError, match="not for trying"):
        match(np.zeros((2, 4), np.float32), one, 10, 10)
    with pytest.raises(ValueError, match="not for trying"):
        match(one, np.zeros((MOST_PREDICTIONS + 1, 4), np.float32), 10, 10)


def test_empty_boxes_cost_numbers():
    flat = Detections(np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.zeros(1, int), CLASSES).boxes
    assert np.isfinite(match(flat, np.concatenate([flat, flat + 3]), 10, 10).cost).all()

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stdout

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from torchvision import ops

from explorer import detections
from explorer.detections import Detections, Found, keep, overlap_of, rounds

CLASSES = ("bus", "car", "person")


def some(count: int, seed: int = 0) -> Detections:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 50, (count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(1, 40, (count, 2))], axis=1)
    return detections.best_first(boxes, rng.uniform(0, 1, count), rng.integers(0, 3, count), CLASSES)


@given(count=st.integers(0, 40), seed=st.integers(0, 9999))
def test_the_best_come_first(count, seed):
    found = some(count, seed)
    assert (np.diff(found.scores) <= 0).all()
    assert (found.boxes.dtype, found.scores.dtype, found.labels.dtype) == (np.float32, np.float32, np.int64)
    assert len(found) == count == len(found.names)


@given(
    count=st.integers(0, 40),
    seed=st.integers(0, 9999),
    least=st.floats(0, 1),
    overlap=st.floats(0.05, 0.95),
    most=st.integers(0, 10),
)
def test_what_is_kept_is_torchvisions_choice(count, seed, least, overlap, most):
    found = some(count, seed)
    likely = found.chosen(found.scores >= least)
    kept = keep(found, least, overlap, hidden={"car"}, most=most)
    mine = likely.chosen(likely.labels != 1)
    expected = ops.batched_nms(*map(torch.from_numpy, (mine.boxes, mine.scores, mine.labels)), overlap)[:most]
    assert np.array_equal(kept.boxes, mine.boxes[expected.numpy()])
    assert "car" not in kept.names
    assert len(keep(found, least)) == len(likely)


@given(count=st.integers(0, 30), seed=st.integers(0, 9999), overlap=st.floats(0.05, 0.95))
def test_rounds_tell_the_whole_story(count, seed, overlap):
    found = some(count, seed)
    story = rounds(found, overlap)
    assert np.array_equal(found.boxes[[r.best for r in story]], keep(found, 0, overlap).boxes)
    gone = [place for r in story for place in r.suppressed]
    assert sorted([r.best for r in story] + gone) == list(range(count))
    for r in story:
        for place, value in r.rivals:
            assert value == pytest.approx(
                overlap_of(found.boxes[r.best].tolist(), found.boxes[place].tolist()).iou, abs=1e-5
            )
            assert (place in r.suppressed) == (value > overlap)
            assert found.names[place] == found.names[r.best]


def test_the_arithmetic_of_an_overlap():
    made = overlap_of((0, 0, 4, 3), (2, 1, 6, 5))
    assert (made.left, made.top, made.right, made.bottom) == (2, 1, 4, 3)
    assert (made.intersection, made.first, made.second, made.union) == (4, 12, 16, 24)
    assert made.iou == pytest.approx(1 / 6)


@pytest.mark.parametrize("b", [(9, 9, 12, 12), (4, 0, 8, 3), (2, 2, 2, 2)])
def test_boxes_that_share_nothing(b):
    assert (overlap_of((0, 0, 4, 3), b).intersection, overlap_of((0, 0, 4, 3), b).iou) == (0, 0)
    assert overlap_of((1, 1, 1, 1), (1, 1, 1, 1)).iou == 0


PHOTOS = [
    Found("a, b.jpg", 80, 60, Detections(
        np.array([[1.25, 2, 11.5, 22], [0, 0, 80, 60]], np.float32), np.array([0.9, 0.5], np.float32),
        np.array([2, 0]), CLASSES)),
    Found("사진.png", 20, 10, some(0)),
]  # fmt: skip


def test_csv():
    rows = list(csv.reader(io.StringIO(detections.to_csv(PHOTOS))))
    assert rows == [
        ["photo", "class", "score", "x0", "y0", "x1", "y1"],
        ["a, b.jpg", "person", "0.9000", "1.2", "2.0", "11.5", "22.0"],
        ["a, b.jpg", "bus", "0.5000", "0.0", "0.0", "80.0", "60.0"],
    ]


def test_coco_is_read_by_pycocotools(tmp_path):
    path = tmp_path / "found.json"
    path.write_text(detections.to_coco(PHOTOS), encoding="utf-8")
    with redirect_stdout(io.StringIO()):
        read = COCO(path)
    assert [image["file_name"] for image in read.loadImgs([1, 2])] == ["a, b.jpg", "사진.png"]
    first, second = read.loadAnns(read.getAnnIds(imgIds=[1]))
    assert (first["bbox"], first["area"], first["score"]) == ([1.25, 2, 10.25, 20], 205, 0.9)
    assert [read.loadCats([a["category_id"]])[0]["name"] for a in (first, second)] == ["person", "bus"]
    assert read.getAnnIds(imgIds=[2]) == []
    assert json.loads(path.read_text())["images"][1]["height"] == 10


def test_several_models_may_share_a_file():
    other = Detections(np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.array([1]), ("dog", "car"))
    made = detections.coco([PHOTOS[0], Found("c", 1, 1, other)])
    assert [c["name"] for c in made["categories"]] == ["bus", "car", "person", "dog"]
    assert [a["category_id"] for a in made["annotations"]] == [3, 1, 2]
    assert [a["id"] for a in made["annotations"]] == [1, 2, 3]

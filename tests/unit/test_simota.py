from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.models.boxes import corners, iou
from explorer.models.yolo import YOLOX, YoloxConfig
from training import simota
from training.highway import Road, mosaic, single


def raw(cells: simota.Cells, seed: int, classes: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes near their cells and logits, at random."""
    generator = torch.Generator().manual_seed(seed)
    count = len(cells.centres)
    centre = cells.centres + torch.randn(count, 2, generator=generator) * cells.strides
    size = cells.strides * torch.rand(count, 2, generator=generator) * 6 + 1
    return torch.cat([centre, size], 1), torch.randn(count, 1 + classes, generator=generator)


def objects(count: int, side: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.cat(
        [torch.rand(count, 2, generator=generator) * side, 5 + torch.rand(count, 2, generator=generator) * 40], 1
    )


def test_cells_are_those_of_three_grids():
    cells = simota.all_cells(64, 96)
    assert len(cells.centres) == 8 * 12 + 4 * 6 + 2 * 3
    assert cells.centres[1].tolist() == [12, 4]
    assert cells.centres[-1].tolist() == [80, 48]
    assert cells.strides[[0, 96, 125], 0].tolist() == [8, 16, 32]


@given(count=st.integers(1, 6), seed=st.integers(0, 999))
def test_each_object_gets_cells_near_its_centre_and_no_cell_two(count, seed):
    cells = simota.all_cells(96, 96)
    boxes, logits = raw(cells, seed)
    own = objects(count, 96, seed)
    labels = torch.arange(count) % 3
    found = simota.assign(boxes, logits, own, labels, cells)
    assert len(found.cells.unique()) == len(found.cells)
    distance = (cells.centres[found.cells, None] - own[None, :, :2]).abs().amax(-1)
    near = distance < simota.REACH * cells.strides[found.cells]
    assert near.any(1).all()
    assert (found.objects.bincount(minlength=count) <= simota.CANDIDATES).all()
    expected = iou(corners(own[found.objects]), corners(boxes[found.cells]))
    torch.testing.assert_close(found.ious, expected)


def test_the_cheapest_cells_are_chosen():
    """One object, perfect boxes at three cells: these are assigned, as their overlaps sum to three."""
    cells = simota.all_cells(64, 64)
    boxes = torch.cat([cells.centres, torch.ones(len(cells.centres), 2)], 1)
    own = torch.tensor([[20.0, 20, 16, 16]])
    perfect = [9, 10, 17]
    assert cells.centres[perfect].tolist() == [[12, 12], [20, 12], [12, 20]]
    boxes[perfect] = own
    found = simota.assign(boxes, torch.zeros(len(boxes), 4), own, torch.tensor([1]), cells)
    assert sorted(found.cells.tolist()) == perfect
    assert found.ious.tolist() == [1, 1, 1]


def test_the_better_class_is_preferred():
    cells = simota.all_cells(64, 64)
    boxes = torch.tensor([[20.0, 20, 16, 16]]).repeat(len(cells.centres), 1)
    boxes[:, 2:] = 1e-3
    boxes[[9, 18]] = torch.tensor([20.0, 20, 16, 8])  # both overlap by half, so one cell is assigned
    logits = torch.zeros(len(boxes), 3)
    logits[18, 2] = 4
    found = simota.assign(boxes, logits, torch.tensor([[20.0, 20, 16, 16]]), torch.tensor([1]), cells)
    assert found.cells.tolist() == [18]


def test_an_object_outside_is_nobodys():
    cells = simota.all_cells(64, 64)
    boxes, logits = raw(cells, 0)
    found = simota.assign(boxes, logits, torch.tensor([[300.0, 300, 9, 9]]), torch.tensor([0]), cells)
    assert len(found.cells) == len(found.objects) == len(found.ious) == 0


def test_a_photo_without_objects_has_a_loss():
    network = YOLOX(YoloxConfig(2, 0.33, 0.25)).eval()
    grids = network(torch.rand(2, 3, 64, 64) * 255)
    nothing = [torch.zeros(0, 4)] * 2
    loss = simota.losses(grids, nothing, [torch.zeros(0, dtype=torch.long)] * 2)
    objectness = torch.cat([g[:, 4].flatten() for g in grids])
    torch.testing.assert_close(loss, torch.nn.functional.softplus(objectness).sum())


def test_a_few_steps_learn_one_picture():
    torch.manual_seed(0)
    network = YOLOX(YoloxConfig(2, 0.33, 0.25))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    x = torch.rand(1, 3, 64, 64) * 255
    own, labels = [torch.tensor([[24.0, 28, 20, 24]])], [torch.tensor([1])]
    seen = []
    for _ in range(40):
        loss = simota.losses(network(x), own, labels, precise=True)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    assert seen[-1] < 0.4 * seen[0]


@given(seed=st.integers(0, 999), size=st.sampled_from([64, 96]))
def test_views_keep_boxes_on_their_objects(seed, size):
    """The photo is black with white objects, so a box in a view is white inside."""
    rng = np.random.default_rng(seed)
    image = np.zeros((60, 90, 3), np.uint8)
    boxes = np.array([[10, 10, 40, 40], [50, 20, 80, 50]], np.float32)
    for x0, y0, x1, y1 in boxes.astype(int):
        image[y0:y1, x0:x1] = 255
    road = Road(image, boxes, np.array([0, 1]))
    for view in (mosaic([road, road], size, rng), single(road, size, rng)):
        assert view.image.shape == (size, size, 3)
        assert len(view.boxes) == len(view.labels)
        assert ((view.boxes >= 0) & (view.boxes <= size)).all()
        for x0, y0, x1, y1 in view.boxes:
            rows, columns = slice(int(np.ceil(y0)) + 1, int(y1) - 1), slice(int(np.ceil(x0)) + 1, int(x1) - 1)
            assert (view.image[rows, columns] == 255).all()

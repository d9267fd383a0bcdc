"""Overlap and suppression against torchvision.ops."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from explorer.models import boxes


def random_boxes(count: int, seed: int, spread: float = 60.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * spread
    return torch.cat([corner, corner + 1 + torch.rand(count, 2, generator=generator) * 40], dim=1)


COUNTS = st.integers(0, 60)
SEEDS = st.integers(0, 10**6)


@given(first=COUNTS, second=COUNTS, seed=SEEDS)
def test_iou_equals_torchvision(first, second, seed):
    a, b = random_boxes(first, seed), random_boxes(second, seed + 1)
    torch.testing.assert_close(boxes.iou(a[:, None], b), ops.box_iou(a, b), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(boxes.area(a), ops.box_area(a))


@given(count=COUNTS, seed=SEEDS)
def test_corners_equal_torchvision(count, seed):
    own = ops.box_convert(random_boxes(count, seed), "xyxy", "cxcywh")
    torch.testing.assert_close(boxes.corners(own), ops.box_convert(own, "cxcywh", "xyxy"))


@settings(max_examples=150)
@given(count=COUNTS, seed=SEEDS, threshold=st.floats(0.05, 0.95), ties=st.booleans())
def test_nms_equals_torchvision(count, seed, threshold, ties):
    own = random_boxes(count, seed)
    scores = torch.rand(count, generator=torch.Generator().manual_seed(seed))
    if ties:
        scores = (scores * 4).round() / 4
    assert torch.equal(boxes.nms(own, scores, threshold), ops.nms(own, scores, threshold))


@settings(max_examples=150)
@given(count=COUNTS, seed=SEEDS, threshold=st.floats(0.05, 0.95), kinds=st.integers(1, 5))
def test_batched_nms_equals_torchvision(count, seed, threshold, kinds):
    own = random_boxes(count, seed)
    generator = torch.Generator().manual_seed(seed)
    scores, labels = torch.rand(count, generator=generator), torch.randint(kinds, (count,), generator=generator)
    assert torch.equal(
        boxes.batched_nms(own, scores, labels, threshold), ops.batched_nms(own, scores, labels, threshold)
    )


def test_an_overlap_equal_to_the_threshold_is_kept():
    own = torch.tensor([[0.0, 0, 4, 2], [2.0, 0, 6, 2]])  # share 4 of 12
    assert boxes.nms(own, torch.tensor([0.9, 0.8]), 4 / 12).tolist() == [0, 1]
    assert boxes.nms(own, torch.tensor([0.8, 0.9]), 4 / 12 - 1e-4).tolist() == [1]


@pytest.mark.parametrize("b", [[5.0, 5, 5, 5], [50.0, 50, 60, 60], [10.0, 0, 20, 10]])
def test_boxes_that_share_nothing(b):
    assert boxes.iou(torch.tensor([0.0, 0, 10, 10]), torch.tensor(b)) == 0
    assert boxes.iou(torch.tensor([5.0, 5, 5, 5]), torch.tensor(b)) == 0

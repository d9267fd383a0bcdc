"""Boxes: how much two overlap, and which of many that overlap are kept (non-maximum suppression)."""

from __future__ import annotations

import torch
from torch import Tensor


def corners(boxes: Tensor) -> Tensor:
    """float (…, 4), centre x, y, width, height → x0, y0, x1, y1."""
    centre, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat([centre - size / 2, centre + size / 2], dim=-1)


def area(boxes: Tensor) -> Tensor:
    """float (…, 4), x0, y0, x1, y1 → (…)."""
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return width * height


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union. a, b: float (…, 4), x0, y0, x1, y1, of shapes that broadcast → (…), 0–1; empty ones 0."""
    top_left = torch.maximum(a[..., :2], b[..., :2])
    bottom_right = torch.minimum(a[..., 2:], b[..., 2:])
    size = (bottom_right - top_left).clamp(min=0)  # nothing is shared where it would be negative
    intersection = size[..., 0] * size[..., 1]
    union = area(a) + area(b) - intersection
    return torch.where(union > 0, intersection / union, 0.0)


def nms(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Greedy non-maximum suppression; torchvision.ops.nms.

    boxes: float (n, 4), x0, y0, x1, y1; scores: float (n,); threshold: an IoU above it means the same object.
    → int64 (k,), the boxes that are kept, best first.
    """
    return batched_nms(boxes, scores, torch.zeros(len(boxes)), threshold)


def batched_nms(boxes: Tensor, scores: Tensor, labels: Tensor, threshold: float) -> Tensor:
    """nms in which boxes of different labels leave each other alone; torchvision.ops.batched_nms. labels: (n,)."""
    left = scores.argsort(descending=True, stable=True)  # best first
    kept = []
    while len(left) > 0:
        best, others = left[0], left[1:]
        kept.append(best)
        overlap = iou(boxes[best], boxes[others])  # (len(others),)
        same = labels[others] == labels[best]
        suppressed = (overlap > threshold) & same
        left = others[~suppressed]
    return torch.stack(kept) if kept else left

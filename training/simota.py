"""Which cell learns which object, and what it is told: SimOTA and the losses of YOLOX (Ge et al. 2021, §2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.models.boxes import corners, iou
from explorer.models.yolo import STRIDES, cell_positions

REACH = 1.5  # cells from an object's centre, within which a cell may learn it
CANDIDATES = 10  # best overlaps, whose sum says how many cells an object gets
OVERLAP_WEIGHT = 3.0  # of −ln IoU in the cost
BOX_WEIGHT = 5.0  # of the boxes in the loss


@dataclass(frozen=True)
class Cells:
    """All cells of the three grids. centres: float (cells, 2) and strides: float (cells, 1), pixels of the input."""

    centres: Tensor
    strides: Tensor


@dataclass(frozen=True)
class Assignment:
    """cells: int64 (m,), those that learn an object; objects: int64 (m,), which; ious: float (m,), how well they overlap."""

    cells: Tensor
    objects: Tensor
    ious: Tensor


def all_cells(height: int, width: int) -> Cells:
    """Of a network's input of that size."""
    centres, strides = [], []
    for stride in STRIDES:
        positions = cell_positions(height // stride, width // stride)
        centres.append((positions + 0.5) * stride)
        strides.append(torch.full((len(positions), 1), float(stride)))
    return Cells(torch.cat(centres), torch.cat(strides))


@torch.no_grad()
def assign(boxes: Tensor, logits: Tensor, objects: Tensor, labels: Tensor, cells: Cells) -> Assignment:
    """For each object the cells near its centre that cost least; how many, its best overlaps say.

    boxes: float (cells, 4), as proposed: centre x, y, width, height in pixels; logits: float (cells, 1 + classes), that
    there is an object, and of each class; objects: float (n, 4), as boxes; labels: int64 (n,).
    """
    near = (cells.centres - objects[:, None, :2]).abs().amax(-1) < REACH * cells.strides[:, 0]  # (n, cells)
    candidates = near.any(0).nonzero()[:, 0]  # (k,)
    if not len(candidates):
        nothing = candidates.new_zeros(0)
        return Assignment(nothing, nothing, boxes.new_zeros(0))
    near = near[:, candidates]  # (n, k)
    ious = iou(corners(objects)[:, None], corners(boxes[candidates]))  # (n, k)
    probabilities = logits[candidates].sigmoid()
    scores = (probabilities[:, :1] * probabilities[:, 1:]).sqrt()  # (k, classes)
    wanted = F.one_hot(labels, scores.shape[1]).float()  # (n, classes)
    pairs = (len(labels), *scores.shape)
    class_cost = F.binary_cross_entropy(scores.expand(pairs), wanted[:, None].expand(pairs), reduction="none").sum(-1)
    cost = class_cost - OVERLAP_WEIGHT * (ious + 1e-8).log() + 1e6 * ~near  # (n, k)

    counts = ious.topk(min(CANDIDATES, ious.shape[1]), dim=1).values.sum(1).int().clamp(min=1)  # (n,)
    chosen = torch.zeros_like(near)
    for number, count in enumerate(counts.tolist()):
        chosen[number, cost[number].topk(min(count, ious.shape[1]), largest=False).indices] = True
    several = chosen.sum(0) > 1
    cheapest = F.one_hot(cost.argmin(0), len(labels)).T.bool()  # (n, k)
    chosen = torch.where(several, cheapest, chosen)
    which, at = chosen.nonzero(as_tuple=True)
    return Assignment(candidates[at], which, ious[which, at])


def losses(grids: Sequence[Tensor], objects: list[Tensor], labels: list[Tensor], precise: bool = False) -> Tensor:
    """The loss of a batch: of boxes, 1 − IoU²; of objectness and of classes, binary cross-entropy; each by assigned cell.

    grids: of YOLOX, float32 (B, 5 + classes, h, w); objects, labels: of each photo, as in assign; precise: also the absolute
    error of the boxes' numbers, as YOLOX does in its last epochs.
    """
    finest = grids[0]
    cells = all_cells(finest.shape[2] * STRIDES[0], finest.shape[3] * STRIDES[0])
    raw = torch.cat([grid.flatten(2).mT for grid in grids], dim=1)  # (B, cells, 5 + classes)
    corner = cells.centres / cells.strides - 0.5  # column and row of each cell
    centre = (raw[..., :2] + corner) * cells.strides
    boxes = torch.cat([centre, raw[..., 2:4].exp() * cells.strides], dim=-1)  # (B, cells, 4)
    there = torch.zeros(raw.shape[:2])
    total, count = raw.new_zeros(()), 0
    for number, (own, kinds) in enumerate(zip(objects, labels, strict=True)):
        if not len(own):
            continue
        found = assign(boxes[number], raw[number, :, 4:], own, kinds, cells)
        at, target = found.cells, own[found.objects]
        there[number, at] = 1
        count += len(at)
        overlap = iou(corners(boxes[number, at]), corners(target))  # (m,)
        wanted = F.one_hot(kinds[found.objects], raw.shape[-1] - 5) * found.ious[:, None]
        total = total + BOX_WEIGHT * (1 - overlap.square()).sum()
        total = total + F.binary_cross_entropy_with_logits(raw[number, at, 5:], wanted, reduction="sum")
        if precise:
            step = cells.strides[at]
            numbers = torch.cat([target[:, :2] / step - corner[at], (target[:, 2:] / step + 1e-8).log()], dim=1)
            total = total + F.l1_loss(raw[number, at, :4], numbers, reduction="sum")
    total = total + F.binary_cross_entropy_with_logits(raw[..., 4], there, reduction="sum")
    return total / max(count, 1)

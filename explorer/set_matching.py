"""DETR's training looks for the cheapest way to give every object a prediction of its own (Carion et al. 2020, eq. 1)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import perm

import numpy as np
import torch
from torchvision.ops import generalized_box_iou

L1_WEIGHT, GIOU_WEIGHT = 5.0, 2.0  # DETR's own
MOST_OBJECTS, MOST_PREDICTIONS = 4, 7  # 840 assignments at the most


@dataclass(frozen=True, eq=False)
class Matching:
    """cost, l1, giou: float32 (objects, predictions); chosen: the prediction of each object; total: their costs' sum.

    tried: how many assignments there were.
    """

    cost: np.ndarray
    l1: np.ndarray
    giou: np.ndarray
    chosen: tuple[int, ...]
    total: float
    tried: int


def match(objects: np.ndarray, predictions: np.ndarray, width: int, height: int) -> Matching:
    """Every object gets another prediction, so that the sum of the costs is least: all assignments are tried.

    objects, predictions: float32 (n, 4), x0, y0, x1, y1 in pixels of a photo of width × height; at least as many predictions
    as objects, and few of both. The cost of a pair is 5 · |difference of centre and size, as shares of the photo| − 2 · GIoU;
    DETR also takes away the probability of the object's class. Raises ValueError for too many.
    """
    if not len(objects) <= len(predictions) <= MOST_PREDICTIONS or len(objects) > MOST_OBJECTS:
        raise ValueError(
            f"{len(objects)} objects and {len(predictions)} predictions are not for trying all assignments"
        )
    edges = torch.tensor([width, height, width, height], dtype=torch.float32)
    a, b = torch.from_numpy(objects) / edges, torch.from_numpy(predictions) / edges
    l1 = torch.cdist(_centre_and_size(a), _centre_and_size(b), p=1)  # (objects, predictions)
    giou = generalized_box_iou(torch.from_numpy(objects), torch.from_numpy(predictions)).nan_to_num(0)  # of empty boxes
    cost = (L1_WEIGHT * l1 - GIOU_WEIGHT * giou).numpy()
    rows = np.arange(len(objects))
    ways = permutations(range(len(predictions)), len(objects))
    chosen = min(ways, key=lambda columns: float(cost[rows, list(columns)].sum()))
    total = float(cost[rows, list(chosen)].sum())
    return Matching(cost, l1.numpy(), giou.numpy(), chosen, total, perm(len(predictions), len(objects)))


def _centre_and_size(boxes: torch.Tensor) -> torch.Tensor:
    return torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], dim=1)

"""Raw outputs of YOLOX arranged by hand, so that what a page says of them is known; decoding and choosing are the app's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from explorer.detections import best_first
from explorer.letterbox import letterbox
from explorer.models.boxes import corners
from explorer.models.yolo import STRIDES, decode
from pretrained.detection import LoadedDetector, Look

SILENT = -9.0  # the logit of what is not there


@dataclass(frozen=True)
class Thing:
    """An object on the photo. box: x0, y0, x1, y1 in its pixels."""

    name: str
    box: tuple[float, float, float, float]
    score: float = 0.9


STREET = (
    Thing("bus", (340, 68, 480, 305), 0.93),
    Thing("car", (5, 200, 134, 273), 0.9),
    Thing("person", (155, 193, 176, 250), 0.61),
    Thing("person", (191, 195, 215, 263), 0.72),
    Thing("person", (211, 188, 228, 254), 0.55),
    Thing("person", (252, 198, 283, 270), 0.7),
    Thing("person", (292, 202, 312, 273), 0.66),
    Thing("person", (314, 200, 338, 275), 0.58),
)
"""What stands on coco_street_bus_cars.jpg."""


def arranged_look(detector: LoadedDetector, pixels: np.ndarray, things: Sequence[Thing]) -> Look:
    """The look of a YOLOX that sees these things: each is proposed by the cell of its centre and less surely by four others."""
    box = letterbox(pixels[..., ::-1], detector.model.input_size)
    side, classes = box.pixels.shape[0], detector.classes
    grids = [np.full((5 + len(classes), side // s, side // s), SILENT, np.float32) for s in STRIDES]
    for grid in grids:
        grid[:4] = 0
    surest = [np.zeros(grid.shape[1:]) for grid in grids]
    for number, thing in enumerate(things):
        x0, y0, x1, y1 = box.from_photo(np.array(thing.box)).tolist()
        level = min(range(len(STRIDES)), key=lambda k: abs(math.log2(max(x1 - x0, y1 - y0) / (STRIDES[k] * 3))))
        stride, grid = STRIDES[level], grids[level]
        column, row = int((x0 + x1) / 2 / stride), int((y0 + y1) / 2 / stride)
        for turn, (down, across) in enumerate(((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0))):
            r, c = row + down, column + across
            if not (0 <= r < grid.shape[1] and 0 <= c < grid.shape[2]):
                continue
            wobble = (
                0.12 * turn * (x1 - x0) * math.cos(number + 2 * turn),
                0.06 * turn * (y1 - y0) * math.sin(number + turn),
            )
            chance = thing.score - 0.13 * turn
            if chance <= max(0.02, surest[level][r, c]):
                continue
            surest[level][r, c] = chance
            grid[0, r, c] = ((x0 + x1) / 2 + wobble[0]) / stride - c
            grid[1, r, c] = ((y0 + y1) / 2 + wobble[1]) / stride - r
            grid[2, r, c] = math.log((x1 - x0) * (1 + 0.05 * turn) / stride)
            grid[3, r, c] = math.log((y1 - y0) * (1 - 0.03 * turn) / stride)
            grid[4, r, c] = _logit(math.sqrt(chance))
            grid[5:, r, c] = SILENT
            grid[5 + classes.index(thing.name), r, c] = _logit(math.sqrt(chance))
    return look_of_grids(detector, pixels, grids)


def look_of_grids(detector: LoadedDetector, pixels: np.ndarray, grids: Sequence[np.ndarray]) -> Look:
    """What pretrained.detection.look makes of such outputs."""
    box = letterbox(pixels[..., ::-1], detector.model.input_size)
    rows = decode([torch.from_numpy(grid)[None] for grid in grids])[0]
    scores, labels = (rows[:, 4:5] * rows[:, 5:]).max(1)
    boxes = box.to_photo(corners(rows[:, :4]).numpy())
    return Look(best_first(boxes, scores.numpy(), labels.numpy(), detector.classes), box, tuple(grids))


def _logit(chance: float) -> float:
    return math.log(chance / (1 - chance))

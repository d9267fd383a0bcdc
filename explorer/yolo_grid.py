"""The first YOLO's grid on a photo (Redmon et al. 2016): which cell answers for which object, and what two in one cell mean.

Its network saw the whole photo squeezed into a square, so that S × S cells cover the photo, however long it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.models.yolo import STRIDES

NUMBERS = 5  # of a box: x, y, width, height and confidence


@dataclass(frozen=True)
class Responsible:
    """The cell that holds an object's centre. row, column: of S; centre: (x, y) in pixels of the photo.

    target: what the cell should say of the box: x and y in the cell, width and height in the photo, all 0–1.
    """

    row: int
    column: int
    centre: tuple[float, float]
    target: tuple[float, float, float, float]

    @property
    def cell(self) -> tuple[int, int]:
        """(row, column)."""
        return self.row, self.column


@dataclass(frozen=True)
class Predictions:
    """How many boxes a network proposes: cells of each grid, boxes in all, numbers in all."""

    cells: tuple[int, ...]
    boxes: int
    numbers: int


def responsible(boxes: np.ndarray, width: int, height: int, side: int) -> tuple[Responsible, ...]:
    """The cell of each box. boxes: float (n, 4), x0, y0, x1, y1 in pixels of a photo of width × height; side: S."""
    return tuple(_responsible(box, width, height, side) for box in boxes.tolist())


def _responsible(box: Sequence[float], width: int, height: int, side: int) -> Responsible:
    x0, y0, x1, y1 = box
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    across, down = x / width * side, y / height * side  # in cells
    column, row = (min(max(int(place), 0), side - 1) for place in (across, down))
    target = across - column, down - row, (x1 - x0) / width, (y1 - y0) / height
    return Responsible(row, column, (x, y), target)


def collisions(cells: Sequence[Responsible]) -> dict[tuple[int, int], tuple[int, ...]]:
    """(row, column) of the cells that hold several centres → places of these in `cells`."""
    held: dict[tuple[int, int], list[int]] = {}
    for place, one in enumerate(cells):
        held.setdefault(one.cell, []).append(place)
    return {cell: tuple(places) for cell, places in held.items() if len(places) > 1}


def coarsest_without(boxes: np.ndarray, width: int, height: int, most: int = 64) -> int | None:
    """The least S from which on, up to `most`, no two centres share a cell; None where some do even there."""
    least = None
    for side in range(most, 0, -1):
        if collisions(responsible(boxes, width, height, side)):
            break
        least = side
    return least


def yolo_predictions(side: int, boxes: int, classes: int) -> Predictions:
    """S × S cells, each with B boxes of 5 numbers and the probabilities of C classes: S · S · (B · 5 + C)."""
    return Predictions((side**2,), side**2 * boxes, side**2 * (boxes * NUMBERS + classes))


def yolox_predictions(side: int, classes: int) -> Predictions:
    """One box in each cell of the three grids over a square of side × side pixels: cells · (5 + C)."""
    cells = tuple((side // stride) ** 2 for stride in STRIDES)
    return Predictions(cells, sum(cells), sum(cells) * (NUMBERS + classes))

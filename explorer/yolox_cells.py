"""What YOLOX's grids say, cell by cell: objectness, classes, and how six numbers become a box of the photo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from explorer.letterbox import Letterbox
from explorer.models.yolo import STRIDES, decode

Grids = Sequence[np.ndarray]
"""For strides 8, 16, 32 float32 (5 + classes, h, w): the raw outputs."""


@dataclass(frozen=True)
class Place:
    """A cell. level: which grid, 0 the finest; row, column: in it."""

    level: int
    row: int
    column: int

    @property
    def stride(self) -> int:
        """Side of the cell in pixels of the network's input."""
        return STRIDES[self.level]

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of the cell itself in pixels of the network's input."""
        left, top = self.column * self.stride, self.row * self.stride
        return left, top, left + self.stride, top + self.stride


@dataclass(frozen=True, eq=False)
class Cell:
    """What one cell proposes.

    t: the raw t_x, t_y, t_w, t_h; x, y, width, height: of the box in pixels of the network's input; objectness: 0–1;
    classes: float32 (C,), the probability of each, 0–1; label: the likeliest; score: objectness · its probability;
    inside: x0, y0, x1, y1 in pixels of the input; photo: the same in pixels of the photo, cut at its edges.
    """

    place: Place
    t: tuple[float, float, float, float]
    x: float
    y: float
    width: float
    height: float
    objectness: float
    classes: np.ndarray = field(repr=False)
    label: int
    score: float
    inside: tuple[float, float, float, float]
    photo: tuple[float, float, float, float]


def sigmoid(values: np.ndarray) -> np.ndarray:
    """torch's, so that the numbers are those of the boxes. float32 of any shape."""
    return torch.from_numpy(values).sigmoid().numpy()


def objectness_maps(grids: Grids) -> list[np.ndarray]:
    """Of each grid float32 (h, w): the probability that the cell's box holds an object."""
    return [sigmoid(grid[4]) for grid in grids]


def class_maps(grids: Grids, label: int) -> list[np.ndarray]:
    """Of each grid float32 (h, w): the probability of the class, if there is an object."""
    return [sigmoid(grid[5 + label]) for grid in grids]


def best_first(grids: Grids) -> np.ndarray:
    """The numbers of all cells by the score of their boxes: int64 (cells,), counted the finest grid first, row by row."""
    rows = decode([torch.from_numpy(grid)[None] for grid in grids])[
        0
    ]  # as the boxes were made, so that ties fall alike
    scores = (rows[:, 4:5] * rows[:, 5:]).max(1).values
    return np.argsort(-scores.numpy(), kind="stable")


def place_of(grids: Grids, number: int) -> Place:
    """The cell of that number, counted as in `best_first`."""
    for level, grid in enumerate(grids):
        rows, columns = grid.shape[1:]
        if number < rows * columns:
            return Place(level, number // columns, number % columns)
        number -= rows * columns
    raise IndexError("there are not so many cells")


def cell_at(grids: Grids, box: Letterbox, place: Place) -> Cell:
    """The arithmetic of explorer.models.yolo.decode for one cell. box: what the network was shown."""
    values = grids[place.level][:, place.row, place.column]
    t_x, t_y, t_w, t_h = (float(value) for value in values[:4])
    x, y = (place.column + t_x) * place.stride, (place.row + t_y) * place.stride
    width, height = math.exp(t_w) * place.stride, math.exp(t_h) * place.stride
    inside = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    x0, y0, x1, y1 = box.to_photo(np.array(inside)).tolist()
    chances = sigmoid(values[4:].copy())
    objectness, classes = float(chances[0]), chances[1:]
    label = int(classes.argmax())
    return Cell(
        place, (t_x, t_y, t_w, t_h), x, y, width, height, objectness, classes, label, objectness * float(classes[label]),
        inside, (x0, y0, x1, y1),
    )  # fmt: skip


def beyond(box: Letterbox, level: int) -> tuple[int, int]:
    """How many (rows, columns) at the end of a grid lie wholly on the grey filling."""
    side, stride = box.pixels.shape[0], STRIDES[level]
    width, height = box.inside
    return side // stride - -(-height // stride), side // stride - -(-width // stride)

"""Pictures and figures of what a network says of every pixel: colours, overlays, outlines, one pixel, two masks compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from explorer import palette
from explorer.images import fit
from explorer.segmentations import Segmentation, boundaries

NEITHER, FIRST, SECOND, BOTH = range(4)
"""What compared masks say of a pixel."""


@dataclass(frozen=True, eq=False)
class View:
    """A segmentation as it is shown. pixels: uint8 (h, w, 3), the photo; mask: uint8 (h, w), classes.

    sure: float32 (h, w), the probability of that class, of the network's cell that is nearest.
    """

    pixels: np.ndarray
    mask: np.ndarray
    sure: np.ndarray


@dataclass(frozen=True)
class Pixel:
    """x, y: in the photo; row, column: the cell of the network's grid that is nearest."""

    x: int
    y: int
    row: int
    column: int


@dataclass(frozen=True)
class ClassOverlap:
    """One class in two masks. first, second, intersection, union: in pixels of the photo; iou: 0–1."""

    label: int
    name: str
    first: int
    second: int
    intersection: int
    union: int
    iou: float


@dataclass(frozen=True)
class Change:
    """What became of a mask. share: of the pixels whose class is another, 0–1; before, after: boundary pixels."""

    share: float
    before: int
    after: int


def plain_name(name: str) -> str:
    """As it is shown: __background__ → background."""
    return name.strip("_")


def class_colours(classes: Sequence[str]) -> np.ndarray:
    """uint8 (classes, 3): a colour for each, grey for the background; beyond twenty they begin again."""
    known, colours = 0, []
    for name in classes:
        if plain_name(name) == "background":
            colours.append(palette.NO_CLASS)
        else:
            colours.append(palette.CLASSES[known % len(palette.CLASSES)])
            known += 1
    return np.array([palette.rgb(colour) for colour in colours], np.uint8)


def view(segmentation: Segmentation, pixels: np.ndarray, side: int) -> View:
    """As shown beside a photo whose longer side is `side` pixels. pixels: uint8 (H, W, 3), the photo itself."""
    small = fit(pixels, side)
    mask = sampled(segmentation.mask, small.shape[:2])
    grid = segmentation.probabilities
    rows, columns = _nearest(grid.shape[1], small.shape[0]), _nearest(grid.shape[2], small.shape[1])
    sure = grid[mask, rows[:, None], columns[None]]
    return View(small, mask, sure)


def sampled(values: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """(H, W, …) at another size, without mixing: each cell is that which lies nearest. size: (h, w)."""
    rows, columns = _nearest(values.shape[0], size[0]), _nearest(values.shape[1], size[1])
    return np.ascontiguousarray(values[rows[:, None], columns[None]])


def overlay(
    pixels: np.ndarray, mask: np.ndarray, colours: np.ndarray, opacity: float, hidden: Collection[int] = ()
) -> np.ndarray:
    """The photo under the colours of its classes, uint8 (h, w, 3). opacity: 0–1; hidden: classes that get no colour."""
    strength = np.full(len(colours), opacity, np.float32)
    strength[list(hidden)] = 0
    # Table of what is added for each class, so that the photo is gone through once.
    share = strength[mask][..., None]
    mixed = pixels * (1 - share) + (strength[:, None] * colours)[mask]
    return mixed.round().astype(np.uint8)


def outlines(
    pixels: np.ndarray,
    mask: np.ndarray,
    colours: np.ndarray,
    ground: tuple[int, int, int],
    hidden: Collection[int] = (),
) -> np.ndarray:
    """The photo, faint, with every class's border in its colour, uint8 (h, w, 3). ground: RGB that it fades to."""
    edge = boundaries(mask)
    both = edge.copy()
    both[:, 1:] |= edge[:, :-1]
    both[1:] |= edge[:-1]
    both &= ~np.isin(mask, list(hidden))
    faint = (0.35 * pixels.mean(2, keepdims=True) + 0.65 * np.array(ground)).round().astype(np.uint8)
    return np.where(both[..., None], colours[mask], np.broadcast_to(faint, pixels.shape))


def pixel_at(segmentation: Segmentation, x: int, y: int) -> Pixel:
    """A pixel of the photo, moved inside it."""
    height, width = segmentation.mask.shape
    x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    _classes, h, w = segmentation.probabilities.shape
    return Pixel(x, y, int(_nearest(h, height)[y]), int(_nearest(w, width)[x]))


def middle_of(mask: np.ndarray, label: int) -> tuple[int, int]:
    """(x, y) of the pixel of a class that lies nearest to the middle of all of them; of the photo's if there are none."""
    rows, columns = np.nonzero(mask == label)
    if not len(rows):
        return mask.shape[1] // 2, mask.shape[0] // 2
    place = int(((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2).argmin())
    return int(columns[place]), int(rows[place])


def compare(first: np.ndarray, second: np.ndarray, classes: Sequence[str]) -> tuple[ClassOverlap, ...]:
    """Class by class, those that one of the masks has. first, second: uint8 (H, W)."""
    n = len(classes)
    counts = np.bincount(first.ravel().astype(np.int64) * n + second.ravel(), minlength=n * n).reshape(n, n)
    rows, columns = counts.sum(1), counts.sum(0)
    found = []
    for label, name in enumerate(classes):
        union = int(rows[label] + columns[label] - counts[label, label])
        if union:
            shared = int(counts[label, label])
            found.append(
                ClassOverlap(label, name, int(rows[label]), int(columns[label]), shared, union, shared / union)
            )
    return tuple(found)


def mean_iou(overlaps: Sequence[ClassOverlap]) -> float:
    """Over the classes that are there."""
    return float(np.mean([one.iou for one in overlaps]))


def agreement(first: np.ndarray, second: np.ndarray, label: int) -> np.ndarray:
    """uint8 (H, W): NEITHER, FIRST, SECOND or BOTH say that a pixel is of this class."""
    return ((first == label) * FIRST + (second == label) * SECOND).astype(np.uint8)


def change(before: np.ndarray, after: np.ndarray) -> Change:
    """From one mask, uint8 (H, W), to another."""
    return Change(float((before != after).mean()), int(boundaries(before).sum()), int(boundaries(after).sum()))


def _nearest(size: int, wanted: int) -> np.ndarray:
    """For `wanted` cells along an axis the nearest of `size`."""
    return ((np.arange(wanted) + 0.5) * size / wanted).astype(np.int64)

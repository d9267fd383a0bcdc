"""A photo as patches: what a Vision Transformer's positions are like, and photos with patches in disorder or hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Grid = tuple[int, int]
"""Rows and columns of patches."""


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What hiding parts of a photo does to one class.

    whole: its probability on the whole photo, 0–1. covered: float64 (rows, columns), its probability with the square of that
    place hidden. starts: first pixel of the squares along rows and along columns; side: of the square, pixels.
    """

    whole: float
    covered: np.ndarray
    starts: tuple[tuple[int, ...], tuple[int, ...]]
    side: int

    @property
    def drop(self) -> np.ndarray:
        """How much probability is lost by hiding each place; below 0 where the class gains."""
        return self.whole - self.covered


def position_similarity(positions: np.ndarray, grid: Grid) -> np.ndarray:
    """Cosine of each patch's position embedding with each other's (Dosovitskiy et al. 2021, fig. 7, middle).

    positions: float (T, width), those of extra tokens first, which are left out → float64 (rows, columns, rows, columns),
    −1 to 1; [i, j] is the picture of all patches as patch (i, j) sees them.
    """
    patches = positions[-grid[0] * grid[1] :].astype(np.float64)
    unit = patches / np.maximum(np.linalg.norm(patches, axis=1, keepdims=True), 1e-12)
    return (unit @ unit.T).reshape(*grid, *grid)


def near_and_far(similar: np.ndarray, place: tuple[int, int]) -> tuple[float, float]:
    """One patch's mean cosine with its direct neighbours, left, right, above and below, and with all that are further away.

    similar: as position_similarity gives it, of at least 2 × 2 patches; place: row and column.
    """
    rows, columns = np.indices(similar.shape[:2])
    steps = abs(rows - place[0]) + abs(columns - place[1])
    here = similar[place]
    return float(here[steps == 1].mean()), float(here[steps > 1].mean())


def on_patches(row: np.ndarray, grid: Grid) -> np.ndarray:
    """One query's attention as a picture: (..., T) → (..., rows, columns), without the extra tokens in front."""
    return row[..., -grid[0] * grid[1] :].reshape(*row.shape[:-1], *grid)


def cut(pixels: np.ndarray, grid: Grid) -> np.ndarray:
    """(H, W, C), H and W multiples of the grid's → (rows · columns, h, w, C), row by row."""
    (rows, columns), (height, width, channels) = grid, pixels.shape
    if height % rows or width % columns:
        raise ValueError(f"{height} × {width} pixels cannot be cut into {rows} × {columns} equal patches")
    parts = pixels.reshape(rows, height // rows, columns, width // columns, channels)
    return parts.swapaxes(1, 2).reshape(rows * columns, height // rows, width // columns, channels)


def joined(parts: np.ndarray, grid: Grid) -> np.ndarray:
    """The inverse of cut."""
    _, height, width, channels = parts.shape
    rows, columns = grid
    return (
        parts.reshape(rows, columns, height, width, channels)
        .swapaxes(1, 2)
        .reshape(rows * height, columns * width, channels)
    )


def shuffled(pixels: np.ndarray, grid: Grid, seed: int) -> np.ndarray:
    """The photo with its patches in another order: (H, W, C), multiples of the grid's → the same shape."""
    parts = cut(pixels, grid)
    return joined(parts[np.random.default_rng(seed).permutation(len(parts))], grid)


def hidden(pixels: np.ndarray, grid: Grid, share: float, seed: int) -> np.ndarray:
    """The photo with a share of its patches, 0–1, in its mean colour. One seed hides the same and more as the share grows."""
    parts = cut(pixels, grid).copy()
    chosen = np.random.default_rng(seed).permutation(len(parts))[: round(share * len(parts))]
    parts[chosen] = mean_colour(pixels)
    return joined(parts, grid)


def mean_colour(pixels: np.ndarray) -> np.ndarray:
    """(H, W, C) → (C,), of the same type; whole numbers are rounded."""
    mean = pixels.mean(axis=(0, 1))
    return (mean.round() if np.issubdtype(pixels.dtype, np.integer) else mean).astype(pixels.dtype)


def occlusion(
    pixels: np.ndarray, probability: Callable[[np.ndarray], np.ndarray], side: int, stride: int, batch: int = 32
) -> Occlusion:
    """Slide a square in the photo's mean colour over it and ask each time (Zeiler and Fergus 2014).

    pixels: (H, W, C); probability: photos (n, H, W, C) → n probabilities of the class, float; side, stride: pixels. The last
    square of a row or column lies at the border, so that every pixel is hidden once.
    """
    height, width = pixels.shape[:2]
    starts = _starts(height, side, stride), _starts(width, side, stride)
    places = [(top, left) for top in starts[0] for left in starts[1]]
    colour, found = mean_colour(pixels), []
    for first in range(0, len(places), batch):
        some = places[first : first + batch]
        photos = np.repeat(pixels[None], len(some), axis=0)
        for photo, (top, left) in zip(photos, some, strict=True):
            photo[top : top + side, left : left + side] = colour
        found.append(probability(photos))
    covered = np.concatenate(found).astype(np.float64).reshape(len(starts[0]), len(starts[1]))
    return Occlusion(float(probability(pixels[None])[0]), covered, starts, side)


def _starts(size: int, side: int, stride: int) -> tuple[int, ...]:
    last = max(size - side, 0)
    return (*range(0, last, stride), last)

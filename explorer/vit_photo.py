"""A photo as patches, to be looked at: as the network sees it, cut apart, and under a map of patches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image
from torch import Tensor

from explorer.explain import overlay
from explorer.patches import Grid, cut

LEAST_CUT = 3
"""Pixels: smaller patches are not drawn apart, there would be more gap than photo."""


def seen_pixels(x: Tensor, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """What the network is given, as a photo again. x: float32 (1, 3, H, W), normalised → uint8 (H, W, 3)."""
    photo = x[0].permute(1, 2, 0).numpy() * np.array(std, np.float32) + np.array(mean, np.float32)
    return (255 * photo).round().clip(0, 255).astype(np.uint8)


def square(pixels: np.ndarray, box: tuple[float, float, float, float], side: int) -> np.ndarray:
    """The part of a photo that a network sees, finer than it sees it. box: (x0, y0, x1, y1) → uint8 (side, side, 3)."""
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR, box=box))


def apart(pixels: np.ndarray, grid: Grid, colour: tuple[int, int, int]) -> np.ndarray:
    """The patches with a gap of one pixel between them; as it is where they are smaller than LEAST_CUT.

    pixels: uint8 (H, W, 3), multiples of the grid's → (H + rows − 1, W + columns − 1, 3).
    """
    parts = cut(pixels, grid)
    _, height, width, channels = parts.shape
    if min(height, width) < LEAST_CUT:
        return pixels
    rows, columns = grid
    spaced = np.full((rows, columns, height + 1, width + 1, channels), colour, np.uint8)
    spaced[:, :, :height, :width] = parts.reshape(rows, columns, height, width, channels)
    return spaced.swapaxes(1, 2).reshape(rows * (height + 1), columns * (width + 1), channels)[:-1, :-1]


def enlarged(pixels: np.ndarray, patch: int, least: int = 16) -> tuple[np.ndarray, int]:
    """The photo with each pixel as a square of pixels, so that a patch is at least so wide; and how wide it is then."""
    times = -(-least // patch)
    return pixels.repeat(times, axis=0).repeat(times, axis=1), patch * times


def frame_apart(row: int, column: int, patch: int) -> tuple[int, int, int, int]:
    """(x, y, width, height) of a patch in what `apart` gives, patches of so many pixels."""
    gap = int(patch >= LEAST_CUT)
    return column * (patch + gap), row * (patch + gap), patch, patch


def spread(values: np.ndarray, side: int) -> np.ndarray:
    """A map of patches at the size of the photo, each patch in one value: (rows, columns) → float32 (side, side).

    side: a multiple of both.
    """
    rows, columns = values.shape
    return values.astype(np.float32).repeat(side // rows, axis=0).repeat(side // columns, axis=1)


def lit(pixels: np.ndarray, values: np.ndarray, strength: float) -> np.ndarray:
    """The photo, bright where the map of patches is high. pixels: uint8 (S, S, 3); values: (rows, columns), ≥ 0."""
    return overlay(pixels, spread(values, len(pixels)), strength)


def drawn_side(grid: Grid, about: int) -> int:
    """The side of a drawn photo: a multiple of the patches along it, close to `about` pixels."""
    return max(1, round(about / grid[0])) * grid[0]


def grid_of_grids(similarity: np.ndarray) -> np.ndarray:
    """Every patch's picture at the place of that patch, a gap of one cell between them, which is NaN.

    similarity: (rows, columns, rows, columns) → float32 (rows · (rows + 1) − 1, columns · (columns + 1) − 1).
    """
    rows, columns = similarity.shape[:2]
    spaced = np.full((rows, columns, rows + 1, columns + 1), np.nan, np.float32)
    spaced[:, :, :rows, :columns] = similarity
    return spaced.swapaxes(1, 2).reshape(rows * (rows + 1), columns * (columns + 1))[:-1, :-1]

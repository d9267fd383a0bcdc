"""What an occlusion found, as pictures of the photo's own size."""

from __future__ import annotations

import numpy as np

from explorer.patches import Occlusion, mean_colour


def per_pixel(found: Occlusion, size: tuple[int, int]) -> np.ndarray:
    """The mean loss of probability over all squares that hid a pixel. size: (H, W) of the photo → float32 (H, W)."""
    total, count = np.zeros(size), np.zeros(size)
    for place, top, left in _places(found):
        total[top : top + found.side, left : left + found.side] += found.drop[place]
        count[top : top + found.side, left : left + found.side] += 1
    return (total / count).astype(np.float32)


def most_important(found: Occlusion) -> tuple[int, int]:
    """Row and column of the place whose loss is largest."""
    row, column = np.unravel_index(found.drop.argmax(), found.drop.shape)
    return int(row), int(column)


def frame(found: Occlusion, place: tuple[int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """(x, y, width, height) of the square at a place, in the photo of size (H, W)."""
    top, left = found.starts[0][place[0]], found.starts[1][place[1]]
    return left, top, min(found.side, size[1] - left), min(found.side, size[0] - top)


def covered(pixels: np.ndarray, found: Occlusion, place: tuple[int, int]) -> np.ndarray:
    """The photo as the network saw it with the square at that place. uint8 (H, W, 3) → the same shape."""
    photo = pixels.copy()
    x, y, width, height = frame(found, place, pixels.shape[:2])
    photo[y : y + height, x : x + width] = mean_colour(pixels)
    return photo


def _places(found: Occlusion) -> list[tuple[tuple[int, int], int, int]]:
    rows, columns = found.starts
    return [((i, j), top, left) for i, top in enumerate(rows) for j, left in enumerate(columns)]

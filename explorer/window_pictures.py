"""Patches and windows drawn on a photo: arrays in, pixels out."""

from __future__ import annotations

import cv2
import numpy as np

from explorer import vit_photo
from explorer.models.swin import Sides

SIDE = 336  # pixels: a multiple of 56, 28, 14, 12 and 7 patches
DIM = 0.72  # how dark the rest of the photo gets, 0–1


def square(pixels: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The whole photo squeezed into a square. uint8 (H, W, 3) → uint8 (side, side, 3)."""
    return vit_photo.square(pixels, (0.0, 0.0, float(pixels.shape[1]), float(pixels.shape[0])), side)


def lit(pixels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The photo in full light where the map of patches is at its most. pixels: uint8 (S, S, 3); values: (h, w), ≥ 0."""
    return vit_photo.lit(pixels, values, DIM)


def bordered(pixels: np.ndarray, groups: np.ndarray, colour: tuple[int, int, int], width: int = 1) -> np.ndarray:
    """Lines wherever neighbouring patches are of different groups. groups: int (h, w); width: of half a line, pixels."""
    drawn, spread = pixels.copy(), vit_photo.spread(groups, len(pixels))
    across = np.zeros(spread.shape, bool)
    across[1:] |= spread[1:] != spread[:-1]
    across[:, 1:] |= spread[:, 1:] != spread[:, :-1]
    lines = cv2.dilate(across.astype(np.uint8), np.ones((2 * width, 2 * width), np.uint8)) > 0
    drawn[lines] = colour
    return drawn


def rolled_pixels(pixels: np.ndarray, grid: Sides, shift: Sides) -> np.ndarray:
    """The photo with so many rows and columns of patches taken from the top and the left, put on at the far ends."""
    rows, columns = (side // count * by for side, count, by in zip(pixels.shape[:2], grid, shift, strict=True))
    return np.roll(pixels, (-rows, -columns), axis=(0, 1))

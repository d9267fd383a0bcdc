"""How far each head of a network of patches looks, in pixels (Dosovitskiy et al. 2021, fig. 7, right)."""

from __future__ import annotations

import numpy as np

Grid = tuple[int, int]
"""Rows and columns of patches."""


def mean_attention_distance(weights: np.ndarray, grid: Grid, patch: int) -> np.ndarray:
    """The distance from a patch to what it looks at, weighted by the attention, the mean over all patches.

    weights: float (..., T, T), rows sum to 1; T = extra tokens + patches, row by row; patch: side of one, pixels.
    → float (...): pixels, between centres. The extra tokens lie nowhere, so they are left out and the rest of each row is
    scaled up to sum to 1. A patch that looks at extra tokens alone counts as looking nowhere; NaN if all do.
    """
    distance = attention_distances(weights, grid, patch)  # (..., patches)
    looking = ~np.isnan(distance)
    count = looking.sum(-1)
    total = np.where(looking, distance, 0).sum(-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def attention_distances(weights: np.ndarray, grid: Grid, patch: int) -> np.ndarray:
    """The same of each patch for itself: float (..., patches), NaN of one that looks at extra tokens alone."""
    extra = weights.shape[-1] - grid[0] * grid[1]
    between = weights[..., extra:, extra:]  # (..., patches, patches)
    # d = Σ_j α_ij |i − j| / Σ_j α_ij
    with np.errstate(invalid="ignore", divide="ignore"):
        return (between * patch_distances(grid, patch)).sum(-1) / between.sum(-1)


def patch_distances(grid: Grid, patch: int) -> np.ndarray:
    """From the centre of every patch to that of every other, float64 (patches, patches), pixels."""
    rows, columns = np.indices(grid).reshape(2, -1)
    return patch * np.hypot(rows[:, None] - rows, columns[:, None] - columns)


def even_distance(grid: Grid, patch: int) -> float:
    """The distance of a head that looks at all patches alike, pixels: what the others are compared with."""
    return float(patch_distances(grid, patch).mean())


def window_attention_distance(weights: np.ndarray, window: int, patch: int) -> np.ndarray:
    """The same for attention within windows. weights: float (windows, heads, window², window²) → (heads,), pixels.

    patch: side in pixels of what is a patch at that depth. Windows that were moved hold parts from opposite sides of the
    photo, but these cannot look at each other, so the distance within the window is the one on the photo.
    """
    return mean_attention_distance(weights, (window, window), patch).mean(0)

"""Attention over a set: without positions it does not matter in which order the patches come."""

from __future__ import annotations

import math

from torch import Tensor


def mean_after_attention(x: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """Each patch gathers from all, then the mean of all: of the patches as they stand, and of the same ones shuffled.

    x: float (N, d); order: int64 (N,), a permutation → the mean (d,), and how much the shuffled one differs (d,).
    """
    # α = softmax(XXᵀ / √d), mean of αX
    scores = x @ x.mT / math.sqrt(x.shape[1])  # (N, N)
    gathered = scores.softmax(dim=-1) @ x  # (N, d)
    mean = gathered.mean(dim=0)
    # the same, with the rows of X in another order
    shuffled = x[order]  # (N, d)
    shuffled_scores = shuffled @ shuffled.mT / math.sqrt(x.shape[1])  # (N, N)
    shuffled_gathered = shuffled_scores.softmax(dim=-1) @ shuffled  # (N, d)
    difference = shuffled_gathered.mean(dim=0) - mean
    return mean, difference

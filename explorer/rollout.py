"""Attention rollout: how much of each input token reaches each token, followed through the layers (Abnar & Zuidema 2020)."""

from __future__ import annotations

from typing import Literal

import numpy as np

Fuse = Literal["mean", "max", "min"]
"""How a layer's heads become one matrix."""


def rollout(attention: np.ndarray, *, fuse: Fuse = "mean", residual: float = 0.5, discard: float = 0.0) -> np.ndarray:
    """R_l = (r I + (1 − r) A_l) R_{l−1}, R_0 = I, with A_l the fused heads of layer l.

    attention: float (layers, heads, T, T), rows sum to 1; residual: r, 0–1, the share that goes past the attention, which the
    paper sets to 0.5; discard: share of each row's weights, 0 to less than 1, the weakest, that are set to 0 before.
    → (layers, T, T), from the token of a row back to the input token of a column; rows sum to 1.
    """
    flows = []
    flow = identity = np.eye(attention.shape[-1], dtype=attention.dtype)
    for heads in attention:
        flow = (residual * identity + (1 - residual) * fused(heads, fuse, discard)) @ flow
        flows.append(flow)
    return np.stack(flows)


def fused(heads: np.ndarray, fuse: Fuse = "mean", discard: float = 0.0) -> np.ndarray:
    """One layer's heads as one matrix whose rows sum to 1. heads: (heads, T, T); fuse, discard: as rollout → (T, T)."""
    joined = getattr(heads, fuse)(axis=0)
    weakest = int(discard * joined.shape[-1])
    if weakest:
        places = np.argpartition(joined, weakest - 1, axis=-1)[:, :weakest]
        joined = joined.copy()
        np.put_along_axis(joined, places, 0, axis=-1)
    # Where every key has a head that ignores it, the least of all heads is 0 throughout: such a row keeps to itself.
    total = joined.sum(-1, keepdims=True)
    return np.where(total > 0, joined / np.where(total > 0, total, 1), np.eye(len(joined), dtype=joined.dtype))

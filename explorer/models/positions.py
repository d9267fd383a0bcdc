"""Positional encoding (Vaswani et al. 2017, section 3.5)."""

from __future__ import annotations

import torch
from torch import Tensor


def sinusoid_positions(length: int, d_model: int, base: float = 10000.0) -> Tensor:
    """PE(pos, 2i) = sin(pos / base^(2i/d)), PE(pos, 2i+1) = cos(…). → float32 (length, d_model), −1 to 1."""
    position = torch.arange(length, dtype=torch.float32)[:, None]  # (length, 1)
    even = torch.arange(0, d_model, 2, dtype=torch.float32)  # 2i
    angle = position / base ** (even / d_model)  # (length, ⌈d_model/2⌉)
    # Sine and cosine take turns along d_model.
    pairs = torch.stack([torch.sin(angle), torch.cos(angle)], dim=-1)  # (length, ⌈d_model/2⌉, 2)
    return pairs.flatten(1)[:, :d_model]

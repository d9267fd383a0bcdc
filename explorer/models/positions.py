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


def shift_rotations(d_model: int, offset: float, base: float = 10000.0) -> Tensor:
    """R(k): for each pair of dimensions the turn by k / base^(2i/d) that moves its (sin, cos) on by k = offset positions.

    d_model: even → float32 (d_model/2, 2, 2).
    """
    even = torch.arange(0, d_model, 2, dtype=torch.float32)  # 2i
    angle = offset / base ** (even / d_model)  # (d_model/2,)
    sin, cos = torch.sin(angle), torch.cos(angle)
    # sin(a + b) = cos b · sin a + sin b · cos a
    # cos(a + b) = −sin b · sin a + cos b · cos a
    upper = torch.stack([cos, sin], dim=-1)  # (d_model/2, 2)
    lower = torch.stack([-sin, cos], dim=-1)  # (d_model/2, 2)
    rotations = torch.stack([upper, lower], dim=-2)  # (d_model/2, 2, 2)
    return rotations


def shift_positions(encoding: Tensor, offset: float, base: float = 10000.0) -> Tensor:
    """PE(pos + k) = R(k) PE(pos): the encoding of positions that lie k = offset further on, made from these alone.

    encoding: sinusoids, float32 (length, d_model), d_model even → (length, d_model).
    """
    rotations = shift_rotations(encoding.shape[-1], offset, base)  # (d_model/2, 2, 2)
    pairs = encoding.unflatten(-1, (-1, 2))  # (length, d_model/2, 2)
    # Each pair is turned by its own rotation, the same for all positions.
    turned = rotations @ pairs[..., None]  # (length, d_model/2, 2, 1)
    shifted = turned[..., 0].flatten(1)  # (length, d_model)
    return shifted

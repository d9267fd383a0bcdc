"""One cell of one map: what a layer computes at one place, in one channel. The layer does no more than this, everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Norm:
    """What batch normalisation holds of one channel after training; each float (). scale, shift: learned (γ, β)."""

    mean: Tensor
    variance: Tensor
    scale: Tensor
    shift: Tensor
    eps: float = 1e-5


def conv_cell(
    window: Tensor,
    kernel: Tensor,
    bias: Tensor | None = None,
    norm: Norm | None = None,
    shortcut: Tensor | None = None,
    relu: bool = False,
) -> Tensor:
    """A convolution at one place, and what follows on it at once.

    window: float (C_in/groups, kh, kw), what the kernel covers, 0 beyond the map's edge; kernel: the same shape;
    bias, shortcut: float () → float ().
    """
    # cell = Σ_c Σ_i Σ_j window[c, i, j] · kernel[c, i, j]
    products = window * kernel
    cell = products.sum()
    if bias is not None:
        cell = cell + bias
    if norm is not None:
        cell = batch_norm_cell(cell, norm)
    if shortcut is not None:
        cell = cell + shortcut  # F(x) + x
    if relu:
        cell = cell.relu()  # max(0, cell)
    return cell


def batch_norm_cell(x: Tensor, norm: Norm) -> Tensor:
    """Batch normalisation as a trained network does it (Ioffe and Szegedy 2015). x: float () → float ()."""
    # γ · (x − mean) / √(variance + ε) + β
    centred = x - norm.mean
    deviation = torch.sqrt(norm.variance + norm.eps)
    normalised = centred / deviation
    scaled = norm.scale * normalised
    return scaled + norm.shift


def relu_cell(x: Tensor) -> Tensor:
    """Nothing below zero. x: float () → float ()."""
    return x.relu()


def max_cell(window: Tensor) -> Tensor:
    """Max pooling at one place. window: float (kh, kw), what lies inside the map → float ()."""
    return window.amax()


def mean_cell(window: Tensor) -> Tensor:
    """Average pooling at one place. window: float (kh, kw) → float ()."""
    return window.mean()


def add_cell(x: Tensor, shortcut: Tensor) -> Tensor:
    """A shortcut at one place (He et al. 2016, eq. 1): F(x) + x. Both float () → float ()."""
    return x + shortcut


def cat_cell(branches: tuple[Tensor, ...], channel: int) -> Tensor:
    """One place of stacked maps: the branches' channels one after the other. branches: each float (channels,) → float ()."""
    stacked = torch.cat(branches)
    return stacked[channel]


def linear_cell(x: Tensor, weight: Tensor, bias: Tensor | None = None, relu: bool = False) -> Tensor:
    """One number of a fully connected layer. x, weight: float (in_features,); bias: float () → float ()."""
    # cell = Σ_i x[i] · weight[i] + bias
    products = x * weight
    cell = products.sum()
    if bias is not None:
        cell = cell + bias
    if relu:
        cell = cell.relu()
    return cell

"""Attention inside a convolutional network: over its channels, and over the cells of its maps.

Parameter names are those of torchvision.ops.SqueezeExcitation and torch.nn.MultiheadAttention, so their state dicts load as
they are.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.models.attention import MultiHeadAttention


class SqueezeExcitation(nn.Module):
    """Each channel times a gate between 0 and 1, which all channels decide on together (Hu et al. 2018)."""

    def __init__(self, channels: int, squeezed: int):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: float (B, C, h, w) → the same shape, and the gates (B, C, 1, 1)."""
        # z_c = 1/hw Σ x_c (eq. 2)
        squeezed = x.mean(dim=(2, 3), keepdim=True)  # (B, C, 1, 1)
        # s = σ(W_2 relu(W_1 z)) (eq. 3)
        hidden = F.relu(self.fc1(squeezed))  # (B, squeezed, 1, 1)
        gates = torch.sigmoid(self.fc2(hidden))  # (B, C, 1, 1)
        # x̃_c = s_c · x_c (eq. 4)
        return gates * x, gates


class MapAttention(nn.Module):
    """Self-attention over the cells of a map, beside a shortcut: a non-local block (Wang et al. 2018, eq. 6)."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.attention = MultiHeadAttention(channels, heads)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: float (B, C, h, w) → the same shape, and the weights (B, heads, h·w, h·w)."""
        cells = x.flatten(2).transpose(1, 2)  # (B, h·w, C)
        attended, weights = self.attention(cells, cells, cells)
        back = attended.transpose(1, 2).unflatten(2, x.shape[2:])  # (B, C, h, w)
        return x + back, weights


def gaussian_attention(x: Tensor) -> tuple[Tensor, Tensor]:
    """The non-local operation without any weights (Wang et al. 2018, eq. 2): cells attend to those they are like.

    x: float (B, C, h, w) → y of the same shape and the weights (B, h·w, h·w). Scaled by 1 / √C, as attention is.
    """
    cells = x.flatten(2).transpose(1, 2)  # (B, h·w, C)
    # f(x_i, x_j) = exp(x_iᵀ x_j / √C), y_i = Σ_j f(x_i, x_j) x_j / Σ_j f(x_i, x_j)
    scores = cells @ cells.mT / math.sqrt(x.shape[1])  # (B, h·w, h·w)
    weights = scores.softmax(dim=-1)
    mixed = weights @ cells  # (B, h·w, C)
    return mixed.transpose(1, 2).unflatten(2, x.shape[2:]), weights


class MapHead(nn.Module):
    """What follows a network's maps: an attention block or none, the mean over all cells, one linear layer."""

    def __init__(self, channels: int, classes: int, block: SqueezeExcitation | MapAttention | None = None):
        super().__init__()
        self.block = block
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, C, h, w) → logits (B, classes)."""
        return self.read(x)[0]

    def read(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """As forward, with what the block gives beside its maps: the gates, or the attention weights."""
        found = None
        if self.block is not None:
            x, found = self.block(x)
        return self.linear(x.mean(dim=(2, 3))), found


def map_heads(channels: int, classes: int, squeezed: int, heads: int) -> nn.ModuleDict:
    """The three that are compared: without a block, with squeeze-and-excitation, with self-attention over the cells."""
    return nn.ModuleDict(
        {
            "none": MapHead(channels, classes),
            "squeeze": MapHead(channels, classes, SqueezeExcitation(channels, squeezed)),
            "attention": MapHead(channels, classes, MapAttention(channels, heads)),
        }
    )

"""The Transformer's encoder (Vaswani et al. 2017, section 3.1).

Parameter names are torch.nn.TransformerEncoder's, so its state dict loads as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from explorer.models.attention import MultiHeadAttention


@dataclass(frozen=True)
class TransformerConfig:
    """d_model: width of a token's vector; heads: a divisor of it; d_ff: width inside the feed-forward part.

    pre_norm: normalise before each part (Xiong et al. 2020) instead of after it.
    """

    d_model: int = 64
    heads: int = 4
    d_ff: int = 256
    layers: int = 6
    pre_norm: bool = False


class EncoderLayer(nn.Module):
    """Self-attention, Add & Norm, feed-forward, Add & Norm."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.pre_norm = config.pre_norm
        self.self_attn = MultiHeadAttention(config.d_model, config.heads)
        self.linear1 = nn.Linear(config.d_model, config.d_ff)
        self.linear2 = nn.Linear(config.d_ff, config.d_model)
        self.norm1 = nn.LayerNorm(config.d_model)
        self.norm2 = nn.LayerNorm(config.d_model)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: float (B, T, d_model); mask: bool, broadcast to (B, heads, T, T), True where a token may look → as x."""
        if self.pre_norm:
            x = x + self.attend(self.norm1(x), mask)
            x = x + self.feed_forward(self.norm2(x))
        else:
            x = self.norm1(x + self.attend(x, mask))
            x = self.norm2(x + self.feed_forward(x))
        return x

    def attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Every token asks every other: query, key and value are the same sequence."""
        output, _ = self.self_attn(x, x, x, mask)
        return output

    def feed_forward(self, x: Tensor) -> Tensor:
        """max(0, xW_1 + b_1) W_2 + b_2, each token for itself (eq. 2)."""
        hidden = F.relu(self.linear1(x))  # (B, T, d_ff)
        return self.linear2(hidden)


class Encoder(nn.Module):
    """A stack of encoder layers."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: float (B, T, d_model) → (B, T, d_model). mask: as EncoderLayer."""
        for layer in self.layers:
            x = layer(x, mask)
        return x

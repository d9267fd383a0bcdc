"""The Transformer (Vaswani et al. 2017, section 3.1): encoder, decoder, and both.

Parameter names are those of torch.nn.TransformerEncoder, TransformerDecoder and Transformer, so their state dicts load as
they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from explorer.models.attention import MultiHeadAttention

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


@dataclass(frozen=True)
class TransformerConfig:
    """d_model: width of a token's vector; heads: a divisor of it; d_ff: width inside the feed-forward part.

    pre_norm: normalise before each part (Xiong et al. 2020) instead of after it. activation: of the feed-forward part, ReLU
    as in the paper or GELU as in BERT and GPT.
    """

    d_model: int = 64
    heads: int = 4
    d_ff: int = 256
    layers: int = 6
    pre_norm: bool = False
    activation: Literal["relu", "gelu"] = "relu"


class FeedForward(nn.Module):
    """What both kinds of layer have besides attention; it has its parameters from them."""

    linear1: nn.Linear
    linear2: nn.Linear
    activation: str

    def feed_forward(self, x: Tensor) -> Tensor:
        """max(0, xW_1 + b_1) W_2 + b_2, each token for itself (eq. 2), or with GELU in place of max(0, …)."""
        activation = ACTIVATIONS[self.activation]
        hidden = activation(self.linear1(x))  # (B, T, d_ff)
        return self.linear2(hidden)  # (B, T, d_model)


class EncoderLayer(FeedForward):
    """Self-attention, Add & Norm, feed-forward, Add & Norm."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.pre_norm, self.activation = config.pre_norm, config.activation
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


class Encoder(nn.Module):
    """A stack of encoder layers. final_norm: whether a norm follows the last, as nn.TransformerEncoder(norm=…) has one."""

    def __init__(self, config: TransformerConfig, final_norm: bool = False):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.d_model) if final_norm else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x: float (B, T, d_model) → (B, T, d_model). mask: as EncoderLayer."""
        for layer in self.layers:
            x = layer(x, mask)
        if self.norm is not None:
            x = self.norm(x)
        return x


class DecoderLayer(FeedForward):
    """Masked self-attention, attention to the encoder, feed-forward; Add & Norm with each."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.pre_norm, self.activation = config.pre_norm, config.activation
        self.self_attn = MultiHeadAttention(config.d_model, config.heads)
        self.multihead_attn = MultiHeadAttention(config.d_model, config.heads)
        self.linear1 = nn.Linear(config.d_model, config.d_ff)
        self.linear2 = nn.Linear(config.d_ff, config.d_model)
        self.norm1 = nn.LayerNorm(config.d_model)
        self.norm2 = nn.LayerNorm(config.d_model)
        self.norm3 = nn.LayerNorm(config.d_model)

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        """x: float (B, T, d_model), what is written so far; memory: (B, S, d_model), the encoder's output → as x.

        mask, memory_mask: bool, broadcast to (B, heads, T, T) and (B, heads, T, S), True where a token may look.
        """
        if self.pre_norm:
            x = x + self.attend(self.norm1(x), mask)
            x = x + self.look_up(self.norm2(x), memory, memory_mask)
            x = x + self.feed_forward(self.norm3(x))
        else:
            x = self.norm1(x + self.attend(x, mask))
            x = self.norm2(x + self.look_up(x, memory, memory_mask))
            x = self.norm3(x + self.feed_forward(x))
        return x

    def attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """What is written asks what is written; the causal mask hides what comes later."""
        output, _ = self.self_attn(x, x, x, mask)
        return output

    def look_up(self, x: Tensor, memory: Tensor, mask: Tensor | None) -> Tensor:
        """Cross-attention: what is written is the query, what the encoder has read is key and value."""
        output, _ = self.multihead_attn(x, memory, memory, mask)
        return output


class Decoder(nn.Module):
    """A stack of decoder layers. final_norm: as Encoder."""

    def __init__(self, config: TransformerConfig, final_norm: bool = False):
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.d_model) if final_norm else None

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        """x: float (B, T, d_model); memory: (B, S, d_model) → (B, T, d_model). Masks: as DecoderLayer."""
        for layer in self.layers:
            x = layer(x, memory, mask, memory_mask)
        if self.norm is not None:
            x = self.norm(x)
        return x


class Transformer(nn.Module):
    """Encoder and decoder, each with a final norm: torch.nn.Transformer."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.encoder = Encoder(config, final_norm=True)
        self.decoder = Decoder(config, final_norm=True)

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        source_mask: Tensor | None = None,
        target_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
    ) -> Tensor:
        """source: float (B, S, d_model); target: (B, T, d_model) → (B, T, d_model).

        Masks: bool, True where a token may look, broadcast to (B, heads, S, S), (B, heads, T, T) and (B, heads, T, S).
        """
        memory = self.encoder(source, source_mask)  # (B, S, d_model)
        return self.decoder(target, memory, target_mask, memory_mask)

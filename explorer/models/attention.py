"""Attention (Vaswani et al. 2017, "Attention Is All You Need").

Parameter names are torch.nn.MultiheadAttention's, so its state dict loads as it is.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, scale: float | None = None
) -> tuple[Tensor, Tensor]:
    """softmax(QKᵀ / √d_k) V (Vaswani et al. 2017, eq. 1); F.scaled_dot_product_attention.

    query: float (..., T, d_k); key: (..., S, d_k); value: (..., S, d_v); mask: bool, broadcast to (..., T, S), True where
    a query may look; scale: in place of 1 / √d_k → output (..., T, d_v) and weights (..., T, S), whose rows sum to 1. A
    query that may look nowhere gets NaN: the softmax of nothing is 0 / 0.
    """
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    # score = QKᵀ / √d_k
    scores = query @ key.mT * scale  # (..., T, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    # α = softmax(score)
    weights = scores.softmax(dim=-1)  # (..., T, S)
    # output = αV
    output = weights @ value  # (..., T, d_v)
    return output, weights


def causal_mask(queries: int, keys: int | None = None) -> Tensor:
    """Query t may look at the keys 0 … t, not at what comes later. → bool (queries, keys), True where it may look."""
    return torch.ones(queries, queries if keys is None else keys, dtype=torch.bool).tril()


def padding_mask(lengths: Tensor, keys: int) -> Tensor:
    """Nobody may look at what only fills a sentence up. lengths: int (B,), real keys of each → bool (B, 1, keys)."""
    return (torch.arange(keys) < lengths[:, None])[:, None]


def self_attention(
    x: Tensor, w_query: Tensor, w_key: Tensor, w_value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Query, key and value of one sequence: every word asks every other.

    x: float (..., T, d_model); w_query, w_key: (d_model, d_k); w_value: (d_model, d_v); mask: as above → output
    (..., T, d_v) and weights (..., T, T).
    """
    # Q = XW_Q, K = XW_K, V = XW_V
    query = x @ w_query  # (..., T, d_k)
    key = x @ w_key  # (..., T, d_k)
    value = x @ w_value  # (..., T, d_v)
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    return output, weights


class MultiHeadAttention(nn.Module):
    """Several heads attend in parallel, each in its own subspace; W_O joins them (Vaswani et al. 2017, section 3.2.2)."""

    def __init__(self, d_model: int, heads: int):
        super().__init__()
        if d_model % heads:
            raise ValueError(f"d_model = {d_model} cannot be split into {heads} heads of equal width")
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * d_model, d_model))  # W_Q, W_K and W_V, stacked
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * d_model))
        self.out_proj = nn.Linear(d_model, d_model)  # W_O
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """query: float (B, T, d_model); key, value: (B, S, d_model); mask: bool, broadcast to (B, heads, T, S).

        → output (B, T, d_model) and the weights of every head (B, heads, T, S).
        """
        w_query, w_key, w_value = self.in_proj_weight.chunk(3)  # 3 × (d_model, d_model)
        b_query, b_key, b_value = self.in_proj_bias.chunk(3)
        # Q = XW_Q, K = XW_K, V = XW_V
        q = self.split(F.linear(query, w_query, b_query))  # (B, heads, T, d_head)
        k = self.split(F.linear(key, w_key, b_key))  # (B, heads, S, d_head)
        v = self.split(F.linear(value, w_value, b_value))  # (B, heads, S, d_head)
        heads, weights = scaled_dot_product_attention(q, k, v, mask)
        # concat(head_1 … head_h) W_O
        joined = heads.transpose(1, 2).flatten(2)  # (B, T, d_model)
        return self.out_proj(joined), weights

    def split(self, x: Tensor) -> Tensor:
        """(B, T, d_model) → (B, heads, T, d_head)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def sum_of_heads(heads: Tensor, w_out: Tensor, b_out: Tensor) -> tuple[Tensor, Tensor]:
    """concat(head_1 … head_h) W_O, head by head: Σ head_i W_O^i, where W_O^i are the rows of W_O that head_i meets.

    heads: float (B, heads, T, d_head); w_out: (d_model, heads · d_head), nn.Linear's weight, which is W_Oᵀ; b_out: (d_model,)
    → MultiHeadAttention's output (B, T, d_model) and what each head adds to it (B, heads, T, d_model).
    """
    w_heads = w_out.mT.unflatten(0, (heads.shape[1], -1))  # (heads, d_head, d_model)
    # head_i W_O^i
    parts = heads @ w_heads  # (B, heads, T, d_model)
    # Σ head_i W_O^i + b_O
    output = parts.sum(dim=1) + b_out  # (B, T, d_model)
    return output, parts

"""How well a key answers a query: four scores, and attention by any of them.

A score takes query, float (..., T, d_k), and key, (..., S, d_k), and gives a number for each pair, (..., T, S).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

Score = Callable[[Tensor, Tensor], Tensor]


def dot_product(query: Tensor, key: Tensor) -> Tensor:
    """Large where both point the same way and are long (Luong et al. 2015)."""
    # score = QKᵀ
    scores = query @ key.mT  # (..., T, S)
    return scores


def scaled_dot_product(query: Tensor, key: Tensor) -> Tensor:
    """The dot product at a spread that does not grow with the width (Vaswani et al. 2017)."""
    # score = QKᵀ / √d_k
    scores = query @ key.mT / math.sqrt(query.shape[-1])  # (..., T, S)
    return scores


def cosine(query: Tensor, key: Tensor) -> Tensor:
    """Only the direction counts: 1 the same, 0 at right angles, −1 opposite. A vector of length 0 gets 0."""
    # score = q · k / (‖q‖ ‖k‖)
    query = query / query.norm(dim=-1, keepdim=True).clamp_min(1e-8)  # (..., T, d_k)
    key = key / key.norm(dim=-1, keepdim=True).clamp_min(1e-8)  # (..., S, d_k)
    scores = query @ key.mT  # (..., T, S)
    return scores


class AdditiveScore(nn.Module):
    """A small network that learns the score (Bahdanau et al. 2015). hidden_size: the width between its two layers."""

    def __init__(self, d_k: int, hidden_size: int):
        super().__init__()
        self.w_query = nn.Parameter(torch.randn(d_k, hidden_size) / math.sqrt(d_k))
        self.w_key = nn.Parameter(torch.randn(d_k, hidden_size) / math.sqrt(d_k))
        self.v = nn.Parameter(torch.randn(hidden_size))

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """query: float (..., T, d_k); key: (..., S, d_k) → (..., T, S)."""
        q = query @ self.w_query  # (..., T, hidden)
        k = key @ self.w_key  # (..., S, hidden)
        # score = v · tanh(W_q q + W_k k)
        hidden = torch.tanh(q.unsqueeze(-2) + k.unsqueeze(-3))  # (..., T, S, hidden)
        scores = hidden @ self.v  # (..., T, S)
        return scores


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score: Score = scaled_dot_product,
    mask: Tensor | None = None,
    temperature: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Attention by any score: α = softmax(score / temperature), output = αV.

    value: float (..., S, d_v); mask: bool, broadcast to (..., T, S), True where a query may look → output (..., T, d_v) and
    weights (..., T, S), whose rows sum to 1; NaN where a query may look nowhere.
    """
    scores = score(query, key) / temperature  # (..., T, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    # α = softmax(score / temperature)
    weights = scores.softmax(dim=-1)  # (..., T, S)
    # output = αV
    output = weights @ value  # (..., T, d_v)
    return output, weights

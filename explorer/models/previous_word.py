"""A model small enough to train while you watch, on a task that needs order: name the word before each word.

One layer of attention with one head, on vectors of words and of positions (Vaswani et al. 2017, sections 3.2 and 3.5).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.models.attention import MultiHeadAttention
from explorer.models.positions import sinusoid_positions

POSITIONS = ("none", "learned", "sinusoid")


class PreviousWord(nn.Module):
    """Says of every word which one stands before it.

    positions: "none"; "learned", a vector for each of `length` positions; "sinusoid", the same computed, not learned.
    """

    def __init__(self, words: int, length: int, d_model: int, positions: str):
        super().__init__()
        self.word = nn.Embedding(words, d_model)
        if positions == "learned":
            self.position = nn.Parameter(torch.empty(length, d_model).normal_(std=0.02))
        elif positions == "sinusoid":
            self.register_buffer("position", sinusoid_positions(length, d_model))
        else:
            self.register_buffer("position", torch.zeros(length, d_model))
        self.attention = MultiHeadAttention(d_model, heads=1)
        self.answer = nn.Linear(d_model, words)

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """words: int64 (B, T), T ≤ length → logits (B, T, words) and attention weights (B, 1, T, T)."""
        x = self.word(words) + self.position[: words.shape[1]]  # (B, T, d_model)
        joined, weights = self.attention(x, x, x)
        return self.answer(joined), weights

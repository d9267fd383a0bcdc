"""Two uses of the Transformer: words in and words out, as in translation; and words in and a class out.

Both embed × √d_model and add sinusoid positions (Vaswani et al. 2017, sections 3.4 and 3.5).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from explorer.models.attention import causal_mask
from explorer.models.positions import sinusoid_positions
from explorer.models.transformer import Encoder, Transformer, TransformerConfig


class WordVectors(nn.Module):
    """A learned vector for each word, × √d_model, and one for its position, which is not learned."""

    def __init__(self, words: int, d_model: int):
        super().__init__()
        self.embedding = nn.Embedding(words, d_model)
        nn.init.normal_(self.embedding.weight, std=d_model**-0.5)  # × √d_model they are as large as positions

    def forward(self, words: Tensor) -> Tensor:
        """words: int64 (B, T) → float (B, T, d_model)."""
        d_model = self.embedding.embedding_dim
        vectors = self.embedding(words) * math.sqrt(d_model)  # (B, T, d_model)
        positions = sinusoid_positions(words.shape[1], d_model)  # (T, d_model)
        return vectors + positions


class Translator(nn.Module):
    """Encoder and decoder between words: after each word that is written, the scores of every next one."""

    def __init__(self, source_words: int, target_words: int, config: TransformerConfig):
        super().__init__()
        self.config = config
        self.source_vectors = WordVectors(source_words, config.d_model)
        self.target_vectors = WordVectors(target_words, config.d_model)
        self.transformer = Transformer(config)
        self.output = nn.Linear(config.d_model, target_words)

    def encode(self, source: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """source: int64 (B, S); source_mask: bool (B, 1, 1, S), False for what only fills up → memory (B, S, d_model)."""
        x = self.source_vectors(source)  # (B, S, d_model)
        return self.transformer.encoder(x, source_mask)

    def decode(self, target: Tensor, memory: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """target: int64 (B, T), what is written so far, <start> first; memory: (B, S, d_model).

        → logits of the word after each, (B, T, target_words).
        """
        x = self.target_vectors(target)  # (B, T, d_model)
        may_look = causal_mask(target.shape[1])  # (T, T)
        x = self.transformer.decoder(x, memory, may_look, source_mask)  # (B, T, d_model)
        return self.output(x)

    def forward(self, source: Tensor, target: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """As encode and decode → logits (B, T, target_words)."""
        memory = self.encode(source, source_mask)
        return self.decode(target, memory, source_mask)

    def probabilities(self, source: Tensor, target: Tensor) -> Tensor:
        """Of the word after each: (B, T, target_words), rows sum to 1."""
        logits = self(source, target)
        probabilities = logits.softmax(dim=-1)
        return probabilities

    def greedy(self, source: Tensor, target: Tensor, end: int, most: int, source_mask: Tensor | None = None) -> Tensor:
        """Write the likeliest word, read it, write the next, until each sentence has its `end` or is `most` words long.

        target: int64 (B, T), what each begins with → int64 (B, T to most).
        """
        memory = self.encode(source, source_mask)
        while target.shape[1] < most and not (target == end).any(dim=1).all():
            logits = self.decode(target, memory, source_mask)[:, -1]  # (B, target_words)
            likeliest = logits.argmax(dim=-1, keepdim=True)  # (B, 1)
            target = torch.cat([target, likeliest], dim=1)  # (B, T + 1)
        return target


class TransformerClassifier(nn.Module):
    """Embed, encode, take the mean over the words, one linear layer."""

    def __init__(self, words: int, classes: int, config: TransformerConfig):
        super().__init__()
        self.vectors = WordVectors(words, config.d_model)
        self.encoder = Encoder(config)
        self.output = nn.Linear(config.d_model, classes)

    def forward(self, words: Tensor, real: Tensor | None = None) -> Tensor:
        """words: int64 (B, T); real: bool (B, T), False for what only fills up → logits (B, classes)."""
        real = torch.ones_like(words, dtype=torch.bool) if real is None else real
        x = self.vectors(words)  # (B, T, d_model)
        x = self.encoder(x, real[:, None, None])  # (B, T, d_model)
        # The mean over the real words: Σ x_t / T
        share = real / real.sum(dim=1, keepdim=True)  # (B, T), rows sum to 1
        pooled = (share[:, None] @ x).squeeze(1)  # (B, d_model)
        return self.output(pooled)

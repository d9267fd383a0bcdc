"""BERT (Devlin et al. 2019): a Transformer encoder that reads both ways, with its two pre-training heads.

Parameter names are those of the official checkpoints (Hugging Face's BertForPreTraining), which load as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class BertConfig:
    """The sizes of bert-base-uncased. hidden: width of a token's vector; intermediate: width inside the feed-forward part.

    positions: the longest input, in tokens; types: kinds of segment (sentence A, sentence B); eps: of the layer norms.
    """

    vocabulary: int = 30522
    hidden: int = 768
    layers: int = 12
    heads: int = 12
    intermediate: int = 3072
    positions: int = 512
    types: int = 2
    eps: float = 1e-12


@dataclass(frozen=True)
class AttentionParts:
    """What one layer's heads computed. query, key, value: float (B, heads, T, d_head); weights: (B, heads, T, T)."""

    query: Tensor
    key: Tensor
    value: Tensor
    weights: Tensor


@dataclass(frozen=True)
class BertOutput:
    """hidden: what goes into the first layer and comes out of each, layers + 1 times float (B, T, hidden).

    attention: what each layer's heads computed. pooled: float (B, hidden), made of the first token, [CLS].
    """

    hidden: tuple[Tensor, ...]
    attention: tuple[AttentionParts, ...]
    pooled: Tensor

    @property
    def last(self) -> Tensor:
        """What comes out of the last layer, float (B, T, hidden)."""
        return self.hidden[-1]


class Embeddings(nn.Module):
    """A token's vector is the sum of three learned ones: its word's, its place's and its segment's."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocabulary, config.hidden)
        self.position_embeddings = nn.Embedding(config.positions, config.hidden)
        self.token_type_embeddings = nn.Embedding(config.types, config.hidden)
        self.LayerNorm = nn.LayerNorm(config.hidden, config.eps)

    def forward(self, tokens: Tensor, types: Tensor) -> Tensor:
        """tokens, types: int64 (B, T) → float (B, T, hidden)."""
        places = torch.arange(tokens.shape[1])  # (T,)
        words = self.word_embeddings(tokens)  # (B, T, hidden)
        x = words + self.position_embeddings(places) + self.token_type_embeddings(types)
        return self.LayerNorm(x)


class SelfAttention(nn.Module):
    """Scaled dot-product attention in several heads, before their outputs are projected."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.heads = config.heads
        self.query = nn.Linear(config.hidden, config.hidden)
        self.key = nn.Linear(config.hidden, config.hidden)
        self.value = nn.Linear(config.hidden, config.hidden)

    def forward(self, x: Tensor, keep: Tensor, head_mask: Tensor | None = None) -> tuple[Tensor, AttentionParts]:
        """x: float (B, T, hidden); keep: bool (B, 1, 1, T), False where a token is padding.

        head_mask: float (heads,), 1 keeps a head's output, 0 switches it off → (B, T, hidden) and what led to it.
        """
        query = self.split(self.query(x))  # (B, heads, T, d_head)
        key = self.split(self.key(x))
        value = self.split(self.value(x))
        # score = QKᵀ / √d_head
        scores = query @ key.mT / math.sqrt(query.shape[-1])  # (B, heads, T, T)
        scores = scores.masked_fill(~keep, float("-inf"))
        weights = scores.softmax(dim=-1)
        mixed = weights @ value  # (B, heads, T, d_head)
        if head_mask is not None:
            mixed = mixed * head_mask[:, None, None]
        joined = mixed.transpose(1, 2).flatten(2)  # (B, T, hidden)
        return joined, AttentionParts(query, key, value, weights)

    def split(self, x: Tensor) -> Tensor:
        """(B, T, hidden) → (B, heads, T, d_head)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class AddAndNorm(nn.Module):
    """A linear layer, the residual added, and layer norm."""

    def __init__(self, width: int, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(width, config.hidden)
        self.LayerNorm = nn.LayerNorm(config.hidden, config.eps)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """x: float (B, T, width); residual: (B, T, hidden) → (B, T, hidden)."""
        return self.LayerNorm(self.dense(x) + residual)


class Attention(nn.Module):
    """Self-attention, W_O, Add & Norm."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.self = SelfAttention(config)
        self.output = AddAndNorm(config.hidden, config)

    def forward(self, x: Tensor, keep: Tensor, head_mask: Tensor | None = None) -> tuple[Tensor, AttentionParts]:
        """As SelfAttention."""
        joined, parts = self.self(x, keep, head_mask)
        return self.output(joined, x), parts


class Intermediate(nn.Module):
    """The wide half of the feed-forward part."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.hidden, config.intermediate)

    def forward(self, x: Tensor) -> Tensor:
        """float (B, T, hidden) → (B, T, intermediate)."""
        return F.gelu(self.dense(x))


class Layer(nn.Module):
    """Attention, then the feed-forward part, each with Add & Norm."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Intermediate(config)
        self.output = AddAndNorm(config.intermediate, config)

    def forward(self, x: Tensor, keep: Tensor, head_mask: Tensor | None = None) -> tuple[Tensor, AttentionParts]:
        """As SelfAttention."""
        x, parts = self.attention(x, keep, head_mask)
        wide = self.intermediate(x)  # (B, T, intermediate)
        return self.output(wide, x), parts


class Encoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.layers))


class Pooler(nn.Module):
    """The vector of the first token, [CLS], once more through a layer: it stands for the whole input."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.hidden, config.hidden)

    def forward(self, x: Tensor) -> Tensor:
        """float (B, T, hidden) → (B, hidden)."""
        return torch.tanh(self.dense(x[:, 0]))


class Bert(nn.Module):
    """Embeddings, encoder, pooler: BertModel."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.pooler = Pooler(config)

    def forward(
        self,
        tokens: Tensor,
        types: Tensor | None = None,
        keep: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> BertOutput:
        """tokens: int64 (B, T), at most config.positions; types: int64 (B, T), 0 for sentence A (all, if None), 1 for B.

        keep: bool (B, T), False where a token is padding. head_mask: float (layers, heads), 0 switches a head off.
        """
        types = torch.zeros_like(tokens) if types is None else types
        keep = torch.ones_like(tokens, dtype=torch.bool) if keep is None else keep
        x = self.embeddings(tokens, types)  # (B, T, hidden)
        hidden, attention = [x], []
        for number, layer in enumerate(self.encoder.layer):
            x, parts = layer(x, keep[:, None, None, :], None if head_mask is None else head_mask[number])
            hidden.append(x)
            attention.append(parts)
        return BertOutput(tuple(hidden), tuple(attention), self.pooler(x))


class Transform(nn.Module):
    """The masked-word head's own layer."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.dense = nn.Linear(config.hidden, config.hidden)
        self.LayerNorm = nn.LayerNorm(config.hidden, config.eps)

    def forward(self, x: Tensor) -> Tensor:
        """float (..., hidden) → (..., hidden)."""
        return self.LayerNorm(F.gelu(self.dense(x)))


class MaskedWordHead(nn.Module):
    """How well each word of the vocabulary fits at a place: the dot product with the word's own embedding, plus a bias."""

    def __init__(self, config: BertConfig, words: nn.Embedding):
        super().__init__()
        self.transform = Transform(config)
        self.decoder = nn.Linear(config.hidden, config.vocabulary)
        self.decoder.weight = words.weight  # one matrix for reading and for writing
        self.bias = self.decoder.bias

    def forward(self, x: Tensor) -> Tensor:
        """float (..., hidden) → logits (..., vocabulary)."""
        return self.decoder(self.transform(x))

    def among(self, x: Tensor, embeddings: Tensor, bias: Tensor, log_total: Tensor) -> Tensor:
        """The probabilities of a few words of the vocabulary, by their rows of the decoder.

        x: float (hidden,); embeddings: (k, hidden); bias: (k,); log_total: (), log Σ exp(logit) over the whole vocabulary
        → (k,).
        """
        fitting = self.transform(x)  # (hidden,)
        logits = embeddings @ fitting + bias  # (k,)
        # softmax: exp(logit) / Σ exp(logit)
        probabilities = torch.exp(logits - log_total)
        return probabilities


class Heads(nn.Module):
    """The two tasks that BERT was pre-trained on."""

    def __init__(self, config: BertConfig, words: nn.Embedding):
        super().__init__()
        self.predictions = MaskedWordHead(config, words)
        self.seq_relationship = nn.Linear(config.hidden, 2)


class BertForPreTraining(nn.Module):
    """BERT with the masked-word and the next-sentence head."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.bert = Bert(config)
        self.cls = Heads(config, self.bert.embeddings.word_embeddings)

    def forward(
        self,
        tokens: Tensor,
        types: Tensor | None = None,
        keep: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> BertOutput:
        """As Bert."""
        return self.bert(tokens, types, keep, head_mask)

    def masked_words(self, x: Tensor) -> Tensor:
        """x: float (..., hidden), vectors of places as any layer gives them → logits of the words (..., vocabulary)."""
        return self.cls.predictions(x)

    def next_sentence(self, pooled: Tensor) -> Tensor:
        """pooled: float (B, hidden) → logits (B, 2): that B follows A, that it does not."""
        return self.cls.seq_relationship(pooled)

    def judge(self, x: Tensor) -> Tensor:
        """x: float (B, T, hidden), what comes out of the last layer → (B, 2), P(B follows A) and P(it does not)."""
        pooled = self.bert.pooler(x)  # (B, hidden)
        logits = self.next_sentence(pooled)  # (B, 2)
        probabilities = logits.softmax(dim=-1)
        return probabilities

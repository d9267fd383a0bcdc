"""What a language model makes of a text: who attends to whom, out of which queries and keys, and what it would say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from tokenizers import Tokenizer

from explorer.tokens import Tokens

Kind = Literal["encoder", "decoder", "encoder-decoder"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Attended:
    """The attention of every layer and head; float32.

    attention: (layers, heads, Q, K), from the query, its row, to the key; the rows sum to 1. query: (layers, heads, Q,
    d_head); key, value: (layers, heads, K, d_head); all three None where this kind of model does not tell them, then scale
    and bias are None too. scale: (layers,). bias: (1 or layers, 1 or heads, Q, K), what is added to the scores: −∞ where a
    query may not look, what a model learned of distances; None if nothing is. So
    softmax(query·keyᵀ·scale + bias) = attention.
    """

    attention: np.ndarray
    query: np.ndarray | None
    key: np.ndarray | None
    value: np.ndarray | None
    scale: np.ndarray | None
    bias: np.ndarray | None = None

    @property
    def has_parts(self) -> bool:
        """Whether queries, keys and values are known."""
        return self.query is not None

    def bias_of(self, layer: int, head: int) -> np.ndarray | None:
        """What one head adds to its scores: (Q, K), or None."""
        if self.bias is None:
            return None
        return self.bias[min(layer, len(self.bias) - 1), min(head, self.bias.shape[1] - 1)]


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading(Attended):
    """What a stack of layers made of a text whose tokens attend to each other; Q = K = T.

    hidden: (layers + 1, T, width), what goes into the first layer and comes out of each. pooled: (width,), what a BERT
    makes of the whole text; None for other models.
    """

    tokens: Tokens
    hidden: np.ndarray
    pooled: np.ndarray | None = None

    @property
    def queries(self) -> Tokens:
        """The tokens of the rows."""
        return self.tokens

    @property
    def keys(self) -> Tokens:
        """The tokens of the columns."""
        return self.tokens


@dataclass(frozen=True, eq=False, kw_only=True)
class CrossReading(Attended):
    """How the tokens that a decoder has so far, queries, attend to those of the text that the encoder read, keys."""

    queries: Tokens
    keys: Tokens


@dataclass(frozen=True, eq=False, kw_only=True)
class TwoReadings:
    """What an encoder made of one text, what the decoder made of another, and how the second attends to the first."""

    encoder: Reading
    decoder: Reading
    cross: CrossReading


@dataclass(frozen=True, eq=False)
class Guesses:
    """The k likeliest words at a place, best first. pieces: as they stand in the vocabulary; ids: int64 (k,).

    probabilities: float32 (k,), 0–1.
    """

    pieces: tuple[str, ...]
    ids: np.ndarray
    probabilities: np.ndarray


class Masks(Protocol):
    """A model that can be asked for a hidden word."""

    @property
    def tokenizer(self) -> Tokenizer:
        """What cuts a text into tokens."""

    @property
    def mask(self) -> int:
        """The id of its [MASK]."""


def masked(model: Masks, tokens: Tokens, place: int) -> Tokens:
    """The same tokens with the model's [MASK] in one place."""
    ids = tokens.ids.copy()
    ids[place] = model.mask
    piece = model.tokenizer.id_to_token(model.mask) or ""
    return replace(tokens, ids=ids, pieces=(*tokens.pieces[:place], piece, *tokens.pieces[place + 1 :]))

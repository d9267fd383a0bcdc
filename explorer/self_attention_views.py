"""What the attention page shows of a typed sentence that attends to itself: weights, order, and the three limits.

Words' vectors and W_Q, W_K, W_V are random, drawn with a seed; nothing is learned.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from explorer.edits import Replacements
from explorer.models.attention import causal_mask, self_attention
from explorer.models.positions import sinusoid_positions
from explorer.trace import Trace, trace
from explorer.words import random_vectors

Order = Literal["typed", "reversed", "shuffled"]

D_MODEL = 8


@dataclass(frozen=True)
class SentenceSetup:
    """words: T texts, as typed. positions: whether sinusoids are added to the vectors. causal: nobody looks ahead."""

    words: tuple[str, ...]
    positions: bool = False
    causal: bool = False
    seed: int = 0

    def ordered(self, order: Sequence[int]) -> tuple[str, ...]:
        """The words in this order."""
        return tuple(self.words[place] for place in order)

    def embed(self, words: Sequence[str]) -> Tensor:
        """The words' vectors, in this order, with positions where asked for: float32 (T, D_MODEL)."""
        x = torch.from_numpy(random_vectors(words, D_MODEL, self.seed))
        return x + sinusoid_positions(len(words), D_MODEL) if self.positions else x

    def weights(self, draw: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """W_Q, W_K and W_V, (D_MODEL, D_MODEL) each, N(0, 1/D_MODEL). draw: another one for every number."""
        generator = torch.Generator().manual_seed(100 * self.seed + draw)
        w_query, w_key, w_value = torch.randn(3, D_MODEL, D_MODEL, generator=generator) / D_MODEL**0.5
        return w_query, w_key, w_value

    def mask(self) -> Tensor | None:
        """Bool (T, T), or None where everybody may look everywhere."""
        return causal_mask(len(self.words)) if self.causal else None


def order_of(length: int, order: Order, shuffle: int = 0) -> list[int]:
    """Places of the words in the new order. shuffle: another one for every number; never the typed one if length > 1."""
    places = list(range(length))
    if order == "reversed":
        return places[::-1]
    if order == "shuffled":
        source = random.Random(shuffle)  # noqa: S311 — an order to look at, no secret
        while length > 1 and places == sorted(places):
            source.shuffle(places)
    return places


def sentence_steps(setup: SentenceSetup, order: Sequence[int], edits: Replacements | None = None) -> Trace:
    """The trace of self-attention of the words in this order. edits: step → what takes the place of its output."""
    return trace(self_attention, setup.embed(setup.ordered(order)), *setup.weights(), setup.mask(), edits=edits)


def draws(setup: SentenceSetup, order: Sequence[int], count: int) -> np.ndarray:
    """The attention of several draws of W_Q and W_K. → float32 (count, T, T), rows sum to 1."""
    x = setup.embed(setup.ordered(order))
    return torch.stack([self_attention(x, *setup.weights(draw), setup.mask())[1] for draw in range(count)]).numpy()


@dataclass(frozen=True, eq=False)
class Permuted:
    """What another order of the words changes. All (T, d) but the last.

    output: of the words in that order. moved: the rows of the typed sentence's output, put into that order. difference:
    output − moved. largest: its largest magnitude.
    """

    output: np.ndarray
    moved: np.ndarray
    difference: np.ndarray
    largest: float


def permute(setup: SentenceSetup, order: Sequence[int]) -> Permuted:
    """Attend, then permute; and permute, then attend."""
    moved = self_attention(setup.embed(setup.words), *setup.weights(), setup.mask())[0][list(order)]
    output = self_attention(setup.embed(setup.ordered(order)), *setup.weights(), setup.mask())[0]
    difference = output - moved
    return Permuted(output.numpy(), moved.numpy(), difference.numpy(), difference.abs().max().item())


@dataclass(frozen=True)
class Limits:
    """The three limits, measured on this sentence. Each is a pair: without the cure, with it.

    order: the largest change of the output, brought back into place, when the words are reversed; cure: positions. linear:
    the largest |f(−V) + f(V)|, f being the output for these weights and values V, 0 as long as nothing bends; cure: a
    feed-forward network behind it. future: mean weight on words that come later; cure: the causal mask.
    """

    order: tuple[float, float]
    linear: tuple[float, float]
    future: tuple[float, float]


def limits(setup: SentenceSetup) -> Limits:
    """All three. The feed-forward network has random weights too."""
    words = setup.words
    plain, placed = (SentenceSetup(words, positions, False, setup.seed) for positions in (False, True))
    backwards = order_of(len(words), "reversed")
    x = plain.embed(words)
    w_query, w_key, w_value = plain.weights()
    w_1, w_2, _unused = plain.weights(draw=-1)
    weights = self_attention(x, w_query, w_key, w_value)[1]
    masked = self_attention(x, w_query, w_key, w_value, causal_mask(len(words)))[1]
    value = x @ w_value

    def odd(f: Callable[[Tensor], Tensor]) -> float:
        return (f(-value) + f(value)).abs().max().item()

    later = ~causal_mask(len(words))
    future = [w.masked_fill(~later, 0).sum(-1).mean().item() for w in (weights, masked)]
    return Limits(
        order=(permute(plain, backwards).largest, permute(placed, backwards).largest),
        linear=(odd(lambda v: weights @ v), odd(lambda v: torch.relu(weights @ v @ w_1) @ w_2)),
        future=(future[0], future[1]),
    )

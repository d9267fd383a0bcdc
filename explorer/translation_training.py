"""Training the translator: sentences of the grammar in, the next French word out; seeded, so that a setting gives one run."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.live_training import Progress, train
from explorer.models.sequence_transformers import Translator
from explorer.models.transformer import TransformerConfig
from explorer.translation import END, ENGLISH, FRENCH, PAD, START, Pair, draw, held_out, numbers

STEPS = 300
BATCH = 64
LEARNING_RATE = 3e-3
TESTED = 100
"""Held-out sentences that are translated to measure the accuracy while it trains."""
LONGEST = 20
"""Words of a translation, <start> and <end> included."""


def untrained(config: TransformerConfig, seed: int = 0) -> Translator:
    """The model before its first update; embeddings and matrices drawn with the seed, as torch draws them."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Translator(len(ENGLISH), len(FRENCH), config)


def train_translator(config: TransformerConfig, seed: int = 0, steps: int = STEPS) -> Iterator[Progress]:
    """Train on random sentences, none of them held out; cross-entropy of each French word and of <end>."""
    source = random.Random(seed)  # noqa: S311 — sentences to learn from, no secret
    model = untrained(config, seed)
    tested = sentences(TESTED, seed=-1, held=True)

    def loss_of(_step: int) -> Tensor:
        english, written, following = batch(_draw(source, BATCH, held=False))
        logits = model(english, written, real(english))
        return F.cross_entropy(logits.flatten(0, 1), following.flatten(), ignore_index=FRENCH.index(PAD))

    yield from train(model, loss_of, lambda now: exact(now, tested), steps, LEARNING_RATE)


def sentences(count: int, seed: int, held: bool) -> list[Pair]:
    """So many different sentences that are held out, or that are not."""
    return _draw(random.Random(seed), count, held)  # noqa: S311


def _draw(source: random.Random, count: int, held: bool) -> list[Pair]:
    found: dict[Pair, None] = {}
    while len(found) < count:
        pair = draw(source)
        if held_out(pair) == held:
            found[pair] = None
    return list(found)


def batch(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor, Tensor]:
    """English (B, S); French behind <start> (B, T); the word that follows each, <end> last (B, T); <pad> fills up."""
    english = [numbers(pair.english, ENGLISH) for pair in pairs]
    french = [numbers(pair.french, FRENCH) for pair in pairs]
    start, end = FRENCH.index(START), FRENCH.index(END)
    return _padded(english), _padded([[start, *row] for row in french]), _padded([[*row, end] for row in french])


def _padded(rows: list[list[int]]) -> Tensor:
    """<pad> is 0 in both vocabularies."""
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)


def real(english: Tensor) -> Tensor:
    """Where a word stands that is no <pad>: bool (B, 1, 1, S)."""
    return (english != ENGLISH.index(PAD))[:, None, None]


def exact(model: nn.Module, pairs: Sequence[Pair]) -> float:
    """The share of sentences whose greedy translation is right in every word."""
    english, written, following = batch(pairs)
    end, most = FRENCH.index(END), following.shape[1] + 1
    answers = model.greedy(english, written[:, :1], end, most, real(english))[:, 1:]  # type: ignore[operator]
    right = 0
    for answer, wanted in zip(answers.tolist(), following.tolist(), strict=True):
        length = wanted.index(end) + 1
        right += answer[:length] == wanted[:length]
    return right / len(pairs)

"""Training the classifier of reviews, and the two baselines that it has to beat; all seeded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.live_training import Progress, few_threads, train
from explorer.models.sequence_transformers import TransformerClassifier
from explorer.models.transformer import TransformerConfig
from explorer.reviews import PAD, VERDICTS, WORDS, Review, draw
from explorer.trace import Trace, trace
from explorer.translation import numbers

CONFIG = TransformerConfig(d_model=32, heads=2, d_ff=64, layers=2)
STEPS = 400
BATCH = 64
LEARNING_RATE = 3e-3
TESTED = 500
"""Held-out reviews that an accuracy is measured on."""
COUNTED = 4000
"""Reviews that the bag of words is fitted to."""


def untrained(seed: int = 0) -> TransformerClassifier:
    """The classifier before its first update."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return TransformerClassifier(len(WORDS), len(VERDICTS), CONFIG).eval().requires_grad_(False)


def train_classifier(seed: int = 0, steps: int = STEPS) -> Iterator[Progress]:
    """Train on random reviews, none of them held out; cross-entropy of the verdict."""
    source = random.Random(seed)  # noqa: S311 — reviews to learn from, no secret
    model = untrained(seed).requires_grad_(True)
    words, verdicts = batch(reviews(TESTED, seed=-1, held=True))

    def loss_of(_step: int) -> Tensor:
        x, y = batch(_draw(source, BATCH, held=False))
        return F.cross_entropy(model(x, real(x)), y)

    def accuracy_of(now: nn.Module) -> float:
        return _right(now(words, real(words)), verdicts)

    yield from train(model, loss_of, accuracy_of, steps, LEARNING_RATE)


def held_out(review: Review) -> bool:
    """Whether a review is one of the tenth that nothing is trained on."""
    return crc32(" ".join(review.words).encode()) % 10 == 0


def reviews(count: int, seed: int, held: bool) -> list[Review]:
    """So many different reviews that are held out, or that are not."""
    return _draw(random.Random(seed), count, held)  # noqa: S311


def _draw(source: random.Random, count: int, held: bool) -> list[Review]:
    found: dict[Review, None] = {}
    while len(found) < count:
        review = draw(source)
        if held_out(review) == held:
            found[review] = None
    return list(found)


def batch(found: Sequence[Review]) -> tuple[Tensor, Tensor]:
    """Words (B, T), <pad> fills up; verdicts (B,), 1 for positive."""
    rows = [torch.tensor(numbers(review.words, WORDS)) for review in found]
    words = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=WORDS.index(PAD))
    return words, torch.tensor([int(review.positive) for review in found])


def real(words: Tensor) -> Tensor:
    """Where a word stands that is no <pad>: bool (B, T)."""
    return words != WORDS.index(PAD)


def _right(logits: Tensor, verdicts: Tensor) -> float:
    return (logits.argmax(dim=-1) == verdicts).float().mean().item()


@dataclass(frozen=True)
class Baselines:
    """Shares of the held-out reviews. majority: always the commoner verdict; bag: logistic regression on word counts."""

    majority: float
    bag: float


def baselines() -> Baselines:
    """Measured on the same held-out reviews as the classifier; takes about a second."""
    x, y = batch(reviews(COUNTED, seed=-2, held=False))
    tested, verdicts = batch(reviews(TESTED, seed=-1, held=True))
    commoner = int(y.float().mean() > 0.5)
    with few_threads():
        bag = _fit_bag(counts(x), y)
        scores = counts(tested) @ bag
    share = _right(scores, verdicts)
    return Baselines(majority=(verdicts == commoner).float().mean().item(), bag=share)


def counts(words: Tensor) -> Tensor:
    """How often each word of the vocabulary occurs: int64 (B, T) → float32 (B, words), <pad> as a constant 1."""
    bag = F.one_hot(words, len(WORDS)).sum(dim=1).float()
    bag[:, WORDS.index(PAD)] = 1
    return bag


def _fit_bag(bag: Tensor, verdicts: Tensor) -> Tensor:
    """Logistic regression: the weights (words, 2) that the cross-entropy is least for, by L-BFGS."""
    weights = torch.zeros(bag.shape[1], len(VERDICTS), requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(bag @ weights, verdicts)
        loss.backward()
        return loss

    optimizer.step(closure)
    return weights.detach()


@dataclass(frozen=True, eq=False)
class Verdict:
    """One review through one model. positive: its probability, 0–1. attention: float32 (layers, heads, T, T), rows sum to 1.

    steps: the trace.
    """

    positive: float
    attention: np.ndarray
    steps: Trace


def judge(model: nn.Module, words: Sequence[str]) -> Verdict:
    """Words that the model does not know are <unk>."""
    x = torch.tensor([numbers(words, WORDS)])
    with torch.inference_mode():
        steps = trace(model, x)
        positive = steps.result.softmax(dim=-1)[0, 1].item()
    weights = [step.outputs[0][0] for step in steps.steps if step.op == "softmax"]  # type: ignore[index]
    return Verdict(positive, torch.stack(weights).numpy(), steps)  # type: ignore[arg-type]


def received(attention: np.ndarray) -> np.ndarray:
    """How much of the attention each word gets, mean over heads and queries. (heads, T, T) → (T,), sums to 1."""
    return attention.mean(axis=(0, 1))

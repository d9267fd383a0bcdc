"""Training a tiny model that must know the order of words: without positions, with learned ones, with sinusoids.

Everything is drawn with a seed, so the same setting gives the same run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.models.previous_word import POSITIONS, PreviousWord

WORDS = ("cat", "dog", "bird", "fish", "sun", "moon", "rain", "tree")
"""The sentences are these words, drawn at random."""
D_MODEL = 32
BATCH = 64
CHUNK = 20
"""Steps between two reports."""
LEARNING_RATE = 0.01
TESTED = 256
"""Sentences that an accuracy is measured on; none is trained on."""


@dataclass(frozen=True, eq=False)
class Report:
    """How far the training is. Each mapping has the models "none", "learned" and "sinusoid".

    step: updates done. losses: (step,), of each update. accuracy: (2 · length − 1,), the share of sentences, twice as long
    as those in training, in which word 2, 3, … has its predecessor named. trained: the same over all words of sentences as
    long as in training. attention: (length, length), of the model on `sentence`. tables: (2 · length, D_MODEL), the
    positions' vectors. sentence: (length,), numbers of WORDS.
    """

    step: int
    losses: Mapping[str, np.ndarray]
    accuracy: Mapping[str, np.ndarray]
    trained: Mapping[str, float]
    attention: Mapping[str, np.ndarray]
    tables: Mapping[str, np.ndarray]
    sentence: np.ndarray


def train(length: int, seed: int = 0, steps: int = 300) -> Iterator[Report]:
    """Train the three models on sentences of this length, side by side, on the same sentences; a report every CHUNK steps.

    The first report is of the untrained models. The learned table has rows for twice the length, of which the second half
    never occurs in training.
    """
    models = {kind: _seeded(PreviousWord(len(WORDS), 2 * length, D_MODEL, kind), seed) for kind in POSITIONS}
    optimizers = {kind: torch.optim.Adam(model.parameters(), LEARNING_RATE) for kind, model in models.items()}
    generator = torch.Generator().manual_seed(seed + 1)
    tested = torch.randint(len(WORDS), (TESTED, 2 * length), generator=generator)
    losses: dict[str, list[float]] = {kind: [] for kind in POSITIONS}
    yield _report(models, losses, tested)
    for step in range(1, steps + 1):
        words = torch.randint(len(WORDS), (BATCH, length), generator=generator)
        for kind, model in models.items():
            loss = _loss(model, words)
            optimizers[kind].zero_grad()
            loss.backward()
            optimizers[kind].step()
            losses[kind].append(loss.item())
        if step % CHUNK == 0 or step == steps:
            yield _report(models, losses, tested)


def _seeded(model: PreviousWord, seed: int) -> PreviousWord:
    """Words' vectors N(0, 1); a table to be learned N(0, 0.02²), as BERT's begins; the rest N(0, 1/D_MODEL)."""
    deviation = {"word.weight": 1.0, "position": 0.02}
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        nn.init.normal_(parameter, std=deviation.get(name, D_MODEL**-0.5), generator=generator)
    return model


def _loss(model: PreviousWord, words: Tensor) -> Tensor:
    """Cross-entropy of the word before, over all words but the first. words: int64 (B, T)."""
    logits, _ = model(words)
    return F.cross_entropy(logits[:, 1:].flatten(0, 1), words[:, :-1].flatten())


@torch.inference_mode()
def _report(models: dict[str, PreviousWord], losses: dict[str, list[float]], tested: Tensor) -> Report:
    length = tested.shape[1] // 2
    short = tested[:, :length]
    return Report(
        step=len(losses["none"]),
        losses={kind: np.array(values) for kind, values in losses.items()},
        accuracy={kind: _right(model, tested).mean(0).numpy() for kind, model in models.items()},
        trained={kind: _right(model, short).mean().item() for kind, model in models.items()},
        attention={kind: model(short[:1])[1][0, 0].numpy() for kind, model in models.items()},
        tables={kind: model.position.detach().clone().numpy() for kind, model in models.items()},
        sentence=short[0].numpy(),
    )


def _right(model: PreviousWord, words: Tensor) -> Tensor:
    """1.0 where the word before is named: (B, T) → float32 (B, T − 1)."""
    return (model(words)[0][:, 1:].argmax(-1) == words[:, :-1]).float()

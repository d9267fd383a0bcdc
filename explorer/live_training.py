"""Training a small model while somebody watches: a generator that says how far it is and hands out the model so far."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

CHUNK = 5
"""Updates between two reports."""
CHECK = 50
"""Updates between two measurements on sentences that are held out."""
WARM_UP = 50
"""Updates in which the learning rate rises to its full size; from 60 % of the updates on, it falls."""
THREADS = 2
"""Small matrices gain nothing from more, and other visitors want some too."""
_ALL_THREADS = torch.get_num_threads()


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a training is. step: updates done, of `steps`. losses: float64 (step,), of each update.

    checked: int (n,), the updates after which held-out sentences were asked; accuracy: float (n,), the share that was right.
    model: a copy in evaluation mode, its parameters frozen.
    """

    step: int
    steps: int
    losses: np.ndarray
    checked: np.ndarray
    accuracy: np.ndarray
    model: nn.Module

    @property
    def done(self) -> bool:
        """Whether all updates are made."""
        return self.step == self.steps


def train(
    model: nn.Module,
    loss_of: Callable[[int], Tensor],
    accuracy_of: Callable[[nn.Module], float],
    steps: int,
    learning_rate: float,
) -> Iterator[Progress]:
    """Adam on loss_of(step), the loss of the model on a batch; the first report is of the untrained model.

    accuracy_of: the share of held-out sentences that a model has right. Nothing here draws random numbers.
    """
    optimizer = torch.optim.Adam(model.parameters(), learning_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: _rate(done + 1, steps))
    losses: list[float] = []
    checks = {0: _check(model, accuracy_of)}
    yield _report(model, steps, losses, checks)
    for step in range(1, steps + 1):
        model.train()
        with few_threads():
            loss = loss_of(step)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % CHECK == 0 or step == steps:
            checks[step] = _check(model, accuracy_of)
        if step % CHUNK == 0 or step == steps:
            yield _report(model, steps, losses, checks)


def _rate(step: int, steps: int) -> float:
    """Share of the learning rate: up in a line, level, down in a line."""
    return min(step / WARM_UP, 1.0, max((steps - step + 1) / (0.4 * steps), 0.02))


def _check(model: nn.Module, accuracy_of: Callable[[nn.Module], float]) -> float:
    model.eval()
    with torch.inference_mode(), few_threads():
        return accuracy_of(model)


def _report(model: nn.Module, steps: int, losses: list[float], checks: dict[int, float]) -> Progress:
    kept = copy.deepcopy(model).eval().requires_grad_(False)
    checked, accuracy = np.array(list(checks)), np.array(list(checks.values()))
    return Progress(len(losses), steps, np.array(losses), checked, accuracy, kept)


@contextmanager
def few_threads() -> Iterator[None]:
    """Torch computes with at most THREADS threads inside, and with as many as at the start of the program after it."""
    torch.set_num_threads(min(THREADS, _ALL_THREADS))
    try:
        yield
    finally:
        torch.set_num_threads(_ALL_THREADS)

"""Which call waits for which, counted in the trace of a layer: steps in a row, and the way from the first word to the last.

Counted are the calls that compute. Views, slices and stacks only say where numbers stand, and take no step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from explorer import ops
from explorer.models.convolution import conv1d
from explorer.models.recurrent import Recurrent
from explorer.sequence_layers import KERNEL_SIZE, Key, Layer, Setup, make_layers
from explorer.trace import Step, Trace, trace
from explorer.words import random_vectors

COUNTED = (4, 8, 16, 32, 64)
"""Lengths at which the calls are counted."""
WIDTH = 4
"""Of the layers that are counted; the counts do not depend on it."""

Kind = Literal["rnn", "lstm", "conv", "dilated", "attention"]
Scale = Literal["n", "log2 n"]
KINDS: tuple[Kind, ...] = ("rnn", "lstm", "conv", "dilated", "attention")


@dataclass(frozen=True)
class Growth:
    """A count as a function of the length: slope · n + constant, or slope · log₂ n + constant. No rounding is in it."""

    of: Scale
    slope: int
    constant: int

    def at(self, n: int | np.ndarray) -> np.ndarray:
        """The count at a length; for log₂ n rounded up."""
        x = np.asarray(n, float)
        return self.slope * (x if self.of == "n" else np.ceil(np.log2(x))) + self.constant


@dataclass(frozen=True)
class Counts:
    """Of one kind of layer at each of the lengths. steps: the longest chain of calls; path: the fewest from word to word.

    layers: how many are stacked until the first word reaches the last.
    """

    lengths: tuple[int, ...]
    steps: tuple[int, ...]
    path: tuple[int, ...]
    layers: tuple[int, ...]

    @property
    def steps_law(self) -> Growth | None:
        """How the steps grow with the length."""
        return growth(self.lengths, self.steps)

    @property
    def path_law(self) -> Growth | None:
        """How the path grows with the length."""
        return growth(self.lengths, self.path)


def computes(step: Step) -> bool:
    """Whether a call computes numbers, rather than moving or making them."""
    return step.op not in {*ops.MOVES, "stack", "cat"} and not step.op.startswith("new_")


def rounds(made: Trace) -> list[int]:
    """For each step of a trace, how many computing calls are behind each other up to it, itself included.

    With any number of processors, what is in one round can run at once, and a round begins when the one before has ended.
    """
    depth: list[int] = []
    for step in made.steps:
        before = max((depth[producer] for producer, _ in step.producers.values()), default=0)
        depth.append(before + computes(step))
    return depth


def longest_chain(made: Trace) -> int:
    """How many computing calls must wait for one another."""
    return max(rounds(made), default=0)


def shortest_path(made: Trace, word: Tensor) -> int:
    """The fewest computing calls on a way from this tensor, wherever the trace holds it, to the last step.

    Raises ValueError if no way leads there.
    """
    away: list[float] = []
    for step in made.steps:
        given = any(isinstance(value, Tensor) and torch.equal(value, word) for value in step.inputs.values())
        before = [away[producer] for producer, _ in step.producers.values()]
        away.append(min([*before, *[0.0] * given], default=math.inf) + computes(step))
    if not math.isfinite(away[-1]):
        raise ValueError("no way leads from there to the last step")
    return int(away[-1])


def last_state(layer: Recurrent, x: Tensor) -> Tensor:
    """What a recurrent layer says after the last word. x: float (T, 1, width) → (1, hidden)."""
    state = tuple(s[0] for s in layer.zeros(1))
    for x_t in x:
        state = layer.step(x_t, state, layer.weights())
    return state[0]


def stacked(x: Tensor, weight: Tensor, dilations: Sequence[int]) -> Tensor:
    """Convolutions one upon the other, with one weight to keep it short. x: float (1, width, T) → the same shape."""
    for dilation in dilations:
        x = conv1d(x, weight, padding="same", dilation=dilation)
    return x


def reaches(call: Callable[[Tensor], Tensor], x: Tensor) -> bool:
    """Whether the answer at the last word depends on the first word, by autograd. x, call(x): float (1, width, T)."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(call(x)[..., -1].sum(), x)
    return bool((gradient[..., 0] != 0).any())


def dilations(length: int, *, growing: bool) -> tuple[int, ...]:
    """Of the fewest stacked convolutions that lead the first word to the last: all 1 or, growing, 1, 2, 4 and so on.

    Layers are added until autograd finds a gradient.
    """
    generator = torch.Generator().manual_seed(0)
    # In float64 and near an average, so that a long product of weights does not vanish in rounding.
    weight = torch.rand(1, 1, KERNEL_SIZE, generator=generator, dtype=torch.float64)
    x = torch.randn(1, 1, length, generator=generator, dtype=torch.float64)
    chosen: tuple[int, ...] = ()
    while not reaches(partial(stacked, weight=weight, dilations=chosen), x):
        chosen += (2 ** len(chosen) if growing else 1,)
    return chosen


def count(kind: Kind, lengths: Sequence[int] = COUNTED) -> Counts:
    """Steps, path and layers of one kind of layer, each length traced anew."""
    layers = make_layers(Setup(WIDTH, "plain"))
    found = [_count_at(kind, layers, n) for n in lengths]
    steps, path, stack = (tuple(part) for part in zip(*found, strict=True))
    return Counts(tuple(lengths), steps, path, stack)


def growth(lengths: Sequence[int], counts: Sequence[int]) -> Growth | None:
    """The law that gives every one of these counts exactly; None if neither does."""
    scales: dict[Scale, np.ndarray] = {"n": np.asarray(lengths), "log2 n": np.ceil(np.log2(lengths))}
    for of, x in scales.items():
        slope = (counts[-1] - counts[0]) / (x[-1] - x[0])
        law = Growth(of, round(slope), round(counts[0] - slope * x[0]))
        if (law.at(np.asarray(lengths)) == np.asarray(counts)).all():
            return law
    return None


def schedule(made: Trace) -> tuple[np.ndarray, tuple[str, ...]]:
    """How many calls of each kind run in each round: int (kinds, rounds), and the kinds in order of their first round."""
    depth = rounds(made)
    calls = [(depth[step.index] - 1, step.op) for step in made.steps if computes(step)]
    kinds = tuple(dict.fromkeys(op for _, op in sorted(calls, key=lambda call: call[0])))
    table = np.zeros((len(kinds), max(depth)), np.int64)
    for turn, op in calls:
        table[kinds.index(op), turn] += 1
    return table, kinds


def read(words: Sequence[str], key: Key) -> Trace:
    """The plain code of one layer reading these words, each a random vector of WIDTH numbers."""
    layer = make_layers(Setup(WIDTH, "plain"))[key]
    x = layer.laid_out(torch.from_numpy(random_vectors(words, WIDTH)))
    if key == "attention":
        return trace(layer.module, x, x, x)
    if key == "conv":
        return trace(conv1d, x, layer.module.weight, layer.module.bias, padding="same")
    return trace(layer.module, x)


def _count_at(kind: Kind, layers: Mapping[Any, Layer], length: int) -> tuple[int, int, int]:
    if kind in ("conv", "dilated"):
        x, weight = torch.arange(length, dtype=torch.float32)[None, None], torch.ones(1, 1, KERNEL_SIZE)
        chosen = dilations(length, growing=kind == "dilated")
        one, all_of_them = trace(stacked, x, weight, chosen[:1]), trace(stacked, x, weight, chosen)
        return longest_chain(one), shortest_path(all_of_them, x), len(chosen)
    layer = layers[kind]
    x = layer.words(length)
    if kind == "attention":
        made = trace(layer.module, x, x, x)
        return longest_chain(made), shortest_path(made, x), 1
    return longest_chain(trace(layer.module, x)), shortest_path(trace(last_state, layer.module, x), x[0]), 1

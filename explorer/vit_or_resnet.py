"""Two networks on one photo that is put in disorder or partly hidden: how long each keeps its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from explorer.local_attention import colour_patches
from explorer.models.patch_order import mean_after_attention
from explorer.models.vit import VisionTransformer
from explorer.patches import hidden, shuffled
from explorer.trace import Trace, trace

Harm = Literal["shuffled", "hidden"]
Ask = Callable[[np.ndarray], np.ndarray]
"""Photos, uint8 (n, S, S, 3) → probabilities of all classes, float (n, classes)."""

SIDE = 384  # pixels of the square that is harmed, before either network makes it smaller: a multiple of all patches
GRID = 12  # patches along a side, of which some are hidden
LEVELS: dict[Harm, tuple[int, ...]] = {"shuffled": (1, 2, 3, 4, 6, 8, 12), "hidden": tuple(range(0, 100, 10))}
"""Patches along a side that are shuffled; percent of the patches that are hidden. The first is the photo as it is."""
SEEDS = 5


@dataclass(frozen=True, eq=False)
class Robustness:
    """What harm does to one network's answer. target: the class it gives the photo as it is.

    probability: of that class, float64 (levels, SEEDS), 0–1; best: the class it gives now, int64 (levels, SEEDS).
    """

    levels: tuple[int, ...]
    target: int
    probability: np.ndarray
    best: np.ndarray

    @property
    def median(self) -> np.ndarray:
        """Over the seeds: (levels,)."""
        return np.median(self.probability, axis=1)

    @property
    def kept(self) -> np.ndarray:
        """The share of seeds with which the answer stays: (levels,)."""
        return (self.best == self.target).mean(axis=1)


def harmed(photo: np.ndarray, harm: Harm, level: int, seed: int) -> np.ndarray:
    """The photo with its patches shuffled or some of them hidden; levels as in LEVELS. uint8 (SIDE, SIDE, 3) → the same."""
    if level == LEVELS[harm][0]:
        return photo
    if harm == "shuffled":
        return shuffled(photo, (level, level), seed)
    return hidden(photo, (GRID, GRID), level / 100, seed)


def ask_at(photo: np.ndarray, harm: Harm, level: int, ask: Ask) -> np.ndarray:
    """One network's answers at one level, with every seed: float (SEEDS, classes). photo: uint8 (SIDE, SIDE, 3)."""
    if level == LEVELS[harm][0]:  # the photo as it is: the same with every seed
        return np.repeat(ask(photo[None]), SEEDS, axis=0)
    return ask(np.stack([harmed(photo, harm, level, seed) for seed in range(SEEDS)]))


def gather(levels: tuple[int, ...], found: Sequence[np.ndarray]) -> Robustness:
    """What ask_at gave at each of these levels, the first of them the photo as it is."""
    probabilities = np.stack(list(found)).astype(np.float64)  # (levels, seeds, classes)
    target = int(probabilities[0, 0].argmax())
    return Robustness(levels, target, probabilities[..., target], probabilities.argmax(-1))


def robustness(photo: np.ndarray, harm: Harm, ask: Ask) -> Robustness:
    """Ask one network about the photo at every level, with every seed. photo: uint8 (SIDE, SIDE, 3)."""
    return gather(LEVELS[harm], [ask_at(photo, harm, level, ask) for level in LEVELS[harm]])


@dataclass(frozen=True)
class OrderMatters:
    """The largest change of a logit when the patches of a photo are shuffled.

    with_positions: of the network as it is; without: of the same with its position embeddings left out; largest: |logit|.
    """

    with_positions: float
    without: float
    largest: float


@torch.inference_mode()
def order_matters(network: VisionTransformer, x: Tensor, seed: int) -> OrderMatters:
    """Shuffle just the network's own patches. x: float32 (1, 3, H, W), normalised."""
    grid = (x.shape[2] // network.config.patch, x.shape[3] // network.config.patch)
    mixed = torch.from_numpy(shuffled(x[0].permute(1, 2, 0).numpy(), grid, seed)).permute(2, 0, 1)[None]
    both = torch.cat([x, mixed])
    tokens = network.embed(both)  # (2, T, width)
    free = tokens - network.positions(*grid)

    def change(inputs: Tensor) -> tuple[float, float]:
        for layer in network.encoder.layers.values():
            inputs, _weights = layer(inputs)
        logits = network.logits(inputs)
        return float((logits[0] - logits[1]).abs().max()), float(logits[0].abs().max())

    return OrderMatters(change(tokens)[0], *change(free))


def trace_order(pixels: np.ndarray, seed: int) -> Trace:
    """The steps of attention over a photo's 4 × 4 mean colours, in order and shuffled."""
    x = colour_patches(pixels).flatten(0, 2)  # (16, 3)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(x)))
    return trace(mean_after_attention, x, order)

"""What each word does to each output of a layer with random weights: how far it is felt, and whether its place matters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from explorer.sequence_layers import Key, Layer, Setup, make_layers

WIDTH = 16
"""Of the layers that are looked at; a gradient for each number of each output is a picture's worth of work."""


@dataclass(frozen=True, eq=False)
class Trait:
    """Of one layer. influence: float (to i, from j), see influence(); order: see order_effect()."""

    influence: np.ndarray
    order: float

    @property
    def pull(self) -> float:
        """How strongly the first word moves the last output, next to how strongly the last word does."""
        return float(self.influence[-1, 0] / self.influence[-1, -1])


def traits(words: int) -> dict[Key, Trait]:
    """Of the plain layers, over so many words."""
    layers = make_layers(Setup(WIDTH, "plain"))
    return {key: Trait(influence(layer, words), order_effect(layer, words)) for key, layer in layers.items()}


def influence(layer: Layer, length: int) -> np.ndarray:
    """How strongly each output hangs on each word: the norm of ∂output_i / ∂x_j, float (to i, from j), by autograd."""
    batch = 0 if layer.axis else 1
    # A copy of the sequence for each number of an output: one backward pass then gives the gradients of all of them.
    x = layer.words(length).repeat_interleave(layer.outputs, batch).requires_grad_()
    out = layer.call(x).movedim((layer.axis, batch), (0, 1))  # (T, copies, outputs)
    each = torch.eye(layer.outputs)
    rows = []
    for i in range(length):
        (gradient,) = torch.autograd.grad(out[i], x, each, retain_graph=True)
        rows.append(gradient.movedim((layer.axis, batch), (0, 1)).pow(2).sum(dim=(1, 2)).sqrt())  # (T,)
    return torch.stack(rows).numpy()


def order_effect(layer: Layer, length: int) -> float:
    """How much the order of the words matters: 0 if with two words swapped the outputs are the same ones, swapped.

    Otherwise the largest difference from that, relative to the largest output. The last two words change places.
    """
    x = layer.words(length)
    order = torch.arange(length)
    order[-2:] = order[-2:].flip(0)
    with torch.no_grad():
        before, after = layer.in_words(layer.call(x)), layer.in_words(layer.call(x.index_select(layer.axis, order)))
    return float((after - before[order]).abs().max() / before.abs().max())

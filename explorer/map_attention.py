"""Attention blocks on the maps of a convolutional network: what each does to one photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from explorer.explain import Backbone, on_grid
from explorer.models.attention_blocks import gaussian_attention
from explorer.trace import Trace, trace

Block = Literal["squeeze", "attention", "gaussian"]


@dataclass(frozen=True, eq=False)
class BlockLook:
    """maps: what the network gives, float32 (C, h, w); gates: of squeeze-and-excitation, by channel, float32 (C,), 0–1.

    attention: of the trained self-attention, float32 (heads, h·w, h·w); alike: of the one without weights, (h·w, h·w).
    probabilities: by head ("none", "squeeze", "attention"), float32 (classes,).
    """

    maps: np.ndarray
    gates: np.ndarray
    attention: np.ndarray
    alike: np.ndarray
    probabilities: dict[str, np.ndarray]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self.maps.shape[1], self.maps.shape[2]

    @property
    def squeezed(self) -> np.ndarray:
        """The mean of each channel: all that squeeze-and-excitation decides by. float32 (C,)."""
        return self.maps.mean(axis=(1, 2))

    def from_cell(self, cell: tuple[int, int]) -> np.ndarray:
        """Where a cell (row, column) looks: float32 (1 + heads, h, w), without weights first; each sums to 1."""
        place = cell[0] * self.grid[1] + cell[1]
        return np.concatenate([self.alike[None, place], self.attention[:, place]]).reshape(-1, *self.grid)

    def strongest(self, count: int) -> np.ndarray:
        """Channels that are let through most, first the most of all: int64 (count,). Channels that are 0 here do not count."""
        return self._by_gate()[::-1][:count]

    def weakest(self, count: int) -> np.ndarray:
        """Channels that are held back most."""
        return self._by_gate()[:count]

    def _by_gate(self) -> np.ndarray:
        order = np.argsort(self.gates, kind="stable")
        return order[self.squeezed[order] > 0]


@torch.inference_mode()
def block_look(network: Backbone, layer: str, heads: Mapping[str, Any], x: Tensor) -> BlockLook:
    """One pass of one photo. x: float32 (1, 3, H, W), normalised; layer: whose maps the heads were trained on.

    heads: a MapHead for each of "none", "squeeze" and "attention".
    """
    maps = on_grid(network, network.maps(x)[layer])  # (1, C, h, w)
    logits, found = {}, {}
    for name in ("none", "squeeze", "attention"):
        logits[name], found[name] = heads[name].read(maps)
    _mixed, alike = gaussian_attention(maps)
    gates, attention = found["squeeze"], found["attention"]
    return BlockLook(
        maps=maps[0].numpy(),
        gates=gates[0, :, 0, 0].numpy(),
        attention=attention[0].numpy(),
        alike=alike[0].numpy(),
        probabilities={name: one[0].softmax(0).numpy() for name, one in logits.items()},
    )


def trace_block(block: Block, heads: Mapping[str, Any], maps: np.ndarray) -> Trace:
    """The steps of one block on real maps. maps: float32 (C, h, w)."""
    x = torch.from_numpy(maps)[None]
    if block == "gaussian":
        return trace(gaussian_attention, x)
    inner = heads[block].block
    if inner is None:
        raise ValueError(f"the head “{block}” has no block")
    return trace(inner, x)

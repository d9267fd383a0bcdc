"""What a network's maps do when the photo moves: early ones move along, late ones stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.layer_outputs import Walk


@dataclass(frozen=True, eq=False)
class ShiftTest:
    """blocks: the network's maps by name. along: float64 (blocks,), correlation of the moved photo's maps with the first ones
    moved by as many whole cells; still: with the first ones as they were. jumps: pixels of the photo from cell to cell.
    before, after: probabilities float32 (classes,) of the photo, and of it moved.
    """

    blocks: tuple[str, ...]
    along: np.ndarray
    still: np.ndarray
    jumps: tuple[int, ...]
    before: np.ndarray
    after: np.ndarray


def moved(x: Tensor, pixels: int) -> Tensor:
    """To the right; what comes in on the left repeats the edge. x: float (..., H, W), 0 ≤ pixels < W."""
    width = x.shape[-1]
    return x[..., (torch.arange(width) - pixels).clamp(min=0)]


def shift_test(network: Any, walked: Walk, pixels: int) -> ShiftTest:
    """One pass of the moved photo, against that of the photo. network: explorer.explain.Backbone, which was walked."""
    with torch.inference_mode():
        maps = network.maps(moved(walked.x[None], pixels))
        after = network.logits([*maps.values()][-1])[0].softmax(0)
    first, second, jumps = walked.maps, {name: tensor[0] for name, tensor in maps.items()}, walked.jumps
    before = walked.logits.softmax(0)
    along = [_moved_along(first[name], second[name], pixels / jump) for name, jump in jumps.items()]
    still = [_correlation(first[name], second[name]) for name in jumps]
    return ShiftTest(
        tuple(jumps), np.array(along), np.array(still), tuple(jumps.values()), before.numpy(), after.numpy()
    )


def _moved_along(first: Tensor, second: Tensor, cells: float) -> float:
    """Compared where both maps show the same part of the photo; moved by the nearest whole number of cells."""
    whole = min(int(cells + 0.5), first.shape[-1] - 1)
    return _correlation(first[..., : first.shape[-1] - whole], second[..., whole:])


def _correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's, over all cells of all channels, each channel about its own mean; 1 where nothing varies in both."""
    a, b = (m.double().flatten(1) for m in (a, b))
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    lengths = float(a.norm() * b.norm())
    return float((a * b).sum()) / lengths if lengths else float(torch.equal(a, b))

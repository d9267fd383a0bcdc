"""Blocks of well-known networks on a piece of a photo, small enough to be stepped through."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from explorer.models.googlenet import Inception, InceptionConfig
from explorer.models.plain import Block
from explorer.trace import Trace, trace

Kind = Literal["residual", "plain", "inception"]
BLOCKS: dict[Kind, str] = {"residual": "add", "plain": "relu", "inception": "cat"}
"""Each with the operation that makes it what it is."""

SMALL = InceptionConfig(one=2, three_reduced=2, three=3, five_reduced=1, five=2, pooled=1)
"""Two channels and one where GoogLeNet has 64 and 32; the same branches."""


def make_block(kind: Kind) -> nn.Module:
    """For three channels; random weights, always the same, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        block = Inception(3, SMALL) if kind == "inception" else Block(3, 3, 1, kind == "residual", normalised=True)
    return block.eval().requires_grad_(False)


def trace_block(kind: Kind, x: Tensor) -> Trace:
    """Its steps on float (1, 3, H, W), of which every second cell is taken."""
    return trace(make_block(kind), x[..., ::2, ::2].contiguous())


def inception_maps(x: Tensor) -> tuple[np.ndarray, ...]:
    """The first channel of what each of the four branches gives for float (1, 3, H, W): four times float32 (H, W)."""
    block = cast(Inception, make_block("inception"))
    with torch.inference_mode():
        return tuple(branch[0, 0].numpy() for branch in block.branches(x))

"""What one photo costs in a network on this machine: seconds and bytes, with random weights."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from explorer.architectures import NETWORKS, SIDE
from explorer.live_memory import peak_bytes

FEWEST, MOST = 3, 9
"""Samples; a slow network gets fewer."""
PATIENCE = 2.0
"""Seconds of sampling."""


@dataclass(frozen=True)
class Cost:
    """seconds: of each forward pass of one photo, after a first that does not count. weights: bytes of parameters.

    peak: the most bytes that one pass holds beside them.
    """

    seconds: tuple[float, ...]
    weights: int
    peak: int

    @property
    def median(self) -> float:
        """Seconds."""
        return float(np.median(self.seconds))


def network_cost(key: str) -> Cost:
    """Of one of architectures.NETWORKS; takes five to eleven passes. The numbers in the weights do not change the cost."""
    module = _filled(key)
    x = torch.zeros(1, 3, SIDE, SIDE)

    def run() -> Tensor:
        return module(x)

    with torch.inference_mode():
        peak = peak_bytes(run, [x, *module.parameters(), *module.buffers()])
        seconds: list[float] = []
        while len(seconds) < FEWEST or (len(seconds) < MOST and sum(seconds) < PATIENCE):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
    return Cost(tuple(seconds), sum(p.numel() * p.element_size() for p in module.parameters()), peak)


def _filled(key: str) -> nn.Module:
    """With small random weights, far quicker than the usual start of a training."""
    with torch.device("meta"):
        module = NETWORKS[key].build()
    module = module.to_empty(device="cpu").requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        parameter.uniform_(-0.05, 0.05, generator=generator)
    for buffer in module.buffers():
        buffer.fill_(1 if buffer.is_floating_point() else 0)
    return module

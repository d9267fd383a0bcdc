"""How long one layer of a Vision Transformer takes on this computer, for more and more tokens."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from explorer.models.vit import VisionTransformer
from explorer.vit_cost import layer_macs

SIDES = (4, 8, 16, 24, 32)
"""Patches along a side; the network's own grid comes to these."""
SAMPLES, PATIENCE = 9, 0.6
"""So many passes at most, for so many seconds, but three at least."""


@dataclass(frozen=True)
class LayerTime:
    """tokens: n; macs: multiply–adds of the layer; seconds: of each pass, after a first that does not count."""

    tokens: int
    macs: int
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds."""
        return float(np.median(self.seconds))


def token_counts(network: VisionTransformer) -> tuple[int, ...]:
    """The numbers of tokens to measure, the network's own among them, rising."""
    config = network.config
    return tuple(sorted(side**2 + config.extra for side in {*SIDES, config.side}))


def time_layer(network: VisionTransformer, tokens: int) -> LayerTime:
    """The network's first layer on so many random tokens; what is in them does not change the time."""
    layer = network.encoder.layers["encoder_layer_0"]
    x = torch.randn(1, tokens, network.config.width, generator=torch.Generator().manual_seed(0))
    seconds: list[float] = []
    with torch.inference_mode():
        layer(x)
        while len(seconds) < 3 or (len(seconds) < SAMPLES and sum(seconds) < PATIENCE):
            start = time.perf_counter()
            layer(x)
            seconds.append(time.perf_counter() - start)
    return LayerTime(tokens, layer_macs(network.config, tokens), tuple(seconds))

"""Timing a layer: what is measured and for how many tokens."""

from __future__ import annotations

import torch

from explorer.models.vit import VisionTransformer, VitConfig
from explorer.vit_cost import layer_macs
from explorer.vit_timing import time_layer, token_counts


def test_the_networks_own_tokens_are_among_those_measured():
    network = VisionTransformer(VitConfig(96, 8, 1, 2, 16, 32, 5, distilled=True))
    assert token_counts(network) == (18, 66, 146, 258, 578, 1026)


def test_a_layer_is_timed_on_so_many_tokens(monkeypatch):
    network = VisionTransformer(VitConfig(32, 8, 2, 2, 16, 32, 5)).requires_grad_(False)
    seen = []
    layer = network.encoder.layers["encoder_layer_0"]
    forward = layer.forward
    monkeypatch.setattr(layer, "forward", lambda x: seen.append(tuple(x.shape)) or forward(x))
    torch.manual_seed(0)
    found = time_layer(network, 33)
    assert set(seen) == {(1, 33, 16)}
    assert len(seen) == len(found.seconds) + 1
    assert 3 <= len(found.seconds) <= 9
    assert 0 < min(found.seconds) <= found.median <= max(found.seconds)
    assert found.macs == layer_macs(network.config, 33)

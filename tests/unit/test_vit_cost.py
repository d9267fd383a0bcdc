"""The costs of patches, against what running the network counts, and the figures that everybody quotes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.models.vit import EncoderBlock, VisionTransformer, VitConfig
from explorer.network_layers import layer_facts, total_macs
from explorer.vit_cost import SIDES, SIZES, layer_macs, patch_cost, patch_costs, patch_sizes

SMALL = VitConfig(96, 8, 6, 8, 256, 1024, 110, distilled=True)


@pytest.mark.parametrize(
    "config",
    [
        VitConfig(),
        SMALL,
        replace(SMALL, distilled=False, patch=32),
        VitConfig(32, 4, 2, 2, 8, 20, 5),
        replace(SIZES["ViT-L"], image_size=384),
        VitConfig(patch=1, layers=1),
    ],
)
def test_the_formulas_give_what_the_network_does(config):
    with torch.device("meta"), torch.no_grad():
        network, x = VisionTransformer(config), torch.zeros(1, 3, config.image_size, config.image_size)
        facts = layer_facts(network, x)
        tokens = network.embed(x).shape[1]
    cost = patch_cost(config)
    assert cost.tokens == tokens
    assert cost.macs == total_macs(network, x)
    assert cost.parameters == sum(p.numel() for p in network.parameters())
    attending = [layer.macs for layer in facts if layer.kind == "MultiHeadAttention"]
    # Counted with Q, K and V, whose weights are the module's own.
    assert cost.attention == sum(attending) - config.layers * tokens * 3 * config.width**2


def test_one_layer():
    with torch.device("meta"), torch.no_grad():
        block, x = EncoderBlock(SMALL), torch.zeros(1, 77, 256)
        assert layer_macs(SMALL, 77) == total_macs(block, x)


def test_the_textbook_case():
    cost = patch_cost(SIZES["ViT-B"])
    assert cost.tokens == 196 + 1
    assert cost.parameters == 86_567_656
    assert cost.macs == pytest.approx(17.56e9, rel=1e-3)


def test_every_pixel_a_token():
    cost = patch_costs(SIZES["ViT-B"], 224)[0]
    assert cost.config.patch == 1
    assert cost.tokens == 224 * 224 + 1
    assert cost.matrix_bytes == 4 * 50_177**2
    assert cost.layer_bytes == 12 * cost.matrix_bytes
    assert cost.all_bytes == 12 * cost.layer_bytes
    # Nearly all of the work is attention now.
    assert cost.attention > 0.9 * cost.macs


@pytest.mark.parametrize("side", SIDES)
def test_patches_cut_the_photo_evenly(side):
    sizes = patch_sizes(side)
    assert sizes[0] == 1
    assert sizes[-1] == side // 2
    assert all(side % patch == 0 for patch in sizes)
    assert {8, 16, 32} <= set(sizes)
    tokens = [cost.tokens for cost in patch_costs(SMALL, side)]
    assert tokens == sorted(tokens, reverse=True)
    assert tokens[-1] == 4 + 2

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models.vision_transformer import interpolate_embeddings

from explorer.explain import grad_cam
from explorer.models import vit
from explorer.models.vit import VisionTransformer, VitConfig
from tests.reference.twins import assert_equal_logits, assert_same_layout, twins


@cache
def pair(side: int, patch: int, layers: int, heads: int) -> tuple[nn.Module, nn.Module]:
    config = VitConfig(side * patch, patch, layers, heads, width=4 * heads, d_ff=24, classes=7)
    reference = torchvision.models.VisionTransformer(
        config.image_size, patch, layers, heads, config.width, config.d_ff, num_classes=7
    )
    return twins(VisionTransformer(config), reference)


@settings(max_examples=20, deadline=None)
@given(
    side=st.integers(1, 5),
    patch=st.sampled_from([4, 7, 8]),
    layers=st.integers(1, 3),
    heads=st.sampled_from([1, 2, 3]),
    batch=st.integers(1, 3),
)
def test_any_size_equals_torchvision(side, patch, layers, heads, batch):
    assert_equal_logits(*pair(side, patch, layers, heads), torch.randn(batch, 3, side * patch, side * patch))


def test_real_size_equals_torchvision():
    reference = torchvision.models.vit_b_32(num_classes=10)
    assert_equal_logits(*twins(vit.vit_b_32(10), reference), torch.randn(1, 3, 224, 224))


@pytest.mark.parametrize("name", ["vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14"])
def test_layout_is_torchvisions(name):
    with torch.device("meta"):
        assert_same_layout(getattr(vit, name)(), getattr(torchvision.models, name)())


def test_tokens_and_attention_are_what_torchvision_computes_on_the_way():
    ours, reference = pair(4, 8, 3, 2)
    x = torch.randn(2, 3, 32, 32)
    output = ours.read(x)
    tokens = torch.cat([reference.class_token.expand(2, -1, -1), reference._process_input(x)], dim=1)
    tokens = tokens + reference.encoder.pos_embedding
    torch.testing.assert_close(output.tokens[0], tokens, rtol=1e-4, atol=1e-4)
    for layer, after, weights in zip(reference.encoder.layers, output.tokens[1:], output.attention, strict=True):
        normed = layer.ln_1(tokens)
        _, expected = layer.self_attention(normed, normed, normed, average_attn_weights=False)
        torch.testing.assert_close(weights, expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 17))
        tokens = layer(tokens)
        torch.testing.assert_close(after, tokens, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(output.logits, ours(x))


def test_positions_of_another_size_are_torchvisions():
    ours, reference = pair(4, 8, 1, 2)
    wanted = interpolate_embeddings(48, 8, reference.state_dict())["encoder.pos_embedding"]
    torch.testing.assert_close(ours.positions(6, 6), wanted, rtol=1e-5, atol=1e-5)
    assert ours(torch.randn(1, 3, 48, 16)).shape == (1, 7)


def distilled() -> VisionTransformer:
    torch.manual_seed(0)
    config = VitConfig(32, 8, layers=2, heads=2, width=8, d_ff=16, classes=5, distilled=True)
    return VisionTransformer(config).eval()


def test_a_distilled_network_answers_with_the_mean_of_both_heads():
    network = distilled()
    x = torch.randn(2, 3, 32, 32)
    output = network.read(x)
    assert output.tokens[0].shape == (2, 18, 8)
    by_class, by_teacher = network.both_heads(output.tokens[-1])
    normed = network.encoder.ln(output.tokens[-1])
    torch.testing.assert_close(by_teacher, network.heads["distillation"](normed[:, 1]))
    assert not torch.allclose(by_class, by_teacher, atol=1e-2)
    torch.testing.assert_close(network(x), (by_class + by_teacher) / 2)


def test_without_its_second_token_a_distilled_network_is_torchvisions():
    network = distilled()
    plain = VisionTransformer(VitConfig(32, 8, layers=2, heads=2, width=8, d_ff=16, classes=5)).eval()
    state = {name: t for name, t in network.state_dict().items() if "distillation" not in name}
    state["encoder.pos_embedding"] = state["encoder.pos_embedding"][:, [0, *range(2, 18)]]
    plain.load_state_dict(state, strict=True)
    reference = torchvision.models.VisionTransformer(32, 8, 2, 2, 8, 16, num_classes=5).eval()
    reference.load_state_dict(state, strict=True)
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(plain(x), reference(x), rtol=1e-4, atol=1e-4)


def test_the_bundled_network_has_the_size_that_is_said():
    with torch.device("meta"):
        network = vit.vit_small_96()
    count = sum(p.numel() for p in network.parameters())
    assert count == 4_882_908
    assert 2 * count < 12e6  # bytes in fp16
    assert network.config.side == 12


def test_grad_cam_of_patches():
    network = distilled()
    x = torch.randn(1, 3, 32, 32)
    assert network.blocks() == ["patches", "encoder_layer_0"]
    look = grad_cam(network, x, "encoder_layer_0", target=3)
    tokens = network.read(x).tokens[1].detach().requires_grad_()
    after, _ = network.encoder.layers["encoder_layer_1"](tokens)
    network.logits(after)[0, 3].backward()
    weights = tokens.grad[0, 2:].mean(0)
    expected = (tokens.detach()[0, 2:] @ weights).relu().reshape(4, 4)
    np.testing.assert_allclose(look.cam, expected.numpy(), rtol=1e-4, atol=1e-7)
    assert look.maps["patches"].shape == (8, 4, 4)

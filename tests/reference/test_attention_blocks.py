from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.map_attention import block_look, trace_block
from explorer.models.attention_blocks import MapAttention, SqueezeExcitation, gaussian_attention, map_heads
from explorer.models.resnet import ResNet, ResNetConfig
from tests.reference.twins import randomise

sizes = st.integers(1, 9)


@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 3), channels=st.integers(1, 24), squeezed=st.integers(1, 8), height=sizes, width=sizes)
def test_squeeze_and_excitation_is_torchvisions(batch, channels, squeezed, height, width):
    reference = torchvision.ops.SqueezeExcitation(channels, squeezed)
    randomise(reference)
    ours = SqueezeExcitation(channels, squeezed)
    ours.load_state_dict(reference.state_dict())
    x = torch.randn(batch, channels, height, width)
    gated, gates = ours(x)
    torch.testing.assert_close(gated, reference(x), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gates, reference._scale(x), rtol=1e-5, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 3), heads=st.integers(1, 4), d_head=st.integers(1, 5), height=sizes, width=sizes)
def test_attention_over_a_map_is_torchs_on_its_cells(batch, heads, d_head, height, width):
    channels = heads * d_head
    reference = nn.MultiheadAttention(channels, heads, batch_first=True)
    randomise(reference)
    ours = MapAttention(channels, heads)
    ours.attention.load_state_dict(reference.state_dict())
    x = torch.randn(batch, channels, height, width)
    cells = x.flatten(2).mT
    attended, weights = reference(cells, cells, cells, average_attn_weights=False)
    out, found = ours(x)
    torch.testing.assert_close(out, x + attended.mT.reshape(x.shape), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found, weights, rtol=1e-5, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(batch=st.integers(1, 3), channels=st.integers(1, 12), height=sizes, width=sizes)
def test_attention_without_weights_is_torchs(batch, channels, height, width):
    x = torch.randn(batch, channels, height, width)
    cells = x.flatten(2).mT
    mixed, weights = gaussian_attention(x)
    wanted = nn.functional.scaled_dot_product_attention(cells, cells, cells)
    torch.testing.assert_close(mixed.flatten(2).mT, wanted, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))


@pytest.fixture
def looked():
    torch.manual_seed(0)
    network = ResNet(ResNetConfig(width=8, classes=5)).eval()
    heads = map_heads(32, 5, 4, 2).eval()
    x = torch.randn(1, 3, 64, 64)
    return network, heads, x, block_look(network, "layer3.1", heads, x)


def test_a_look_holds_what_the_heads_compute(looked):
    network, heads, x, look = looked
    with torch.inference_mode():
        maps = network.maps(x)["layer3.1"]
        expected = {name: heads[name](maps)[0].softmax(0).numpy() for name in heads}
        _out, gates = heads["squeeze"].block(maps)
    assert look.grid == (4, 4)
    np.testing.assert_array_equal(look.gates, gates[0, :, 0, 0].numpy())
    for name, probabilities in expected.items():
        np.testing.assert_allclose(look.probabilities[name], probabilities, rtol=1e-6)
    views = look.from_cell((1, 2))
    assert views.shape == (3, 4, 4)
    np.testing.assert_allclose(views.sum((1, 2)), 1, rtol=1e-5)
    np.testing.assert_array_equal(views[1].ravel(), look.attention[0, 6])


def test_channels_are_ranked_by_their_gates(looked):
    look = looked[-1]
    strong, weak = look.strongest(3), look.weakest(3)
    assert list(look.gates[strong]) == sorted(look.gates[look.squeezed > 0], reverse=True)[:3]
    assert list(look.gates[weak]) == sorted(look.gates[look.squeezed > 0])[:3]


@pytest.mark.parametrize(
    ("block", "ops"),
    [("squeeze", {"mean": 1, "conv2d": 2, "sigmoid": 1}), ("attention", {"softmax": 1, "linear": 4}),
     ("gaussian", {"softmax": 1, "matmul": 2})],
)  # fmt: skip
def test_blocks_can_be_stepped_through(looked, block, ops):
    _network, heads, _x, look = looked
    steps = trace_block(block, heads, look.maps)
    found = [step.op for step in steps.steps]
    assert {op: found.count(op) for op in ops} == ops
    assert steps.left_out == ()


def test_a_head_without_a_block_has_no_steps(looked):
    _network, heads, _x, look = looked
    with pytest.raises(ValueError, match="has no block"):
        trace_block("none", heads, look.maps)

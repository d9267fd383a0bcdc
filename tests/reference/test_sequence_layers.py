"""What the page measures: either code computes the same, forward and backward, and the sizes are equal as they say."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.sequence_layers import KEYS, Setup, make_layers, output_width, parameter_count


def run(layer, length: int) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    x = layer.words(length, seed=1).requires_grad_()
    out = layer.call(x)
    generator = torch.Generator().manual_seed(2)
    above = torch.randn(length, out.numel() // length, generator=generator)
    layer.in_words(out).backward(above)
    gradients = [p.grad.clone() for p in layer.module.parameters()]
    layer.module.zero_grad()
    return layer.in_words(out.detach()), layer.in_words(x.grad), gradients


@settings(max_examples=25)
@given(width=st.integers(2, 24), length=st.integers(1, 20), equal=st.sampled_from(("width", "parameters")))
def test_torchs_kernels_and_the_plain_code_give_the_same(width, length, equal):
    plain, library = make_layers(Setup(width, "plain", equal)), make_layers(Setup(width, "library", equal))
    for key, layer in library.items():
        other = plain["attention" if key == "blocks" else key]
        out, into, gradients = run(layer, length)
        expected = run(other, length)
        torch.testing.assert_close(out, expected[0], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(into, expected[1], rtol=1e-4, atol=1e-5)
        for mine, theirs in zip(gradients, expected[2], strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("width", [16, 64, 128])
@pytest.mark.parametrize("equal", ["width", "parameters"])
def test_layers_are_equal_in_what_they_say(width, equal):
    layers = make_layers(Setup(width, "library", equal))
    attention = layers["attention"].parameters
    for key, layer in layers.items():
        assert layer.parameters == parameter_count(key, width, layer.outputs)
        x = layer.words(3)
        assert layer.in_words(x).shape == (3, width)
        assert layer.in_words(layer.call(x)).shape == (3, layer.outputs)
        if equal == "width":
            assert layer.outputs == width
        else:
            assert layer.parameters == pytest.approx(attention, rel=0.1)


def test_the_seed_draws_the_weights():
    first = make_layers(Setup(8), seed=0)
    second, third = make_layers(Setup(8), seed=0), make_layers(Setup(8), seed=1)
    for key in KEYS:
        mine, same, other = (layers[key].module.state_dict() for layers in (first, second, third))
        assert all(torch.equal(mine[name], same[name]) for name in mine)
        assert not all(torch.equal(mine[name], other[name]) for name in mine)
    assert torch.equal(first["rnn"].words(4, 3), first["rnn"].words(4, 3))


def test_output_width_is_the_closest_in_parameters():
    setup = Setup(64, equal="parameters")
    wanted = parameter_count("attention", 64, 64)
    for key in ("rnn", "lstm", "conv"):
        chosen = output_width(key, setup)
        off = [abs(parameter_count(key, 64, h) - wanted) for h in (chosen - 1, chosen, chosen + 1)]
        assert min(off) == off[1]

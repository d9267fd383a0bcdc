from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from explorer.convolution_facts import fields, size_facts
from explorer.convolution_views import Setup, call, convolve, padded, place, random_weights, spread, steps

SIDES = st.integers(1, 3)


@st.composite
def layers(draw):
    """An input, weights and a setup that fit."""
    groups = draw(st.sampled_from((1, 2)))
    inputs, outputs = groups * draw(SIDES), groups * draw(SIDES)
    pair = st.tuples(SIDES, SIDES)
    operation = draw(st.sampled_from(("correlation", "convolution", "transposed")))
    stride, kernel, dilation = draw(pair), draw(pair), draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    if operation != "transposed":
        padding = draw(st.sampled_from((padding, "same", "valid")))
    mode = (
        "zeros" if operation == "transposed" else draw(st.sampled_from(("zeros", "reflect", "replicate", "circular")))
    )
    setup = Setup(operation, stride, padding, mode, dilation, groups)
    size = draw(st.tuples(st.integers(3, 6), st.integers(3, 6)))
    assume(setup.fits(size, kernel))
    x = torch.from_numpy(
        np.random.default_rng(draw(st.integers(0, 99))).normal(size=(1, inputs, *size)).astype(np.float32)
    )
    return x, random_weights(kernel, inputs, outputs, groups, operation == "transposed"), setup


@given(layers())
@settings(max_examples=60)
def test_the_products_of_every_place_make_the_output(layer):
    x, weight, setup = layer
    out = convolve(x, weight, setup)
    seen = padded(x, tuple(weight.shape[2:]), setup)
    made = np.zeros_like(out)
    rows, columns = x.shape[2:] if setup.operation == "transposed" else out.shape[1:]
    for channel, row, column in np.ndindex(len(out), rows, columns):
        here = place(seen, weight, setup, channel, row, column)
        if setup.operation != "transposed":
            made[channel, row, column] = here.products.sum()
            continue
        left, top, wide, high = here.made
        stamp = here.products.sum(axis=0)
        for i, y in enumerate(range(top, top + high, setup.dilation[0])):
            for j, z in enumerate(range(left, left + wide, setup.dilation[1])):
                if 0 <= y < made.shape[1] and 0 <= z < made.shape[2]:
                    made[channel, y, z] += stamp[i, j]
    np.testing.assert_allclose(made, out, rtol=1e-4, atol=1e-4)


@given(layers())
@settings(max_examples=40)
def test_sizes_and_both_codes_agree(layer):
    x, weight, setup = layer
    out = convolve(x, weight, setup)
    kernel = tuple(weight.shape[2:])
    assert out.shape[1:] == setup.output(tuple(x.shape[2:]), kernel)
    function, tensors, arguments = call(x, weight, setup, by_hand=True)
    np.testing.assert_allclose(function(*tensors, **arguments)[0].numpy(), out, rtol=1e-4, atol=1e-4)
    facts = size_facts(setup, x.shape[1], len(out), tuple(x.shape[2:]), kernel)
    assert f"= {out.shape[2]} " in facts
    assert f"= {weight.numel()} " in facts


@pytest.mark.parametrize("shape", [(3, 3), (2, 3), (1, 3)])
def test_every_output_has_a_kernel_of_its_own(shape):
    kernel = np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)
    count = 4 if shape[0] == 1 else 8
    weight = spread(kernel, 2, count, groups=2)
    assert weight.shape == (count, 1, *shape)
    assert len({tuple(w.flatten().tolist()) for w in weight}) == count
    np.testing.assert_array_equal(weight[0, 0], kernel)
    assert spread(kernel, 4, count, groups=2, transposed=True).shape == (4, count // 2, *shape)


def test_the_trace_opens_where_products_are_summed():
    x = torch.arange(36.0).reshape(1, 1, 6, 6)
    made, start = steps(x, torch.ones(1, 1, 3, 3), Setup(), by_hand=True)
    assert made.steps[start].target == "feature_map"
    made, start = steps(x, torch.ones(1, 1, 3, 3), Setup(), by_hand=False)
    assert made.steps[start].op == "conv2d"


@given(st.integers(1, 5), SIDES, st.integers(1, 2), st.integers(1, 4))
def test_the_receptive_field_is_what_changes_the_last_cell(kernel, stride, dilation, count):
    """Measured by the gradient: which input cells does the middle of the last layer depend on?"""
    setup = Setup(stride=(stride, stride), dilation=(dilation, dilation))
    field = fields(setup, (1, kernel), (1, 400), count)[-1]
    assume(field.columns < 200)
    x = torch.zeros(1, 1, 1, 400, requires_grad=True)
    out = x
    for _ in range(count):
        out = torch.nn.functional.conv2d(out, torch.ones(1, 1, 1, kernel), None, (1, stride), 0, (1, dilation))
    out[0, 0, 0, field.frame[0] // field.jump[1]].backward()
    touched = x.grad[0, 0, 0].nonzero().flatten()
    assert int(touched[-1] - touched[0]) + 1 == field.columns
    assert int(touched[0]) == field.frame[0]

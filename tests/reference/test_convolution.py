"""Convolutions against torch.nn, in both forms, over all their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer import shapes
from explorer.models import convolution
from explorer.models.convolution import PaddingMode

MODES = get_args(PaddingMode)


@dataclass(frozen=True)
class Case:
    """A layer of torch.nn, its input, and the same as our arguments."""

    layer: nn.Module
    x: Tensor
    arguments: dict[str, Any]


def either(draw: st.DrawFn, values: st.SearchStrategy[int]) -> int | tuple[int, int]:
    """One number for both axes, or one for each."""
    return draw(st.one_of(values, st.tuples(values, values)))


@st.composite
def convolutions(draw: st.DrawFn, axes: int = 2) -> Case:
    groups = draw(st.integers(1, 3))
    in_channels, out_channels = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    sizes = draw(st.tuples(*[st.integers(1, 10)] * axes))
    kernel = draw(st.tuples(*[st.integers(1, 4)] * axes))
    mode = draw(st.sampled_from(MODES))
    numbers: Any = either(draw, st.integers(1, 3)) if axes == 2 else draw(st.integers(1, 3))
    dilation: Any = either(draw, st.integers(1, 3)) if axes == 2 else draw(st.integers(1, 3))
    amount: Any = either(draw, st.integers(0, 4)) if axes == 2 else draw(st.integers(0, 4))
    padding = draw(st.sampled_from([amount, amount, "same", "valid"]))
    stride: Any = 1 if padding == "same" else numbers

    # Only what a visitor can reach: the kernel fits, and the padding is one that torch can do.
    dilations = dilation if isinstance(dilation, tuple) else (dilation,) * axes
    amounts = padding if isinstance(padding, tuple) else (padding,) * axes
    for size, k, step, side in zip(sizes, kernel, dilations, amounts, strict=True):
        pads = shapes.same_padding(k, step) if side == "same" else (0, 0) if side == "valid" else (side, side)
        most = shapes.max_padding(size, mode)
        assume(most is None or max(pads) <= most)
        assume(k <= shapes.max_kernel(size, pads, step))

    torch.manual_seed(draw(st.integers(0, 2**32 - 1)))
    bias = draw(st.booleans())
    make = nn.Conv2d if axes == 2 else nn.Conv1d
    layer = make(in_channels, out_channels, kernel, stride, padding, dilation, groups, bias, padding_mode=mode)
    x = torch.randn(draw(st.integers(1, 2)), in_channels, *sizes)
    arguments = {
        "weight": layer.weight,
        "bias": layer.bias,
        "stride": stride,
        "padding": padding,
        "padding_mode": mode,
        "dilation": dilation,
        "groups": groups,
    }
    return Case(layer, x, arguments)


@settings(max_examples=150)
@given(case=convolutions())
def test_conv2d_is_torchs(case: Case):
    reference = case.layer(case.x)
    torch.testing.assert_close(convolution.conv2d(case.x, **case.arguments), reference)
    torch.testing.assert_close(convolution.conv2d_by_hand(case.x, **case.arguments), reference, rtol=1e-5, atol=1e-5)


@settings(max_examples=100)
@given(case=convolutions(axes=1))
def test_conv1d_is_torchs(case: Case):
    torch.testing.assert_close(convolution.conv1d(case.x, **case.arguments), case.layer(case.x))


@settings(max_examples=40)
@given(case=convolutions())
def test_both_forms_have_the_same_gradient(case: Case):
    grads = []
    for form in (convolution.conv2d, convolution.conv2d_by_hand):
        x = case.x.clone().requires_grad_()
        form(x, **case.arguments).sin().sum().backward()
        grads.append(x.grad)
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-4, atol=1e-5)


@st.composite
def transposed_convolutions(draw: st.DrawFn) -> Case:
    groups = draw(st.integers(1, 3))
    in_channels, out_channels = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    sizes = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    extra, padding = [], []
    for size, k, step, spread in zip(sizes, kernel, stride, dilation, strict=True):
        extra.append(draw(st.integers(0, shapes.max_output_padding(step, spread))))
        padding.append(draw(st.integers(0, shapes.max_transpose_padding(size, k, step, extra[-1], spread))))
    torch.manual_seed(draw(st.integers(0, 2**32 - 1)))
    bias = draw(st.booleans())
    layer = nn.ConvTranspose2d(
        in_channels, out_channels, kernel, stride, tuple(padding), tuple(extra), groups, bias, dilation
    )
    x = torch.randn(draw(st.integers(1, 2)), in_channels, *sizes)
    arguments = {
        "weight": layer.weight,
        "bias": layer.bias,
        "stride": stride,
        "padding": tuple(padding),
        "output_padding": tuple(extra),
        "groups": groups,
        "dilation": dilation,
    }
    return Case(layer, x, arguments)


@settings(max_examples=80)
@given(case=transposed_convolutions())
@torch.no_grad()
def test_conv_transpose2d_is_torchs(case: Case):
    reference = case.layer(case.x)
    torch.testing.assert_close(convolution.conv_transpose2d(case.x, **case.arguments), reference)
    ours = convolution.conv_transpose2d_by_hand(case.x, **case.arguments)
    torch.testing.assert_close(ours, reference, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("numbers", [{}, {"stride": 2, "padding": 1}, {"stride": 3, "output_padding": 1}])
def test_conv_transpose2d_takes_one_number_for_both_axes(numbers: dict[str, int]):
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(2, 3, 3, **numbers)
    x = torch.randn(1, 2, 4, 3)
    for form in (convolution.conv_transpose2d, convolution.conv_transpose2d_by_hand):
        torch.testing.assert_close(form(x, layer.weight, layer.bias, **numbers), layer(x), rtol=1e-5, atol=1e-5)


@given(
    size=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    seed=st.integers(0, 2**32 - 1),
)
def test_true_convolution_multiplies_spectra(size: tuple[int, int], kernel: tuple[int, int], seed: int):
    # The convolution theorem; with full padding, so that nothing wraps around.
    torch.manual_seed(seed)
    x, weight = torch.randn(1, 1, *size, dtype=torch.float64), torch.randn(1, 1, *kernel, dtype=torch.float64)
    full = (size[0] + kernel[0] - 1, size[1] + kernel[1] - 1)
    reference = np.fft.irfft2(np.fft.rfft2(x[0, 0], full) * np.fft.rfft2(weight[0, 0], full), full)
    ours = convolution.true_convolution(x, weight, padding=(kernel[0] - 1, kernel[1] - 1))
    np.testing.assert_allclose(ours[0, 0].numpy(), reference, atol=1e-10)


def test_an_impulse_shows_the_kernel_and_correlation_its_mirror_image():
    impulse = torch.zeros(1, 1, 5, 5)
    impulse[0, 0, 2, 2] = 1
    kernel = torch.arange(9.0).view(1, 1, 3, 3)
    convolved = convolution.true_convolution(impulse, kernel, padding=1)
    correlated = convolution.conv2d(impulse, kernel, padding=1)
    assert torch.equal(convolved[..., 1:4, 1:4], kernel)
    assert torch.equal(correlated[..., 1:4, 1:4], kernel.flip(2, 3))


@settings(max_examples=40)
@given(
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 2**32 - 1),
)
def test_rgb_convolution_is_the_sum_of_three_maps(size: tuple[int, int], kernel: tuple[int, int], seed: int):
    torch.manual_seed(seed)
    x, weight = torch.rand(3, *size), torch.randn(3, *kernel)
    *maps, total = convolution.rgb_convolution(x, weight)
    for channel, feature_map in enumerate(maps):
        only = torch.zeros_like(weight)
        only[channel] = weight[channel]
        torch.testing.assert_close(feature_map, nn.functional.conv2d(x[None], only[None])[0])
    torch.testing.assert_close(total, nn.functional.conv2d(x[None], weight[None])[0], rtol=1e-5, atol=1e-5)

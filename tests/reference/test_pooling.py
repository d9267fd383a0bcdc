"""Pooling against torch.nn, in both forms, over all its parameters; and the ConvNet against nn.Sequential."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer import shapes
from explorer.models import pooling


@st.composite
def inputs(draw: st.DrawFn) -> Tensor:
    """float32 (B, C, H, W); small whole numbers half of the time, so that maxima tie."""
    torch.manual_seed(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 12), st.integers(1, 12)))
    return torch.randint(-2, 3, shape).float() if draw(st.booleans()) else torch.randn(shape)


@st.composite
def windows(draw: st.DrawFn, dilations: int = 1) -> dict[str, Any]:
    kernel = draw(st.integers(1, 5))
    window: dict[str, Any] = {
        "kernel_size": kernel,
        "stride": draw(st.one_of(st.none(), st.integers(1, 6))),
        "padding": draw(st.integers(0, shapes.max_pool_padding(kernel))),
        "ceil_mode": draw(st.booleans()),
    }
    return window | ({"dilation": draw(st.integers(1, dilations))} if dilations > 1 else {})


def fits(x: Tensor, window: dict[str, Any]) -> bool:
    size, kernel, padding, dilation = (
        min(x.shape[2:]),
        window["kernel_size"],
        window["padding"],
        window.get("dilation", 1),
    )
    fitting = kernel <= shapes.max_kernel(size, (padding, padding), dilation)
    return fitting and (kernel == 1 or dilation <= shapes.max_pool_dilation(size, kernel, padding))


@settings(max_examples=200)
@given(x=inputs(), window=windows(dilations=3))
def test_max_pool2d_is_torchs(x: Tensor, window: dict[str, Any]):
    assume(fits(x, window))
    values, positions = nn.MaxPool2d(**window, return_indices=True)(x)
    for form in (pooling.max_pool2d, pooling.max_pool2d_by_hand):
        ours, places = form(x, **window)
        assert torch.equal(ours, values)
        assert torch.equal(places, positions)
        assert torch.equal(x.flatten(2).gather(2, places.flatten(2)).view_as(ours), ours)


@settings(max_examples=150)
@given(x=inputs(), window=windows(), count_include_pad=st.booleans())
def test_avg_pool2d_is_torchs(x: Tensor, window: dict[str, Any], count_include_pad: bool):
    assume(fits(x, window))
    reference = nn.AvgPool2d(**window, count_include_pad=count_include_pad)(x)
    for form in (pooling.avg_pool2d, pooling.avg_pool2d_by_hand):
        ours = form(x, **window, count_include_pad=count_include_pad)
        torch.testing.assert_close(ours, reference, rtol=1e-5, atol=1e-6)


@given(x=inputs())
def test_global_average_pool_is_torchs(x: Tensor):
    reference = nn.Flatten()(nn.AdaptiveAvgPool2d(1)(x))
    for form in (pooling.global_average_pool, pooling.global_average_pool_by_hand):
        torch.testing.assert_close(form(x), reference, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "span", "stride", "padding", "expected"),
    [(6, 2, 2, 0, 0), (7, 2, 2, 0, 1), (7, 3, 3, 0, 2), (5, 2, 3, 1, 0), (4, 3, 2, 1, 1), (3, 1, 5, 0, 0)],
)
def test_overhang(size: int, span: int, stride: int, padding: int, expected: int):
    assert pooling.overhang(size, span, stride, padding) == expected
    assert pooling.max_pool2d(torch.zeros(1, 1, size, size), span, stride, padding, ceil_mode=True)[0].shape[-1] == (
        (size + 2 * padding + expected - span) // stride + 1
    )


@pytest.mark.parametrize(
    "config",
    [
        pooling.ConvNetConfig(),
        pooling.ConvNetConfig(in_channels=3, height=9, width=14, channels=(2, 5), kernel_size=5, classes=3),
    ],
)
def test_conv_net_is_the_sequence_of_its_layers(config: pooling.ConvNetConfig):
    torch.manual_seed(0)
    net = pooling.ConvNet(config)
    first, second = config.channels
    k = config.kernel_size
    reference = nn.Sequential(
        nn.Conv2d(config.in_channels, first, k, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(first, second, k, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.LazyLinear(config.classes),
    )
    x = torch.randn(2, config.in_channels, config.height, config.width)
    reference(x)  # sizes the lazy layer
    reference.load_state_dict(dict(zip(reference.state_dict(), net.state_dict().values(), strict=True)))
    torch.testing.assert_close(net(x), reference(x))

    features = second * (config.height // 4) * (config.width // 4)
    counted = (
        shapes.conv_parameters(config.in_channels, first, (k, k))
        + shapes.conv_parameters(first, second, (k, k))
        + shapes.linear_parameters(features, config.classes)
    )
    assert counted == sum(p.numel() for p in net.parameters())

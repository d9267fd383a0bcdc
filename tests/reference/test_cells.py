"""One cell at a time against torch.nn: any window of any layer gives what the module gives there."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.layer_cells import cell_at
from explorer.layer_outputs import walk
from explorer.models.cells import Norm, batch_norm_cell, cat_cell, conv_cell, linear_cell, max_cell, mean_cell


class One(nn.Module):
    """A network of one layer, and of what `tail` adds to it."""

    def __init__(self, layer: nn.Module, *tail: nn.Module):
        super().__init__()
        self.layer = layer
        self.tail = nn.Sequential(*tail)

    def maps(self, x):
        return {"layer": self.tail(self.layer(x))}

    def logits(self, x):
        return x.flatten(1)


def norm(channels: int) -> nn.BatchNorm2d:
    module = nn.BatchNorm2d(channels)
    with torch.no_grad():
        module.running_mean.normal_()
        module.running_var.uniform_(0.2, 3)
        module.weight.normal_()
        module.bias.normal_()
    return module


@settings(max_examples=60, deadline=None)
@given(
    groups=st.integers(1, 3),
    inside=st.integers(1, 3),
    outside=st.integers(1, 3),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    bias=st.booleans(),
    tail=st.sampled_from([(), ("norm",), ("norm", "relu"), ("relu",)]),
    size=st.tuples(st.integers(7, 12), st.integers(7, 12)),
    seed=st.integers(0, 999),
    data=st.data(),
)
def test_any_convolution(groups, inside, outside, kernel, stride, padding, dilation, bias, tail, size, seed, data):
    torch.manual_seed(seed)
    channels = groups * outside
    conv = nn.Conv2d(groups * inside, channels, kernel, stride, padding, dilation, groups, bias)
    network = (
        One(conv, *(norm(channels) if part == "norm" else nn.ReLU() for part in tail)).eval().requires_grad_(False)
    )
    x = torch.randn(1, groups * inside, *size)
    with torch.no_grad():
        expected = network.maps(x)["layer"][0]
    walked = walk(network, x)
    place = tuple(data.draw(st.integers(0, n - 1)) for n in expected.shape)
    cell = cell_at(walked, walked.names[-1], place)
    assert len(cell.chain) == 1 + len(tail)
    assert cell.value == float(expected[place])
    torch.testing.assert_close(cell.compute(), expected[place], rtol=1e-4, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    ceil_mode=st.booleans(),
    size=st.tuples(st.integers(7, 12), st.integers(7, 12)),
    seed=st.integers(0, 999),
    data=st.data(),
)
def test_any_max_pooling(kernel, stride, dilation, ceil_mode, size, seed, data):
    torch.manual_seed(seed)
    padding = data.draw(st.integers(0, kernel // 2))
    network = One(nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=ceil_mode)).eval()
    x = torch.randn(1, 2, *size)
    expected = network.maps(x)["layer"][0]
    walked = walk(network, x)
    place = tuple(data.draw(st.integers(0, n - 1)) for n in expected.shape)
    assert cell_at(walked, walked.names[-1], place).compute() == expected[place]


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    to=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    data=st.data(),
)
def test_any_adaptive_average(size, to, data):
    network = One(nn.AdaptiveAvgPool2d(to)).eval()
    x = torch.randn(1, 2, *size)
    expected = network.maps(x)["layer"][0]
    walked = walk(network, x)
    place = tuple(data.draw(st.integers(0, n - 1)) for n in expected.shape)
    torch.testing.assert_close(cell_at(walked, walked.names[-1], place).compute(), expected[place])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), features=st.integers(1, 40), relu=st.booleans())
def test_the_functions_themselves(seed, features, relu):
    torch.manual_seed(seed)
    x, weight, bias = torch.randn(features), torch.randn(3, features), torch.randn(3)
    expected = F.linear(x, weight, bias)
    torch.testing.assert_close(linear_cell(x, weight[1], bias[1], relu), expected[1].relu() if relu else expected[1])
    module = norm(3).eval()
    at = torch.randn(1, 3, 1, 1)
    held = Norm(
        *(t[2].detach() for t in (module.running_mean, module.running_var, module.weight, module.bias)), module.eps
    )
    torch.testing.assert_close(batch_norm_cell(at[0, 2, 0, 0], held), module(at)[0, 2, 0, 0].detach())
    window, kernel, shortcut = torch.randn(2, 3, 3), torch.randn(2, 3, 3), torch.randn(())
    plain = F.conv2d(window[None], kernel[None])[0, 0, 0, 0]
    torch.testing.assert_close(conv_cell(window, kernel), plain, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        conv_cell(window, kernel, shortcut=shortcut, relu=relu),
        (plain + shortcut).relu() if relu else plain + shortcut, rtol=1e-4, atol=1e-5,
    )  # fmt: skip
    assert max_cell(window[0]) == window[0].max()
    torch.testing.assert_close(mean_cell(window[0]), window[0].mean())
    assert cat_cell((x, bias), features + 1) == bias[1]

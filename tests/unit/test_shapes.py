"""Sizes, counts and bounds against what torch's layers do."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from fractions import Fraction

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from explorer import shapes
from explorer.shapes import Layer, ReceptiveField

MODES = ("zeros", "reflect", "replicate", "circular")
small = st.integers(1, 5)


def value(formula: str) -> tuple[Fraction, int]:
    """A formula's left side, worked out from its LaTeX, and the number on its right."""
    left, right = formula.split(" = ")
    left = (
        left.replace(r"\,", "")
        .replace(r"\cdot", "*")
        .replace(r"\bmod", "%")
        .replace(r"\left", "")
        .replace(r"\right", "")
    )
    left = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"(Fraction(\1) / (\2))", left)
    left = (
        left.replace(r"\lfloor", "floor(").replace(r"\rfloor", ")").replace(r"\lceil", "ceil(").replace(r"\rceil", ")")
    )
    names = {"Fraction": Fraction, "floor": math.floor, "ceil": math.ceil}
    return Fraction(eval(left, names)), int(right.replace(r"\,", ""))


def is_true(formula: str, number: int) -> bool:
    left, right = value(formula)
    return left == right == number


@given(
    size=st.integers(1, 30),
    kernel=small,
    stride=small,
    dilation=small,
    padding=st.tuples(st.integers(0, 5), st.integers(0, 5)),
)
def test_conv_output_and_dropped(size: int, kernel: int, stride: int, dilation: int, padding: tuple[int, int]):
    assume(kernel <= shapes.max_kernel(size, padding, dilation))
    padded = nn.functional.pad(torch.zeros(1, 1, size), padding).requires_grad_()
    out = nn.functional.conv1d(padded, torch.ones(1, 1, kernel), stride=stride, dilation=dilation)
    output = shapes.conv_output(size, kernel, stride, padding, dilation)
    assert output == out.shape[-1]
    assert is_true(shapes.conv_output_formula(size, kernel, stride, padding, dilation), output)

    out.sum().backward()
    assert padded.grad is not None
    reached = int(padded.grad[0, 0].nonzero().max()) + 1
    dropped = shapes.dropped(size, kernel, stride, padding, dilation)
    assert dropped == padded.shape[-1] - reached
    assert is_true(shapes.dropped_formula(size, kernel, stride, padding, dilation), dropped)


def test_conv_output_formula_reads_as_in_the_reference():
    formula = shapes.conv_output_formula(7, 3, stride=2, padding=(1, 1))
    assert formula == r"\left\lfloor \frac{7 + 1 + 1 - 1 \cdot (3 - 1) - 1}{2} \right\rfloor + 1 = 4"


@given(size=st.integers(1, 12), kernel=small, stride=small, dilation=small, data=st.data())
def test_conv_transpose_output(size: int, kernel: int, stride: int, dilation: int, data: st.DataObject):
    extra = data.draw(st.integers(0, shapes.max_output_padding(stride, dilation)))
    most = shapes.max_transpose_padding(size, kernel, stride, extra, dilation)
    padding = data.draw(st.integers(0, most))
    layer = nn.ConvTranspose1d(1, 1, kernel, stride, padding, extra, dilation=dilation)
    output = shapes.conv_transpose_output(size, kernel, stride, padding, extra, dilation)
    assert output == layer(torch.zeros(1, 1, size)).shape[-1]
    assert is_true(shapes.conv_transpose_output_formula(size, kernel, stride, padding, extra, dilation), output)


@settings(max_examples=300)
@given(
    size=st.integers(1, 20),
    kernel=small,
    stride=st.one_of(st.none(), small),
    dilation=small,
    ceil_mode=st.booleans(),
    data=st.data(),
)
def test_pool_output(size: int, kernel: int, stride: int | None, dilation: int, ceil_mode: bool, data: st.DataObject):
    padding = data.draw(st.integers(0, shapes.max_pool_padding(kernel)))
    assume(kernel == 1 or dilation <= shapes.max_pool_dilation(size, kernel, padding))
    assume(kernel <= shapes.max_kernel(size, (padding, padding), dilation))
    layer = nn.MaxPool1d(kernel, stride, padding, dilation, ceil_mode=ceil_mode)
    out = layer(torch.arange(float(size)).view(1, 1, size))  # each maximum is the last cell that its window holds
    output = shapes.pool_output(size, kernel, stride, padding, dilation, ceil_mode)
    assert output == out.shape[-1]
    assert out.isfinite().all()  # no window lies in the padding altogether
    assert is_true(shapes.pool_output_formula(size, kernel, stride, padding, dilation, ceil_mode), output)

    if dilation == 1:  # else the last cell may lie in a gap
        dropped = shapes.dropped(size, kernel, stride or kernel, (padding, padding), dilation, ceil_mode)
        assert max(0, dropped - padding) == size - 1 - out[0, 0, -1]


@given(size=st.integers(1, 20), kernel=st.integers(1, 9), dilation=small)
def test_same_padding_keeps_the_size(size: int, kernel: int, dilation: int):
    padding = shapes.same_padding(kernel, dilation)
    assert shapes.conv_output(size, kernel, 1, padding, dilation) == size
    before, after = nn.Conv1d(1, 1, kernel, padding="same", dilation=dilation)._reversed_padding_repeated_twice
    assert padding == (before, after)
    left, right = shapes.same_padding_formula(kernel, dilation).split(" = ")
    assert value(f"{left} = 0")[0] == value(f"{right} = 0")[0] == sum(padding)


@given(
    groups=st.integers(1, 4),
    inputs=st.integers(1, 9),
    outputs=st.integers(1, 9),
    kernel=st.lists(small, min_size=1, max_size=3),
    bias=st.booleans(),
)
def test_conv_parameters(groups: int, inputs: int, outputs: int, kernel: list[int], bias: bool):
    make = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(kernel) - 1]
    back = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[len(kernel) - 1]
    in_channels, out_channels = inputs * groups, outputs * groups
    count = shapes.conv_parameters(in_channels, out_channels, kernel, groups, bias)
    layer = make(in_channels, out_channels, tuple(kernel), groups=groups, bias=bias)
    assert count == sum(p.numel() for p in layer.parameters())
    layer = back(in_channels, out_channels, tuple(kernel), groups=groups, bias=bias)
    assert count == sum(p.numel() for p in layer.parameters())
    assert is_true(shapes.conv_parameters_formula(in_channels, out_channels, kernel, groups, bias), count)


@given(inputs=st.integers(1, 2000), outputs=st.integers(1, 200), bias=st.booleans())
def test_linear_parameters(inputs: int, outputs: int, bias: bool):
    count = shapes.linear_parameters(inputs, outputs, bias)
    assert count == sum(p.numel() for p in nn.Linear(inputs, outputs, bias=bias).parameters())
    assert is_true(shapes.linear_parameters_formula(inputs, outputs, bias), count)


@settings(max_examples=40)
@given(
    groups=st.integers(1, 3),
    channels=st.tuples(small, small),
    kernel=st.tuples(small, small),
    size=st.tuples(st.integers(5, 9), st.integers(5, 9)),
    transposed=st.booleans(),
)
def test_conv_macs(
    groups: int, channels: tuple[int, int], kernel: tuple[int, int], size: tuple[int, int], transposed: bool
):
    in_channels, out_channels = channels[0] * groups, channels[1] * groups
    make = nn.ConvTranspose2d if transposed else nn.Conv2d
    layer = make(in_channels, out_channels, kernel, groups=groups, bias=False)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        out = layer(torch.zeros(1, in_channels, *size))
    positions = size if transposed else tuple(out.shape[2:])
    macs = shapes.conv_macs(in_channels, out_channels, kernel, positions, groups)
    assert macs == counter.get_total_flops() // 2  # a multiply and an add each
    assert is_true(shapes.conv_macs_formula(in_channels, out_channels, kernel, positions, groups), macs)


layers = st.lists(
    st.builds(Layer, st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)), min_size=1, max_size=4
)


@given(layers=layers)
def test_receptive_field_is_what_the_gradient_reaches(layers: list[Layer]):
    fields = shapes.receptive_field(layers)
    last = fields[-1]
    # Long enough for three cells of the last output clear of the padding at either end.
    size = 2 * (last.size + abs(last.start)) + 6 * last.jump
    x = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    out: torch.Tensor = x
    for layer, field in zip(layers, fields, strict=True):
        out = nn.functional.pad(out, (layer.padding, 0))
        weight = torch.ones(1, 1, layer.kernel, dtype=torch.float64)
        out = nn.functional.conv1d(out, weight, stride=layer.stride, dilation=layer.dilation)
        first = -(field.start // field.jump)  # the first cell that sees no padding
        for n in (first, first + 1):
            (grad,) = torch.autograd.grad(out[0, 0, n], x, retain_graph=True)
            seen = grad[0, 0].nonzero().flatten()
            start = field.start + n * field.jump
            assert (int(seen.min()), int(seen.max())) == (start, start + field.size - 1)
    assert is_true(shapes.receptive_field_formula(layers), last.size)


def test_receptive_field_of_known_stacks():
    # Three 3×3 see what one 7×7 sees (Simonyan & Zisserman 2015, section 2.3).
    assert [f.size for f in shapes.receptive_field([Layer(3)] * 3)] == [3, 5, 7]
    # ResNet's stem: 7×7 at stride 2, then 3×3 max pooling at stride 2.
    assert shapes.receptive_field([Layer(7, 2, 3), Layer(3, 2, 1)])[-1] == ReceptiveField(size=11, jump=4, start=-5)
    assert shapes.receptive_field([]) == []
    assert shapes.receptive_field_formula([]) == "1 = 1"


@given(size=st.integers(1, 12), kernel=small, padding=st.tuples(st.integers(0, 3), st.integers(0, 3)), dilation=small)
def test_max_kernel_and_max_dilation_are_the_last_that_work(
    size: int, kernel: int, padding: tuple[int, int], dilation: int
):
    def works(k: int, d: int) -> bool:
        try:
            nn.functional.conv1d(torch.zeros(1, 1, size + sum(padding)), torch.zeros(1, 1, k), dilation=d)
        except RuntimeError:
            return False
        return True

    most = shapes.max_kernel(size, padding, dilation)
    assert works(most, dilation)
    assert not works(most + 1, dilation)
    if kernel == 1:
        assert shapes.max_dilation(size, kernel, padding) == 1
    elif kernel <= shapes.max_kernel(size, padding):
        most = shapes.max_dilation(size, kernel, padding)
        assert works(kernel, most)
        assert not works(kernel, most + 1)


@given(size=st.integers(1, 9), mode=st.sampled_from(MODES), kernel=small, dilation=small)
def test_padding_bounds_are_the_last_that_work(size: int, mode: str, kernel: int, dilation: int):
    def works(k: int, padding: int | str, d: int = 1) -> bool:
        try:
            nn.Conv1d(1, 1, k, padding=padding, padding_mode=mode, dilation=d)(torch.zeros(1, 1, size))
        except RuntimeError:
            return False
        return True

    most = shapes.max_padding(size, mode)
    assert works(1, size + 5 if most is None else most)
    assert most is None or not works(1, most + 1)

    most_kernel = shapes.max_same_kernel(size, mode, dilation)
    assert works(2 * size + 5 if most_kernel is None else most_kernel, "same", dilation)
    assert most_kernel is None or not works(most_kernel + 1, "same", dilation)

    most_dilation = shapes.max_same_dilation(size, kernel, mode)
    if most_dilation is None:
        assert works(kernel, "same", size + 5)
    else:
        assert most_dilation == 0 or works(kernel, "same", most_dilation)
        assert not works(kernel, "same", most_dilation + 1)


@given(kernel=st.integers(1, 6), stride=small, dilation=small)
def test_pool_and_output_padding_bounds_are_the_last_that_work(kernel: int, stride: int, dilation: int):
    most = shapes.max_pool_padding(kernel)
    nn.MaxPool1d(kernel, 1, most)(torch.zeros(1, 1, 9))
    with pytest.raises(RuntimeError, match="at most half"):
        nn.MaxPool1d(kernel, 1, most + 1)(torch.zeros(1, 1, 9))

    most = shapes.max_output_padding(stride, dilation)
    nn.ConvTranspose1d(1, 1, kernel, stride, 0, most, dilation=dilation)(torch.zeros(1, 1, 4))
    with pytest.raises(RuntimeError, match="output padding must be smaller"):
        nn.ConvTranspose1d(1, 1, kernel, stride, 0, most + 1, dilation=dilation)(torch.zeros(1, 1, 4))


@given(size=st.integers(1, 6), kernel=small, stride=small, dilation=small)
def test_max_transpose_padding_is_the_last_that_works(size: int, kernel: int, stride: int, dilation: int):
    most = shapes.max_transpose_padding(size, kernel, stride, 0, dilation)
    x, weight = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
    nn.functional.conv_transpose1d(x, weight, stride=stride, padding=most, dilation=dilation)
    with pytest.raises(RuntimeError):
        nn.functional.conv_transpose1d(x, weight, stride=stride, padding=most + 1, dilation=dilation)


def test_shapes_need_no_torch():
    code = "import sys, explorer.shapes, explorer.kernels; sys.exit('torch' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("make", "gates"), [(nn.RNN, 1), (nn.LSTM, 4), (nn.GRU, 3)])
@given(inputs=small, hidden=small, layers=st.integers(1, 3), both=st.booleans())
def test_recurrent_parameters(make: type[nn.RNNBase], gates: int, inputs: int, hidden: int, layers: int, both: bool):
    network = make(inputs, hidden, layers, bidirectional=both)
    number = sum(parameter.numel() for parameter in network.parameters())
    assert shapes.recurrent_parameters(gates, inputs, hidden, layers, 1 + both) == number
    assert is_true(shapes.recurrent_parameters_formula(gates, inputs, hidden, layers, 1 + both), number)

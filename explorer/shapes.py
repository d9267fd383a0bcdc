"""Output sizes, parameters, multiplications and receptive fields of layers, with formulas in LaTeX; without torch.

Sizes are of one axis, in cells. Each `…_formula` takes what its function takes and is the formula with those numbers.
`max_…` are the largest values with which a layer still works: the bounds of the controls.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Sides = tuple[int, int]
"""Padding before and after."""


def span(kernel: int, dilation: int = 1) -> int:
    """Cells from the kernel's first to its last, both included."""
    return dilation * (kernel - 1) + 1


def conv_output(size: int, kernel: int, stride: int = 1, padding: Sides = (0, 0), dilation: int = 1) -> int:
    """Positions at which the kernel fits: the size that a convolution gives (torch.nn.Conv2d)."""
    return (sum(padding) + size - span(kernel, dilation)) // stride + 1


def conv_output_formula(size: int, kernel: int, stride: int = 1, padding: Sides = (0, 0), dilation: int = 1) -> str:
    """⌊(size + before + after − dilation·(kernel − 1) − 1) / stride⌋ + 1 = conv_output."""
    inside = rf"{size} + {padding[0]} + {padding[1]} - {dilation} \cdot ({kernel} - 1) - 1"
    output = conv_output(size, kernel, stride, padding, dilation)
    return rf"\left\lfloor \frac{{{inside}}}{{{stride}}} \right\rfloor + 1 = {output}"


def dropped(
    size: int, kernel: int, stride: int = 1, padding: Sides = (0, 0), dilation: int = 1, ceil_mode: bool = False
) -> int:
    """Cells at the end of the padded input, padding included, that no window reaches. ceil_mode: pooling's."""
    if ceil_mode:
        output = pool_output(size, kernel, stride, padding[0], dilation, ceil_mode)
    else:
        output = conv_output(size, kernel, stride, padding, dilation)
    reached = (output - 1) * stride + span(kernel, dilation)
    return max(0, sum(padding) + size - reached)


def dropped_formula(size: int, kernel: int, stride: int = 1, padding: Sides = (0, 0), dilation: int = 1) -> str:
    """(size + before + after − dilation·(kernel − 1) − 1) mod stride = dropped, where the size is rounded down."""
    inside = rf"{size} + {padding[0]} + {padding[1]} - {dilation} \cdot ({kernel} - 1) - 1"
    return rf"({inside}) \bmod {stride} = {dropped(size, kernel, stride, padding, dilation)}"


def conv_transpose_output(
    size: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    """The size that a transposed convolution gives (torch.nn.ConvTranspose2d)."""
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1


def conv_transpose_output_formula(
    size: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> str:
    """(size − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1 = conv_transpose_output."""
    output = conv_transpose_output(size, kernel, stride, padding, output_padding, dilation)
    return (
        rf"({size} - 1) \cdot {stride} - 2 \cdot {padding} + {dilation} \cdot ({kernel} - 1)"
        rf" + {output_padding} + 1 = {output}"
    )


def pool_output(
    size: int, kernel: int, stride: int | None = None, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    """The size that pooling gives (torch.nn.MaxPool2d). stride None: kernel. padding: on each side.

    ceil_mode rounds up, but a window must start inside the input or the padding before it.
    """
    stride = stride or kernel
    room = size + 2 * padding - span(kernel, dilation)
    if not ceil_mode:
        return room // stride + 1
    output = -(-room // stride) + 1
    return output - 1 if (output - 1) * stride >= size + padding else output


def pool_output_formula(
    size: int, kernel: int, stride: int | None = None, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> str:
    """⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1 = pool_output, with ⌈ ⌉ in ceil_mode."""
    stride = stride or kernel
    left, right = (r"\lceil", r"\rceil") if ceil_mode else (r"\lfloor", r"\rfloor")
    inside = rf"{size} + 2 \cdot {padding} - {dilation} \cdot ({kernel} - 1) - 1"
    output = pool_output(size, kernel, stride, padding, dilation, ceil_mode)
    room = size + 2 * padding - span(kernel, dilation)
    removed = " - 1" if ceil_mode and output != -(-room // stride) + 1 else ""  # the window outside the input
    return rf"\left{left} \frac{{{inside}}}{{{stride}}} \right{right} + 1{removed} = {output}"


def same_padding(kernel: int, dilation: int = 1) -> Sides:
    """Padding before and after that keeps the size at stride 1, as torch's padding="same": the end gets the odd one."""
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2


def same_padding_formula(kernel: int, dilation: int = 1) -> str:
    """dilation·(kernel − 1) = before + after."""
    before, after = same_padding(kernel, dilation)
    return rf"{dilation} \cdot ({kernel} - 1) = {before} + {after}"


def conv_parameters(
    in_channels: int, out_channels: int, kernel: Sequence[int], groups: int = 1, bias: bool = True
) -> int:
    """Weights, and biases, of a convolution; the same for a transposed one. kernel: its size on each axis."""
    return out_channels * (in_channels // groups) * math.prod(kernel) + (out_channels if bias else 0)


def conv_parameters_formula(
    in_channels: int, out_channels: int, kernel: Sequence[int], groups: int = 1, bias: bool = True
) -> str:
    r"""out · in/groups · kernel (+ out biases) = conv_parameters."""
    biases = f" + {out_channels}" if bias else ""
    total = conv_parameters(in_channels, out_channels, kernel, groups, bias)
    return rf"{_weights(in_channels, out_channels, kernel, groups)}{biases} = {_number(total)}"


def linear_parameters(in_features: int, out_features: int, bias: bool = True) -> int:
    """Weights, and biases, of a fully connected layer (torch.nn.Linear)."""
    return in_features * out_features + (out_features if bias else 0)


def linear_parameters_formula(in_features: int, out_features: int, bias: bool = True) -> str:
    """in · out (+ out biases) = linear_parameters."""
    biases = f" + {out_features}" if bias else ""
    total = linear_parameters(in_features, out_features, bias)
    return rf"{in_features} \cdot {out_features}{biases} = {_number(total)}"


def recurrent_parameters(gates: int, inputs: int, hidden: int, layers: int = 1, directions: int = 1) -> int:
    """Weights and both biases of a recurrent network (torch.nn.RNN, LSTM, GRU). gates: 1, 4 and 3, blocks of rows."""
    widths = [inputs] + [hidden * directions] * (layers - 1)
    return sum(directions * gates * hidden * (width + hidden + 2) for width in widths)


def recurrent_parameters_formula(gates: int, inputs: int, hidden: int, layers: int = 1, directions: int = 1) -> str:
    """Σ over layers: (directions ·) gates · hidden · (input + hidden + 2) = recurrent_parameters."""
    widths = [inputs] + [hidden * directions] * (layers - 1)
    blocks = ([str(directions)] if directions > 1 else []) + ([str(gates)] if gates > 1 else [])
    terms = [r" \cdot ".join([*blocks, str(hidden), f"({width} + {hidden} + 2)"]) for width in widths]
    total = recurrent_parameters(gates, inputs, hidden, layers, directions)
    return f"{' + '.join(terms)} = {_number(total)}"


def conv_macs(
    in_channels: int, out_channels: int, kernel: Sequence[int], output: Sequence[int], groups: int = 1
) -> int:
    """Multiply–adds of a convolution of one picture: each weight once at each position of the output.

    kernel, output: sizes on each axis. For a transposed convolution give the input's size as output: there each weight
    is used once at each input cell.
    """
    return conv_parameters(in_channels, out_channels, kernel, groups, bias=False) * math.prod(output)


def conv_macs_formula(
    in_channels: int, out_channels: int, kernel: Sequence[int], output: Sequence[int], groups: int = 1
) -> str:
    """weights · positions = conv_macs."""
    positions = r" \cdot ".join(map(str, output))
    total = conv_macs(in_channels, out_channels, kernel, output, groups)
    return rf"({_weights(in_channels, out_channels, kernel, groups)}) \cdot {positions} = {_number(total)}"


@dataclass(frozen=True)
class Layer:
    """What a convolution or pooling does along one axis. padding: before the input."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1


@dataclass(frozen=True)
class ReceptiveField:
    """What cell n of a layer's output can see: the input's cells start + n·jump … start + n·jump + size − 1.

    Cells below 0 or past the input's end are padding.
    """

    size: int
    jump: int
    start: int


def receptive_field(layers: Iterable[Layer]) -> list[ReceptiveField]:
    """The receptive field after each layer, in cells of the input (Araujo et al. 2019, eq. 2)."""
    field = ReceptiveField(size=1, jump=1, start=0)
    fields = []
    for layer in layers:
        field = ReceptiveField(
            size=field.size + layer.dilation * (layer.kernel - 1) * field.jump,
            jump=field.jump * layer.stride,
            start=field.start - layer.padding * field.jump,
        )
        fields.append(field)
    return fields


def receptive_field_formula(layers: Sequence[Layer]) -> str:
    """1 + Σ dilation·(kernel − 1)·jump = size after the last layer; jump: the product of the strides before."""
    terms, jump = ["1"], 1
    for layer in layers:
        terms.append(rf"{layer.dilation} \cdot ({layer.kernel} - 1) \cdot {jump}")
        jump *= layer.stride
    size = receptive_field(layers)[-1].size if layers else 1
    return f"{' + '.join(terms)} = {size}"


def receptive_field_step_formula(before: ReceptiveField, layer: Layer) -> str:
    """r + dilation·(kernel − 1)·j = the size after one more layer; r, j: size and jump before it."""
    (alone,) = receptive_field([layer])
    size = before.size + (alone.size - 1) * before.jump
    dilated = "" if layer.dilation == 1 else rf"{layer.dilation} \cdot "
    return rf"{before.size} + {dilated}({layer.kernel} - 1) \cdot {before.jump} = {size}"


def max_kernel(size: int, padding: Sides = (0, 0), dilation: int = 1) -> int:
    """The largest kernel that fits into the padded input."""
    return (size + sum(padding) - 1) // dilation + 1


def max_dilation(size: int, kernel: int, padding: Sides = (0, 0)) -> int:
    """The largest dilation at which the kernel fits into the padded input; 1 for a kernel of 1."""
    return max(1, (size + sum(padding) - 1) // (kernel - 1)) if kernel > 1 else 1


def max_padding(size: int, padding_mode: str = "zeros") -> int | None:
    """The most that torch pads a side in this mode; None: as much as you like."""
    return {"zeros": None, "replicate": None, "reflect": size - 1, "circular": size}[padding_mode]


def max_same_kernel(size: int, padding_mode: str = "zeros", dilation: int = 1) -> int | None:
    """The largest kernel for which padding="same" stays within max_padding; None: as large as you like."""
    most = max_padding(size, padding_mode)
    return None if most is None else 2 * most // dilation + 1


def max_same_dilation(size: int, kernel: int, padding_mode: str = "zeros") -> int | None:
    """The largest dilation for which padding="same" stays within max_padding; None: as large as you like; 0: none."""
    most = max_padding(size, padding_mode)
    return None if most is None or kernel == 1 else 2 * most // (kernel - 1)


def max_pool_padding(kernel: int) -> int:
    """Pooling pads by half its window at most, so that every window holds a cell of the input."""
    return kernel // 2


def max_pool_dilation(size: int, kernel: int, padding: int = 0) -> int:
    """The largest dilation of a pooling window: it fits, and does not step over the whole input from padding to padding."""
    return min(size, max_dilation(size, kernel, (padding, padding)))


def max_output_padding(stride: int, dilation: int = 1) -> int:
    """A transposed convolution adds fewer cells at the end than its stride or its dilation, whichever is larger."""
    return max(stride, dilation) - 1


def max_transpose_padding(size: int, kernel: int, stride: int = 1, output_padding: int = 0, dilation: int = 1) -> int:
    """The most that a transposed convolution can cut off each side and leave a cell."""
    return (conv_transpose_output(size, kernel, stride, 0, output_padding, dilation) - 1) // 2


def _weights(in_channels: int, out_channels: int, kernel: Sequence[int], groups: int) -> str:
    channels = str(in_channels) if groups == 1 else rf"\frac{{{in_channels}}}{{{groups}}}"
    return r" \cdot ".join([str(out_channels), channels, *map(str, kernel)])


def _number(value: int) -> str:
    r"""4194304 → 4\,194\,304."""
    return f"{value:,}".replace(",", r"\,")

"""What the convolution page shows, computed: kernels for all channels, the call itself, and one place taken apart.

A series is a picture of one row. Pairs are (rows, columns).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from explorer.images import to_grey
from explorer.kernels import KERNELS, separable
from explorer.models import convolution
from explorer.models.convolution import PaddingMode, pad, padding_sides
from explorer.shapes import Sides, conv_output, conv_transpose_output, dropped, span
from explorer.trace import Trace, trace

Pair = tuple[int, int]
Operation = Literal["correlation", "convolution", "transposed"]
Code = Literal["line", "hand", "rgb"]

SERIES_KERNELS = {"gaussian": "gaussian", "box": "box", "difference": "sobel", "identity": "identity"}
"""Kernels of a series → the family in explorer.kernels whose row they are."""


@dataclass(frozen=True)
class Setup:
    """How the kernel moves. padding: cells on both sides, or torch's words; transposed: the cells cut off instead."""

    operation: Operation = "correlation"
    stride: Pair = (1, 1)
    padding: Pair | Literal["same", "valid"] = (0, 0)
    padding_mode: PaddingMode = "zeros"
    dilation: Pair = (1, 1)
    groups: int = 1
    output_padding: Pair = (0, 0)
    series: bool = False

    @property
    def cut(self) -> Pair:
        """Rows and columns that a transposed convolution cuts off each side."""
        return (0, 0) if isinstance(self.padding, str) or self.operation != "transposed" else self.padding

    def sides(self, kernel: Pair) -> tuple[Sides, Sides]:
        """Cells added before and after the rows, and the columns; none for a transposed convolution."""
        if self.operation == "transposed":
            return (0, 0), (0, 0)
        left, right, top, bottom = padding_sides(self.padding, kernel, self.dilation)
        return (top, bottom), (left, right)

    def output(self, size: Pair, kernel: Pair) -> Pair:
        """Rows and columns that come out."""
        if self.operation == "transposed":
            cut_axes = zip(size, kernel, self.stride, self.cut, self.output_padding, self.dilation, strict=True)
            return tuple(conv_transpose_output(*axis) for axis in cut_axes)  # type: ignore[return-value]
        axes = zip(size, kernel, self.stride, self.sides(kernel), self.dilation, strict=True)
        return tuple(conv_output(*axis) for axis in axes)  # type: ignore[return-value]

    def fits(self, size: Pair, kernel: Pair) -> bool:
        """Whether a picture of this size can be padded so, and the kernel lies on it at least once."""
        most = {"reflect": 1, "circular": 0}.get(self.padding_mode)
        sides = self.sides(kernel)
        if most is not None and any(max(side) > n - most for side, n in zip(sides, size, strict=True)):
            return False
        return min(self.output(size, kernel)) >= 1

    def dropped(self, size: Pair, kernel: Pair) -> Pair:
        """Rows and columns at the end of the padded input that the kernel never reaches."""
        if self.operation == "transposed":
            return 0, 0
        axes = zip(size, kernel, self.stride, self.sides(kernel), self.dilation, strict=True)
        return tuple(dropped(*axis) for axis in axes)  # type: ignore[return-value]


def batch(numbers: np.ndarray) -> Tensor:
    """float32 (C, H, W) → (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(numbers))[None]


def photo_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """uint8 (H, W, 3) → float32 (C, H, W), 0–1. 1: grey; 2: red, green; 3: red, green, blue; 4: these and grey."""
    grey = to_grey(pixels)[None]
    colours = np.moveaxis(pixels.astype(np.float32) / 255, 2, 0)
    return grey if channels == 1 else np.ascontiguousarray(np.concatenate([colours, grey])[:channels])


def tinted(values: np.ndarray, colour: int | None) -> np.ndarray:
    """Brightness 0–1, (H, W), as uint8 (H, W, 3): in red (0), green (1), blue (2) or grey (None)."""
    level = (values.clip(0, 1) * 255).round().astype(np.uint8)
    return np.stack([level if colour in (None, c) else np.zeros_like(level) for c in range(3)], axis=2)


def series_kernel(key: str, size: int) -> np.ndarray:
    """float32 (1, k): a row of the filter that SERIES_KERNELS names."""
    middle = KERNELS[SERIES_KERNELS[key]](size).x
    parts = separable(middle)
    return middle[len(middle) // 2][None] if parts is None else parts[1][None]


def spread(kernel: np.ndarray, inputs: int, outputs: int, groups: int = 1, transposed: bool = False) -> Tensor:
    """One kernel for all channels: each output has it turned or mirrored in another way, on every input it sees.

    kernel: float32 (kh, kw) → float32 (outputs, inputs/groups, kh, kw), transposed: (inputs, outputs/groups, kh, kw).
    """
    square = kernel.shape[0] == kernel.shape[1]
    turned = [
        np.rot90(kernel if n % 8 < 4 else kernel.T, n) if square else _mirrored(kernel, n) for n in range(outputs)
    ]
    stack = torch.from_numpy(np.stack(turned).astype(np.float32))
    if transposed:
        by_group = stack.unflatten(0, (groups, -1))  # (groups, O/groups, kh, kw)
        return by_group.repeat_interleave(inputs // groups, dim=0).contiguous()
    return stack[:, None].repeat(1, inputs // groups, 1, 1)


def _mirrored(kernel: np.ndarray, n: int) -> np.ndarray:
    """Left to right, then with the sign turned, then top to bottom: eight variants, four of a single row."""
    kernel = kernel[:, ::-1] if n & 1 else kernel
    kernel = -kernel if n & 2 else kernel
    return kernel[::-1] if n & 4 else kernel


def random_weights(
    size: Pair, inputs: int, outputs: int, groups: int = 1, transposed: bool = False, seed: int = 0
) -> Tensor:
    """Weights as torch.nn.Conv2d starts with: even between ± 1/√(the numbers under one kernel). Shapes as in spread."""
    first, second = (inputs, outputs // groups) if transposed else (outputs, inputs // groups)
    bound = (second * size[0] * size[1]) ** -0.5
    return torch.empty(first, second, *size).uniform_(-bound, bound, generator=torch.Generator().manual_seed(seed))


def call(
    x: Tensor, weight: Tensor, setup: Setup, by_hand: bool = False
) -> tuple[Callable[..., Tensor], tuple[Tensor, ...], dict[str, Any]]:
    """The function of explorer.models.convolution, and what it is called with. x: (1, C, H, W)."""
    name, one_axis = _function(setup, by_hand)
    if one_axis:
        x, weight = x[:, :, 0], weight[:, :, 0]
    if by_hand and setup.operation == "convolution":
        weight = weight.flip(2, 3)
    return getattr(convolution, name), (x, weight), _arguments(setup, one_axis)


def convolve(x: Tensor, weight: Tensor, setup: Setup) -> np.ndarray:
    """float32 (O, H_out, W_out). x: (1, C, H, W)."""
    function, tensors, arguments = call(x, weight, setup)
    out = function(*tensors, **arguments)[0]
    return (out[:, None] if out.ndim == 2 else out).numpy()


def call_source(setup: Setup) -> str:
    """The line of a snippet that calls the function on x and weight and leaves float32 (O, H_out, W_out) in `result`."""
    name, one_axis = _function(setup, by_hand=False)
    arguments = "".join(f", {key}={value!r}".replace("'", '"') for key, value in _arguments(setup, one_axis).items())
    tensors = "x[:, :, 0], weight[:, :, 0]" if one_axis else "x, weight"
    return f"result = {name}({tensors}{arguments})[0]{'[:, None]' if one_axis else ''}.numpy()"


def _function(setup: Setup, by_hand: bool) -> tuple[str, bool]:
    """The name, and whether it works along one axis."""
    if setup.operation == "transposed":
        return ("conv_transpose2d_by_hand" if by_hand else "conv_transpose2d"), False
    if by_hand:
        return "conv2d_by_hand", False
    if setup.operation == "convolution":
        return "true_convolution", False
    return ("conv1d", True) if setup.series else ("conv2d", False)


def _arguments(setup: Setup, one_axis: bool) -> dict[str, Any]:
    """Those that differ from the function's defaults, in its order."""
    default = Setup()
    names = ["stride", "padding", "padding_mode", "dilation", "groups"]
    if setup.operation == "transposed":
        names = ["stride", "padding", "output_padding", "groups", "dilation"]
    chosen = {name: getattr(setup, name) for name in names if getattr(setup, name) != getattr(default, name)}
    for name, value in chosen.items():
        if isinstance(value, tuple) and (one_axis or value[0] == value[1]):
            chosen[name] = value[1]
    return chosen


@dataclass(frozen=True, eq=False)
class Place:
    """One place of the kernel. kernel, window, products: float32 (C/groups, kh, kw), one for each input channel it sees.

    window: the numbers under the kernel; transposed: the one number, (C/groups, 1, 1), that is stamped.
    seen, made: (x, y, width, height), the cells looked at in the padded input and the ones written in the output.
    """

    kernel: np.ndarray
    window: np.ndarray
    products: np.ndarray
    seen: tuple[int, int, int, int]
    made: tuple[int, int, int, int]
    channels: range


def padded(x: Tensor, kernel: Pair, setup: Setup) -> np.ndarray:
    """The input as the kernel sees it, float32 (C, H + padding, W + padding). x: (1, C, H, W)."""
    (top, bottom), (left, right) = setup.sides(kernel)
    return pad(x, [left, right, top, bottom], setup.padding_mode)[0].numpy()


def place(seen: np.ndarray, weight: Tensor, setup: Setup, channel: int, row: int, column: int) -> Place:
    """What makes output cell (channel, row, column); transposed: what input cell (row, column) adds to that channel.

    seen: what `padded` gave.
    """
    kh, kw = weight.shape[2:]
    high, wide = (span(k, d) for k, d in zip((kh, kw), setup.dilation, strict=True))
    (step_y, step_x), (gap_y, gap_x) = setup.stride, setup.dilation
    per_group = len(seen) // setup.groups
    transposed = setup.operation == "transposed"
    outputs = weight.shape[1] * setup.groups if transposed else len(weight)
    first = channel // (outputs // setup.groups) * per_group
    channels = range(first, first + per_group)
    if transposed:
        kernel = weight[first : first + per_group, channel % weight.shape[1]].numpy()
        window = seen[first : first + per_group, row, column, None, None]
        top, left = row * step_y - setup.cut[0], column * step_x - setup.cut[1]
        return Place(kernel, window, window * kernel, (column, row, 1, 1), (left, top, wide, high), channels)
    kernel = weight[channel].numpy()
    if setup.operation == "convolution":
        kernel = kernel[:, ::-1, ::-1]
    top, left = row * step_y, column * step_x
    window = seen[first : first + per_group, top : top + high : gap_y, left : left + wide : gap_x]
    return Place(kernel, window, window * kernel, (left, top, wide, high), (column, row, 1, 1), channels)


STEPPED_NUMBERS = 120_000  # products in a trace by hand
STAMPED_SIDE = 4  # input cells a side in a transposed trace by hand


def stepped(x: Tensor, weight: Tensor, setup: Setup, by_hand: bool, centre: Pair) -> Tensor:
    """The part of x to step through: all of it, or a window around `centre` where that would be too long to follow."""
    kernel = (weight.shape[2], weight.shape[3])
    size = (x.shape[2], x.shape[3])
    if not by_hand:
        return x
    if setup.operation == "transposed":
        sides = tuple(min(n, STAMPED_SIDE) for n in size)
    elif weight.numel() * int(np.prod(setup.output(size, kernel))) <= STEPPED_NUMBERS:
        return x
    else:
        least = (max(span(k, d), 9) for k, d in zip(kernel, setup.dilation, strict=True))
        sides = tuple(min(n, side) for n, side in zip(size, least, strict=True))
    top, left = (min(max(c - s // 2, 0), n - s) for c, s, n in zip(centre, sides, size, strict=True))
    return x[:, :, top : top + sides[0], left : left + sides[1]]


def steps(x: Tensor, weight: Tensor, setup: Setup, by_hand: bool) -> tuple[Trace, int]:
    """The trace, and the step to open on: where the products are summed."""
    function, tensors, arguments = call(x, weight, setup, by_hand)
    made = trace(function, *tensors, **arguments)
    return made, opening(made)


def rgb_steps(x: Tensor, kernel: Tensor) -> tuple[Trace, int]:
    """The same for rgb_convolution. x: (3, H, W); kernel: (3, kh, kw)."""
    made = trace(convolution.rgb_convolution, x, kernel)
    return made, opening(made)


def opening(made: Trace) -> int:
    """The step that the eye should meet first: where products are summed, or a stamp is made."""
    sums = [step.index for step in made.steps if step.target == "feature_map" or step.op.startswith("conv")]
    stamps = [step.index for step in made.steps if step.target == "products"]
    return next(iter(sums + stamps), 0)


def rgb_maps(x: Tensor, kernel: Tensor) -> list[np.ndarray]:
    """What red, green and blue give, and their sum: float32 (H_out, W_out) each. Shapes as in rgb_steps."""
    return [made[0].numpy() for made in convolution.rgb_convolution(x, kernel)]


def as_npz(**arrays: np.ndarray) -> bytes:
    """The arrays as one .npz file."""
    file = BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()

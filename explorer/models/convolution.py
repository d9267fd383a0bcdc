"""Convolution as torch.nn computes it, in one line of torch and by hand.

What deep learning calls convolution is correlation: the kernel is not flipped. `true_convolution` flips it.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
Padding = int | tuple[int, int] | Literal["same", "valid"]
"""Cells before and after each axis, by axis; "same": as many as keep the size at stride 1; "valid": none."""


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: Padding = 0,
    padding_mode: PaddingMode = "zeros",
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """Slide the kernels over x; torch.nn.Conv2d.

    x: float (B, C, H, W); weight: float (O, C/groups, kh, kw); bias: float (O,) → float (B, O, H_out, W_out).
    """
    sides = padding_sides(padding, weight.shape[2:], dilation)
    padded = pad(x, sides, padding_mode)
    # out[o, y, x] = bias[o] + Σ_c Σ_i Σ_j weight[o, c, i, j] · padded[c, stride·y + dilation·i, stride·x + dilation·j]
    return F.conv2d(padded, weight, bias, stride=stride, dilation=dilation, groups=groups)


def conv2d_by_hand(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: Padding = 0,
    padding_mode: PaddingMode = "zeros",
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """conv2d in windows, products and sums."""
    out_channels, channels_per_group, kernel_height, kernel_width = weight.shape
    stride_y, stride_x = pair(stride)
    dilation_y, dilation_x = pair(dilation)
    sides = padding_sides(padding, (kernel_height, kernel_width), dilation)
    padded = pad(x, sides, padding_mode)

    # What the kernel covers at each position: (B, C, H_out, W_out, kh, kw)
    span_y = dilation_y * (kernel_height - 1) + 1
    span_x = dilation_x * (kernel_width - 1) + 1
    bands = padded.unfold(2, span_y, stride_y)  # (B, C, H_out, W, span_y)
    spans = bands.unfold(3, span_x, stride_x)  # (B, C, H_out, W_out, span_y, span_x)
    windows = spans[..., ::dilation_y, ::dilation_x]

    maps = []
    for o in range(out_channels):
        first = o // (out_channels // groups) * channels_per_group  # each group of outputs sees its own input channels
        seen = windows[:, first : first + channels_per_group]  # (B, C/groups, H_out, W_out, kh, kw)
        kernel = weight[o, :, None, None]  # (C/groups, 1, 1, kh, kw)
        # map[y, x] = Σ_c Σ_i Σ_j window[c, y, x, i, j] · kernel[c, i, j]
        products = seen * kernel
        feature_map = products.sum(dim=(1, 4, 5))  # (B, H_out, W_out)
        maps.append(feature_map)
    out = torch.stack(maps, dim=1)  # (B, O, H_out, W_out)
    if bias is not None:
        out = out + bias[:, None, None]
    return out


def conv1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int = 1,
    padding: int | Literal["same", "valid"] = 0,
    padding_mode: PaddingMode = "zeros",
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """Slide the kernels along a series; torch.nn.Conv1d.

    x: float (B, C, L); weight: float (O, C/groups, k); bias: float (O,) → float (B, O, L_out).
    """
    sides = padding_sides(padding, weight.shape[2:], dilation)
    padded = pad(x, sides, padding_mode)
    # out[o, t] = bias[o] + Σ_c Σ_i weight[o, c, i] · padded[c, stride·t + dilation·i]
    return F.conv1d(padded, weight, bias, stride=stride, dilation=dilation, groups=groups)


def conv_transpose2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    output_padding: int | tuple[int, int] = 0,
    groups: int = 1,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    """The way back: each input cell stamps its multiple of the kernel on the output; torch.nn.ConvTranspose2d.

    x: float (B, C, H, W); weight: float (C, O/groups, kh, kw); bias: float (O,) → float (B, O, H_out, W_out).
    """
    # out[o, stride·y + dilation·i − padding, …] += Σ_c x[c, y, x] · weight[c, o, i, j]
    return F.conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d_by_hand(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    output_padding: int | tuple[int, int] = 0,
    groups: int = 1,
    dilation: int | tuple[int, int] = 1,
) -> Tensor:
    """conv_transpose2d stamp by stamp."""
    B, C, H, W = x.shape
    outputs_per_group, kernel_height, kernel_width = weight.shape[1:]
    (stride_y, stride_x), (dilation_y, dilation_x) = pair(stride), pair(dilation)
    (padding_y, padding_x), (extra_y, extra_x) = pair(padding), pair(output_padding)
    span_y = dilation_y * (kernel_height - 1) + 1
    span_x = dilation_x * (kernel_width - 1) + 1
    canvas_height = stride_y * (H - 1) + span_y + extra_y
    canvas_width = stride_x * (W - 1) + span_x + extra_x

    kernels = weight.reshape(groups, C // groups, outputs_per_group, kernel_height, kernel_width)
    cells = x.reshape(B, groups, C // groups, 1, 1, 1, H, W)
    canvas = x.new_zeros(B, groups * outputs_per_group, canvas_height, canvas_width)
    for row in range(H):
        for column in range(W):
            cell = cells[..., row, column]  # (B, groups, C/groups, 1, 1, 1)
            # stamp[o, i, j] = Σ_c x[c, row, column] · weight[c, o, i, j]
            products = cell * kernels  # (B, groups, C/groups, O/groups, kh, kw)
            stamp = products.sum(dim=2).flatten(1, 2)  # (B, O, kh, kw)
            top, left = stride_y * row, stride_x * column
            rows = slice(top, top + span_y, dilation_y)
            columns = slice(left, left + span_x, dilation_x)
            canvas[:, :, rows, columns] += stamp
    # Padding is cut off here: it is what the convolution that this undoes would have added.
    out = canvas[:, :, padding_y : canvas_height - padding_y, padding_x : canvas_width - padding_x]
    if bias is not None:
        out = out + bias[:, None, None]
    return out


def true_convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: Padding = 0,
    padding_mode: PaddingMode = "zeros",
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution as mathematics defines it: the kernel is flipped first. Shapes as in conv2d."""
    # (x ∗ w)[n] = Σ_m w[m] · x[n − m]: the kernel runs against the picture
    flipped = weight.flip(2, 3)
    return conv2d(x, flipped, bias, stride, padding, padding_mode, dilation, groups)


def rgb_convolution(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A colour picture under one kernel: a slice for each channel, three maps, one sum.

    x: float (3, H, W); weight: float (3, kh, kw) → red, green, blue, their sum, each float
    (1, H − kh + 1, W − kw + 1).
    """
    x_red, x_green, x_blue = x.split(1)  # (1, H, W) each
    kernel_red, kernel_green, kernel_blue = weight[:, None].split(1)  # (1, 1, kh, kw) each
    red = F.conv2d(x_red, kernel_red)
    green = F.conv2d(x_green, kernel_green)
    blue = F.conv2d(x_blue, kernel_blue)
    # out[y, x] = Σ_c Σ_i Σ_j weight[c, i, j] · x[c, y + i, x + j]
    total = red + green + blue
    return red, green, blue, total


def pad(x: Tensor, sides: list[int], padding_mode: PaddingMode) -> Tensor:
    """Continue x past its border. sides: cells before and after, last axis first, as F.pad takes them."""
    if not any(sides):
        return x
    if padding_mode == "zeros":
        return F.pad(x, sides)
    return F.pad(x, sides, mode=padding_mode)


def padding_sides(padding: Padding, kernel_size: tuple[int, ...], dilation: int | tuple[int, ...]) -> list[int]:
    """Cells before and after each axis, last axis first: [left, right, top, bottom] for a picture."""
    axes = len(kernel_size)
    if padding == "valid":
        return [0] * 2 * axes
    if padding == "same":
        steps = (dilation,) * axes if isinstance(dilation, int) else dilation
        surplus = [step * (k - 1) for k, step in zip(kernel_size, steps, strict=True)]
        # Where it cannot be shared evenly, the end gets one more.
        return [side for total in reversed(surplus) for side in (total // 2, total - total // 2)]
    amounts = (padding,) * axes if isinstance(padding, int) else padding
    return [amount for amount in reversed(amounts) for _ in ("before", "after")]


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """3 → (3, 3)."""
    return (value, value) if isinstance(value, int) else value

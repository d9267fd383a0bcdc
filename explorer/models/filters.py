"""Image filters: a small kernel slides over the picture, multiplies and adds up. Equal to cv2.filter2D."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Border = Literal["constant", "replicate", "reflect", "reflect_101", "wrap"]
"""What lies outside the picture, by OpenCV's names (cv2.BorderTypes)."""


def filter_image(image: Tensor, kernel: Tensor, border: Border = "reflect_101") -> Tensor:
    """Correlate each channel with the kernel; cv2.filter2D.

    image: float32 (C, H, W), 0–1; kernel: float32 (kh, kw), both odd → float32 (C, H, W), of either sign.
    """
    # The border is filled in first, so that the output keeps the picture's size.
    kernel_height, kernel_width = kernel.shape
    padded = pad_border(image, kernel_height // 2, kernel_width // 2, border)  # (C, H + kh − 1, W + kw − 1)
    channels = padded[:, None]  # (C, 1, …): each channel is a picture of its own
    weight = kernel[None, None]  # (1, 1, kh, kw)
    # filtered[y, x] = Σ_i Σ_j kernel[i, j] · padded[y + i, x + j]
    filtered = F.conv2d(channels, weight)  # (C, 1, H, W)
    return filtered[:, 0]


def filter_separable(image: Tensor, column: Tensor, row: Tensor, border: Border = "reflect_101") -> Tensor:
    """filter_image with the rank-1 kernel column · rowᵀ, at 2k instead of k² multiplications a pixel; cv2.sepFilter2D.

    image: float32 (C, H, W), 0–1; column and row: float32 (k,), k odd → float32 (C, H, W).
    """
    # image ⋆ (column · rowᵀ) = (image ⋆ column) ⋆ rowᵀ
    along_y = filter_image(image, column[:, None], border)
    return filter_image(along_y, row[None, :], border)


def gradient(
    image: Tensor, kernel_x: Tensor, kernel_y: Tensor, border: Border = "reflect_101"
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """How fast, and in which direction, the picture gets brighter.

    image: float32 (C, H, W), 0–1; kernels: float32 (k, k), k odd → gx, gy, magnitude and direction, each float32
    (C, H, W); direction in radians, −π to π, from x (right) towards y (down).
    """
    # gx = ∂I/∂x, gy = ∂I/∂y, up to the kernels' scale
    gx = filter_image(image, kernel_x, border)
    gy = filter_image(image, kernel_y, border)
    # |∇I| = √(gx² + gy²)
    squares = gx.square() + gy.square()
    magnitude = torch.sqrt(squares)
    # ∠∇I = atan2(gy, gx)
    direction = torch.atan2(gy, gx)
    return gx, gy, magnitude, direction


def pad_border(image: Tensor, rows: int, columns: int, border: Border) -> Tensor:
    """Continue the picture past its border; cv2.copyMakeBorder. (C, H, W) → (C, H + 2·rows, W + 2·columns)."""
    if border == "constant":
        return F.pad(image, (columns, columns, rows, rows))  # zeros
    # Row y of the padded picture is row from_row[y] of the picture.
    from_row = border_indices(image.shape[1], rows, border)
    from_column = border_indices(image.shape[2], columns, border)
    tall = image[:, from_row]  # (C, H + 2·rows, W)
    return tall[:, :, from_column]  # (C, H + 2·rows, W + 2·columns)


def border_indices(size: int, extra: int, border: Border) -> list[int]:
    """Which pixel, 0 … size − 1, stands at each position from −extra to size − 1 + extra; cv2.borderInterpolate.

    Unlike F.pad, it repeats the picture as often as it takes: extra can exceed size.
    """
    positions = range(-extra, size + extra)
    if border == "replicate":  # aaa|abcd|ddd
        return [min(max(p, 0), size - 1) for p in positions]
    if border == "wrap":  # bcd|abcd|abc
        return [p % size for p in positions]
    if border == "reflect":  # cba|abcd|dcb: there and back are 2·size steps
        return [min(p % (2 * size), 2 * size - 1 - p % (2 * size)) for p in positions]
    if border == "reflect_101":  # dcb|abcd|cba: the edge pixel is not doubled; F.pad calls this "reflect"
        period = max(2 * size - 2, 1)
        return [min(p % period, period - p % period) for p in positions]
    raise ValueError(f"unknown border {border!r}")

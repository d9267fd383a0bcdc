"""Pooling: each window of the map becomes one number. And a ConvNet, end to end, that uses it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def max_pool2d(
    x: Tensor, kernel_size: int, stride: int | None = None, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> tuple[Tensor, Tensor]:
    """Keep the largest number of each window; torch.nn.MaxPool2d.

    x: float (B, C, H, W); stride None: kernel_size; padding: at most half of it → values float (B, C, H_out, W_out) and
    where they stood, int64 of the same shape: row · W + column.
    """
    # out[y, x] = max_{i, j} x[stride·y + i, stride·x + j]
    values, positions = F.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)
    return values, positions


def max_pool2d_by_hand(
    x: Tensor, kernel_size: int, stride: int | None = None, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> tuple[Tensor, Tensor]:
    """max_pool2d in windows: the largest number and where it stood."""
    H, W = x.shape[2:]
    stride = stride or kernel_size
    span = dilation * (kernel_size - 1) + 1
    bottom = padding + (overhang(H, span, stride, padding) if ceil_mode else 0)
    right = padding + (overhang(W, span, stride, padding) if ceil_mode else 0)
    # −∞ is smaller than every number, so padding never wins.
    padded = F.pad(x, (padding, right, padding, bottom), value=-torch.inf)
    cells = sliding_windows(padded, span, stride, dilation).flatten(4)  # (B, C, H_out, W_out, k·k)
    # out[y, x] = max_{i, j} window[y, x, i, j]
    values, winner = cells.max(dim=-1)

    # The same windows over the cells' numbers say where each winner stood in x.
    numbers = torch.arange(H * W).view(H, W).expand_as(x)  # row · W + column
    padded_numbers = F.pad(numbers, (padding, right, padding, bottom), value=-1)
    places = sliding_windows(padded_numbers, span, stride, dilation).flatten(4)  # (B, C, H_out, W_out, k·k)
    positions = places.gather(-1, winner[..., None])[..., 0]
    return values, positions


def avg_pool2d(
    x: Tensor,
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window; torch.nn.AvgPool2d.

    x: float (B, C, H, W); stride None: kernel_size; padding: at most half of it; count_include_pad: padded zeros count
    as cells → float (B, C, H_out, W_out).
    """
    # out[y, x] = 1/n Σ_i Σ_j x[stride·y + i, stride·x + j], n the cells that count
    return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad)


def avg_pool2d_by_hand(
    x: Tensor,
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """avg_pool2d in windows: their sum over the cells that count."""
    H, W = x.shape[2:]
    stride = stride or kernel_size
    bottom = overhang(H, kernel_size, stride, padding) if ceil_mode else 0
    right = overhang(W, kernel_size, stride, padding) if ceil_mode else 0
    padded = F.pad(x, (padding, padding + right, padding, padding + bottom))
    # 1 where a cell counts; what ceil_mode lets hang over never does.
    inside = F.pad(torch.ones_like(x), (padding, padding, padding, padding), value=float(count_include_pad))
    counted = F.pad(inside, (0, right, 0, bottom))

    windows = sliding_windows(padded, kernel_size, stride)  # (B, C, H_out, W_out, k, k)
    counts = sliding_windows(counted, kernel_size, stride)
    # out[y, x] = Σ_i Σ_j window[y, x, i, j] / n[y, x]
    total = windows.sum(dim=(4, 5))
    n = counts.sum(dim=(4, 5))
    return total / n


def global_average_pool(x: Tensor) -> Tensor:
    """One number for each map; torch.nn.AdaptiveAvgPool2d(1), flattened. x: float (B, C, H, W) → float (B, C)."""
    # out[c] = 1/(H·W) Σ_y Σ_x x[c, y, x]
    pooled = F.adaptive_avg_pool2d(x, 1)  # (B, C, 1, 1)
    return pooled.flatten(1)


def global_average_pool_by_hand(x: Tensor) -> Tensor:
    """global_average_pool in a sum and a division."""
    H, W = x.shape[2:]
    # out[c] = 1/(H·W) Σ_y Σ_x x[c, y, x]
    total = x.sum(dim=(2, 3))
    return total / (H * W)


def sliding_windows(x: Tensor, span: int, stride: int, dilation: int = 1) -> Tensor:
    """What the window holds at each of its positions: (B, C, H, W) → (B, C, H_out, W_out, k, k)."""
    bands = x.unfold(2, span, stride)  # (B, C, H_out, W, span)
    windows = bands.unfold(3, span, stride)  # (B, C, H_out, W_out, span, span)
    return windows[..., ::dilation, ::dilation]


def overhang(size: int, span: int, stride: int, padding: int) -> int:
    """Cells that ceil_mode adds at the end to fit one more window; 0 if it would start past x and its first padding.

    size: of x along the axis; span: of the window; padding: on each side.
    """
    padded = size + 2 * padding
    extra = (span - padded) % stride
    last_start = padded + extra - span
    return extra if last_start < size + padding else 0


@dataclass(frozen=True)
class ConvNetConfig:
    """in_channels, height, width: of the picture, at least 4 pixels each way; channels: maps of the two convolutions;
    kernel_size: odd; classes: length of the logits.
    """

    in_channels: int = 1
    height: int = 12
    width: int = 12
    channels: tuple[int, int] = (4, 8)
    kernel_size: int = 3
    classes: int = 10


class ConvNet(nn.Module):
    """Convolution, ReLU, pooling, twice; then one fully connected layer (after LeCun et al. 1998, LeNet-5)."""

    def __init__(self, config: ConvNetConfig):
        super().__init__()
        first, second = config.channels
        k = config.kernel_size
        self.config = config
        self.conv1 = nn.Conv2d(config.in_channels, first, k, padding=k // 2)
        self.conv2 = nn.Conv2d(first, second, k, padding=k // 2)
        self.fc = nn.Linear(second * (config.height // 4) * (config.width // 4), config.classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: float32 (B, in_channels, height, width) → logits float32 (B, classes)."""
        maps1 = self.conv1(x)  # (B, channels[0], H, W)
        active1 = F.relu(maps1)
        pooled1 = F.max_pool2d(active1, 2)  # (B, channels[0], H/2, W/2)
        maps2 = self.conv2(pooled1)  # (B, channels[1], H/2, W/2)
        active2 = F.relu(maps2)
        pooled2 = F.max_pool2d(active2, 2)  # (B, channels[1], H/4, W/4)
        features = pooled2.flatten(1)  # (B, channels[1] · H/4 · W/4)
        return self.fc(features)

"""Deep networks for small photos, with shortcuts or without (He et al. 2016, §4.2): what the shortcut alone changes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DEPTHS = (8, 14, 20, 32, 44, 56)
"""6n + 2: the first convolution, three stages of n blocks of two convolutions, the linear layer."""

WIDTHS = (16, 32, 64)
"""Channels of the three stages."""


class Block(nn.Module):
    """Two 3×3 convolutions, with x added or without; batch normalisation after each, or none."""

    def __init__(self, in_channels: int, channels: int, stride: int, shortcut: bool, normalised: bool):
        super().__init__()
        self.stride, self.added, self.shortcut = stride, channels - in_channels, shortcut
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels) if normalised else nn.Identity()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels) if normalised else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, in_channels, H, W) → (B, channels, ⌈H/stride⌉, ⌈W/stride⌉)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))  # F(x)
        if self.shortcut:
            # Option A: every second cell, and channels of zeros; no parameter more.
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added))
            out = out + x  # F(x) + x
        return F.relu(out)


class SmallNetwork(nn.Module):
    """A network of DEPTHS for 32×32 photos; weights drawn as He et al. 2015 did, variance 2 / fan-in."""

    def __init__(self, depth: int, shortcut: bool, normalised: bool, classes: int = 10):
        super().__init__()
        if (depth - 2) % 6:
            raise ValueError(f"the depth must be 6n + 2, not {depth}")
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0]) if normalised else nn.Identity()
        blocks, channels = [], WIDTHS[0]
        for stage, width in enumerate(WIDTHS):
            for number in range((depth - 2) // 6):
                stride = 2 if stage > 0 and number == 0 else 1
                blocks.append(Block(channels, width, stride, shortcut, normalised))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, 3, 32, 32) → logits (B, classes)."""
        x = F.relu(self.bn1(self.conv1(x)))  # (B, 16, 32, 32)
        x = self.blocks(x)  # (B, 64, 8, 8)
        x = F.adaptive_avg_pool2d(x, 1)  # (B, 64, 1, 1)
        return self.fc(torch.flatten(x, 1))

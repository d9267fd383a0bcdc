"""U-Net (Ronneberger, Fischer and Brox 2015): a class for every pixel.

The convolutions are padded, so that the output has the input's size, and followed by batch norm; both came after the paper.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class UNetConfig:
    """classes: length of a pixel's logits; width: channels of the first level, doubled by each further one.

    depth: how many times the encoder halves the picture. The paper has width 64 and depth 4.
    """

    classes: int
    width: int = 64
    depth: int = 4


class DoubleConvolution(nn.Module):
    """3×3 convolution, batch norm, ReLU, twice."""

    def __init__(self, in_channels: int, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, in_channels, H, W) → (B, channels, H, W)."""
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return x


class UNet(nn.Module):
    """An encoder that halves the picture step by step, a decoder that doubles it, and a skip connection at every size."""

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        widths = [config.width * 2**level for level in range(config.depth + 1)]
        self.encoder = nn.ModuleList(
            DoubleConvolution(before, after) for before, after in zip([3, *widths[:-2]], widths[:-1], strict=True)
        )
        self.bottom = DoubleConvolution(widths[-2], widths[-1])
        # The decoder's parts are numbered by their level as well; it is run from the lowest to level 0.
        self.up = nn.ModuleList(nn.ConvTranspose2d(below, here, 2, stride=2) for here, below in pairwise(widths))
        self.decoder = nn.ModuleList(DoubleConvolution(2 * width, width) for width in widths[:-1])
        self.head = nn.Conv2d(config.width, config.classes, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def maps(self, x: Tensor, cut: Collection[int] = ()) -> dict[str, Tensor]:
        """Every level's feature map by name, in order: "encoder.0" …, "bottom", … "decoder.0".

        x: as forward; cut: levels whose skip connection carries zeros instead, 0 for the one at full size.
        """
        maps = {}
        for level, block in enumerate(self.encoder):
            x = block(x)  # (B, width·2^level, H/2^level, W/2^level)
            maps[f"encoder.{level}"] = x
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)  # (B, width·2^depth, H/2^depth, W/2^depth)
        maps["bottom"] = x
        for level in reversed(range(self.config.depth)):
            skip = maps[f"encoder.{level}"]
            if level in cut:
                skip = torch.zeros_like(skip)
            x = self.rise(level, x, skip)  # (B, width·2^level, H/2^level, W/2^level)
            maps[f"decoder.{level}"] = x
        return maps

    def rise(self, level: int, x: Tensor, skip: Tensor) -> Tensor:
        """One level of the decoder. x: the map below; skip: the encoder's of this level, twice as high and wide."""
        x = self.up[level](x)  # (B, C, 2h, 2w)
        x = torch.cat([skip, x], dim=1)  # (B, 2C, 2h, 2w)
        return self.decoder[level](x)  # (B, C, 2h, 2w)

    def forward(self, x: Tensor, cut: Collection[int] = ()) -> Tensor:
        """x: float32 (B, 3, H, W), normalised RGB, H and W multiples of 2^depth → logits float32 (B, classes, H, W)."""
        *_, last = self.maps(x, cut).values()
        return self.head(last)

"""GoogLeNet (Szegedy et al. 2015, "Going Deeper with Convolutions"): inception blocks look at several scales at once.

Parameter names are torchvision's, so `load_state_dict` takes the official checkpoint as it is. As there, each convolution is
followed by batch norm (the paper's had none), and the "5×5" branch has a 3×3 kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class InceptionConfig:
    """Channels of the four branches: 1×1; 3×3 after a 1×1 that reduces; "5×5" after one; 1×1 after pooling."""

    one: int
    three_reduced: int
    three: int
    five_reduced: int
    five: int
    pooled: int

    @property
    def channels(self) -> int:
        """Of the block's output: the branches, stacked."""
        return self.one + self.three + self.five + self.pooled


INCEPTIONS = {
    "3a": InceptionConfig(64, 96, 128, 16, 32, 32),
    "3b": InceptionConfig(128, 128, 192, 32, 96, 64),
    "4a": InceptionConfig(192, 96, 208, 16, 48, 64),
    "4b": InceptionConfig(160, 112, 224, 24, 64, 64),
    "4c": InceptionConfig(128, 128, 256, 24, 64, 64),
    "4d": InceptionConfig(112, 144, 288, 32, 64, 64),
    "4e": InceptionConfig(256, 160, 320, 32, 128, 128),
    "5a": InceptionConfig(256, 160, 320, 32, 128, 128),
    "5b": InceptionConfig(384, 192, 384, 48, 128, 128),
}
"""Szegedy et al. 2015, table 1."""


@dataclass(frozen=True)
class GoogLeNetConfig:
    """auxiliary: two more heads half-way up, which learn but never answer; classes: length of the logits.

    half_range: the weights want pixels from −1 to 1, so `forward` turns ImageNet's mean and deviation into that.
    """

    auxiliary: bool = False
    half_range: bool = False
    classes: int = 1000


class ConvBlock(nn.Module):
    """Convolution, batch norm, ReLU; the map keeps its size unless the stride is above 1."""

    def __init__(self, in_channels: int, channels: int, kernel: int, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, in_channels, H, W) → (B, channels, ⌈H/stride⌉, ⌈W/stride⌉)."""
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """Four looks at the same map, stacked (Szegedy et al. 2015, fig. 2b)."""

    def __init__(self, in_channels: int, config: InceptionConfig):
        super().__init__()
        self.branch1 = ConvBlock(in_channels, config.one, 1)
        self.branch2 = nn.Sequential(
            ConvBlock(in_channels, config.three_reduced, 1), ConvBlock(config.three_reduced, config.three, 3)
        )
        self.branch3 = nn.Sequential(
            ConvBlock(in_channels, config.five_reduced, 1), ConvBlock(config.five_reduced, config.five, 3)
        )
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), ConvBlock(in_channels, config.pooled, 1))

    def branches(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """x: float (B, in_channels, H, W) → what each branch sees, (B, channels of the branch, H, W)."""
        one = self.branch1(x)  # 1×1: this place alone
        three = self.branch2(x)  # 1×1, 3×3: its neighbourhood
        five = self.branch3(x)  # 1×1, 3×3 in place of the paper's 5×5
        pooled = self.branch4(x)  # 3×3 maximum, 1×1
        return one, three, five, pooled

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, in_channels, H, W) → (B, sum of the branches' channels, H, W)."""
        return torch.cat(self.branches(x), dim=1)


class AuxiliaryHead(nn.Module):
    """Logits from half-way up, so that gradients reach the early layers; used in training only."""

    def __init__(self, in_channels: int, classes: int):
        super().__init__()
        self.conv = ConvBlock(in_channels, 128, 1)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.fc2 = nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, in_channels, h, w) → logits (B, classes)."""
        x = F.adaptive_avg_pool2d(x, 4)  # (B, in_channels, 4, 4)
        x = torch.flatten(self.conv(x), 1)  # (B, 2048)
        x = F.dropout(F.relu(self.fc1(x)), 0.7, self.training)  # (B, 1024)
        return self.fc2(x)


class GoogLeNet(nn.Module):
    """Stem, nine inception blocks, global average pooling, one linear layer."""

    def __init__(self, config: GoogLeNetConfig):
        super().__init__()
        self.config = config
        self.conv1 = ConvBlock(3, 64, 7, stride=2)
        self.conv2 = ConvBlock(64, 64, 1)
        self.conv3 = ConvBlock(64, 192, 3)
        channels = 192
        for name, inception in INCEPTIONS.items():
            self.add_module(f"inception{name}", Inception(channels, inception))
            channels = inception.channels
        if config.auxiliary:
            self.aux1 = AuxiliaryHead(INCEPTIONS["4a"].channels, config.classes)
            self.aux2 = AuxiliaryHead(INCEPTIONS["4d"].channels, config.classes)
        self.fc = nn.Linear(channels, config.classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def blocks(self) -> list[str]:
        """Names of what `maps` gives, in order."""
        return ["conv1", "conv2", "conv3", *(f"inception{name}" for name in INCEPTIONS)]

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """The output of every convolution of the stem and of every inception block, by name, in order. Sizes for 224 pixels."""
        if self.config.half_range:
            std, mean = torch.tensor(IMAGENET_STD).view(3, 1, 1), torch.tensor(IMAGENET_MEAN).view(3, 1, 1)
            x = (x * std + mean - 0.5) / 0.5
        maps = {}
        maps["conv1"] = x = self.conv1(x)  # (B, 64, 112, 112)
        x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)  # (B, 64, 56, 56)
        maps["conv2"] = x = self.conv2(x)  # (B, 64, 56, 56)
        maps["conv3"] = x = self.conv3(x)  # (B, 192, 56, 56)
        x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)  # (B, 192, 28, 28)
        for name in INCEPTIONS:
            if name == "4a":
                x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)  # (B, 480, 14, 14)
            if name == "5a":
                x = F.max_pool2d(x, 2, stride=2, ceil_mode=True)  # (B, 832, 7, 7)
            maps[f"inception{name}"] = x = self.get_submodule(f"inception{name}")(x)
        return maps

    def logits(self, x: Tensor) -> Tensor:
        """Last feature map (B, 1024, h, w) → logits (B, classes). A fifth of the values is dropped in training."""
        x = F.adaptive_avg_pool2d(x, 1)  # (B, 1024, 1, 1)
        x = torch.flatten(x, 1)  # (B, 1024)
        x = F.dropout(x, 0.2, self.training)
        return self.fc(x)

    def auxiliary(self, maps: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The logits of both auxiliary heads, each (B, classes). maps: what `maps` gave."""
        return self.aux1(maps["inception4a"]), self.aux2(maps["inception4d"])

    def forward(self, x: Tensor) -> Tensor:
        """x: float32 (B, 3, H, W), normalised RGB, H and W ≥ 15 → logits float32 (B, classes)."""
        *_, last = self.maps(x).values()
        return self.logits(last)


def googlenet(classes: int = 1000) -> GoogLeNet:
    """6.6 M parameters at 1000 classes, and 6.4 M in the auxiliary heads; torchvision.models.googlenet with its weights."""
    return GoogLeNet(GoogLeNetConfig(auxiliary=True, half_range=True, classes=classes))

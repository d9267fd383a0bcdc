"""Residual networks (He et al. 2016, "Deep Residual Learning for Image Recognition").

Parameter names are torchvision's, so `load_state_dict` takes the official checkpoints as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class ResNetConfig:
    """Depth and width of a residual network.

    blocks: residual blocks in each of the four stages; bottleneck: 1×1–3×3–1×1 blocks instead of two 3×3;
    width: channels of the first stage (each later stage doubles it); classes: length of the logits.
    """

    blocks: tuple[int, int, int, int] = (2, 2, 2, 2)
    bottleneck: bool = False
    width: int = 64
    classes: int = 1000


class BasicBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut: relu(F(x) + x) (He et al. 2016, eq. 1, fig. 5 left)."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = projection(in_channels, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, in_channels, H, W) → (B, channels, ⌈H/stride⌉, ⌈W/stride⌉)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))  # F(x)
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(out + shortcut)  # F(x) + x


class Bottleneck(nn.Module):
    """1×1 down, 3×3, 1×1 up beside a shortcut (fig. 5 right); the stride sits on the 3×3, as in torchvision."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, channels * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels * self.expansion)
        self.downsample = projection(in_channels, channels * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, in_channels, H, W) → (B, 4·channels, ⌈H/stride⌉, ⌈W/stride⌉)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))  # F(x)
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(out + shortcut)  # F(x) + x


def projection(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """The 1×1 projection W_s·x where the shapes of x and F(x) differ (He et al. 2016, eq. 2), else None."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
        nn.BatchNorm2d(out_channels),
    )


class ResNet(nn.Module):
    """Stem, four stages of residual blocks, global average pooling, one linear layer."""

    def __init__(self, config: ResNetConfig):
        super().__init__()
        self.config = config
        block = Bottleneck if config.bottleneck else BasicBlock
        self.conv1 = nn.Conv2d(3, config.width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(config.width)
        channels = config.width
        for stage, count in enumerate(config.blocks):
            width, stride = config.width * 2**stage, 1 if stage == 0 else 2
            first = block(channels, width, stride)
            channels = width * block.expansion
            rest = [block(channels, width) for _ in range(count - 1)]
            self.add_module(f"layer{stage + 1}", nn.Sequential(first, *rest))
        self.fc = nn.Linear(channels, config.classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def blocks(self) -> list[str]:
        """Names of what `maps` gives, in order."""
        stages = ("layer1", "layer2", "layer3", "layer4")
        return ["stem", *(f"{stage}.{number}" for stage in stages for number in range(len(getattr(self, stage))))]

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """The output of the stem (B, width, H/4, W/4) and of every block, by name ("layer1.0"), in order."""
        x = F.relu(self.bn1(self.conv1(x)))  # (B, width, H/2, W/2)
        x = F.max_pool2d(x, 3, stride=2, padding=1)  # (B, width, H/4, W/4)
        maps = {"stem": x}
        for stage in ("layer1", "layer2", "layer3", "layer4"):
            for number, block in enumerate(getattr(self, stage)):
                x = block(x)
                maps[f"{stage}.{number}"] = x
        return maps

    def logits(self, x: Tensor) -> Tensor:
        """Last feature map (B, C, h, w) → logits (B, classes)."""
        x = F.adaptive_avg_pool2d(x, 1)  # (B, C, 1, 1)
        x = torch.flatten(x, 1)  # (B, C)
        return self.fc(x)

    def forward(self, x: Tensor) -> Tensor:
        """x: float32 (B, 3, H, W), normalised RGB, H and W ≥ 32 → logits float32 (B, classes)."""
        *_, last = self.maps(x).values()
        return self.logits(last)


def resnet18(classes: int = 1000) -> ResNet:
    """11.7 M parameters at 1000 classes; torchvision.models.resnet18."""
    return ResNet(ResNetConfig(blocks=(2, 2, 2, 2), classes=classes))


def resnet34(classes: int = 1000) -> ResNet:
    """21.8 M parameters at 1000 classes; torchvision.models.resnet34."""
    return ResNet(ResNetConfig(blocks=(3, 4, 6, 3), classes=classes))


def resnet50(classes: int = 1000) -> ResNet:
    """25.6 M parameters at 1000 classes; torchvision.models.resnet50."""
    return ResNet(ResNetConfig(blocks=(3, 4, 6, 3), bottleneck=True, classes=classes))


def resnet101(classes: int = 1000) -> ResNet:
    """44.5 M parameters at 1000 classes; torchvision.models.resnet101."""
    return ResNet(ResNetConfig(blocks=(3, 4, 23, 3), bottleneck=True, classes=classes))


def resnet152(classes: int = 1000) -> ResNet:
    """60.2 M parameters at 1000 classes; torchvision.models.resnet152."""
    return ResNet(ResNetConfig(blocks=(3, 8, 36, 3), bottleneck=True, classes=classes))

"""VGG (Simonyan and Zisserman 2015): stacks of 3×3 convolutions, halved by pooling, then three fully connected layers.

Parameter names are torchvision's, so `load_state_dict` takes the official checkpoints as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class VggConfig:
    """blocks: convolutions in each of the five stages, the paper's D by default; channels: of each stage.

    batch_norm: a norm after every convolution, which the paper has not; hidden: width of the fully connected layers.
    """

    blocks: tuple[int, int, int, int, int] = (2, 2, 3, 3, 3)
    channels: tuple[int, int, int, int, int] = (64, 128, 256, 512, 512)
    batch_norm: bool = False
    hidden: int = 4096
    classes: int = 1000


class Vgg(nn.Module):
    """Five stages of 3×3 convolutions: two see what a 5×5 sees, three what a 7×7 sees, with fewer parameters."""

    def __init__(self, config: VggConfig):
        super().__init__()
        self.config = config
        self.features = nn.ModuleDict()
        in_channels, number = 3, 0  # the numbers count ReLU, pooling and dropout too, as torchvision's do
        for count, channels in zip(config.blocks, config.channels, strict=True):
            for _ in range(count):
                self.features[f"{number}"] = nn.Conv2d(in_channels, channels, 3, padding=1)
                if config.batch_norm:
                    self.features[f"{number + 1}"] = nn.BatchNorm2d(channels)
                in_channels, number = channels, number + (3 if config.batch_norm else 2)
            number += 1
        self.classifier = nn.ModuleDict(
            {
                "0": nn.Linear(in_channels * 7 * 7, config.hidden),
                "3": nn.Linear(config.hidden, config.hidden),
                "6": nn.Linear(config.hidden, config.classes),
            }
        )
        for module in self.features.values():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def blocks(self) -> list[str]:
        """Names of what `maps` gives, in order: conv3_2 is the second convolution of the third stage."""
        return [f"conv{stage}_{i}" for stage, count in enumerate(self.config.blocks, 1) for i in range(1, count + 1)]

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """The output of every convolution after its ReLU (B, C, H/2^(stage − 1), W/2^(stage − 1)), by name, in order."""
        modules, maps = iter(self.features.values()), {}
        for stage, count in enumerate(self.config.blocks, 1):
            if stage > 1:
                x = F.max_pool2d(x, 2, stride=2)  # (B, C, H/2, W/2)
            for i in range(1, count + 1):
                x = next(modules)(x)  # 3×3 convolution
                if self.config.batch_norm:
                    x = next(modules)(x)
                x = F.relu(x)
                maps[f"conv{stage}_{i}"] = x
        return maps

    def logits(self, x: Tensor) -> Tensor:
        """Last feature map (B, C, h, w) → logits (B, classes). Half of the hidden values are dropped in training."""
        fc1, fc2, fc3 = self.classifier.values()
        x = F.max_pool2d(x, 2, stride=2)  # (B, C, 7, 7) for 224 pixels
        x = F.adaptive_avg_pool2d(x, 7)  # (B, C, 7, 7) for any
        x = torch.flatten(x, 1)  # (B, C · 49)
        x = F.relu(fc1(x))  # (B, hidden)
        x = F.dropout(x, 0.5, self.training)
        x = F.relu(fc2(x))  # (B, hidden)
        x = F.dropout(x, 0.5, self.training)
        return fc3(x)

    def forward(self, x: Tensor) -> Tensor:
        """x: float32 (B, 3, H, W), normalised RGB, H and W ≥ 32 → logits float32 (B, classes)."""
        *_, last = self.maps(x).values()
        return self.logits(last)


def vgg11(classes: int = 1000) -> Vgg:
    """132.9 M parameters at 1000 classes; torchvision.models.vgg11, the paper's A."""
    return Vgg(VggConfig(blocks=(1, 1, 2, 2, 2), classes=classes))


def vgg13(classes: int = 1000) -> Vgg:
    """133.0 M parameters at 1000 classes; torchvision.models.vgg13, the paper's B."""
    return Vgg(VggConfig(blocks=(2, 2, 2, 2, 2), classes=classes))


def vgg16(classes: int = 1000) -> Vgg:
    """138.4 M parameters at 1000 classes; torchvision.models.vgg16, the paper's D."""
    return Vgg(VggConfig(classes=classes))


def vgg19(classes: int = 1000) -> Vgg:
    """143.7 M parameters at 1000 classes; torchvision.models.vgg19, the paper's E."""
    return Vgg(VggConfig(blocks=(2, 2, 4, 4, 4), classes=classes))


def vgg11_bn(classes: int = 1000) -> Vgg:
    """As vgg11, with batch norm; torchvision.models.vgg11_bn."""
    return Vgg(VggConfig(blocks=(1, 1, 2, 2, 2), batch_norm=True, classes=classes))


def vgg13_bn(classes: int = 1000) -> Vgg:
    """As vgg13, with batch norm; torchvision.models.vgg13_bn."""
    return Vgg(VggConfig(blocks=(2, 2, 2, 2, 2), batch_norm=True, classes=classes))


def vgg16_bn(classes: int = 1000) -> Vgg:
    """As vgg16, with batch norm; torchvision.models.vgg16_bn."""
    return Vgg(VggConfig(batch_norm=True, classes=classes))


def vgg19_bn(classes: int = 1000) -> Vgg:
    """As vgg19, with batch norm; torchvision.models.vgg19_bn."""
    return Vgg(VggConfig(blocks=(2, 2, 4, 4, 4), batch_norm=True, classes=classes))

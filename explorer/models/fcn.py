"""Fully convolutional network (Long, Shelhamer and Darrell 2015) on a ResNet: its classifier becomes a convolution.

Parameter names are those of torchvision's fcn_resnet50 and fcn_resnet101, whose official checkpoints load as they are.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from explorer.models.resnet import ResNet, ResNetConfig


class FCNHead(nn.Sequential):
    """3×3 convolution, batch norm, ReLU, 1×1 convolution: for each cell the logits of its classes."""

    def __init__(self, in_channels: int, classes: int):
        channels = in_channels // 4
        super().__init__(
            nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(channels, classes, 1),
        )


class FCN(nn.Module):
    """A ResNet of bottlenecks whose maps stay at an eighth of the photo, and a head for each of its cells."""

    def __init__(self, config: ResNetConfig):
        super().__init__()
        self.backbone = ResNet(config)
        del self.backbone.fc
        keep_resolution(self.backbone.layer3, before=1, after=2)
        keep_resolution(self.backbone.layer4, before=2, after=4)
        self.classifier = FCNHead(32 * config.width, config.classes)
        self.aux_classifier = FCNHead(16 * config.width, config.classes)  # a second loss in training, on layer3

    def grid(self, x: Tensor) -> Tensor:
        """x: as forward → the logits of the cells, float32 (B, classes, ⌈H/8⌉, ⌈W/8⌉)."""
        *_, last = self.backbone.maps(x).values()  # (B, 2048, H/8, W/8)
        return self.classifier(last)

    def forward(self, x: Tensor) -> Tensor:
        """x: float32 (B, 3, H, W), normalised RGB → logits float32 (B, classes, H, W)."""
        cells = self.grid(x)  # (B, classes, H/8, W/8)
        return F.interpolate(cells, size=x.shape[2:], mode="bilinear", align_corners=False)


def keep_resolution(stage: Any, before: int, after: int) -> None:
    """Let the stage, an nn.Sequential of Bottlenecks, not halve its map: its 3×3 kernels get wider instead of stepping by 2.

    before, after: the distance between a kernel's cells in the stage's first block, and in the others ("à trous", Chen et
    al. 2015).
    """
    for number, block in enumerate(stage):
        dilation = after if number else before
        block.conv2.stride = (1, 1)
        block.conv2.dilation = block.conv2.padding = (dilation, dilation)
        if block.downsample is not None:
            block.downsample[0].stride = (1, 1)


def fcn_resnet50(classes: int = 21) -> FCN:
    """35.3 M parameters at 21 classes, of which 2.4 M only help in training; torchvision's fcn_resnet50."""
    return FCN(ResNetConfig(blocks=(3, 4, 6, 3), bottleneck=True, classes=classes))


def fcn_resnet101(classes: int = 21) -> FCN:
    """54.3 M parameters at 21 classes, of which 2.4 M only help in training; torchvision's fcn_resnet101."""
    return FCN(ResNetConfig(blocks=(3, 4, 23, 3), bottleneck=True, classes=classes))

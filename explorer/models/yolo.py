"""YOLOX (Ge et al. 2021, "YOLOX: Exceeding YOLO Series in 2021"): every cell of three grids proposes one box.

Parameter names are those of Megvii's official checkpoints, so `load_state_dict` takes their "model" as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDES = (8, 16, 32)
"""Side of a cell of each grid, in pixels."""


@dataclass(frozen=True)
class YoloxConfig:
    """classes: kinds of object; depth, width: how many blocks and channels, as shares of YOLOX-L's.

    depthwise: 3×3 convolutions that look at each channel by itself, followed by 1×1 that mix them, as in nano.
    """

    classes: int = 80
    depth: float = 1.0
    width: float = 1.0
    depthwise: bool = False

    def channels(self, count: int) -> int:
        """How many channels there are where YOLOX-L has `count`."""
        return int(count * self.width)

    def blocks(self, count: int) -> int:
        """How many blocks there are where YOLOX-L has `count`, a multiple of 3."""
        return max(round(3 * self.depth), 1) * count // 3


class Convolution(nn.Module):
    """Convolution, batch norm, SiLU."""

    def __init__(self, in_channels: int, channels: int, size: int, stride: int = 1, groups: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, size, stride, padding=size // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(channels, eps=1e-3, momentum=0.03)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, in_channels, H, W) → (B, channels, ⌈H/stride⌉, ⌈W/stride⌉)."""
        x = self.bn(self.conv(x))
        return F.silu(x)  # x · sigmoid(x)


class DepthwiseConvolution(nn.Module):
    """A 3×3 convolution of each channel by itself, then a 1×1 convolution over the channels (Howard et al. 2017)."""

    def __init__(self, in_channels: int, channels: int, size: int, stride: int = 1):
        super().__init__()
        self.dconv = Convolution(in_channels, in_channels, size, stride, groups=in_channels)
        self.pconv = Convolution(in_channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """As Convolution."""
        return self.pconv(self.dconv(x))


def spatial(config: YoloxConfig, in_channels: int, channels: int, stride: int = 1) -> nn.Module:
    """The 3×3 convolution of this size of network."""
    kind = DepthwiseConvolution if config.depthwise else Convolution
    return kind(in_channels, channels, 3, stride)


class Focus(nn.Module):
    """Every 2×2 pixels become one cell with four times the channels; then a convolution."""

    def __init__(self, in_channels: int, channels: int):
        super().__init__()
        self.conv = Convolution(4 * in_channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, in_channels, H, W) → (B, channels, H/2, W/2)."""
        top_left, top_right = x[..., ::2, ::2], x[..., ::2, 1::2]
        bottom_left, bottom_right = x[..., 1::2, ::2], x[..., 1::2, 1::2]
        x = torch.cat([top_left, bottom_left, top_right, bottom_right], dim=1)  # (B, 4·in_channels, H/2, W/2)
        return self.conv(x)


class Bottleneck(nn.Module):
    """1×1 and 3×3 convolution, beside a shortcut if there is one."""

    def __init__(self, config: YoloxConfig, channels: int, shortcut: bool):
        super().__init__()
        self.shortcut = shortcut
        self.conv1 = Convolution(channels, channels, 1)
        self.conv2 = spatial(config, channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, channels, H, W) → the same shape."""
        out = self.conv2(self.conv1(x))
        return out + x if self.shortcut else out


class CSPLayer(nn.Module):
    """Half of the channels go through the bottlenecks, half pass by (Wang et al. 2020, "CSPNet")."""

    def __init__(self, config: YoloxConfig, in_channels: int, channels: int, blocks: int, shortcut: bool = True):
        super().__init__()
        half = channels // 2
        self.conv1 = Convolution(in_channels, half, 1)
        self.conv2 = Convolution(in_channels, half, 1)
        self.conv3 = Convolution(2 * half, channels, 1)
        self.m = nn.Sequential(*(Bottleneck(config, half, shortcut) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, in_channels, H, W) → (B, channels, H, W)."""
        through = self.m(self.conv1(x))  # (B, channels/2, H, W)
        past = self.conv2(x)  # (B, channels/2, H, W)
        x = torch.cat([through, past], dim=1)
        return self.conv3(x)


class SPPBottleneck(nn.Module):
    """Spatial pyramid pooling: a cell sees the greatest value within 5×5, 9×9 and 13×13 cells round it (He et al. 2014)."""

    def __init__(self, channels: int):
        super().__init__()
        half = channels // 2
        self.conv1 = Convolution(channels, half, 1)
        self.conv2 = Convolution(4 * half, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, channels, H, W) → the same shape."""
        x = self.conv1(x)  # (B, channels/2, H, W)
        pooled = [F.max_pool2d(x, size, stride=1, padding=size // 2) for size in (5, 9, 13)]
        x = torch.cat([x, *pooled], dim=1)  # (B, 2·channels, H, W)
        return self.conv2(x)


class CSPDarknet(nn.Module):
    """The backbone: a stem and four stages, each of which halves the picture."""

    def __init__(self, config: YoloxConfig):
        super().__init__()
        c64, c128, c256, c512, c1024 = (config.channels(count) for count in (64, 128, 256, 512, 1024))
        few, many = config.blocks(3), config.blocks(9)
        self.stem = Focus(3, c64)
        self.dark2 = nn.Sequential(spatial(config, c64, c128, 2), CSPLayer(config, c128, c128, few))
        self.dark3 = nn.Sequential(spatial(config, c128, c256, 2), CSPLayer(config, c256, c256, many))
        self.dark4 = nn.Sequential(spatial(config, c256, c512, 2), CSPLayer(config, c512, c512, many))
        self.dark5 = nn.Sequential(
            spatial(config, c512, c1024, 2), SPPBottleneck(c1024), CSPLayer(config, c1024, c1024, few, shortcut=False)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x: float (B, 3, H, W) → float (B, 256, H/8, W/8), (B, 512, H/16, W/16), (B, 1024, H/32, W/32), times width."""
        x = self.dark2(self.stem(x))  # (B, 128, H/4, W/4)
        fine = self.dark3(x)
        middle = self.dark4(fine)
        coarse = self.dark5(middle)
        return fine, middle, coarse


class PAFPN(nn.Module):
    """Path aggregation: what the coarse grids know goes down to the fine ones and up again (Liu et al. 2018, "PANet")."""

    def __init__(self, config: YoloxConfig):
        super().__init__()
        c256, c512, c1024 = (config.channels(count) for count in (256, 512, 1024))
        blocks = config.blocks(3)
        self.backbone = CSPDarknet(config)
        self.lateral_conv0 = Convolution(c1024, c512, 1)
        self.C3_p4 = CSPLayer(config, 2 * c512, c512, blocks, shortcut=False)
        self.reduce_conv1 = Convolution(c512, c256, 1)
        self.C3_p3 = CSPLayer(config, 2 * c256, c256, blocks, shortcut=False)
        self.bu_conv2 = spatial(config, c256, c256, 2)
        self.C3_n3 = CSPLayer(config, 2 * c256, c512, blocks, shortcut=False)
        self.bu_conv1 = spatial(config, c512, c512, 2)
        self.C3_n4 = CSPLayer(config, 2 * c512, c1024, blocks, shortcut=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As CSPDarknet."""
        fine, middle, coarse = self.backbone(x)
        # Down, to the finer grids.
        coarse = self.lateral_conv0(coarse)  # (B, 512, H/32, W/32)
        middle = torch.cat([F.interpolate(coarse, scale_factor=2), middle], dim=1)  # (B, 1024, H/16, W/16)
        middle = self.reduce_conv1(self.C3_p4(middle))  # (B, 256, H/16, W/16)
        fine = torch.cat([F.interpolate(middle, scale_factor=2), fine], dim=1)  # (B, 512, H/8, W/8)
        fine = self.C3_p3(fine)  # (B, 256, H/8, W/8)
        # Up again.
        middle = torch.cat([self.bu_conv2(fine), middle], dim=1)  # (B, 512, H/16, W/16)
        middle = self.C3_n3(middle)  # (B, 512, H/16, W/16)
        coarse = torch.cat([self.bu_conv1(middle), coarse], dim=1)  # (B, 1024, H/32, W/32)
        coarse = self.C3_n4(coarse)  # (B, 1024, H/32, W/32)
        return fine, middle, coarse


class Head(nn.Module):
    """For each grid two branches: one says what is there, the other where and whether anything is (§2.1, fig. 2)."""

    def __init__(self, config: YoloxConfig):
        super().__init__()
        width = config.channels(256)

        def branch() -> nn.Sequential:
            return nn.Sequential(spatial(config, width, width), spatial(config, width, width))

        self.stems = nn.ModuleList(Convolution(config.channels(count), width, 1) for count in (256, 512, 1024))
        self.cls_convs = nn.ModuleList(branch() for _ in STRIDES)
        self.reg_convs = nn.ModuleList(branch() for _ in STRIDES)
        self.cls_preds = nn.ModuleList(nn.Conv2d(width, config.classes, 1) for _ in STRIDES)
        self.reg_preds = nn.ModuleList(nn.Conv2d(width, 4, 1) for _ in STRIDES)
        self.obj_preds = nn.ModuleList(nn.Conv2d(width, 1, 1) for _ in STRIDES)
        for layer in (*self.cls_preds, *self.obj_preds):
            nn.init.constant_(layer.bias, -math.log(99))  # everything begins at a probability of 1 %

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """features: of PAFPN → for each grid float (B, 5 + classes, H/stride, W/stride)."""
        grids = []
        for level, x in enumerate(features):
            x = self.stems[level](x)
            what = self.cls_convs[level](x)
            where = self.reg_convs[level](x)
            box, objectness = self.reg_preds[level](where), self.obj_preds[level](where)
            classes = self.cls_preds[level](what)
            grids.append(torch.cat([box, objectness, classes], dim=1))
        return tuple(grids)


class YOLOX(nn.Module):
    """Backbone with feature pyramid, and head."""

    def __init__(self, config: YoloxConfig):
        super().__init__()
        self.config = config
        self.backbone = PAFPN(config)
        self.head = Head(config)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: float32 (B, 3, H, W), BGR, 0–255, H and W multiples of 32.

        → for strides 8, 16, 32 float32 (B, 5 + classes, H/stride, W/stride): what `decode` makes boxes of.
        """
        return self.head(self.backbone(x))


def decode(grids: Sequence[Tensor]) -> Tensor:
    """The boxes that all cells propose, cell by cell, the finest grid first.

    grids: of YOLOX → float (B, cells, 5 + classes): centre x, y, width, height in pixels of the network's input, the
    probability that there is an object, and of each class if there is one. A box's score is the product of the two.
    """
    rows = []
    for grid, stride in zip(grids, STRIDES, strict=True):
        cells = cell_positions(grid.shape[-2], grid.shape[-1]).to(grid)  # (H·W, 2): x, y
        values = grid.flatten(2).mT  # (B, H·W, 5 + classes)
        centre = (values[..., :2] + cells) * stride
        size = values[..., 2:4].exp() * stride
        probabilities = values[..., 4:].sigmoid()
        rows.append(torch.cat([centre, size, probabilities], dim=-1))
    return torch.cat(rows, dim=1)


def cell_positions(height: int, width: int) -> Tensor:
    """Column and row of every cell of a grid, row by row: int64 (height·width, 2)."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x, y], dim=-1).flatten(0, 1)


def yolox_nano(classes: int = 80) -> YOLOX:
    """0.91 M parameters at 80 classes."""
    return YOLOX(YoloxConfig(classes, depth=0.33, width=0.25, depthwise=True))


def yolox_tiny(classes: int = 80) -> YOLOX:
    """5.06 M parameters at 80 classes."""
    return YOLOX(YoloxConfig(classes, depth=0.33, width=0.375))


def yolox_s(classes: int = 80) -> YOLOX:
    """9.0 M parameters at 80 classes."""
    return YOLOX(YoloxConfig(classes, depth=0.33, width=0.5))


def yolox_m(classes: int = 80) -> YOLOX:
    """25.3 M parameters at 80 classes."""
    return YOLOX(YoloxConfig(classes, depth=0.67, width=0.75))

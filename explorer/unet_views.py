"""A U-Net opened: what each level's map is, the logits of one pixel, and one level of the decoder to step through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch

from explorer.models.fcn import fcn_resnet50
from explorer.models.unet import DoubleConvolution, UNet
from explorer.shapes import Layer, receptive_field
from explorer.trace import Trace, trace

WINDOW = 6
"""Side of the window of the lower map that one steps through with, cells."""
MOST_WEIGHTS = 60_000
"""Numbers of a convolution's kernels that one can step through."""


@dataclass(frozen=True)
class Level:
    """One feature map. field: side of the square of the input's pixels that a cell can see at most."""

    name: str
    channels: int
    rows: int
    columns: int
    field: int


@dataclass(frozen=True)
class PixelLogits:
    """How the 1×1 convolution of the head makes a pixel's logits. features: float32 (C,); weight: float32 (classes, C).

    bias, logits: float32 (classes,).
    """

    features: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    logits: np.ndarray


def fields(depth: int) -> dict[str, int]:
    """The receptive field of every map by its name, along one axis, in pixels of the network's input.

    Where cells of one map see unequally much, the most: a cell that was brought up sees what one cell below sees, so it
    depends on its place how many cells below the convolutions after it reach.
    """
    convolutions, layers, found = [Layer(3, padding=1)] * 2, [], {}
    for level in range(depth):
        layers += convolutions
        found[f"encoder.{level}"] = receptive_field(layers)[-1].size
        layers.append(Layer(2, stride=2))
    bottom = receptive_field([*layers, *convolutions])[-1].size
    found["bottom"] = bottom
    for level in reversed(range(depth)):
        cells = 1
        for _below in range(level, depth):
            cells = (
                cells + 4
            ) // 2 + 1  # two convolutions reach two cells further to each side; two cells share one below
        found[f"decoder.{level}"] = bottom + (cells - 1) * 2**depth
    return found


def levels(maps: Mapping[str, np.ndarray], depth: int) -> dict[str, Level]:
    """What every map of a photo is, by name. maps: float32 (C, h, w)."""
    seen = fields(depth)
    return {
        name: Level(name, channels=one.shape[0], rows=one.shape[1], columns=one.shape[2], field=seen[name])
        for name, one in maps.items()
    }


def strongest(maps: np.ndarray, count: int) -> list[int]:
    """The channels that are largest in the mean, the largest first. maps: float32 (C, h, w), ≥ 0."""
    return np.argsort(-maps.mean((1, 2)), kind="stable")[:count].tolist()


def pixel_logits(network: UNet, maps: Mapping[str, np.ndarray], row: int, column: int) -> PixelLogits:
    """The logits of one cell of the last map, as the head makes them."""
    features = maps["decoder.0"][:, row, column]
    weight, bias = (parameter.detach().numpy() for parameter in network.head.parameters())
    weight = weight[:, :, 0, 0]
    return PixelLogits(features, weight, bias, weight @ features + bias)


def steppable(network: UNet) -> list[int]:
    """The levels of the decoder whose kernels are few enough numbers to be followed."""
    counts = [cast(DoubleConvolution, one).conv1.weight.numel() for one in network.decoder]
    return [level for level, count in enumerate(counts) if count <= MOST_WEIGHTS] or [0]


def window_at(shape: Sequence[int], row: int, column: int) -> tuple[int, int, int]:
    """(first row, first column, side) of the window of a map round a cell, inside it. shape: (…, h, w)."""
    side = min(WINDOW, *shape[-2:])
    top, left = row - side // 2, column - side // 2
    return min(max(top, 0), shape[-2] - side), min(max(left, 0), shape[-1] - side), side


def decoder_steps(
    network: UNet, maps: Mapping[str, np.ndarray], level: int, place: tuple[int, int], cut: bool = False
) -> Trace:
    """One level of the decoder on a window of its two inputs. place: (row, column) of the lower map; cut: without the skip.

    At the window's border the convolutions see zeros, where the whole map goes on.
    """
    depth = network.config.depth
    below = maps["bottom" if level == depth - 1 else f"decoder.{level + 1}"]
    top, left, side = window_at(below.shape, *place)
    x = torch.from_numpy(below[None, :, top : top + side, left : left + side].copy())
    skip = maps[f"encoder.{level}"][None, :, 2 * top : 2 * (top + side), 2 * left : 2 * (left + side)]
    carried = torch.from_numpy(skip.copy())
    return trace(network.rise, level, x, torch.zeros_like(carried) if cut else carried)


@dataclass(frozen=True)
class Outline:
    """A network's way from photo to classes. parameters: how many; input, coarsest, last: (rows, columns) of its maps."""

    name: str
    parameters: int
    input: tuple[int, int]
    coarsest: tuple[int, int]
    last: tuple[int, int]


def unet_outline(network: UNet, maps: Mapping[str, np.ndarray]) -> Outline:
    """Of this U-Net for a photo."""
    rows, columns = maps["decoder.0"].shape[1:]
    bottom = maps["bottom"].shape
    count = sum(parameter.numel() for parameter in network.parameters())
    return Outline("U-Net", count, (rows, columns), (bottom[1], bottom[2]), (rows, columns))


def fcn_outline(height: int, width: int, shorter: int) -> Outline:
    """Of FCN on ResNet-50 for a photo of that size, scaled to a shorter side. It is built without memory, and not run."""
    scale = shorter / min(height, width)
    size = (shorter, int(width * scale)) if height <= width else (int(height * scale), shorter)
    with torch.device("meta"):
        network = fcn_resnet50().eval()
        cells = network.grid(torch.zeros(1, 3, *size))
    # The second head only helps in training.
    helping = sum(parameter.numel() for parameter in network.aux_classifier.parameters())
    count = sum(parameter.numel() for parameter in network.parameters()) - helping
    grid = (int(cells.shape[2]), int(cells.shape[3]))
    return Outline("FCN (ResNet-50)", count, size, grid, grid)

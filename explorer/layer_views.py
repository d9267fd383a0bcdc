"""What a walk through a network is shown as: groups of layers by their maps' size, windows on the photo, vectors as grids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from explorer.layer_cells import Cell, Window, first_input
from explorer.layer_outputs import LayerOutput, Walk

Frame = tuple[int, int, int, int]
"""x, y, width, height in pixels."""


@dataclass(frozen=True)
class Stage:
    """All layers whose maps have one size. size: rows and columns, (1, 1) for vectors; shares: 0–1, of the whole network.

    fields: the smallest and the largest receptive field among them, pixels; None where a cell sees everything.
    """

    size: tuple[int, int]
    layers: int
    parameters: int
    macs: int
    parameter_share: float
    mac_share: float
    fields: tuple[int, int] | None


def stages(walked: Walk) -> list[Stage]:
    """In the order in which their sizes come."""
    groups: dict[tuple[int, int], list[LayerOutput]] = {}
    for layer in walked.layers:
        groups.setdefault(layer.size[1:], []).append(layer)
    parameters, macs = (sum(getattr(layer, name) for layer in walked.layers) for name in ("parameters", "macs"))
    found = []
    for size, layers in groups.items():
        own, work = sum(layer.parameters for layer in layers), sum(layer.macs for layer in layers)
        sizes = [layer.fields[0].size for layer in layers if layer.fields is not None]
        fields = (min(sizes), max(sizes)) if sizes else None
        found.append(Stage(size, len(layers), own, work, own / max(parameters, 1), work / max(macs, 1), fields))
    return found


def as_pixels(x: Tensor, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """What the network was given, as a picture again. x: float32 (3, H, W), normalised → uint8 (H, W, 3)."""
    values = x.permute(1, 2, 0).numpy() * np.array(std, np.float32) + np.array(mean, np.float32)
    return (255 * values).round().clip(0, 255).astype(np.uint8)


def on_photo(window: Window, seen: tuple[float, float, float, float], side: tuple[int, int], scale: float) -> Frame:
    """A window of the network's input, outlined on the photo as far as it lies on what the network saw.

    seen: (x0, y0, x1, y1), the part of the photo that reached the network, in its pixels; side: rows and columns of the
    network's input; scale: pixels shown for one of the photo.
    """
    inside = window.inside(*side)
    x0, y0, x1, y1 = (edge * scale for edge in seen)
    across, down = (x1 - x0) / side[1], (y1 - y0) / side[0]
    left, top = round(x0 + inside.left * across), round(y0 + inside.top * down)
    right, bottom = round(x0 + (inside.left + inside.width) * across), round(y0 + (inside.top + inside.height) * down)
    return left, top, max(right - left, 1), max(bottom - top, 1)


def nearest_cell(
    layer: LayerOutput,
    point: tuple[float, float],
    seen: tuple[float, float, float, float],
    side: tuple[int, int],
    scale: float,
) -> tuple[int, int]:
    """(row, column) of the cell whose field has its middle nearest to a point (x, y) of the shown photo; see on_photo."""
    if layer.fields is None:
        return 0, 0
    x0, y0, x1, y1 = (edge * scale for edge in seen)
    wanted = (point[1] - y0) / (y1 - y0) * side[0], (point[0] - x0) / (x1 - x0) * side[1]
    row, column = (
        min(max(round((at - field.start - field.size / 2) / field.jump), 0), most - 1)
        for at, field, most in zip(wanted, layer.fields, layer.size[1:], strict=True)
    )
    return row, column


def cut_out(pixels: np.ndarray, window: Window) -> np.ndarray:
    """What of the window lies on the picture, (H, W, 3) → (h, w, 3); at least a pixel."""
    inside = window.inside(*pixels.shape[:2])
    return pixels[inside.top : inside.top + max(inside.height, 1), inside.left : inside.left + max(inside.width, 1)]


def grid_shape(count: int) -> tuple[int, int]:
    """(rows, columns) of a vector shown as a grid: without a remainder, as near to twice as wide as high as can be."""
    best = min(
        (n for n in range(1, count + 1) if count % n == 0), key=lambda rows: abs(math.log(count / rows / rows / 2))
    )
    return best, count // best


def as_grid(vector: np.ndarray) -> np.ndarray:
    """(n,) → (rows, columns), row by row."""
    return vector.reshape(grid_shape(vector.size))


@dataclass(frozen=True, eq=False)
class KernelSlice:
    """The part of a kernel for one input channel. values: float32 (H, W), that channel; weights: float32 (kh, kw); amount: what
    its products with the window give to the cell.
    """

    channel: int
    values: np.ndarray
    weights: np.ndarray
    amount: float


def kernel_slices(walked: Walk, cell: Cell, most: int) -> list[KernelSlice]:
    """Those that add most to this cell, or take most from it; [] where no convolution is in its chain."""
    kernel = cell.arguments.get("kernel")
    if kernel is None:
        return []
    layer = walked[cell.chain[0]]
    first = first_input(layer, cell.place[0])
    amounts = (cell.arguments["window"] * kernel).sum(dim=(1, 2))
    chosen = amounts.abs().argsort(descending=True, stable=True)[:most].tolist()
    seen = layer.inputs[0]
    return [KernelSlice(first + c, seen[first + c].numpy(), kernel[c].numpy(), float(amounts[c])) for c in chosen]

"""One cell of a layer's map: the window that it was computed from, the code that computes it, and what it sees of the photo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from explorer.layer_outputs import LayerOutput, Walk
from explorer.models import cells
from explorer.shapes import ReceptiveField, span
from explorer.trace import Trace, trace

Place = tuple[int, int, int]
"""Channel, row, column of a map."""


@dataclass(frozen=True)
class Window:
    """A rectangle of a map or a photo: first row and column, and how many; it may reach beyond the edge."""

    top: int
    left: int
    height: int
    width: int

    def inside(self, height: int, width: int) -> Window:
        """What of it lies on a map of this size; 0 high or wide where nothing does."""
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.top + self.height, height), min(self.left + self.width, width)
        return Window(top, left, max(bottom - top, 0), max(right - left, 0))

    def beyond(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Rows and columns of it outside a map of this size: above, below, left, right."""
        bottom, right = self.top + self.height - height, self.left + self.width - width
        return tuple(min(max(n, 0), most) for n, most in (
            (-self.top, self.height), (bottom, self.height), (-self.left, self.width), (right, self.width)))  # type: ignore[return-value]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell, ready to be computed anew.

    value: what the network had. chain: the layers that compute it from the window, in order, the last is the cell's own.
    window: of the input map of the first of them, None where all of it goes in. fn, arguments: of explorer.models.cells.
    field: what the cell sees of the photo, in pixels of the network's input; may reach beyond.
    """

    layer: str
    place: Place
    value: float
    chain: tuple[str, ...]
    window: Window | None
    fn: Callable[..., Tensor]
    arguments: Mapping[str, Any] = field(repr=False)
    field: Window

    def compute(self) -> Tensor:
        """float (): the value, computed from the window."""
        with torch.no_grad():
            return self.fn(**self.arguments)

    def steps(self) -> Trace:
        """The same, step by step."""
        with torch.no_grad():
            return trace(self.fn, **self.arguments)


def cell_at(walked: Walk, name: str, place: Place) -> Cell:
    """The cell of a layer's map; a vector's numbers are channels. Raises KeyError, IndexError."""
    layer = walked[name]
    channel, row, column = place
    chain, window, fn, arguments = _computation(walked, layer, place)
    value = layer.output[channel, row, column] if layer.output.ndim == 3 else layer.output[channel]
    seen = field_of(layer, row, column, *walked.x.shape[1:])
    return Cell(name, place, float(value), chain, window, fn, arguments, seen)


def field_of(layer: LayerOutput, row: int, column: int, height: int, width: int) -> Window:
    """The pixels that can have changed this cell; all height × width of them where the layer has no window."""
    if layer.fields is None:
        return Window(0, 0, height, width)
    down, across = layer.fields
    return Window(_first(down, row), _first(across, column), down.size, across.size)


def strongest_channels(layer: LayerOutput) -> list[int]:
    """All channels: those first whose map varies most; of a vector, the largest numbers."""
    flat = layer.output.flatten(1) if layer.is_map else layer.output.reshape(-1, 1)
    strength = flat.std(dim=1, correction=0) if layer.is_map else flat[:, 0]
    return strength.argsort(descending=True, stable=True).tolist()


def strongest_place(layer: LayerOutput) -> Place:
    """The largest value of the map that varies most."""
    channel = strongest_channels(layer)[0]
    if not layer.is_map:
        return channel, 0, 0
    row, column = divmod(int(layer.output[channel].argmax()), layer.output.shape[2])
    return channel, row, column


def same_place(before: LayerOutput, place: Place, after: LayerOutput) -> Place:
    """Where another layer looks at about the same part of the photo, and the channel that is largest there."""
    if not after.is_map:
        return strongest_place(after)
    if not before.is_map:
        return strongest_place(after)
    old, new = before.size[1:], after.size[1:]
    row, column = (int((2 * p + 1) * n / (2 * o)) for p, n, o in zip(place[1:], new, old, strict=True))
    return int(after.output[:, row, column].argmax()), row, column


def first_input(layer: LayerOutput, channel: int) -> int:
    """The first input channel that a convolution's output channel sees: each group of them has its own."""
    return channel // (layer.size[0] // layer.attrs["groups"]) * layer.weights["weight"].shape[1]


def _first(field: ReceptiveField, place: int) -> int:
    return field.start + place * field.jump


Computation = tuple[tuple[str, ...], Window | None, Callable[..., Tensor], dict[str, Any]]


def _computation(walked: Walk, layer: LayerOutput, place: Place) -> Computation:
    """(chain, window, function, its arguments)."""
    channel, row, column = place
    if layer.op == "max_pool2d":
        window = _pooled(layer, row, column)
        return (layer.name,), window, cells.max_cell, {"window": _cut(layer.inputs[0][channel], window, layer)}
    if layer.op == "adaptive_avg_pool2d":
        window = _averaged(layer, row, column)
        return (layer.name,), window, cells.mean_cell, {"window": _cut(layer.inputs[0][channel], window)}
    if layer.op == "cat":
        columns = tuple(branch[:, row, column].clone() for branch in layer.inputs)
        return (layer.name,), Window(row, column, 1, 1), cells.cat_cell, {"branches": columns, "channel": channel}
    return _weighted(walked, layer, place) or _alone(layer, place)


def _weighted(walked: Walk, layer: LayerOutput, place: Place) -> Computation | None:
    """From the window of a convolution, or the vector of a linear layer, through norm, sum and ReLU up to this layer."""
    channel, row, column = place
    chain = [layer.name]
    after: dict[str, Any] = {}
    if layer.op == "relu":
        after["relu"] = True
        layer = _before(walked, layer, chain)
    if layer.op == "add":
        after["shortcut"] = layer.inputs[1][channel, row, column].clone()
        layer = _before(walked, layer, chain)
    if layer.op == "batch_norm":
        after["norm"] = _norm(layer, channel)
        layer = _before(walked, layer, chain)
    names = tuple(reversed(chain))
    if layer.op == "linear" and after.keys() <= {"relu"}:
        weights = {"weight": layer.weights["weight"][channel], **_bias(layer, channel)}
        return names, None, cells.linear_cell, {"x": layer.inputs[0], **weights, **after}
    if layer.op == "conv2d":
        kernel = layer.weights["weight"][channel]
        window = _covered(layer, row, column)
        first = first_input(layer, channel)
        seen = _padded(layer.inputs[0][first : first + len(kernel)], window, layer.attrs["dilation"])
        return names, window, cells.conv_cell, {"window": seen, "kernel": kernel, **_bias(layer, channel), **after}
    return None


def _alone(layer: LayerOutput, place: Place) -> Computation:
    """A layer that looks at no more than its place, from the numbers that stand there."""
    channel, row, column = place
    values = [x[channel, row, column].clone() if x.ndim == 3 else x[channel].clone() for x in layer.inputs]
    names, window = (layer.name,), Window(row, column, 1, 1)
    if layer.op == "batch_norm":
        return names, window, cells.batch_norm_cell, {"x": values[0], "norm": _norm(layer, channel)}
    if layer.op == "add":
        return names, window, cells.add_cell, {"x": values[0], "shortcut": values[1]}
    return names, window, cells.relu_cell, {"x": values[0]}


def _before(walked: Walk, layer: LayerOutput, chain: list[str]) -> LayerOutput:
    """The layer that made the first input, which joins the chain; the layer itself where that is the photo."""
    if not layer.sources[0]:
        return layer
    chain.append(layer.sources[0])
    return walked[layer.sources[0]]


def _bias(layer: LayerOutput, channel: int) -> dict[str, Tensor]:
    return {"bias": layer.weights["bias"][channel]} if "bias" in layer.weights else {}


def _norm(layer: LayerOutput, channel: int) -> cells.Norm:
    roles = ("running_mean", "running_var", "weight", "bias")
    mean, variance, scale, shift = (layer.weights[role][channel] for role in roles)
    return cells.Norm(mean, variance, scale, shift, layer.attrs["eps"])


def _covered(layer: LayerOutput, row: int, column: int) -> Window:
    """What the kernel of a convolution covers, dilated ones from their first to their last row and column."""
    stride, padding, dilation = (layer.attrs[name] for name in ("stride", "padding", "dilation"))
    kernel = layer.weights["weight"].shape[2:]
    top, left = (place * s - p[0] for place, s, p in zip((row, column), stride, padding, strict=True))
    height, width = (span(k, d) for k, d in zip(kernel, dilation, strict=True))
    return Window(top, left, height, width)


def _pooled(layer: LayerOutput, row: int, column: int) -> Window:
    stride, padding, dilation, kernel = (layer.attrs[name] for name in ("stride", "padding", "dilation", "kernel_size"))
    top, left = (place * s - p[0] for place, s, p in zip((row, column), stride, padding, strict=True))
    height, width = (span(k, d) for k, d in zip(kernel, dilation, strict=True))
    return Window(top, left, height, width)


def _averaged(layer: LayerOutput, row: int, column: int) -> Window:
    """Adaptive pooling shares the map out: from ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉."""
    sides = []
    for place, size, out in zip((row, column), layer.inputs[0].shape[1:], layer.output.shape[1:], strict=True):
        first, end = place * size // out, -(-(place + 1) * size // out)
        sides.append((first, end - first))
    (top, height), (left, width) = sides
    return Window(top, left, height, width)


def _padded(x: Tensor, window: Window, dilation: list[int]) -> Tensor:
    """x: float (C, H, W) → float (C, kh, kw), with zeros beyond the edge."""
    rows = torch.arange(window.top, window.top + window.height, dilation[0])
    columns = torch.arange(window.left, window.left + window.width, dilation[1])
    height, width = x.shape[1:]
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    seen = x[:, rows.clamp(0, height - 1)][:, :, columns.clamp(0, width - 1)]
    return seen * inside


def _cut(x: Tensor, window: Window, layer: LayerOutput | None = None) -> Tensor:
    """x: float (H, W) → what of the window lies inside it."""
    step_y, step_x = layer.attrs["dilation"] if layer else (1, 1)
    rows = [r for r in range(window.top, window.top + window.height, step_y) if 0 <= r < x.shape[0]]
    columns = [c for c in range(window.left, window.left + window.width, step_x) if 0 <= c < x.shape[1]]
    return x[rows][:, columns]

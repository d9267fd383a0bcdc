"""What the walk through a network shows: the strip of all layers, the maps of one, the photo and the kernel of a cell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from explorer.components.layer_strip import Column
from explorer.components.maps import Map
from explorer.explain import mosaic
from explorer.layer_cells import Cell
from explorer.layer_outputs import LayerOutput, Walk
from explorer.layer_views import Frame, KernelSlice, as_grid, cut_out, grid_shape
from explorer.numbers import grouped, number
from explorer.text import _
from explorer.ui.walkthrough_facts import KINDS, kernel_of, shape_text

COLOURS: dict[str, tuple[str, bool]] = {
    "conv2d": ("weight", False),
    "linear": ("weight", False),
    "batch_norm": ("weight", True),
    "add": ("input", False),
    "cat": ("input", False),
}
"""Palette role of a layer's block in the strip, and whether it is pale; what is missing is hidden."""
LEGEND = (
    ("weight", False, _("convolution, fully connected")),
    ("weight", True, _("batch normalisation")),
    ("hidden", False, _("ReLU, pooling")),
    ("input", False, _("sum, stack")),
)
BANDS = ((_("Parameters"), "weight"), (_("Multiply–adds"), "hidden"))


def columns(walked: Walk) -> list[Column]:
    """The strip: each layer's map, on a logarithmic scale of its side, and its costs."""
    top = math.log2(1 + max(layer.size[1] for layer in walked.layers))
    found = []
    for layer in walked.layers:
        role, pale = COLOURS.get(layer.op, ("hidden", False))
        height = math.log2(1 + layer.size[1]) / top
        bars = (float(layer.parameters), float(layer.macs))
        found.append(Column(layer.name, _size(layer), height, role, bars, _about(layer, walked), pale))
    return found


def strip_alt(walked: Walk, chosen: str) -> str:
    """The strip in a sentence."""
    most = max(walked.layers, key=lambda layer: layer.parameters)
    text = _("{n} layers from {first} to {last}; most parameters are in {most}. Chosen is {chosen}.")
    return text.format(
        n=len(walked.layers),
        first=_size(walked.layers[0]),
        last=_size(walked.layers[-1]),
        most=most.name,
        chosen=chosen,
    )


def _size(layer: LayerOutput) -> str:
    _channels, rows, across = layer.size
    return f"{rows} × {across}" if layer.is_map else _("vector")


def _about(layer: LayerOutput, walked: Walk) -> str:
    parts = [KINDS[layer.op], shape_text(layer.output.shape)]
    kernel = kernel_of(layer)
    if kernel:
        parts.insert(1, shape_text(kernel))
    if layer.parameters:
        parts.append(_("{n} parameters").format(n=grouped(layer.parameters)))
    if layer.macs:
        parts.append(_("{n} multiply–adds").format(n=grouped(layer.macs)))
    parts.append(_sees(layer))
    return " · ".join(parts)


def _sees(layer: LayerOutput) -> str:
    if layer.fields is None:
        return _("sees everything")
    down, across = layer.fields
    return _("sees {h} × {w} pixels").format(h=down.size, w=across.size)


def large_maps(
    photo: np.ndarray, frame: Frame, given: np.ndarray, layer: LayerOutput, cell: Cell, note: str
) -> list[Map]:
    """The photo with the field of the cell, what the cell sees, and the chosen map with the cell outlined.

    photo: uint8 (H, W, 3), as shown; given: uint8 (h, w, 3), as the network got it. note: on the photo.
    """
    channel, row, column = cell.place
    patch = cut_out(given, cell.field)
    height, width = patch.shape[:2]
    seen = _("{h} × {w} pixels of what the network was given.").format(h=height, w=width)
    if layer.is_map:
        title = _("Channel {n}").format(n=channel)
        told = _("Click on a cell: what does it see?")
        chosen = Map(layer.output[channel].numpy(), title, told, frame=(column, row, 1, 1), role="hidden")
    else:
        across = grid_shape(layer.size[0])[1]
        chosen = Map(as_grid(layer.output.reshape(-1).numpy()), _("All {n} numbers").format(n=layer.size[0]),
                     _("A cell for each, row by row. Click on one."), role="hidden",
                     frame=(channel % across, channel // across, 1, 1))  # fmt: skip
    return [
        Map(photo, _("Your photo"), note, role="input", frame=frame),
        Map(patch, _("What the cell sees"), seen, role="input"),
        chosen,
    ]


def gallery(layer: LayerOutput, shown: Sequence[int], cell: Cell) -> list[Map]:
    """Small maps of these channels, all on one scale; the chosen cell is outlined in its own."""
    channel, row, column = cell.place
    return [
        Map(layer.output[c].numpy(), _("channel {n}").format(n=c), share="walk", role="hidden",
            frame=(column, row, 1, 1) if c == channel else None)
        for c in shown
    ]  # fmt: skip


def window_maps(walked: Walk, cell: Cell, slices: Sequence[KernelSlice]) -> list[Map]:
    """What goes into the cell: the maps with its window framed, and the parts of the kernel that lie on them."""
    layer, channel = walked[cell.chain[0]], cell.place[0]
    if not slices:
        return _unweighted(layer, cell)
    photo = layer.sources == ("",)
    pictures = []
    if photo:
        kernel = cell.arguments["kernel"].numpy()
        pictures = [
            Map(mosaic(kernel[None], 1), _("kernel {n}").format(n=channel), _("In colour; grey is 0."), role="weight")
        ]
    colours = (_("red"), _("green"), _("blue"))
    for one in slices:
        name = colours[one.channel] if photo else _("input {n}").format(n=one.channel)
        told = _("gives {amount}").format(amount=_signed(one.amount))
        pictures += [
            Map(one.values, name, _("its window"), role="input", share="input", frame=_framed(cell, one.values)),
            Map(one.weights, _("its kernel"), told, role="weight", share="kernel"),
        ]
    return pictures


def _unweighted(layer: LayerOutput, cell: Cell) -> list[Map]:
    """Of layers without a kernel: the channel that comes in, or all numbers and their weights."""
    channel = cell.place[0]
    if "weight" in cell.arguments:
        return [
            Map(as_grid(cell.arguments["x"].numpy()), _("what comes in"), _("A cell for each number."), role="input"),
            Map(as_grid(cell.arguments["weight"].numpy()), _("its weights"), _("One for each of them."), role="weight"),
        ]
    if layer.op == "cat":
        for number, branch in enumerate(layer.inputs, start=1):
            if channel < len(branch):
                values = branch[channel].numpy()
                name, told = _("branch {n}").format(n=number), _("channel {n}").format(n=channel)
                return [Map(values, name, told, role="input", frame=_framed(cell, values))]
            channel -= len(branch)
    return [
        Map(values, _("input {n}").format(n=channel), role="input", frame=_framed(cell, values))
        for values in (x[channel].numpy() for x in layer.inputs)
    ]


def _framed(cell: Cell, values: np.ndarray) -> Frame | None:
    """The cell's window on a map that goes into it, as far as it lies on it."""
    if cell.window is None:
        return None
    inside = cell.window.inside(*values.shape)
    return (inside.left, inside.top, inside.width, inside.height) if inside.width and inside.height else None


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value, 2)

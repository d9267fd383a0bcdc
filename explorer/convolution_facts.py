"""What there is to say about a convolution: sizes, costs, the places it drops and the field that it sees; no Streamlit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer import shapes
from explorer.convolution_views import Pair, Place, Setup
from explorer.images import window
from explorer.text import _


def size_facts(setup: Setup, inputs: int, outputs: int, size: Pair, kernel: Pair) -> str:
    """LaTeX: output size, weights and multiply–adds (MACs), each with the formula and the numbers in it."""
    transposed = setup.operation == "transposed"
    positions = size if transposed else setup.output(size, kernel)
    names = [r"\text{height}", r"\text{width}"]
    lines = []
    sides = setup.sides(kernel)
    for a in (0, 1):
        if transposed:
            arguments = (setup.stride[a], setup.cut[a], setup.output_padding[a], setup.dilation[a])
            lines.append(shapes.conv_transpose_output_formula(size[a], kernel[a], *arguments))
        else:
            lines.append(shapes.conv_output_formula(size[a], kernel[a], setup.stride[a], sides[a], setup.dilation[a]))
    spans, places = (kernel[1:], positions[1:]) if setup.series else (kernel, positions)
    if setup.series:
        names, lines = [r"\text{length}"], lines[1:]
    elif lines[0] == lines[1]:
        names, lines = [r"\text{size}"], lines[1:]
    names += [r"\text{weights}", r"\text{MACs}"]
    lines.append(shapes.conv_parameters_formula(inputs, outputs, spans, setup.groups, bias=False))
    lines.append(shapes.conv_macs_formula(inputs, outputs, spans, places, setup.groups))
    rows = r" \\[4pt] ".join(f"{name} &= {line}" for name, line in zip(names, lines, strict=True))
    return rf"\footnotesize \begin{{aligned}} {rows} \end{{aligned}}"


@dataclass(frozen=True)
class Field:
    """What one cell sees after so many layers. rows, columns: cells of the photo; jump: from one output cell to the next.

    frame: (x, y, width, height) on the photo, for the cell nearest to its middle.
    """

    rows: int
    columns: int
    jump: Pair
    frame: tuple[int, int, int, int]


def fields(setup: Setup, kernel: Pair, photo: Pair, layers: int) -> list[Field]:
    """The receptive field after each of so many equal layers. photo: its rows and columns."""
    axes = []
    for a in (0, 1):
        layer = shapes.Layer(kernel[a], setup.stride[a], setup.sides(kernel)[a][0], setup.dilation[a])
        axes.append(shapes.receptive_field([layer] * layers))
    made = []
    for fy, fx in zip(*axes, strict=True):
        top, left = (
            f.start + max(round((n / 2 - f.size / 2 - f.start) / f.jump), 0) * f.jump
            for f, n in zip((fy, fx), photo, strict=True)
        )
        made.append(Field(fy.size, fx.size, (fy.jump, fx.jump), (left, top, fx.size, fy.size)))
    return made


def sentences(setup: Setup, here: Place, size: Pair, kernel: Pair, out: np.ndarray, row: int, column: int) -> list[str]:
    """What the picture shows, in words. out: (H_out, W_out), the output channel that is taken apart."""
    lines = []
    if setup.operation == "transposed":
        lines.append(
            _("Each input cell stamps its multiple of the kernel on the output; where stamps overlap, they add.")
        )
    else:
        text = _("The {count} products add up to **{value}**: output [{row}, {column}]. Click on another cell.")
        value = f"{out[row, column]:.4g}".replace("-", "−")
        lines.append(text.format(count=here.products.size, value=value, row=row, column=column))
    if setup.operation == "convolution":
        lines.append(_("The kernel is flipped first, top to bottom and left to right: here you see it flipped."))
    rows, columns = setup.dropped(size, kernel)
    if rows or columns:
        text = _("A stride of {stride} never reaches the last {what}: they are faded in the input.")
        parts = [_count(rows, _("row"), _("rows")), _count(columns, _("column"), _("columns"))]
        lines.append(text.format(stride=setup.stride[1], what=_(" and ").join(p for p in parts if p)))
    elif setup.operation != "transposed":
        text = _("Nothing is dropped at the end.")
        losing = (n for n in range(2, 6) if replace(setup, stride=(setup.stride[0], n)).dropped(size, kernel)[1])
        for stride in list(losing)[:1]:
            text += " " + _("Set the stride to {stride}: which columns disappear?").format(stride=stride)
        lines.append(text)
    if setup.padding == "same" and setup.stride[1] > 1:
        lines.append(_('Torch takes padding="same" at stride 1 only; here the same cells are added at any stride.'))
    return lines


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


def field_detail(
    small: np.ndarray, corner: Pair, crop: Pair, setup: Setup, kernel: Pair, layers: int
) -> tuple[np.ndarray, list[Field]]:
    """A square of the photo around the window's middle, large enough for the last field; and the field of each layer.

    small: uint8 (H, W, 3); corner: the window's (x, y); crop: its rows and columns.
    """
    largest = fields(setup, kernel, small.shape[:2], layers)[-1]
    side = min(max(2 * max(largest.rows, largest.columns), 32), max(small.shape[:2]))
    x, y = (c + s // 2 - side // 2 for c, s in zip(corner, crop[::-1], strict=True))
    detail = window(small, x, y, side)
    return detail, fields(setup, kernel, detail.shape[:2], layers)


def field_table(seen: Sequence[Field]) -> str:
    """Markdown: what each layer sees, and how far apart its cells are."""
    head = [f"| {_('Layer')} | {_('One cell sees (pixels)')} | {_('Neighbours are apart (jump)')} |", "|--:|--:|--:|"]
    return "\n".join([*head, *(f"| {n} | {f.columns} × {f.rows} | {f.jump[1]} |" for n, f in enumerate(seen, 1))])


def field_formula(setup: Setup, kernel: Pair, layers: int) -> str:
    """LaTeX: how the last field's width comes about."""
    layer = shapes.Layer(kernel[1], setup.stride[1], setup.sides(kernel)[1][0], setup.dilation[1])
    return rf"\footnotesize {shapes.receptive_field_formula([layer] * layers)}"


NAMES = {
    "explorer.convolution_views": ("photo_channels", "random_weights", "series_kernel", "spread"),
    "explorer.images": ("fit", "window"),
    "explorer.kernels": ("KERNELS",),
    "explorer.models.convolution": ("conv1d", "conv2d", "conv_transpose2d", "true_convolution"),
    "explorer.tables": ("parse_table",),
}


def snippet(*lines: str) -> str:
    """The lines as a program: the imports that they need go before them."""
    body = "\n".join(lines)
    words = set(re.findall(r"\w+", body))
    used = {module: [name for name in names if name in words] for module, names in NAMES.items()}
    imports = [f"from {module} import {', '.join(names)}" for module, names in used.items() if names]
    return "\n".join(["import torch", *imports, body] if "torch." in body else [*imports, body])

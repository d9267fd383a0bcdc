"""What the pooling page shows: its pictures, and the sentences that say what is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from explorer.components.maps import Map
from explorer.convnet_views import Head, Layer
from explorer.numbers import grouped, number
from explorer.pooling_views import Change, Kind, Pair, Setup, as_grey, change, pool, winners
from explorer.shapes import pool_output_formula
from explorer.text import _

NAMES: dict[Kind, str] = {"max": _("Max pooled"), "average": _("Average pooled"), "global": _("Global average")}
WINDOWED: tuple[Kind, ...] = ("max", "average")


def pooled_maps(image: np.ndarray, seen: np.ndarray, result: np.ndarray, setup: Setup, cell: Pair) -> list[Map]:
    """The map as the windows see it, with the maxima marked, and the pooled map; the window of `cell` is outlined.

    seen: the padded map; cell: (row, column) of the pooled map.
    """
    size = (image.shape[0], image.shape[1])
    sides = setup.sides(size)
    marks, told = None, _("Click on a cell: its window is outlined.")
    if setup.kind == "global":
        told = _("The whole map is one window.")
    if setup.kind == "max":
        marks = winners(image, setup) + np.array([sides[0], sides[2]], np.int32)
        told = _("A dot stands on each maximum: {kept} of {all} cells. The others leave no trace.")
        told = told.format(kept=len(marks), all=image.size)
    place = setup.place(size, *cell)
    frame = (cell[1], cell[0], 1, 1)
    click = "" if setup.kind == "global" else _("Click on a cell to see its window.")
    return [
        Map(seen, _("Map"), told, role="input", rgb=as_grey(seen), frame=place, dropped=setup.dropped(size),
            padding=sides, marks=marks),
        Map(result, NAMES[setup.kind], click, rgb=as_grey(result), frame=frame),
    ]  # fmt: skip


def pooled_text(result: np.ndarray, setup: Setup, size: Pair, cell: Pair) -> str:
    """Markdown: what the outlined window became, and the formula of the pooled map's size with its numbers."""
    width, height = setup.place(size, *cell)[2:]
    value = {"count": width * height, "value": number(result[cell]), "row": cell[0], "column": cell[1]}
    if setup.kind == "global":
        return _("The mean of all {count} numbers is **{value}**: one number for the whole map.").format(**value)
    if setup.kind == "max":
        text = _("The largest of {count} numbers is **{value}**: pooled cell [{row}, {column}].").format(**value)
    else:
        text = _("The mean of {count} numbers is **{value}**: pooled cell [{row}, {column}].").format(**value)
    formulas = [
        f"${pool_output_formula(n, setup.window, setup.stride, setup.padding, ceil_mode=setup.ceil_mode)}$"
        for n in dict.fromkeys(size)
    ]
    return f"{text}\n\n{_('Size:')} {', '.join(formulas)}"


def noise_maps(image: np.ndarray, noisy: np.ndarray, setup: Setup, made: Mapping[Kind, Change]) -> list[Map]:
    """The noisy map, and what max and average pooling make of it. made: how far the pooled maps changed."""
    told = _("The map changed by {mean} on average.").format(mean=number(change(image, noisy).mean))
    pictures = [Map(noisy, _("With noise"), told, role="input", rgb=as_grey(noisy))]
    for kind in WINDOWED:
        pooled = pool(noisy, setup.of(kind))
        told = _("It changed by {mean} on average.").format(mean=number(made[kind].mean))
        pictures.append(Map(pooled, NAMES[kind], told, rgb=as_grey(pooled)))
    return pictures


def shift_maps(unpooled: Change, made: Mapping[Kind, Change]) -> list[Map]:
    """How far each cell changed: of the map itself, and of the pooled maps."""
    named = {_("Not pooled"): unpooled} | {NAMES[kind]: made[kind] for kind in WINDOWED}
    text = _("{share:.0%} of {count} cells changed; on average by {mean}.")
    return [
        Map(c.difference, name, text.format(share=c.share, count=c.difference.size, mean=number(c.mean)), share="shift",
            role="output" if k else "input")
        for k, (name, c) in enumerate(named.items())
    ]  # fmt: skip


def photo_maps(photo: np.ndarray, pooled: Mapping[Kind, np.ndarray]) -> list[Map]:
    """The photo and what pooling made of it, with their sizes. All uint8 (H, W, 3)."""
    named = {_("Photo"): photo} | {NAMES[kind]: pixels for kind, pixels in pooled.items()}
    return [
        Map(pixels, name, f"{pixels.shape[1]} × {pixels.shape[0]}", role="output" if k else "input")
        for k, (name, pixels) in enumerate(named.items())
    ]


def layer_maps(layers: Sequence[Layer]) -> list[Map]:
    """All channels of these layers, a layer's on one scale."""
    return [
        Map(values, f"{layer.name}[{n}]", role="hidden", share=layer.name)
        for layer in layers
        for n, values in enumerate(layer.output)
    ]


def end_maps(channels: int, features: Layer, logits: Layer) -> list[Map]:
    """The flattened maps, a row for each of the channels, and the logits."""
    rows = features.output.reshape(channels, -1)
    told = _("Here a row for each map; the layer reads one row after another.")
    return [
        Map(rows, features.name, told, role="hidden"),
        Map(logits.output[None], logits.name, _("One number for each class.")),
    ]


def what_is_dropped(setup: Setup, size: Pair) -> str:
    """Which cells no window reaches, and whether windows hang over; "" for global pooling."""
    if setup.kind == "global":
        return ""
    said = []
    rows, columns = setup.dropped(size)
    if rows or columns:
        last = [
            one if cells == 1 else many.format(n=cells)
            for cells, one, many in (
                (rows, _("the last row"), _("the last {n} rows")),
                (columns, _("the last column"), _("the last {n} columns")),
            )
            if cells
        ]
        text = _("Torch rounds the size down: no window reaches {what}, faded here.")
        said.append(text.format(what=_(" and ").join(last)))
    if setup.sides(size)[1::2] != (setup.padding, setup.padding):
        said.append(_("Rounded up: the last windows hang over the edge. What they find there does not count."))
    if setup.stride > setup.window:
        said.append(_("The stride is larger than the window: the cells between the windows are skipped."))
    return " ".join(said) or _("Each cell of the map lies in some window.")


def layer_table(layers: Sequence[Layer]) -> str:
    """Markdown: what each line of the network gives, its shape, parameters and MACs."""
    names = {"conv2d": _("Convolution"), "relu": _("ReLU"), "max_pool2d": _("Max pooling"), "flatten": _("Flatten"),
             "linear": _("Linear")}  # fmt: skip
    lines = [f"| {_('Layer')} | {_('Shape')} | {_('Parameters')} | {_('MACs')} |", "|---|---|--:|--:|"]
    for layer in layers:
        shape = "×".join(map(str, layer.output.shape))
        lines.append(
            f"| {names[layer.op]} `{layer.name}` | {shape} | {grouped(layer.parameters)} | {grouped(layer.macs)} |"
        )
    return "\n".join(lines)


def layer_formulas(layers: Sequence[Layer]) -> str:
    """Markdown: how the parameters and MACs of each layer that has some are counted, and how many all have."""
    text = _("- `{name}`: ${parameters}$ parameters, ${macs}$ MACs")
    lines = [
        text.format(name=layer.name, parameters=layer.parameters_formula, macs=layer.macs_formula)
        for layer in layers
        if layer.parameters
    ]
    parameters, macs = sum(layer.parameters for layer in layers), sum(layer.macs for layer in layers)
    text = _("- together **{parameters}** parameters, **{macs}** MACs")
    return "\n".join([*lines, text.format(parameters=grouped(parameters), macs=grouped(macs))])


def head_text(title: str, head: Head) -> str:
    """Markdown: the features and the parameters of a fully connected layer, with their formulas."""
    return (
        f"**{title}**\n\n{_('Features')}: ${head.features_formula}$\n\n{_('Parameters')}: ${head.parameters_formula}$"
    )


def noise_finding(curves: Mapping[Kind, np.ndarray]) -> str:
    """Which pooling this noise reaches more, all strengths taken together."""
    largest, smallest = (float(curves[kind].mean()) for kind in ("max", "average"))
    if largest > smallest:
        text = _("This noise reaches max pooling {ratio:.1f} times as far as average pooling.")
        ratio = largest / smallest if smallest else 0.0
    else:
        text = _("This noise reaches average pooling {ratio:.1f} times as far as max pooling.")
        ratio = smallest / largest if largest else 0.0
    return text.format(ratio=ratio) if ratio else _("This noise reaches both alike.")

"""What the walk through a network says: of a layer, of a cell, of where the costs are, and of the moved photo."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.layer_cells import Cell
from explorer.layer_outputs import LayerOutput, Walk
from explorer.layer_views import Stage
from explorer.numbers import grouped, number
from explorer.shapes import (
    Layer,
    conv_macs_formula,
    conv_parameters_formula,
    linear_parameters_formula,
    receptive_field_step_formula,
)
from explorer.shift_test import ShiftTest
from explorer.text import _
from explorer.units import three

KINDS = {
    "conv2d": _("convolution"),
    "batch_norm": _("batch normalisation"),
    "relu": _("ReLU"),
    "max_pool2d": _("max pooling"),
    "adaptive_avg_pool2d": _("average pooling"),
    "add": _("sum"),
    "cat": _("stack"),
    "linear": _("fully connected layer"),
}


def shape_text(size: Sequence[int]) -> str:
    """(3, 64, 64) → 3 × 64 × 64."""
    return " × ".join(map(str, size))


def kernel_of(layer: LayerOutput) -> tuple[int, int] | None:
    """Rows and columns of its window, None where it has none."""
    if layer.op == "conv2d":
        height, width = layer.weights["weight"].shape[2:]
        return height, width
    if layer.op == "max_pool2d":
        height, width = layer.attrs["kernel_size"]
        return height, width
    return None


def what_it_does(layer: LayerOutput) -> str:
    """One or two sentences, with this photo's numbers where there are some to tell."""
    channels = layer.size[0]
    if layer.op == "conv2d":
        inputs, kernel = layer.inputs[0].shape[0], kernel_of(layer)
        if kernel == (1, 1):
            text = _("Each of its {n} kernels weighs the {m} channels at one place; it looks at no neighbour.")
        else:
            text = _(
                "Each of its {n} kernels slides over all {m} channels and looks for one pattern, the same everywhere."
            )
        return text.format(n=channels, m=inputs)
    if layer.op == "relu":
        share = float((layer.output == 0).float().mean())
        return _("What is below zero becomes zero, the rest stays: on this photo {share:.0%} of the numbers are zero."
                 ).format(share=share)  # fmt: skip
    if layer.op == "linear":
        return _("Each of its {n} numbers weighs all {m} numbers that come in.").format(
            n=channels, m=layer.inputs[0].shape[0]
        )
    if layer.op == "cat":
        widths = " + ".join(str(branch.shape[0]) for branch in layer.inputs)
        return _("The maps of {n} branches are stacked: {widths} = {all} channels. Nothing is computed.").format(
            n=len(layer.inputs), widths=widths, all=channels
        )
    if layer.op == "adaptive_avg_pool2d" and layer.inputs[0].shape == layer.output.shape:
        return _("The map has the size that the next layer wants already, so each number is its own mean.")
    return {
        "batch_norm": _("Each channel is moved and scaled by four numbers of its own, left by the training; no cell looks at "
                        "another."),
        "max_pool2d": _("Of each window only the largest number stays. The map gets smaller, and forgets where it was."),
        "adaptive_avg_pool2d": _("Each map becomes one number, its mean; where something was no longer counts."),
        "add": _("What the block has computed is added to what came in: the shortcut of a residual network."),
    }[layer.op]  # fmt: skip


def facts_table(layer: LayerOutput, walked: Walk) -> str:
    """Markdown: shapes, kernel, parameters, multiply–adds and receptive field, with their formulas."""
    into = " + ".join(shape_text(x.shape) for x in layer.inputs)
    rows = [
        (_("Input → output"), f"{into} → {shape_text(layer.output.shape)}"),
        (_("Window"), _window_text(layer)),
        (_("Parameters"), _parameters(layer)),
        (_("Multiply–adds"), _macs(layer)),
        (_("Receptive field"), _field_text(layer, walked)),
    ]
    lines = [f"| **{layer.name}** | {KINDS[layer.op]} |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows)]
    return "\n".join(lines)


def _window_text(layer: LayerOutput) -> str:
    kernel = kernel_of(layer)
    if kernel is None:
        if layer.op in ("linear", "adaptive_avg_pool2d") and layer.inputs[0].shape != layer.output.shape:
            return _("all that comes in") if layer.op == "linear" else _("the whole map")
        return _("one cell")
    stride, padding = (layer.attrs[name][0] for name in ("stride", "padding"))
    filled = _("zeros") if layer.op == "conv2d" else _("it does not count")
    text = _("{kernel}, stride {stride}, padding {padding}")
    told = text.format(kernel=shape_text(kernel), stride=stride, padding=padding[0])
    groups = layer.attrs.get("groups", 1)
    if groups > 1:
        told += _(", {n} groups").format(n=groups)
    return told + (f" ({filled})" if any(padding) else "")


def _parameters(layer: LayerOutput) -> str:
    if layer.op == "conv2d":
        weight = layer.weights["weight"]
        groups = layer.attrs["groups"]
        formula = conv_parameters_formula(
            weight.shape[1] * groups, weight.shape[0], weight.shape[2:], groups, "bias" in layer.weights
        )
        return f"${formula}$"
    if layer.op == "linear":
        outputs, inputs = layer.weights["weight"].shape
        return f"${linear_parameters_formula(inputs, outputs, 'bias' in layer.weights)}$"
    if layer.op == "batch_norm":
        return rf"$2 \cdot {layer.size[0]} = {layer.parameters}$"
    return _("none")


def _macs(layer: LayerOutput) -> str:
    if layer.op == "conv2d":
        weight, groups = layer.weights["weight"], layer.attrs["groups"]
        formula = conv_macs_formula(
            weight.shape[1] * groups, weight.shape[0], weight.shape[2:], layer.output.shape[1:], groups
        )
        return f"${formula}$"
    if layer.op == "linear":
        outputs, inputs = layer.weights["weight"].shape
        return f"${linear_parameters_formula(inputs, outputs, bias=False)}$"
    return _("none: only convolutions and fully connected layers multiply and sum")


def _field_text(layer: LayerOutput, walked: Walk) -> str:
    if layer.fields is None:
        return _("all of the photo")
    down = layer.fields[0]
    kernel = kernel_of(layer)
    side = walked.x.shape[1]
    told = _("a cell every {jump} pixels").format(jump=down.jump) if down.jump > 1 else _("a cell at every pixel")
    wide = _(", wider than the photo’s {side}").format(side=side) if down.size > side else ""
    source = walked[layer.sources[0]] if layer.sources[0] else None
    before = source.fields[0] if source is not None and source.fields is not None else None
    if kernel is None or (source is not None and before is None):
        return _("{size} pixels a side{wide}, {told}").format(size=down.size, wide=wide, told=told)
    if before is None:
        return _("{size} pixels a side: the kernel lies on the photo itself; {told}").format(size=down.size, told=told)
    one = Layer(kernel[0], layer.attrs["stride"][0], layer.attrs["padding"][0][0], layer.attrs["dilation"][0])
    formula = receptive_field_step_formula(before, one)
    return _("${formula}$ pixels a side{wide}, {told}").format(formula=formula, wide=wide, told=told)


def cell_text(layer: LayerOutput, cell: Cell, side: tuple[int, int]) -> str:
    """The cell's value, what it sees, and how much of that lies beyond the photo."""
    channel, row, column = cell.place
    value = three(cell.value)
    if layer.is_map:
        told = _("Channel {channel}, row {row}, column {column} is **{value}**.").format(
            channel=channel, row=row, column=column, value=value
        )
    else:
        told = _("Number {channel} is **{value}**.").format(channel=channel, value=value)
    if layer.fields is None:
        return f"{told} " + _("It sees all of the photo.")
    size = f"{cell.field.height} × {cell.field.width}"
    told += " " + _("It sees {size} pixels, framed on the photo: nothing outside of them can change it.").format(
        size=size
    )
    above, below, left, right = cell.field.beyond(*side)
    sides = (
        (above, _("1 row above"), _("{n} rows above")),
        (below, _("1 row below"), _("{n} rows below")),
        (left, _("1 column on the left"), _("{n} columns on the left")),
        (right, _("1 column on the right"), _("{n} columns on the right")),
    )
    outside = [one if n == 1 else many.format(n=n) for n, one, many in sides if n]
    if outside:
        where = _(" and ").join([", ".join(outside[:-1]), outside[-1]] if len(outside) > 1 else outside)
        told += " " + _(
            "Of these, {where} lie beyond the photo, where layers read zeros; the frame ends at its edge."
        ).format(where=where)
    return told


def window_note(walked: Walk, cell: Cell) -> str:
    """What is seen above the steps."""
    kernel = cell.arguments.get("kernel")
    if kernel is not None:
        text = _("Channel {n} has a kernel of {size} numbers. Here are the inputs that count most for this cell, of {all}: "
                 "each with the window, its part of the kernel, and the sum of their products.")  # fmt: skip
        return text.format(n=cell.place[0], size=shape_text(kernel.shape), all=len(kernel))
    if "weight" in cell.arguments:
        return _("The sum of all products of the two, and a bias, is the number.")
    return {
        "max_pool2d": _("The frame is the window; its largest number stays."),
        "adaptive_avg_pool2d": _("The frame is what the mean is taken of."),
        "add": _("The framed cells are added."),
        "cat": _("This channel comes from here, as it is."),
    }.get(walked[cell.chain[0]].op, _("The framed cell goes in."))


def shares_text(found: Sequence[Stage], walked: Walk) -> str:
    """Markdown: where the parameters and the multiply–adds are, and how much early and late layers see."""
    memory, work = max(found, key=lambda s: s.parameter_share), max(found, key=lambda s: s.mac_share)
    fields = [stage.fields for stage in found if stage.fields is not None]
    text = _("**{parameters}** parameters, **{p:.0%}** of them in the layers whose output is {where}. **{macs}** "
             "multiply–adds, **{m:.0%}** of them in the layers whose output is {there}.")  # fmt: skip
    told = text.format(
        parameters=grouped(sum(stage.parameters for stage in found)), p=memory.parameter_share, where=_where(memory),
        macs=grouped(sum(stage.macs for stage in found)), m=work.mac_share, there=_where(work),
    )  # fmt: skip
    return told + " " + _("A cell of the first layer sees {first} pixels a side, one of the last map {last}; the photo has "
                          "{side}.").format(first=fields[0][0], last=fields[-1][1], side=walked.x.shape[1])  # fmt: skip


def _where(stage: Stage) -> str:
    rows, across = stage.size
    return f"{rows} × {across}" if rows * across > 1 else _("a vector")


def shares_table(found: Sequence[Stage]) -> str:
    """Markdown: a row for each size of map."""
    heads = (_("Output"), _("Parameters"), _("Multiply–adds"), _("Sees, pixels a side"))
    lines = [f"| {' | '.join(heads)} |", "|---|---:|---:|---:|"]
    for stage in found:
        fields = _("everything") if stage.fields is None else _range(*stage.fields)
        lines.append(
            f"| {_where(stage)} | {grouped(stage.parameters)} ({stage.parameter_share:.0%}) | "
            f"{grouped(stage.macs)} ({stage.mac_share:.0%}) | {fields} |"
        )
    return "\n".join(lines)


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} – {high}"


def shift_finding(test: ShiftTest, pixels: int, labels: Sequence[str]) -> str:
    """What the moved photo changed, in numbers."""
    best = int(test.before.argmax())
    now = int(test.after.argmax())
    first, last = test.blocks[0], test.blocks[-1]
    text = _("{first}: {along} moved along, {still} in place. {last}: {last_along} moved along, {last_still} in place. "
             "“{label}” goes from {before:.1%} to {after:.1%}")  # fmt: skip
    told = text.format(
        first=first, along=number(test.along[0], 2), still=number(test.still[0], 2), last=last,
        last_along=number(test.along[-1], 2), last_still=number(test.still[-1], 2), label=labels[best],
        before=test.before[best], after=test.after[best],
    )  # fmt: skip
    other = "" if now == best else _("; the answer becomes “{label}”").format(label=labels[now])
    return f"{told}{other}."


def shift_hint(test: ShiftTest, pixels: int) -> str:
    """Which maps can follow the photo exactly."""
    exact = [name for name, jump in zip(test.blocks, test.jumps, strict=True) if pixels % jump == 0]
    if not pixels:
        return _("Not moved: all maps are as they were.")
    if not exact:
        return _(
            "The photo moved by less than any map’s step from cell to cell, or between two steps: no map can follow exactly."
        )
    return _("{pixels} pixels are whole cells up to {name}: those maps move along with the photo. Later ones, whose cells are "
             "further apart, fall between two.").format(pixels=pixels, name=exact[-1])  # fmt: skip

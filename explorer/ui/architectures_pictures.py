"""The Architectures page's tables: networks side by side, aligned by the size of their maps; and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal

import numpy as np

from explorer.architectures import SIDE, Outline, Stage
from explorer.components.maps import Map
from explorer.models.googlenet import InceptionConfig
from explorer.network_cost import Cost
from explorer.numbers import grouped, power
from explorer.plots.architectures import Placed
from explorer.text import _
from explorer.units import bytes_text, seconds_text, three
from pretrained.records import Published

By = Literal["macs", "parameters"]
VECTOR = SIDE.bit_length() - 1
"""The row of what is no map any more: after so many halvings one cell is left."""
ROLES: dict[By, str] = {"macs": "hidden", "parameters": "weight"}


def aligned_html(outlines: Sequence[Outline], by: By) -> str:
    """A column for each network, a row for each halving of the map; bars: the stage's share of its network's `by`."""
    halvings = sorted({halving(stage) for one in outlines for stage in one.stages})
    head = "".join(
        f'<th scope="col">{escape(one.network.name)}<small>{one.network.year}</small></th>' for one in outlines
    )
    rows = []
    for row in halvings:
        cells = []
        for one in outlines:
            stage = next((stage for stage in one.stages if halving(stage) == row), None)
            cells.append("<td></td>" if stage is None else _cell(stage, one, by))
        side = SIDE >> row
        size = f"{side} × {side}" if side > 1 else _("vector")
        rows.append(f'<tr><th scope="row">{size}</th>{"".join(cells)}</tr>')
    corner = escape(_("Map"))
    return (
        f'<div class="aligned" tabindex="0"><table><thead><tr><th scope="col">{corner}</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def halving(stage: Stage) -> int:
    """How often the map was halved, to the nearest: AlexNet's 55 × 55 stand beside other networks' 56 × 56."""
    return round(math.log2(SIDE / stage.side)) if stage.side > 1 else VECTOR


def _cell(stage: Stage, whole: Outline, by: By) -> str:
    share = getattr(stage, by) / getattr(whole, by)
    counts = "<br>".join(f"{count}&nbsp;×&nbsp;{escape(kind)}" for kind, count in stage.counts.items())
    channels = _("{n} channels").format(n=grouped(stage.channels)) if stage.side > 1 else _("{n} numbers").format(
        n=grouped(stage.channels))  # fmt: skip
    if stage.side not in {1, SIDE >> halving(stage)}:
        channels = f"{stage.side} × {stage.side}, {channels}"
    told = _("{share:.0%} of its multiply–adds") if by == "macs" else _("{share:.0%} of its parameters")
    return (
        f"<td><div>{counts}</div><small>{channels}</small>"
        f'<div class="bar" role="img" aria-label="{escape(told.format(share=share))}">'
        f'<i style="width:{100 * share:.1f}%;background:var(--role-{ROLES[by]})"></i></div>'
        f"<small>{share:.0%}</small></td>"
    )


def costs_table(outlines: Sequence[Outline], published: Mapping[str, Published], costs: Mapping[str, Cost]) -> str:
    """Markdown. published: by the network's record; costs: by its name, of those that were measured."""
    lines = [
        "| " + " | ".join((_("Network"), _("Depth"), _("Parameters"), _("Multiply–adds"), _("Right, ImageNet"),
                           _("Time here"), _("Memory here"))) + " |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for one in outlines:
        cost = costs.get(one.network.name)
        measured = (seconds_text(cost.median), bytes_text(cost.weights + cost.peak)) if cost else ("–", "–")
        facts = published[one.network.record]
        lines.append(
            f"| {one.network.name} | {one.depth} | {three(one.parameters / 1e6)}\u00a0M | {three(one.macs / 1e9)}\u00a0G | "
            f"{facts.top1:.1%} | {measured[0]} | {measured[1]} |"
        )
    return "\n".join(lines)


def aligned_finding(outlines: Sequence[Outline], by: By) -> str:
    """Where the cost of each network lies, in a sentence."""
    parts = []
    for one in outlines:
        stage = max(one.stages, key=lambda stage: getattr(stage, by))
        where = f"{stage.side} × {stage.side}" if stage.side > 1 else _("its linear layers")
        parts.append(_("{name} {share:.0%} ({where})").format(
            name=one.network.name, share=getattr(stage, by) / getattr(one, by), where=where))  # fmt: skip
    start = _("The costliest part, in multiply–adds: ") if by == "macs" else _("The part with most parameters: ")
    return start + ", ".join(parts) + "."


def placed(
    outlines: Sequence[Outline],
    published: Mapping[str, Published],
    others: Mapping[str, Published],
    costs: Mapping[str, Cost],
    cost: str,
) -> tuple[list[Placed], list[Placed]]:
    """Points of the chosen networks and of all others. others: by name; costs: as costs_table; cost: the horizontal axis."""
    chosen = []
    for one in outlines:
        measured = costs.get(one.network.name)
        values = {"macs": one.macs / 1e9, "parameters": one.parameters / 1e6}
        if measured:
            values["time"] = 1e3 * measured.median
        if cost in values:
            chosen.append(Placed(one.network.name, values[cost], published[one.network.record].top1))
    if cost == "time":
        return chosen, []
    rest = [
        Placed(name, facts.gmacs if cost == "macs" else facts.parameters / 1e6, facts.top1)
        for name, facts in others.items()
        if facts.gmacs
    ]
    return chosen, rest


def cheapest(points: Sequence[Placed]) -> str:
    """The best of the chosen networks, and the cheapest."""
    if not points:
        return _("Press Measure: then the networks stand here by their time on this computer.")
    best, least = max(points, key=lambda one: one.accuracy), min(points, key=lambda one: one.cost)
    return _("{best} is right most often, {top:.1%}; {least} costs least, and is right for {other:.1%}.").format(
        best=best.name, top=best.accuracy, least=least.name, other=least.accuracy
    )


def inception_text(config: InceptionConfig) -> str:
    """The channels of the four branches, as Markdown."""
    lines = [
        _("- **1 × 1**: {n} channels"),
        _("- 1 × 1 to {reduced}, then **3 × 3**: {n} channels"),
        _("- 1 × 1 to {reduced}, then **3 × 3** in place of the paper’s 5 × 5: {n} channels"),
        _("- 3 × 3 **maximum**, then 1 × 1: {n} channels"),
    ]
    numbers = (
        {"n": config.one},
        {"n": config.three, "reduced": config.three_reduced},
        {"n": config.five, "reduced": config.five_reduced},
        {"n": config.pooled},
    )
    told = "\n".join(line.format(**values) for line, values in zip(lines, numbers, strict=True))
    return told + "\n\n" + _("Stacked: {n} channels.").format(n=config.channels)


def inception_pictures(branches: Sequence[np.ndarray], config: InceptionConfig) -> list[Map]:
    """A map of each branch, with the channels that it has in the chosen block."""
    names = (_("1 × 1"), _("3 × 3"), _("“5 × 5”"), _("Maximum, 1 × 1"))
    counts = (config.one, config.three, config.five, config.pooled)
    return [
        Map(branch, name, _("{n} such channels").format(n=count), role="hidden")
        for branch, name, count in zip(branches, names, counts, strict=True)
    ]


def gradient_finding(ratios: Mapping[str, float]) -> str:
    """How the gradient of the first layer compares with the last one's. ratios: by name."""
    told = _("{name}: the first layer’s gradient is {ratio} times the last one’s.")
    return " ".join(told.format(name=name, ratio=power(ratio)) for name, ratio in ratios.items())

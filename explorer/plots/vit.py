"""What patches cost, against their size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import plotly.graph_objects as go

from explorer import palette
from explorer.numbers import grouped
from explorer.plots.style import styled
from explorer.text import _
from explorer.units import bytes_text, seconds_text, three
from explorer.vit_cost import PatchCost

What = Literal["macs", "memory"]
DASHES = ("solid", "dash", "dot")
TICKS_APART = 1.3  # by this factor at least, or their numbers would touch


def cost_against_patch(costs: Sequence[PatchCost], patch: int, what: What, theme: palette.Theme) -> go.Figure:
    """Both axes logarithmic. costs: by rising patch size; patch: the marked one."""
    figure = go.Figure()
    sizes = [cost.config.patch for cost in costs]
    marked = sizes.index(patch)
    for (name, role, values, told), dash in zip(_curves(costs, what), DASHES, strict=False):
        colour = palette.role(role, theme)
        figure.add_scatter(
            x=sizes, y=values, name=name, text=told, mode="lines+markers", line={"color": colour, "dash": dash, "width": 2.5},
            marker={"size": [13 if i == marked else 5 for i in range(len(sizes))]},
            hovertemplate=f"%{{text}}<extra>{name}</extra>",
        )  # fmt: skip
    title = _("Multiply–adds for one photo") if what == "macs" else _("Bytes")
    figure.update_xaxes(title=_("Side of a patch, pixels"), type="log", tickvals=_ticks(sizes), zeroline=False)
    figure.update_xaxes(ticktext=[str(size) for size in _ticks(sizes)])
    figure.update_yaxes(title=title, type="log", exponentformat="power", dtick=1, zeroline=False)
    return styled(figure, theme, height=380)


def _curves(costs: Sequence[PatchCost], what: What) -> list[tuple[str, str, list[int], list[str]]]:
    """(name, role, values, what is said of each)."""
    lengths = [_("P = {p}: n = ({side}/{p})² + {extra} = {n}").format(
        p=c.config.patch, side=c.config.image_size, extra=c.config.extra, n=grouped(c.tokens)) for c in costs]  # fmt: skip
    if what == "memory":
        head = _("{n}<br>n² · 4 bytes = {bytes}")
        layer = _("{n}<br>{heads} heads · n² · 4 bytes = {bytes}")
        weights = _("{n}<br>{count} parameters · 4 bytes = {bytes}")
        return [
            (_("Attention, all heads of a layer"), "hidden", [c.layer_bytes for c in costs],
             [layer.format(n=n, heads=c.config.heads, bytes=bytes_text(c.layer_bytes))
              for n, c in zip(lengths, costs, strict=True)]),
            (_("Attention, one head"), "output", [c.matrix_bytes for c in costs],
             [head.format(n=n, bytes=bytes_text(c.matrix_bytes)) for n, c in zip(lengths, costs, strict=True)]),
            (_("The network’s weights"), "weight", [c.weight_bytes for c in costs],
             [weights.format(n=n, count=grouped(c.parameters), bytes=bytes_text(c.weight_bytes))
              for n, c in zip(lengths, costs, strict=True)]),
        ]  # fmt: skip
    whole = _("{n}<br>{macs}\u00a0G in all")
    attention = _("{n}<br>{layers} layers · 2 · n² · {width} = {macs}\u00a0G")
    rest = _("{n}<br>grows with n: {macs}\u00a0G")
    return [
        (_("Whole network"), "output", [c.macs for c in costs],
         [whole.format(n=n, macs=three(c.macs / 1e9)) for n, c in zip(lengths, costs, strict=True)]),
        (_("QKᵀ and αV alone"), "hidden", [c.attention for c in costs],
         [attention.format(n=n, layers=c.config.layers, width=c.config.width, macs=three(c.attention / 1e9))
          for n, c in zip(lengths, costs, strict=True)]),
        (_("All matrices of weights"), "weight", [c.linear + c.projection for c in costs],
         [rest.format(n=n, macs=three((c.linear + c.projection) / 1e9)) for n, c in zip(lengths, costs, strict=True)]),
    ]  # fmt: skip


def _ticks(sizes: Sequence[int]) -> list[int]:
    """The sizes whose numbers do not touch; powers of two go first."""
    kept = [size for size in sizes if size & (size - 1) == 0]
    for size in sizes:
        with_it = sorted({*kept, size})
        if all(high >= TICKS_APART * low for low, high in pairwise(with_it)):
            kept = with_it
    return kept


def time_against_tokens(
    macs: Mapping[int, int], seconds: Mapping[int, float], own: int, theme: palette.Theme
) -> go.Figure:
    """One layer for more and more tokens, in multiples of what it takes for `own`; both axes logarithmic.

    macs: multiply–adds by number of tokens; seconds: of those numbers that were measured.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=list(macs), y=[count / macs[own] for count in macs.values()], name=_("Multiply–adds"), mode="lines",
        text=[three(count / 1e9) for count in macs.values()], line={"color": palette.role("output", theme), "width": 2.5},
        hovertemplate=_("%{x} tokens: %{y:.3~g} times, %{text}\u00a0G") + f"<extra>{_('Multiply–adds')}</extra>",
    )  # fmt: skip
    if own in seconds:
        taken = dict(sorted(seconds.items()))
        figure.add_scatter(
            x=list(taken), y=[one / seconds[own] for one in taken.values()], name=_("Time, measured"), mode="markers",
            text=[seconds_text(one) for one in taken.values()],
            marker={"color": palette.role("gradient", theme), "size": 10, "symbol": "diamond"},
            hovertemplate=_("%{x} tokens: %{y:.3~g} times, %{text}") + f"<extra>{_('Time, measured')}</extra>",
        )  # fmt: skip
    room = 0.04
    figure.update_xaxes(title=_("Tokens, n"), type="log", tickvals=list(macs), zeroline=False)
    figure.update_xaxes(range=[math.log10(min(macs)) - room, math.log10(max(macs)) + room])
    figure.update_xaxes(ticktext=[grouped(count) for count in macs])
    figure.update_yaxes(title=_("Times as much as for {n} tokens").format(n=own), type="log", dtick=1, zeroline=False)
    return styled(figure, theme, height=340).update_layout(showlegend=True)

"""Costs against the length of a sequence, on log–log scales: measured points, the laws fitted to them, and exact counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.cost_fits import Fit, Laws
from explorer.numbers import grouped
from explorer.plots.style import styled
from explorer.text import _

COLOURS = (0, 1, 9, 2, 5)
"""Places in palette.HEADS that stay apart beside each other, in light and dark."""
MARKERS = ("circle", "square", "diamond", "cross", "x")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
LAWS = {1: "a + b·n", 2: "a + b·n²"}
LAW_DASHES = {1: "dash", 2: "solid"}


@dataclass(frozen=True, eq=False)
class Series:
    """The points of one layer. number: its colour and its marker. low, high: ends of the bars; laws: drawn if there."""

    name: str
    number: int
    lengths: np.ndarray
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    laws: Laws | None = None


def costs(series: Sequence[Series], theme: palette.Theme, title: str, unit: str, *, both: bool, span: int) -> go.Figure:
    """Points with bars, and through them the law that fits better in a heavy line; `both`: the other in a light one.

    title, unit: of the values. span: the longest length that the axis has room for.
    """
    figure = go.Figure()
    for one in series:
        if one.laws is not None:
            for fit in (one.laws.worse, one.laws.better) if both else (one.laws.better,):
                _law(figure, one, fit, fit is one.laws.better, theme)
    for one in series:
        figure.add_scatter(
            x=one.lengths,
            y=one.values,
            name=one.name,
            mode="markers",
            marker={"color": palette.HEADS[theme][COLOURS[one.number]], "symbol": MARKERS[one.number], "size": 9},
            error_y={"array": one.high - one.values, "arrayminus": one.values - one.low, "thickness": 1.5, "width": 4},
            hovertemplate=_("%{x:,} words: %{y:.3~g}") + f" {unit}<extra>{one.name}</extra>",
        )
    drawn = {fit.power for one in series if one.laws for fit in (one.laws.better, *[one.laws.worse] * both)}
    for power in sorted(drawn):
        line = {"color": palette.FAINT[theme], "dash": LAW_DASHES[power], "width": 2}
        figure.add_scatter(x=[None], y=[None], name=LAWS[power], mode="lines", line=line, hoverinfo="skip")
    return _log_axes(figure, theme, f"{title} ({unit})", span)


@dataclass(frozen=True, eq=False)
class CountSeries:
    """Exact counts of one layer. number: its colour, its marker and its dash. line: at `along`, the law that they follow."""

    name: str
    number: int
    lengths: np.ndarray
    values: np.ndarray
    along: np.ndarray
    line: np.ndarray


def counts(series: Sequence[CountSeries], theme: palette.Theme, title: str, span: int) -> go.Figure:
    """Counted points, and the line that goes through all of them."""
    figure = go.Figure()
    for one in series:
        colour = palette.HEADS[theme][COLOURS[one.number]]
        line = {"color": colour, "width": 2, "dash": DASHES[one.number]}
        hover = _("%{x:,} words: %{y:,}") + f"<extra>{one.name}</extra>"
        figure.add_scatter(x=one.along, y=one.line, mode="lines", line=line, showlegend=False, hovertemplate=hover)
        marker = {"color": colour, "symbol": MARKERS[one.number], "size": 9}
        figure.add_scatter(
            x=one.lengths, y=one.values, name=one.name, mode="markers", marker=marker, hovertemplate=hover
        )
    return _log_axes(figure, theme, title, span, least=4)


def _law(figure: go.Figure, one: Series, fit: Fit, better: bool, theme: palette.Theme) -> None:
    x = np.geomspace(one.lengths[0], one.lengths[-1], 40)
    line = {
        "color": palette.HEADS[theme][COLOURS[one.number]],
        "dash": LAW_DASHES[fit.power],
        "width": 2.5 if better else 1,
    }
    text = f"{LAWS[fit.power]}, " + _("error {error:.0%}").format(error=fit.error)
    figure.add_scatter(
        x=x, y=fit.at(x), mode="lines", line=line, opacity=1 if better else 0.6, showlegend=False,
        hovertemplate=f"{text}<extra>{one.name}</extra>",
    )  # fmt: skip


def _log_axes(figure: go.Figure, theme: palette.Theme, title: str, span: int, least: int = 32) -> go.Figure:
    styled(figure, theme, height=400)
    # Room for three lines of legend, so that the plot keeps its size whatever they are.
    figure.update_layout(margin_t=84, legend_font_size=13)
    octaves = int(np.log2(span / least))
    lengths = [least * 2**k for k in range(0, octaves + 1, 1 if octaves < 9 else 2)]
    room = 0.08
    figure.update_xaxes(type="log", tickvals=lengths, ticktext=[grouped(n) for n in lengths], title=_("Words, n"))
    figure.update_xaxes(range=[np.log10(least) - room, np.log10(span) + room], zeroline=False)
    figure.update_yaxes(type="log", title=title, dtick=1, exponentformat="none", zeroline=False)
    return figure

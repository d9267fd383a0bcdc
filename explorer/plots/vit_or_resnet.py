"""Two networks side by side: what harm does to their answers, and how far their places look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.plots.style import styled
from explorer.text import _

LOOKS = (("query", "solid", "circle"), ("gradient", "dash", "square"))
"""Role, dash and marker of the first network and of the second."""


@dataclass(frozen=True, eq=False)
class Spread:
    """One network's probability along the levels: (n,) each, 0–1."""

    median: np.ndarray
    low: np.ndarray
    high: np.ndarray


def robustness(
    ticks: Sequence[str], spreads: Mapping[str, Spread], chosen: int, title: str, theme: palette.Theme
) -> go.Figure:
    """Medians as lines, the range over the seeds as bands.

    ticks: the levels' names; chosen: the marked level's place; title: of the axis.
    """
    figure = go.Figure()
    x = list(range(len(ticks)))
    for (name, one), (role, dash, symbol) in zip(spreads.items(), LOOKS, strict=True):
        colour = palette.role(role, theme)
        red, green, blue = palette.rgb(colour)
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*one.high, *one.low[::-1]], mode="lines", fill="toself",
            fillcolor=f"rgba({red},{green},{blue},0.14)", line={"width": 0}, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=one.median, name=name, mode="lines+markers", customdata=np.stack([one.low, one.high], axis=1),
            line={"color": colour, "width": 2.5, "dash": dash}, marker={"color": colour, "symbol": symbol, "size": 8},
            hovertemplate="%{y:.1%} (%{customdata[0]:.1%}–%{customdata[1]:.1%})" + f"<extra>{name}</extra>",
        )  # fmt: skip
    figure.add_vline(chosen, line={"color": palette.FAINT[theme], "width": 1, "dash": "dot"})
    styled(figure, theme)
    figure.update_xaxes(tickvals=x, ticktext=list(ticks), title=title, zeroline=False)
    figure.update_yaxes(range=[0, 1.04], tickformat=".0%", title=_("Probability of its own answer"))
    return figure


@dataclass(frozen=True, eq=False)
class Curve:
    """Distances along the depth of a network: depth (n,), 0–1; distance (n,), shares of the photo's side."""

    depth: np.ndarray
    distance: np.ndarray


def distances(
    heads: np.ndarray, layer_depth: np.ndarray, first: Curve, second: Curve, furthest: Curve, even: float, chosen: float,
    names: tuple[str, str], theme: palette.Theme,
) -> go.Figure:  # fmt: skip
    """How far the middle of the photo looks.

    heads: (layers, heads), by attention, at layer_depth (layers,); first, second: of the two networks, by gradient, names
    theirs; furthest: half the second's receptive field; even: of a place that looks everywhere alike; chosen: depth.
    """
    figure = go.Figure()
    layers, count = heads.shape
    figure.add_scatter(
        x=np.repeat(layer_depth, count), y=heads.reshape(-1), name=_("{name}: heads, by attention").format(name=names[0]),
        mode="markers", marker={"color": palette.role("key", theme), "size": 7, "symbol": "circle-open", "line_width": 1.5},
        customdata=[_("layer {l}, head {h}").format(l=n + 1, h=h + 1) for n in range(layers) for h in range(count)],
        hovertemplate="%{customdata}: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    for name, curve, (role, dash, symbol) in zip(names, (first, second), LOOKS, strict=True):
        colour = palette.role(role, theme)
        label = _("{name}: by gradient").format(name=name)
        figure.add_scatter(
            x=curve.depth, y=curve.distance, name=label, mode="lines+markers",
            line={"color": colour, "width": 2.5, "dash": dash}, marker={"color": colour, "symbol": symbol, "size": 8},
            hovertemplate="%{y:.3f}" + f"<extra>{label}</extra>",
        )  # fmt: skip
    label = _("{name}: half the receptive field").format(name=names[1])
    figure.add_scatter(
        x=furthest.depth, y=furthest.distance, name=label, mode="lines", hovertemplate="%{y:.3f}" + f"<extra>{label}</extra>",
        line={"color": palette.role("gradient", theme), "width": 1.5, "dash": "dot"},
    )  # fmt: skip
    figure.add_hline(even, line={"color": palette.FAINT[theme], "width": 1})
    figure.add_annotation(
        x=0, y=even, text=_("looks everywhere alike"), showarrow=False, xanchor="left", yanchor="bottom",
        font={"color": palette.FAINT[theme], "size": 13},
    )  # fmt: skip
    figure.add_vline(chosen, line={"color": palette.FAINT[theme], "width": 1, "dash": "dot"})
    styled(figure, theme, height=420)
    figure.update_layout(margin_t=70)
    figure.update_xaxes(title=_("Depth, share of the blocks"), tickformat=".0%", range=[-0.03, 1.03], zeroline=False)
    figure.update_yaxes(title=_("Distance, share of the side"), tickformat=".0%", rangemode="tozero")
    return figure

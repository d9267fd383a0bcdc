"""Curves of the attention page: how the softmax saturates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.plots.style import styled
from explorer.text import _

DASHES = ("solid", "dash", "dot", "dashdot")


def against_temperature(
    temperatures: np.ndarray, weights: np.ndarray, keys: Sequence[str], chosen: float, theme: palette.Theme
) -> go.Figure:
    """One query's weights. temperatures: (n,); weights: (n, S), NaN for none; keys: S names; chosen: the marked one."""
    figure = _lines(temperatures, dict(zip(keys, weights.T, strict=True)), theme, "%{x:.3g}: %{y:.3f}")
    figure.add_vline(chosen, line={"color": palette.FAINT[theme], "width": 1, "dash": "dot"})
    figure.update_xaxes(title=_("Temperature"), type="log", tickvals=[0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20])
    figure.update_yaxes(title=_("Weight"), range=[-0.02, 1.02])
    return styled(figure, theme)


def against_width(widths: np.ndarray, shares: Mapping[str, np.ndarray], theme: palette.Theme) -> go.Figure:
    """Entropy over its most. widths: (n,) d_k; shares: how the scores were made → (n,), 0–1."""
    figure = _lines(widths, shares, theme, "d_k = %{x}: %{y:.0%}", markers=True)
    figure.update_xaxes(title=_("Width d_k"), type="log", tickvals=list(widths))
    figure.update_yaxes(title=_("Entropy, share of the most"), range=[0, 1.02], tickformat=".0%")
    return styled(figure, theme)


def _lines(
    x: np.ndarray, curves: Mapping[str, np.ndarray], theme: palette.Theme, hover: str, markers: bool = False
) -> go.Figure:
    """A line for each name, told apart by colour and dashes. hover: plotly's template of a point."""
    figure = go.Figure()
    for place, (name, y) in enumerate(curves.items()):
        line = {"color": palette.HEADS[theme][place], "dash": DASHES[place % len(DASHES)], "width": 2.5}
        figure.add_scatter(
            x=x,
            y=y,
            name=name,
            mode="lines+markers" if markers else "lines",
            line=line,
            hovertemplate=f"{hover}<extra>{name}</extra>",
        )
    figure.update_layout(showlegend=True)
    return figure

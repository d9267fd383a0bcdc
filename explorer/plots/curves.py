"""Curves over one quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.plots.style import styled
from explorer.text import _

DASHES = ("solid", "dash", "dot", "dashdot")


def angle_error(orientation: np.ndarray, errors: Mapping[str, np.ndarray], theme: palette.Theme) -> go.Figure:
    """Signed error of the gradient's direction against the edge's, degrees. errors: filter name → (n,) degrees."""
    figure = _lines(orientation, errors, theme, "%{x:.0f}°: %{y:+.3f}°")
    figure.update_xaxes(title=_("Direction of the edge (degrees)"), dtick=15)
    figure.update_yaxes(title=_("Error of the measured direction (degrees)"))
    return styled(figure, theme)


def noise_change(
    strength: np.ndarray, changes: Mapping[str, np.ndarray], chosen: float, theme: palette.Theme
) -> go.Figure:
    """What noise does to pooled maps. strength: (n,) percent; changes: pooling's name → (n,); chosen: the marked strength."""
    figure = _lines(strength, changes, theme, "%{x:.0f} %: %{y:.3f}")
    figure.add_vline(chosen, line={"color": palette.FAINT[theme], "width": 1, "dash": "dot"})
    figure.update_xaxes(title=_("Strength of the noise (%)"), rangemode="tozero")
    figure.update_yaxes(title=_("Mean change of a pooled cell"), rangemode="tozero")
    return styled(figure, theme)


def gradient_norms(curves: Mapping[str, np.ndarray], theme: palette.Theme) -> go.Figure:
    """Lengths of gradients on a logarithmic scale, against the steps to the end. curves: name → (T,), t = 1 … T, > 0."""
    steps = max(len(curve) for curve in curves.values())
    figure = _lines(np.arange(steps), {name: curve[::-1] for name, curve in curves.items()}, theme, "%{x}: %{y:.2e}")
    figure.update_xaxes(title=_("Steps before the last, T − t"), rangemode="tozero")
    figure.update_yaxes(title=_("|∂L/∂h| at step t"), type="log", exponentformat="power", nticks=8)
    return styled(figure, theme, height=360)


def shift_correlation(blocks: Sequence[str], curves: Mapping[str, np.ndarray], theme: palette.Theme) -> go.Figure:
    """How alike a network's maps are before and after the photo moved. blocks: (n,) names, curves: name → (n,), −1 to 1."""
    figure = _lines(np.array(blocks), curves, theme, "%{x}: %{y:.2f}")
    figure.update_traces(mode="lines+markers", marker={"size": 7})
    figure.update_xaxes(title=_("Block"))
    figure.update_yaxes(
        title=_("Correlation of the maps"), range=[min(0.0, *(c.min() for c in curves.values())) - 0.03, 1.05]
    )
    return styled(figure, theme, height=340)


def _lines(x: np.ndarray, curves: Mapping[str, np.ndarray], theme: palette.Theme, hover: str) -> go.Figure:
    """A line for each name, told apart by colour and dashes. hover: plotly's template of a point."""
    figure = go.Figure()
    colours = [palette.role(name, theme) for name in ("gradient", "output", "hidden", "weight")]
    for (name, y), colour, dash in zip(curves.items(), colours, DASHES, strict=False):
        line = {"color": colour, "dash": dash, "width": 2.5}
        figure.add_scatter(x=x, y=y, name=name, mode="lines", line=line, hovertemplate=f"{hover}<extra>{name}</extra>")
    return figure

"""Curves over one quantity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.plots.style import styled
from explorer.text import _

DASHES = ("solid", "dash", "dot", "dashdot")


def angle_error(orientation: np.ndarray, errors: Mapping[str, np.ndarray], theme: palette.Theme) -> go.Figure:
    """Signed error of the gradient's direction against the edge's, degrees. errors: filter name → (n,) degrees."""
    figure = go.Figure()
    colours = [palette.role(name, theme) for name in ("gradient", "output", "hidden", "weight")]
    for (name, error), colour, dash in zip(errors.items(), colours, DASHES, strict=False):
        figure.add_scatter(
            x=orientation,
            y=error,
            name=name,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate="%{x:.0f}°: %{y:+.3f}°<extra>" + name + "</extra>",
        )
    figure.update_xaxes(title=_("Direction of the edge (degrees)"), dtick=15)
    figure.update_yaxes(title=_("Error of the measured direction (degrees)"))
    return styled(figure, theme)

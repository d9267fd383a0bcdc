"""Figures of the multi-head page."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.plots.style import styled
from explorer.text import _


def time_by_heads(heads: np.ndarray, milliseconds: np.ndarray, theme: palette.Theme) -> go.Figure:
    """Measured time of one layer against its number of heads, both (n,)."""
    figure = go.Figure(
        go.Bar(
            x=[str(n) for n in heads],
            y=milliseconds,
            marker_color=palette.role("hidden", theme),
            text=[f"{ms:.1f}" for ms in milliseconds],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=_("%{x} heads: %{y:.3f} ms") + "<extra></extra>",
        )
    )
    figure.layout.xaxis = {"title": {"text": _("Heads")}, "type": "category", "showgrid": False}
    figure.layout.yaxis = {"title": {"text": _("Milliseconds")}, "rangemode": "tozero"}
    return styled(figure, theme, height=280)

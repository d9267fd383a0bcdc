"""Bars for a few named quantities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.plots.style import styled


def probabilities(
    labels: Sequence[str], values: np.ndarray, theme: palette.Theme, marked: int | None = None
) -> go.Figure:
    """Horizontal bars from 0 to 1, the first on top. marked: the one drawn in the accent, the others fainter."""
    colours = [palette.role("output", theme) if i == marked else palette.FAINT[theme] for i in range(len(labels))]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=list(range(len(labels))),
            orientation="h",
            marker_color=colours,
            width=0.62,
            text=[f"{v:.1%}" for v in values],
            textposition="outside",
            cliponaxis=False,
            customdata=list(labels),
            hovertemplate="%{customdata}: %{x:.6f}<extra></extra>",
        )
    )
    styled(figure, theme, height=44 * len(labels) + 20)
    figure.update_xaxes(range=[0, 1.12], visible=False)
    figure.update_yaxes(
        autorange="reversed",
        tickvals=list(range(len(labels))),
        ticktext=list(labels),
        showgrid=False,
        ticks="",
        zeroline=False,
    )
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, showlegend=False)
    return figure

"""Figures of the BERT page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.plots.style import styled
from explorer.text import _


def statistic_by_layer(values: np.ndarray, title: str, chosen: tuple[int, int], theme: palette.Theme) -> go.Figure:
    """A dot for each head, by layer; the chosen one filled. values: (layers, heads)."""
    layers, heads = values.shape
    layer, head = np.divmod(np.arange(layers * heads), heads)
    spread = (head - (heads - 1) / 2) / max(heads, 1) * 0.5  # side by side, so that none hides another
    figure = go.Figure()
    for marked in (False, True):
        kept = ((layer == chosen[0]) & (head == chosen[1])) == marked
        figure.add_scatter(
            x=(layer + 1 + spread)[kept],
            y=values.ravel()[kept],
            mode="markers",
            marker={
                "size": 13 if marked else 8,
                "color": palette.ACCENT[theme] if marked else palette.FAINT[theme],
                "symbol": "diamond" if marked else "circle-open",
            },
            customdata=np.stack([layer + 1, head + 1], axis=1)[kept],
            hovertemplate=_("Layer %{customdata[0]}, head %{customdata[1]}: %{y:.4f}") + "<extra></extra>",
            showlegend=False,
        )
    styled(figure, theme, height=360)
    figure.update_xaxes(title_text=_("Layer"), dtick=1, range=[0.5, layers + 0.5], showgrid=False)
    figure.update_yaxes(title_text=title, rangemode="tozero")
    return figure


def by_layer(curves: Mapping[str, np.ndarray], title: str, theme: palette.Theme, span: Sequence[float]) -> go.Figure:
    """Curves over the layers; 0 is what goes into the first. Each (layers + 1,). span: of the y axis."""
    figure = go.Figure()
    roles = ("output", "hidden", "query", "weight", "key", "value", "input", "gradient")
    symbols = ("circle", "diamond", "square", "cross", "x", "triangle-up", "triangle-down", "star")
    for number, (name, curve) in enumerate(curves.items()):
        figure.add_scatter(
            x=np.arange(len(curve)),
            y=curve,
            name=name,
            mode="lines+markers",
            line={"color": palette.role(roles[number % len(roles)], theme), "width": 2},
            marker={"symbol": symbols[number % len(symbols)], "size": 8},
            hovertemplate=_("layer %{x}: %{y:.4f}") + f"<extra>{name}</extra>",
        )
    styled(figure, theme, height=320)
    figure.update_layout(showlegend=True)
    figure.update_xaxes(title_text=_("After layer (0: embeddings)"), dtick=1, showgrid=False)
    figure.update_yaxes(title_text=title, range=list(span))
    return figure

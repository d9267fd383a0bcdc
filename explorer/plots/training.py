"""The curve of a training: its loss, and the share of held-out examples that it has right."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.plots.style import styled
from explorer.text import _


def training_curve(
    losses: np.ndarray,
    checked: np.ndarray,
    accuracy: np.ndarray,
    steps: int,
    chance: float,
    baselines: Mapping[str, float],
    theme: palette.Theme,
) -> go.Figure:
    """Two axes. losses: (n,), of updates 1 … n of `steps`; checked: (m,), updates after which accuracy, (m,), was measured.

    chance: the loss of blind guessing, which ends the axis; baselines: name → accuracy of simpler methods, dotted.
    """
    figure = go.Figure()
    loss, right = palette.role("gradient", theme), palette.role("output", theme)
    figure.add_scatter(
        x=np.arange(1, len(losses) + 1),
        y=losses,
        mode="lines",
        name=_("Loss (left)"),
        line={"color": loss, "width": 2},
        hovertemplate=_("update %{x}: loss %{y:.3f}") + "<extra></extra>",
    )
    figure.add_scatter(
        x=checked,
        y=accuracy,
        mode="lines+markers",
        name=_("Right on held-out sentences (right)"),
        yaxis="y2",
        line={"color": right, "width": 2.5, "dash": "dash"},
        marker={"size": 7},
        hovertemplate=_("after %{x} updates: %{y:.1%}") + "<extra></extra>",
    )
    lowest = min(baselines.values(), default=0.0)
    for name, value in baselines.items():
        figure.add_scatter(
            x=[0, steps],
            y=[value, value],
            mode="lines+text",
            text=["", f"{name} {value:.0%}"],
            textposition="bottom left" if value == lowest else "top left",
            textfont={"color": palette.FAINT[theme], "size": 12},
            yaxis="y2",
            line={"color": palette.FAINT[theme], "width": 1, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    styled(figure, theme, height=300)
    figure.update_xaxes(title_text=_("Updates"), range=[0, steps])
    figure.update_layout(
        yaxis={"title": {"text": _("Loss")}, "range": [0, 1.08 * max(chance, float(losses.max(initial=0.0)))]},
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "range": [0, 1.04],
            "tickformat": ".0%",
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "showgrid": False,
            "automargin": True,
        },
    )
    return figure

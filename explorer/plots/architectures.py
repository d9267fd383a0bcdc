"""Networks compared: accuracy against cost, and the gradient at every layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.plots.style import styled
from explorer.text import _


@dataclass(frozen=True)
class Placed:
    """A network in the plane. cost: > 0; accuracy: 0–1."""

    name: str
    cost: float
    accuracy: float


def accuracy_against_cost(
    chosen: Sequence[Placed], others: Sequence[Placed], title: str, theme: palette.Theme
) -> go.Figure:
    """chosen: named, in colour; others: small and grey. title: of the cost, with its unit, on a logarithmic axis."""
    figure = go.Figure()
    figure.add_scatter(
        x=[one.cost for one in others],
        y=[one.accuracy for one in others],
        text=[one.name for one in others],
        name=_("All others of torchvision"),
        mode="markers",
        marker={"size": 6, "color": palette.FAINT[theme], "opacity": 0.45},
        hovertemplate="%{text}: %{y:.1%}, %{x:.3~g}<extra></extra>",
    )
    figure.add_scatter(
        x=[one.cost for one in chosen],
        y=[one.accuracy for one in chosen],
        text=[one.name for one in chosen],
        name=_("Chosen"),
        mode="markers+text",
        textposition=_apart([one.cost for one in chosen]),
        marker={"size": 12, "color": palette.role("output", theme), "line": {"width": 1, "color": palette.TEXT[theme]}},
        hovertemplate="%{text}: %{y:.1%}, %{x:.3~g}<extra></extra>",
        cliponaxis=False,
    )
    figure.update_xaxes(title=title, type="log", nticks=8)
    figure.update_yaxes(title=_("Right at the first guess, ImageNet"), tickformat=".0%")
    return styled(figure, theme, height=400)


def _apart(costs: Sequence[float]) -> list[str]:
    """Where the names stand, so that neighbours' do not overlap: above and below in turn."""
    ranks = np.argsort(np.argsort(costs))
    return [("bottom center", "top center")[int(rank) % 2] for rank in ranks]


def layer_gradients(curves: Mapping[str, np.ndarray], theme: palette.Theme) -> go.Figure:
    """‖∂L/∂W‖ of every convolution on a logarithmic scale. curves: name → (layers,), the layer next to the photo first."""
    figure = go.Figure()
    for (name, norms), role, dash in zip(curves.items(), ("output", "gradient"), ("solid", "dash"), strict=False):
        figure.add_scatter(
            x=np.arange(1, len(norms) + 1),
            y=norms,
            name=name,
            mode="lines",
            line={"color": palette.role(role, theme), "dash": dash, "width": 2.5},
            hovertemplate=_("layer %{x}: %{y:.3~g}") + f"<extra>{name}</extra>",
        )
    figure.update_xaxes(title=_("Convolution, counted from the photo"), rangemode="tozero")
    figure.update_yaxes(title=_("Size of its weights’ gradient"), type="log", exponentformat="power", nticks=8)
    return styled(figure, theme, height=380)

"""Figures of the page on positional encoding: a wave, curves over the offset, vectors on a circle, accuracy by place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer import palette
from explorer.plots.style import styled
from explorer.text import _

HEIGHT = 250
ROLES = {"none": "mask", "learned": "weight", "sinusoid": "input"}
DASHES = {"none": "dot", "learned": "solid", "sinusoid": "dash"}


def wave(
    positions: np.ndarray, values: np.ndarray, numbers: np.ndarray, chosen: int, name: str, theme: palette.Theme
) -> go.Figure:
    """One dimension. positions, values: (n,), its curve; numbers: (length,), the encoding itself; chosen: a position."""
    colour = palette.role("output", theme)
    figure = go.Figure()
    line = {"color": palette.FAINT[theme], "width": 1.5}
    figure.add_scatter(x=positions, y=values, mode="lines", line=line, hoverinfo="skip", showlegend=False)
    figure.add_scatter(
        x=np.arange(len(numbers)),
        y=numbers,
        mode="markers",
        marker={"color": colour, "size": 6},
        name=name,
        showlegend=False,
        hovertemplate=_("position %{x}: %{y:.4f}") + "<extra></extra>",
    )
    figure.add_vline(chosen, line={"color": palette.FAINT[theme], "width": 1, "dash": "dot"})
    styled(figure, theme, height=HEIGHT)
    figure.update_xaxes(title_text=_("Position"), range=[-0.5, len(numbers) - 0.5])
    figure.update_yaxes(title_text=name, range=[-1.12, 1.12], dtick=0.5)
    return figure


def by_offset(dot: np.ndarray, distance: np.ndarray, chosen: int, theme: palette.Theme) -> go.Figure:
    """Dot product and distance of two positions against how far apart they are, each (length,). chosen: an offset."""
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.12)
    curves = ((_("Dot product"), dot, "output", "solid"), (_("Distance"), distance, "gradient", "dash"))
    for column, (name, values, role, dash) in enumerate(curves, start=1):
        figure.add_scatter(
            x=np.arange(len(values)),
            y=values,
            mode="lines",
            line={"color": palette.role(role, theme), "dash": dash, "width": 2.5},
            name=name,
            hovertemplate=_("%{x} apart: %{y:.4f}") + f"<extra>{name}</extra>",
            row=1,
            col=column,
        )
        figure.update_yaxes(title_text=name, row=1, col=column)
    figure.add_vline(chosen, line={"color": palette.FAINT[theme], "width": 1, "dash": "dot"})
    styled(figure, theme, height=HEIGHT)
    figure.update_xaxes(title_text=_("Offset, positions"))
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(showlegend=False)
    return figure


def circle(
    before: np.ndarray, after: np.ndarray, angle: float, names: tuple[str, str], theme: palette.Theme
) -> go.Figure:
    """Two vectors (sin, cos) of one pair on the unit circle, and the turn between them.

    Drawn with the cosine to the right and the sine upwards, so that the angle grows against the clock. angle: of the turn,
    radians, any size. names: of the vectors.
    """
    figure = go.Figure()
    around = np.linspace(0, 2 * np.pi, 121)
    figure.add_scatter(x=np.cos(around), y=np.sin(around), mode="lines", hoverinfo="skip",
                       line={"color": palette.LINE[theme], "width": 1.5})  # fmt: skip
    start = float(np.arctan2(before[0], before[1]))
    # More than a whole turn winds outwards, so that each turn is seen.
    part = np.linspace(0, angle, max(int(abs(angle) * 20), 2))
    radius = 0.35 + 0.06 * part / (2 * np.pi)
    figure.add_scatter(x=radius * np.cos(start + part), y=radius * np.sin(start + part), mode="lines", hoverinfo="skip",
                       line={"color": palette.role("gradient", theme), "width": 2, "dash": "dot"})  # fmt: skip
    for (sin, cos), name, role in ((before, names[0], "input"), (after, names[1], "output")):
        colour = palette.role(role, theme)
        figure.add_scatter(
            x=[0, cos],
            y=[0, sin],
            mode="lines+markers+text",
            line={"color": colour, "width": 3, "dash": "solid" if role == "input" else "dash"},
            marker={"color": colour, "size": [0, 10], "symbol": "circle" if role == "input" else "diamond"},
            text=["", name],
            textposition="top center" if sin >= 0 else "bottom center",
            textfont={"color": colour},
            cliponaxis=False,
            hovertemplate=f"{name}: cos %{{x:.4f}}, sin %{{y:.4f}}<extra></extra>",
        )
    styled(figure, theme, height=340)
    reach = [-1.35, 1.35]
    figure.update_xaxes(title_text="cos", range=reach, tickvals=[-1, 0, 1], constrain="domain")
    figure.update_yaxes(title_text="sin", range=reach, tickvals=[-1, 0, 1], scaleanchor="x", scaleratio=1)
    figure.update_layout(showlegend=False)
    return figure


def accuracy_by_place(
    accuracy: Mapping[str, np.ndarray], names: Mapping[str, str], trained: int, chance: float, theme: palette.Theme
) -> go.Figure:
    """Share of sentences in which word 2, 3, … has its predecessor named. accuracy: kind of positions → (n,).

    names: how the kinds are called. trained: how many words a sentence in training has; chance: of blind guessing.
    """
    figure = go.Figure()
    for kind, values in accuracy.items():
        figure.add_scatter(
            x=np.arange(2, len(values) + 2),
            y=values,
            mode="lines+markers",
            name=names[kind],
            line={"color": palette.role(ROLES[kind], theme), "dash": DASHES[kind], "width": 2.5},
            marker={"size": 5},
            hovertemplate=_("word %{x}: %{y:.1%}") + f"<extra>{names[kind]}</extra>",
        )
    faint = {"color": palette.FAINT[theme], "width": 1, "dash": "dot"}
    figure.add_vline(trained + 0.5, line=faint)
    figure.add_annotation(x=trained + 0.6, y=1.1, text=_("beyond training →"), showarrow=False, xanchor="left",
                          font={"color": palette.FAINT[theme], "size": 12})  # fmt: skip
    figure.add_hline(chance, line=faint)
    styled(figure, theme, height=320)
    figure.update_xaxes(title_text=_("Word of the sentence"))
    figure.update_yaxes(
        title_text=_("Named right"), range=[0, 1.16], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1]
    )
    return figure

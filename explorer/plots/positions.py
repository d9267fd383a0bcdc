"""Figures of the page on positional encoding: a wave, curves over the offset, vectors on a circle, accuracy by place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

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
    curve = go.Scatter(x=positions, y=values, mode="lines", line={"color": palette.FAINT[theme], "width": 1.5},
                       hoverinfo="skip")  # fmt: skip
    points = go.Scatter(
        x=np.arange(len(numbers)),
        y=numbers,
        mode="markers",
        marker={"color": palette.role("output", theme), "size": 6},
        hovertemplate=_("position %{x}: %{y:.4f}") + "<extra></extra>",
    )
    layout = {
        "showlegend": False,
        "shapes": [_upright(chosen, theme)],
        "xaxis": {"title": {"text": _("Position")}, "range": [-0.5, len(numbers) - 0.5]},
        "yaxis": {"title": {"text": name}, "range": [-1.12, 1.12], "dtick": 0.5},
    }
    return styled(go.Figure([curve, points], layout), theme, height=HEIGHT)


def by_offset(dot: np.ndarray, distance: np.ndarray, chosen: int, theme: palette.Theme) -> go.Figure:
    """Dot product and distance of two positions against how far apart they are, each (length,). chosen: an offset."""
    curves = ((_("Dot product"), dot, "output", "solid"), (_("Distance"), distance, "gradient", "dash"))
    traces = [
        go.Scatter(
            x=np.arange(len(values)),
            y=values,
            mode="lines",
            line={"color": palette.role(role, theme), "dash": dash, "width": 2.5},
            hovertemplate=_("%{x} apart: %{y:.4f}") + f"<extra>{name}</extra>",
            xaxis=f"x{number}",
            yaxis=f"y{number}",
        )
        for number, (name, values, role, dash) in enumerate(curves, start=1)
    ]
    offset = {"text": _("Offset, positions")}
    layout = {
        "showlegend": False,
        "shapes": [_upright(chosen, theme), _upright(chosen, theme, axes="2")],
        "xaxis": {"title": offset, "domain": [0, 0.41], "anchor": "y"},
        "xaxis2": {"title": offset, "domain": [0.59, 1], "anchor": "y2"},
        "yaxis": {"title": {"text": curves[0][0]}, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": curves[1][0]}, "rangemode": "tozero", "anchor": "x2"},
    }
    return styled(go.Figure(traces, layout), theme, height=HEIGHT)


def circle(
    before: np.ndarray, after: np.ndarray, angle: float, names: tuple[str, str], theme: palette.Theme
) -> go.Figure:
    """Two vectors (sin, cos) of one pair on the unit circle, and the turn between them.

    Drawn with the cosine to the right and the sine upwards, so that the angle grows against the clock. angle: of the turn,
    radians, any size. names: of the vectors.
    """
    around = np.linspace(0, 2 * np.pi, 121)
    start = float(np.arctan2(before[0], before[1]))
    # More than a whole turn winds outwards, so that each turn is seen.
    part = np.linspace(0, angle, max(int(abs(angle) * 20), 2))
    radius = 0.35 + 0.06 * part / (2 * np.pi)
    turn = {"color": palette.role("gradient", theme), "width": 2, "dash": "dot"}
    traces = [
        go.Scatter(x=np.cos(around), y=np.sin(around), mode="lines", hoverinfo="skip",
                   line={"color": palette.LINE[theme], "width": 1.5}),
        go.Scatter(x=radius * np.cos(start + part), y=radius * np.sin(start + part), mode="lines", hoverinfo="skip",
                   line=turn),
    ]  # fmt: skip
    for (sin, cos), name, role in ((before, names[0], "input"), (after, names[1], "output")):
        colour = palette.role(role, theme)
        traces.append(
            go.Scatter(
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
        )
    axis = {"range": [-1.35, 1.35], "tickvals": [-1, 0, 1]}
    layout = {
        "showlegend": False,
        "xaxis": {**axis, "title": {"text": "cos"}, "constrain": "domain"},
        "yaxis": {**axis, "title": {"text": "sin"}, "scaleanchor": "x", "scaleratio": 1},
    }
    return styled(go.Figure(traces, layout), theme, height=340)


def accuracy_by_place(
    accuracy: Mapping[str, np.ndarray], names: Mapping[str, str], trained: int, chance: float, theme: palette.Theme
) -> go.Figure:
    """Share of sentences in which word 2, 3, … has its predecessor named. accuracy: kind of positions → (n,).

    names: how the kinds are called. trained: how many words a sentence in training has; chance: of blind guessing.
    """
    traces = [
        go.Scatter(
            x=np.arange(2, len(values) + 2),
            y=values,
            mode="lines+markers",
            name=names[kind],
            line={"color": palette.role(ROLES[kind], theme), "dash": DASHES[kind], "width": 2.5},
            marker={"size": 5},
            hovertemplate=_("word %{x}: %{y:.1%}") + f"<extra>{names[kind]}</extra>",
        )
        for kind, values in accuracy.items()
    ]
    level = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": chance, "y1": chance, "line": _faint(theme)}
    layout = {
        "shapes": [_upright(trained + 0.5, theme), level],
        "annotations": [
            {"x": trained + 0.6, "y": 1.1, "text": _("beyond training →"), "showarrow": False, "xanchor": "left",
             "font": {"color": palette.FAINT[theme], "size": 12}}
        ],
        "xaxis": {"title": {"text": _("Word of the sentence")}},
        "yaxis": {"title": {"text": _("Named right")}, "range": [0, 1.16], "tickformat": ".0%",
                  "tickvals": [0, 0.25, 0.5, 0.75, 1]},
    }  # fmt: skip
    return styled(go.Figure(traces, layout), theme, height=320)


def _faint(theme: palette.Theme) -> dict[str, str | int]:
    return {"color": palette.FAINT[theme], "width": 1, "dash": "dot"}


def _upright(x: float, theme: palette.Theme, axes: str = "") -> dict[str, Any]:
    """A dotted line over the whole height. axes: the number of the pair of axes, "" for the first."""
    return {"type": "line", "xref": f"x{axes}", "yref": f"y{axes} domain", "x0": x, "x1": x, "y0": 0, "y1": 1,
            "line": _faint(theme)}  # fmt: skip

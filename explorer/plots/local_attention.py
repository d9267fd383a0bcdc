"""What windows save, and what they cost a network that learned without them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from explorer import palette
from explorer.numbers import grouped
from explorer.plots.style import styled
from explorer.text import _

LOOKS = (("gradient", "dash", "square"), ("output", "solid", "circle"))


def cost(sizes: np.ndarray, macs: Mapping[str, np.ndarray], chosen: int, theme: palette.Theme) -> go.Figure:
    """Multiply–adds of one attention against the side of the photo, both axes logarithmic. macs: name → (n,)."""
    figure = go.Figure()
    for (name, values), (role, dash, _symbol) in zip(macs.items(), LOOKS, strict=True):
        line = {"color": palette.role(role, theme), "width": 2.5, "dash": dash}
        hover = "%{x} × %{x}: %{y:.3s}" + f"<extra>{name}</extra>"
        figure.add_scatter(x=sizes, y=values, name=name, mode="lines", line=line, hovertemplate=hover)
    figure.add_vline(chosen, line={"color": palette.FAINT[theme], "width": 1, "dash": "dot"})
    styled(figure, theme, height=360)
    ticks = [112 * 2**k for k in range(7) if sizes[0] <= 112 * 2**k <= sizes[-1]]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[grouped(n) for n in ticks], zeroline=False,
                        title=_("Side of the photo (pixels)"))  # fmt: skip
    figure.update_yaxes(type="log", dtick=1, exponentformat="power", zeroline=False, title=_("Multiply–adds"))
    return figure


def by_window(sides: tuple[int, ...], curves: Mapping[str, np.ndarray], chosen: int, theme: palette.Theme) -> go.Figure:
    """The probability of one class against the side of the windows. curves: name → (sides,), 0–1."""
    figure = go.Figure()
    for (name, values), (role, dash, symbol) in zip(curves.items(), LOOKS, strict=True):
        colour = palette.role(role, theme)
        figure.add_scatter(
            x=list(range(len(sides))), y=values, name=name, mode="lines+markers", customdata=sides,
            line={"color": colour, "width": 2, "dash": dash}, marker={"color": colour, "symbol": symbol, "size": 9},
            hovertemplate=_("windows of {n}").format(n="%{customdata}") + ": %{y:.1%}" + f"<extra>{name}</extra>",
        )  # fmt: skip
    figure.add_vline(sides.index(chosen), line={"color": palette.FAINT[theme], "width": 1, "dash": "dot"})
    styled(figure, theme)
    texts = [f"{side} × {side}" for side in sides]
    figure.update_xaxes(tickvals=list(range(len(sides))), ticktext=texts, title=_("Window (patches)"), zeroline=False)
    figure.update_yaxes(range=[0, 1.04], tickformat=".0%", title=_("Probability"))
    return figure

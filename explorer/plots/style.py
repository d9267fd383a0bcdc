"""What all figures have in common."""

from __future__ import annotations

from functools import cache

import plotly.graph_objects as go

from explorer import palette


def styled(figure: go.Figure, theme: palette.Theme, height: int = 320) -> go.Figure:
    """The figure in the app's type and colours: no box, faint grid, tabular ticks, room for its labels."""
    figure.layout.template = _template(theme)
    figure.layout.height = height
    return figure


@cache
def _template(theme: palette.Theme) -> go.layout.Template:
    """The style as a template: far quicker to apply than the same settings one by one."""
    axis = {
        "gridcolor": palette.LINE[theme],
        "zerolinecolor": palette.FAINT[theme],
        "zerolinewidth": 1,
        "linecolor": palette.LINE[theme],
        "ticks": "",
        "automargin": True,
        "title": {"font": {"size": 13}, "standoff": 15},
    }
    return go.layout.Template(
        layout={
            "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": palette.TEXT[theme], "size": 14, "family": '"Source Sans", sans-serif'},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "hoverlabel": {"align": "left", "bgcolor": palette.PANEL[theme], "font": {"color": palette.TEXT[theme]}},
            "xaxis": axis,
            "yaxis": axis,
        }
    )

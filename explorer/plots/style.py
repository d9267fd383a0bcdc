"""What all figures have in common."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer import palette


def styled(figure: go.Figure, theme: palette.Theme, height: int = 320) -> go.Figure:
    """The figure in the app's type and colours: no box, faint grid, tabular ticks, room for its labels."""
    axis = {
        "gridcolor": palette.LINE[theme],
        "zerolinecolor": palette.FAINT[theme],
        "zerolinewidth": 1,
        "linecolor": palette.LINE[theme],
        "automargin": True,
        "title_font_size": 13,
    }
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30, "b": 10},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": palette.TEXT[theme], "size": 14, "family": '"Source Sans", sans-serif'},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"bgcolor": palette.PANEL[theme], "font": {"color": palette.TEXT[theme]}},
    )
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure

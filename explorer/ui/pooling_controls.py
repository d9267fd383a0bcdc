"""The controls of the pooling page: each bounds the next, so that every state that can be reached can be computed."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.pooling_views import Kind, Noise, Pair, Setup
from explorer.shapes import max_kernel, max_pool_padding
from explorer.text import _
from explorer.ui.bounded import bounded
from explorer.ui.picks import fresh_pick

MOST_WINDOW, MOST_STRIDE, MOST_SHIFT = 12, 8, 4


def choose_setup(size: Pair, more: DeltaGenerator) -> Setup:
    """Kind, window and stride; in `more` the rest. size: of the map that is pooled."""
    kinds: dict[Kind, str] = {"max": _("Max"), "average": _("Average"), "global": _("Global average")}
    kind = st.segmented_control(_("Pooling"), list(kinds), default="max", required=True, format_func=kinds.__getitem__,
                                key="pool_kind", bind="query-params")  # fmt: skip
    everything = kind == "global"
    side = bounded(_("Window"), range(1, min(max_kernel(min(size)), MOST_WINDOW) + 1), 2, key="pool_window",
                   disabled=everything, help=_("Cells a side. Global pooling takes the whole map."))  # fmt: skip
    stride = bounded(_("Stride"), range(1, MOST_STRIDE + 1), 2, key="pool_stride", disabled=everything,
                     help=_("How far the window moves. Without a stride, torch moves it by its own size."))  # fmt: skip
    with more:
        padding = bounded(_("Padding"), range(max_pool_padding(side) + 1), 0, key="pool_padding", disabled=everything,
                          help=_("Cells added on each side, at most half the window."))  # fmt: skip
        counted = st.toggle(_("Padding counts in the average"), True, key="pool_counted", bind="query-params",
                            disabled=kind != "average" or not padding,
                            help=_("Torch's count_include_pad: divide by all cells, or only by those of the map."))  # fmt: skip
        ceil = st.toggle(_("Round the size up"), False, key="pool_ceil", bind="query-params", disabled=everything,
                         help=_("Torch's ceil_mode: one more window for cells that are left over."))  # fmt: skip
    return Setup(kind, side, stride, padding, ceil, counted)


def choose_place(output: Pair, setup: Setup) -> Pair:
    """Row and column of the pooled cell to look at, by slider or by a click on the maps: the map, then the pooled one."""
    picked = fresh_pick("pool_maps")
    if picked is not None:
        cell = [picked.row, picked.column]
        if picked.map == 0:  # the window whose middle is nearest to the click
            cell = [(c - setup.window // 2 + setup.stride // 2) // setup.stride for c in cell]
        st.session_state["pool_row"], st.session_state["pool_column"] = (
            min(max(c, 0), n - 1) for c, n in zip(cell, output, strict=True)
        )
    row = bounded(_("Row of the window"), range(output[0]), output[0] // 2, key="pool_row")
    return row, bounded(_("Column of the window"), range(output[1]), output[1] // 2, key="pool_column")


def choose_noise() -> tuple[Noise, float]:
    """The kind of noise, and how strong: see explorer.pooling_views.add_noise."""
    kinds: dict[Noise, str] = {
        "specks": _("Salt and pepper"),
        "bright": _("Salt: white specks"),
        "dark": _("Pepper: black specks"),
        "gaussian": _("Gaussian"),
    }
    kind = st.selectbox(_("Noise"), list(kinds), format_func=kinds.__getitem__, key="pool_noise", bind="query-params")
    percent = st.slider(_("Strength, %"), 0, 50, 10, key="pool_strength", bind="query-params",
                        help=_("How many cells are specks; Gaussian: the standard deviation, of black to white."))  # fmt: skip
    return kind, percent / 100

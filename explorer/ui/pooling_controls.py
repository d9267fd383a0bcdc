"""The controls of the pooling page: each bounds the next, so that every state that can be reached can be computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.components.maps import Map, maps
from explorer.images import Photo, fit, window
from explorer.pooling_views import Kind, Noise, Pair, Setup
from explorer.shapes import max_kernel, max_pool_padding
from explorer.text import _
from explorer.ui.bounded import bounded
from explorer.ui.photo_input import photo_source
from explorer.ui.picks import fresh_pick

PREVIEW = 64  # longer side of the photo that the window is cut from, pixels
MOST_WINDOW, MOST_STRIDE, MOST_SHIFT = 12, 8, 4


@dataclass(frozen=True, eq=False)
class Crop:
    """A part of the photo. small: the photo scaled down, pixels: the part cut from it, both uint8 (H, W, 3).

    source: the lines of a snippet that leave the part in `pixels`.
    """

    small: np.ndarray
    pixels: np.ndarray
    source: str


def choose_crop(photo: Photo) -> Crop:
    """The part of the photo that is pooled cell by cell, chosen by slider or by a click."""
    side = bounded(_("Part, pixels a side"), range(24, 37, 4), 32, key="pool_crop")
    height, width = photo.pixels.shape[:2]
    small = fit(photo.pixels, max(PREVIEW, -(-side * max(height, width) // min(height, width))))
    width, height = min(side, small.shape[1]), min(side, small.shape[0])
    room = small.shape[1] - width, small.shape[0] - height
    picked = fresh_pick("pool_photo")
    if picked is not None:
        wanted = picked.column - width // 2, picked.row - height // 2
        across, down = (round(min(max(100 * w / max(r, 1), 0), 100)) for w, r in zip(wanted, room, strict=True))
        st.session_state["pool_x"], st.session_state["pool_y"] = across, down
    across = bounded(_("From the left, %"), range(101), 47, key="pool_x")
    down = bounded(_("From the top, %"), range(101), 55, key="pool_y")
    x, y = round(room[0] * across / 100), round(room[1] * down / 100)
    picture = Map(small, _("Photo"), _("Click to move the part."), role="input", frame=(x, y, width, height))
    maps([picture], key="pool_photo", columns=1, height=150, pick=True, size="small")
    source = f"pixels = window(fit(photo.pixels, {max(small.shape[:2])}), {x}, {y}, {side})"
    return Crop(small, window(small, x, y, side), f"{photo_source(photo)}\n{source}")


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

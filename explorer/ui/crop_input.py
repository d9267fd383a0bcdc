"""A part of the photo, small enough that its cells can be seen: chosen by sliders or by a click."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.components.maps import Map, maps
from explorer.images import Photo, fit, window
from explorer.text import _
from explorer.ui.bounded import bounded
from explorer.ui.photo_input import photo_source
from explorer.ui.picks import fresh_pick

SIDE = 32  # pixels of the part that a page opens on


@dataclass(frozen=True, eq=False)
class Crop:
    """A part of the photo. small: the photo scaled down, pixels: the part cut from it, both uint8 (H, W, 3).

    corner: the part's (x, y) in `small`. source: the lines of a snippet that leave the part in `pixels`.
    """

    small: np.ndarray
    pixels: np.ndarray
    corner: tuple[int, int]
    source: str


def choose_crop(
    photo: Photo,
    *,
    key: str,
    sides: range,
    preview: int,
    start: tuple[int, int],
    box: DeltaGenerator | None = None,
    shown: bool = True,
) -> Crop:
    """The controls, and the part that they stand at.

    key: prefix of their keys, and so of their names in the address. sides: the lengths to offer, pixels. preview: longer
    side of the photo that the part is cut from, more where the part would not fit. start: per cent from the left and
    from the top. box: where the sliders go. shown: whether the photo is, to click on.
    """
    with box or nullcontext():
        side = bounded(_("Part, pixels a side"), sides, SIDE, key=f"{key}_crop")
    height, width = photo.pixels.shape[:2]
    small = fit(photo.pixels, max(preview, -(-side * max(height, width) // min(height, width))))
    width, height = min(side, small.shape[1]), min(side, small.shape[0])
    room = small.shape[1] - width, small.shape[0] - height
    picked = fresh_pick(f"{key}_photo")
    if picked is not None:
        wanted = picked.column - width // 2, picked.row - height // 2
        across, down = (round(min(max(100 * w / max(r, 1), 0), 100)) for w, r in zip(wanted, room, strict=True))
        st.session_state[f"{key}_x"], st.session_state[f"{key}_y"] = across, down
    with box or nullcontext():
        across = bounded(_("From the left, %"), range(101), start[0], key=f"{key}_x")
        down = bounded(_("From the top, %"), range(101), start[1], key=f"{key}_y")
    x, y = round(room[0] * across / 100), round(room[1] * down / 100)
    if shown:
        picture = Map(small, _("Photo"), _("Click to move the part."), role="input", frame=(x, y, width, height))
        maps([picture], key=f"{key}_photo", columns=1, height=150, pick=True, size="small")
    source = f"pixels = window(fit(photo.pixels, {max(small.shape[:2])}), {x}, {y}, {side})"
    return Crop(small, window(small, x, y, side), (x, y), f"{photo_source(photo)}\n{source}")

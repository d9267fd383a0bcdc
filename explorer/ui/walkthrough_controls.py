"""The controls of the walk through a network: which layer, and which cell of its maps; by slider, by key or by a click."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.components.address import keep_in_address
from explorer.layer_cells import Place, same_place, strongest_place
from explorer.layer_outputs import LayerOutput, Walk
from explorer.layer_views import grid_shape, nearest_cell
from explorer.text import _
from explorer.ui.bounded import bounded
from explorer.ui.picks import fresh_pick, fresh_state

LAYER, PLACE = "walk_layer", ("walk_channel", "walk_row", "walk_column")
PICTURES, GALLERY, STRIP = "walk_maps", "walk_gallery", "walk_strip"
HELD, SHOWN = "walk_held", "walk_shown"
CHOSEN_MAP = 2
"""Place of the chosen map among the pictures: the photo, what the cell sees of it, and the map."""

Seen = tuple[tuple[float, float, float, float], float]
"""The part of the photo that reaches the network, in its pixels, and the scale at which it is shown (explorer.layer_views)."""


def choose_layer(walked: Walk) -> LayerOutput:
    """One of the layers; it opens on the first ReLU."""
    state, names = st.session_state, list(walked.names)
    clicked = fresh_state(STRIP)
    if clicked is not None and clicked["name"] in names:
        state[LAYER] = clicked["name"]
    if state.get(LAYER) not in names:
        state.pop(LAYER, None)  # another network's
    first = next(layer.name for layer in walked.layers if layer.op == "relu")
    return walked[st.select_slider(_("Layer"), names, first, key=LAYER, bind="query-params",
                                   help=_("In the order in which they run. Or click in the strip above."))]  # fmt: skip


def choose_place(walked: Walk, layer: LayerOutput, scene: tuple[str, str], seen: Seen, box: DeltaGenerator) -> Place:
    """Channel, row and column. scene: network and photo; another layer keeps the place on the photo."""
    state = st.session_state
    wanted = _wanted(walked, layer, scene, seen)
    if wanted is not None:
        for key, value in zip(PLACE, wanted, strict=True):
            state[key] = value
    channels, rows, columns = layer.size
    start = strongest_place(layer)
    with box:
        place = (
            bounded(_("Channel"), range(channels), start[0], key=PLACE[0]),
            bounded(_("Row of the cell"), range(rows), start[1], key=PLACE[1]),
            bounded(_("Column of the cell"), range(columns), start[2], key=PLACE[2]),
        )
    state[HELD] = (scene, layer.name, place)
    values = {key: str(value) for key, value in zip(PLACE, place, strict=True)}
    keep_in_address({LAYER: layer.name, **values}, key="walk_address")
    return place


def _wanted(walked: Walk, layer: LayerOutput, scene: tuple[str, str], seen: Seen) -> Place | None:
    """Where a click, another layer or another photo leads; None where the sliders say it."""
    held = st.session_state.get(HELD)
    clicks = fresh_pick(PICTURES), fresh_pick(GALLERY)
    if held is None:
        return None
    if held[0] != scene:
        return strongest_place(layer)
    if held[1] != layer.name:
        return same_place(walked[held[1]], held[2], layer)
    return _clicked(walked, layer, held[2], clicks, seen)


def _clicked(walked: Walk, layer: LayerOutput, place: Place, clicks: Sequence, seen: Seen) -> Place | None:
    """What was clicked in the pictures: on the photo, on the chosen map, or on one of the small ones."""
    large, small = clicks
    shown: list[int] = st.session_state.get(SHOWN, [])
    rows, columns = layer.size[1:]
    if small is not None and small.map < len(shown):
        return shown[small.map], min(small.row, rows - 1), min(small.column, columns - 1)
    if large is None:
        return None
    if large.map == 0:
        side = walked.x.shape[1], walked.x.shape[2]
        return place[0], *nearest_cell(layer, (large.column + 0.5, large.row + 0.5), seen[0], side, seen[1])
    if large.map != CHOSEN_MAP:
        return None
    if layer.is_map:
        return place[0], min(large.row, rows - 1), min(large.column, columns - 1)
    across = grid_shape(layer.size[0])[1]
    return min(large.row * across + large.column, layer.size[0] - 1), 0, 0

"""What is chosen on the Vision Transformer page: patch, query, layer, head; by clicks on the pictures or by controls."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.components.address import keep_in_address
from explorer.components.maps import Picked
from explorer.plots.vit import What
from explorer.text import _
from explorer.ui.bounded import bounded
from explorer.ui.picks import fresh_pick
from explorer.vit_cost import SIDES, SIZES, patch_sizes
from explorer.vit_photo import drawn_side
from explorer.vit_reading import Reading

PHOTOS = {"vit_attention": 288, "vit_rollout": 216}
"""Pictures of the photo under a map of patches, and about how many pixels wide they are drawn."""


@dataclass(frozen=True)
class Query:
    """The token that looks. name: within a sentence; token: its place in the sequence; patch: (row, column), if it is one."""

    name: str
    token: int
    patch: tuple[int, int] | None


@dataclass(frozen=True)
class Cut:
    """How the visitor cuts a photo. side: of it, patch: of its patches, pixels; sizes: of the network; curve: what is drawn."""

    side: int
    patch: int
    sizes: str
    curve: What


def choose_cut(visible: DeltaGenerator, more: DeltaGenerator) -> Cut:
    """Patch size, and under “More” the rest."""
    with more:
        side = bounded(_("Side of the photo to cut"), SIDES, 224, key="vit_side")
        sizes = st.segmented_control(_("Sizes of the network"), list(SIZES), default="ViT-B", required=True, key="vit_sizes",
                                     bind="query-params")  # fmt: skip
        curves: dict[What, str] = {"macs": _("Multiply–adds"), "memory": _("Memory")}
        curve = st.segmented_control(_("Curves show"), list(curves), default="macs", required=True,
                                     format_func=curves.__getitem__, key="vit_curve", bind="query-params")  # fmt: skip
    with visible:
        patch = bounded(_("Patch size"), patch_sizes(side), 16, key="vit_size",
                        help=_("Of the photo that you cut yourself, at the right."))  # fmt: skip
    return Cut(side, patch, sizes, curve)


def photo_side(key: str, reading: Reading) -> int:
    """Of one of PHOTOS, pixels."""
    return drawn_side(reading.grid, PHOTOS[key])


def follow_clicks(reading: Reading, apart: int) -> None:
    """Move the controls to what was clicked since the last run; before the controls.

    apart: side of a patch in the photo with gaps, without its gap, pixels.
    """
    rows = reading.grid[0]
    for key in PHOTOS:
        picked = fresh_pick(key)
        if picked is not None:
            flat = key == "vit_attention" and picked.map == 1
            _move_to(picked, 1 if flat else photo_side(key, reading) // rows, reading)
            st.session_state["vit_from"] = "patch"
    seen = fresh_pick("vit_seen")
    if seen is not None and seen.map == 0:
        _move_to(seen, apart + 1, reading)
    position = fresh_pick("vit_positions")
    if position is not None:
        _move_to(position, 1 if position.map == 0 else rows + 1, reading)
    head = fresh_pick("vit_heads")
    if head is not None:
        st.session_state["vit_head"] = head.map + 1


def _move_to(picked: Picked, cells: int, reading: Reading) -> None:
    """To the patch of the clicked cell. cells: of the picture, along one patch."""
    for key, place, count in zip(("vit_row", "vit_column"), (picked.row, picked.column), reading.grid, strict=True):
        st.session_state[key] = min(place // cells, count - 1) + 1


def choose_patch(reading: Reading) -> tuple[int, int]:
    """(row, column), from 0."""
    rows, columns = reading.grid
    row = bounded(_("Row of the patch"), range(1, rows + 1), rows // 2, key="vit_row",
                  help=_("Or click a patch in one of the pictures."))  # fmt: skip
    column = bounded(_("Column of the patch"), range(1, columns + 1), columns // 2, key="vit_column")
    return row - 1, column - 1


def query_names(reading: Reading) -> dict[str, str]:
    """Which tokens can look, by key: their names on the control."""
    names = {"class": _("Class token"), "distillation": _("Distillation token"), "patch": _("The chosen patch")}
    if reading.extra == 1:
        del names["distillation"]
    return names


def choose_query(reading: Reading, patch: tuple[int, int]) -> Query:
    """Which token looks."""
    names = query_names(reading)
    if st.session_state.get("vit_from", "class") not in names:  # of another network
        st.session_state["vit_from"] = "class"
    kind = st.segmented_control(_("From"), list(names), default="class", required=True, wrap=True,
                                format_func=names.__getitem__, key="vit_from", bind="query-params")  # fmt: skip
    row, column = patch
    if kind == "patch":
        name = _("the patch in row {row}, column {column}").format(row=row + 1, column=column + 1)
        return Query(name, reading.token(row, column), patch)
    return Query(extra_names()[int(kind == "distillation")], int(kind == "distillation"), None)


def extra_names() -> tuple[str, str]:
    """The tokens before the patches, as in a sentence."""
    return _("the class token"), _("the distillation token")


def asking_names(reading: Reading, query: Query) -> list[str]:
    """The tokens that a layer is stepped through with, briefly."""
    names = [_("class"), _("distillation")][: reading.extra]
    if query.patch is not None:
        names.append(_("patch {row}, {column}").format(row=query.patch[0] + 1, column=query.patch[1] + 1))
    return names


def choose_layer_and_head(reading: Reading) -> tuple[int, int | None]:
    """From 0; no head: the mean over all."""
    layer = bounded(_("Layer"), range(1, reading.layers + 1), reading.layers, key="vit_layer")
    head = bounded(_("Head"), range(reading.heads + 1), 0, key="vit_head", help=_("0 is the mean over all heads."))
    return layer - 1, head - 1 if head else None


def remember(reading: Reading) -> None:
    """Clicks move controls, which does not reach the address by itself."""
    state = st.session_state
    address = {key: str(state[key]) for key in ("vit_row", "vit_column", "vit_head")}
    keep_in_address(address | {"vit_from": query_names(reading)[state["vit_from"]]}, key="vit_address")

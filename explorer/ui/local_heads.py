"""Local attention on real weights: a Vision Transformer held to windows, or Swin's own windows where its weights are here."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from explorer.components.address import keep_in_address
from explorer.components.maps import maps
from explorer.images import Photo
from explorer.local_attention import (
    WAYS,
    Answers,
    Way,
    gather,
    grid_of,
    kept,
    layer_masks,
    probabilities_within,
    window_sides,
)
from explorer.models.swin import Sides, SwinOutput
from explorer.models.vit import VitOutput
from explorer.plots.local_attention import by_window
from explorer.text import _
from explorer.ui import local_pictures as show
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.models import choose_classifier
from explorer.ui.photo_input import photo_source
from explorer.ui.picks import fresh_pick
from explorer.window_pictures import SIDE, square
from explorer.windows import from_patch
from pretrained.classification import Classifier, preprocess, seen

FAMILIES = ("Vision Transformer", "Swin")
NAMES: dict[Way, str] = {"fixed": _("Fixed"), "moved": _("Moved")}
CURVES: dict[Way, str] = {"fixed": _("Windows fixed"), "moved": _("Windows moved in every second layer")}
Code = tuple[str, np.ndarray]
"""A snippet, and its result."""


@st.cache_resource(max_entries=4, show_spinner=False)
def read(key: str, digest: str, _classifier: Classifier, _pixels: np.ndarray) -> Any:
    """One pass of the photo with all attention weights, kept: a VitOutput or a SwinOutput."""
    with torch.inference_mode():
        return _classifier.module.read(preprocess(_classifier, _pixels))


@st.cache_data(max_entries=128, show_spinner=False)
def within(key: str, digest: str, window: int, way: Way, _classifier: Classifier, _pixels: np.ndarray) -> np.ndarray:
    """The network's answer within windows of one size, kept."""
    return probabilities_within(_classifier.module, preprocess(_classifier, _pixels), window, way)


def asked(photo: Photo, classifier: Classifier, window: int) -> Answers:
    """The answers within windows of every size; of official models, which take longer, of this size alone and of none."""
    side = classifier.module.config.side
    bundled = classifier.model.source == "bundled"
    sides = (1, *window_sides(side), side) if bundled else (window, side)
    with st.spinner(_("Asking within windows …"), show_time=True):
        return gather(
            sides,
            {
                way: [within(classifier.model.key, photo.digest, one, way, classifier, photo.pixels) for one in sides]
                for way in WAYS
            },
        )


def heads_section(photo: Photo) -> Code:
    """The section. → the code that computes what it shows."""
    page.section(
        _("What real heads would lose"),
        _("No Swin comes with this app, but a Vision Transformer does. It learned to look everywhere. How much of that "
          "would windows leave, and what would it still answer?"),
    )  # fmt: skip
    controls, picture = page.play()
    with controls:
        classifier = choose_classifier(FAMILIES, key="local_model")
    output = read(classifier.model.key, photo.digest, classifier, photo.pixels)
    draw = _swin if isinstance(output, SwinOutput) else _vit
    return draw(photo, classifier, output, controls, picture)


def _vit(
    photo: Photo, classifier: Classifier, output: VitOutput, controls: DeltaGenerator, picture: DeltaGenerator
) -> Code:
    config, key = classifier.module.config, classifier.model.key
    grid, extra = grid_of(config), config.extra
    with controls:
        window = bounded(_("Window, patches"), window_sides(config.side), 4, key="local_window")
        way = st.segmented_control(
            _("Windows"),
            list(NAMES),
            default="moved",
            required=True,
            format_func=NAMES.__getitem__,
            key="local_way",
            bind="query-params",
            help=_("The same in every layer, or moved by half in every second one, as in Swin."),
        )
        with st.expander(_("More")):
            layer, head = _choose_head(config.layers, config.heads)
            patch = _choose_patch("local_heads", grid)
    masks = layer_masks(config, window, way)
    weights = torch.cat(output.attention).numpy()  # (layers, heads, T, T)
    found = kept(weights, masks, grid[0] * grid[1])
    token = extra + patch[0] * grid[1] + patch[1]
    allowed = masks[layer][token].numpy().copy()
    allowed[:extra] = False
    with picture:
        left, right = st.columns([4, 8], gap="small")
        with left:
            maps([show.kept_map(found, (layer, head))], key="local_kept", columns=1, height=330, pick=True)
        with right:
            pictures = show.patch_maps(square(photo.pixels), weights[layer, head, token], allowed, patch, grid)
            maps(pictures, key="local_heads", columns=2, height=330, pick=True)
        st.markdown(show.kept_text(found, window))
        answered = asked(photo, classifier, window)
        finding = show.answer_finding(answered, window, way, classifier.labels)
        curves = {CURVES[one]: answered.probability[one] for one in WAYS}
        page.chart(by_window(answered.sides, curves, window, page.theme()), key="local_answers", alt=finding)
        st.caption(finding)
        st.caption(_("The class token sees all patches and is seen by all, or nothing could be answered. Attention says where "
                     "a head gathers, not why the network answers as it does."))  # fmt: skip
    source = f"""
import torch
from explorer.local_attention import kept, layer_masks
from pretrained.classification import load_classifier, preprocess
{photo_source(photo)}
classifier = load_classifier("{key}")
config = classifier.module.config
output = classifier.module.read(preprocess(classifier, photo.pixels))
weights = torch.cat(output.attention).numpy()  # (layers, heads, T, T)
masks = layer_masks(config, window={window}, way="{way}")
result = kept(weights, masks, patches=config.side**2).share
print(result.round(2))
"""
    return source, found.share


def _swin(
    photo: Photo, classifier: Classifier, output: SwinOutput, controls: DeltaGenerator, picture: DeltaGenerator
) -> Code:
    window, blocks = classifier.module.config.window, list(output.attention)
    with controls:
        block = st.select_slider(_("Block"), blocks, blocks[2], key="local_block", bind="query-params")
        weights = output.attention[block][0].numpy()  # (windows, heads, window², window²)
        rows, columns = output.maps[block].shape[1:3]
        head = bounded(_("Head"), range(1, weights.shape[1] + 1), 1, key="local_swin_head") - 1
        with st.expander(_("More")):
            patch = _choose_patch("local_swin", (rows, columns))
    moved = int(block.rsplit(".", 1)[1]) % 2 == 1
    result = from_patch(weights, (rows, columns), window, patch, moved=moved)  # (heads, rows, columns)
    left, top, right, bottom = (round(edge) for edge in seen(classifier.model, *photo.pixels.shape[:2]))
    view = square(photo.pixels[max(top, 0) : bottom, max(left, 0) : right])
    with picture:
        told = _("Head {h} of {block}: nothing outside the window, as it was trained. Click on another patch.")
        pictures = [
            show.on_photo(view, result[head], patch, _("Head {h}").format(h=head + 1),
                          told.format(h=head + 1, block=block)),
            show.on_photo(view, result.mean(0), patch, _("All heads"), _("The mean of all heads of this block.")),
        ]  # fmt: skip
        maps(pictures, key="local_swin", columns=2, height=360, pick=True)
        st.caption(_("Attention says where a head gathers, not why the network answers as it does."))
    source = f"""
from explorer.windows import from_patch
from pretrained.classification import load_classifier, preprocess
{photo_source(photo)}
classifier = load_classifier("{classifier.model.key}")
output = classifier.module.read(preprocess(classifier, photo.pixels))
weights = output.attention["{block}"][0].numpy()  # (windows, heads, window², window²)
result = from_patch(weights, ({rows}, {columns}), {window}, {patch}, moved={moved})
"""
    return source, result


def _choose_head(layers: int, heads: int) -> tuple[int, int]:
    """Layer and head, from 0, by slider or by a click on what is kept."""
    picked = fresh_pick("local_kept")
    if picked is not None:
        st.session_state["local_layer"], st.session_state["local_head"] = picked.row + 1, picked.column + 1
    layer = bounded(_("Layer"), range(1, layers + 1), 1, key="local_layer")
    head = bounded(_("Head"), range(1, heads + 1), 1, key="local_head")
    keep_in_address({"local_layer": str(layer), "local_head": str(head)}, key="local_head_address")
    return layer - 1, head - 1


def _choose_patch(key: str, grid: Sides) -> Sides:
    """Row and column of the patch that looks, by slider or by a click on the maps of this key."""
    return choose_cell(key, grid, _("Row of the patch"), _("Column of the patch"))


def choose_cell(key: str, grid: Sides, row_label: str, column_label: str) -> Sides:
    """A place on a grid that lies on the photo, by slider or by a click on the maps of this key."""
    picked = fresh_pick(key)
    if picked is not None:
        st.session_state[f"{key}_row"] = min(picked.row * grid[0] // SIDE, grid[0] - 1)
        st.session_state[f"{key}_column"] = min(picked.column * grid[1] // SIDE, grid[1] - 1)
    row = bounded(row_label, range(grid[0]), grid[0] // 2, key=f"{key}_row")
    column = bounded(column_label, range(grid[1]), grid[1] // 2, key=f"{key}_column")
    keep_in_address({f"{key}_row": str(row), f"{key}_column": str(column)}, key=f"{key}_address")
    return row, column

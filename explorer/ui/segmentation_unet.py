"""U-Net opened on the Segmentation page: the U level by level, a switch on every skip connection, and what a cut changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.models.unet import UNet
from explorer.numbers import grouped
from explorer.segmentation_views import Change, change
from explorer.text import _
from explorer.trace import Trace
from explorer.ui import page
from explorer.ui import segmentation_pictures as show
from explorer.ui.segmentation_controls import share_text
from explorer.ui.segmenters import Seen, look_at, mask_without, telling
from explorer.ui.steps import show_steps
from explorer.unet_views import Level, decoder_steps, levels, steppable, strongest

CHANNELS = 2  # maps shown of a level
HEIGHTS = (150, 118, 92, 72)  # of a level's pictures, pixels
INDENT = 0.45  # of a column, for each level down
ROLES = {
    "x": "hidden",
    "skip": "input",
    "up": "weight",
    "conv1": "weight",
    "conv2": "weight",
    "bn1": "weight",
    "bn2": "weight",
}


@st.cache_data(max_entries=16, show_spinner=False)
def _changes(key: str, digest: str, cuts: tuple[tuple[int, ...], ...], _seen: Seen) -> list[Change]:
    """What each of these cuts changes."""
    return [change(_seen.segmentation.mask, mask_without(_seen, cut)) for cut in cuts]


@st.cache_resource(max_entries=6, show_spinner=False)
def _steps(key: str, digest: str, level: int, place: tuple[int, int], cut: bool, _seen: Seen) -> Trace:
    return decoder_steps(cast(UNet, _seen.segmenter.module), _seen.maps, level, place, cut)


def opened(seen: Seen) -> tuple[Seen, list[int]]:
    """The section. seen: a U-Net's. → what it says with the chosen skip connections cut, the same where none is; which."""
    page.section(
        _("U-Net opened"),
        _("Down the left side the encoder halves the map and doubles the channels; up the right side the decoder undoes it. At "
          "every level a skip connection carries the encoder’s fine map across. Cut one: the decoder gets zeros instead."),
    )  # fmt: skip
    network = cast(UNet, seen.segmenter.module)
    depth = network.config.depth
    cut = [level for level in range(depth) if not st.session_state.get(_key(level), not _named(level))]
    other = seen
    if cut:
        with telling():
            other = look_at(seen.segmenter, seen.photo, cut)
    cut = cut if other is not seen else []
    facts = levels(seen.maps, depth)
    for level in range(depth):
        _one_level(level, seen.maps, other.maps, facts)
    _bottom(seen.maps, facts)
    st.caption(_("“Sees” is how far the pixels lie that a cell can hear of. Of each map you see the {n} channels whose mean is "
                 "largest with all skip connections, each on its own scale, from 0. The decoder’s maps are those with your "
                 "cuts; the encoder does not see them.").format(n=CHANNELS))  # fmt: skip
    with telling():
        _before_and_after(seen, other, cut)
        _table(seen, depth, cut)
    return other, cut


def _key(level: int) -> str:
    return f"seg_skip_{level}"


def _named(level: int) -> bool:
    """Whether the address cuts this skip connection."""
    return st.query_params.get(_key(level), "true") == "false"


def _one_level(
    level: int, whole: Mapping[str, np.ndarray], cut: Mapping[str, np.ndarray], facts: Mapping[str, Level]
) -> None:
    indent = INDENT * level
    spans = [indent, 4 - indent / 2, 1.7, 4 - indent / 2, indent]  # towards the middle, as a U
    columns = st.columns([span for span in spans if span], gap="small", vertical_alignment="center")
    left, middle, right = columns if not level else columns[1:4]
    height = HEIGHTS[min(level, len(HEIGHTS) - 1)]
    with left:
        _maps_of(f"encoder.{level}", _("Encoder {level}").format(level=level), "input", whole, whole, facts, height)
    with middle:
        st.toggle(_("Skip {level} →").format(level=level), value=True, key=_key(level), bind="query-params")
    with right:
        _maps_of(f"decoder.{level}", _("Decoder {level}").format(level=level), "hidden", whole, cut, facts, height)


def _bottom(found: Mapping[str, np.ndarray], facts: Mapping[str, Level]) -> None:
    _left, middle, _right = st.columns([2.4, 4, 2.4], gap="small")
    with middle:
        _maps_of("bottom", _("Bottom"), "hidden", found, found, facts, HEIGHTS[-1])


def _maps_of(
    name: str,
    title: str,
    role: str,
    whole: Mapping[str, np.ndarray],
    found: Mapping[str, np.ndarray],
    facts: Mapping[str, Level],
    height: int,
) -> None:
    """The channels that are strongest where nothing is cut, so that a cut shows in the same ones."""
    one, of = facts[name], found[name]
    channels = strongest(whole[name], CHANNELS)
    st.markdown(
        _("**{title}** · {c} × {h} × {w} · sees {f} × {f}").format(
            title=title, c=one.channels, h=one.rows, w=one.columns, f=one.field
        )
    )
    pictures = [Map(of[k], _("channel {k}").format(k=k), role=role, signed=False) for k in channels]
    maps(pictures, key=f"seg_map_{name.replace('.', '_')}", columns=CHANNELS, height=height, size="small")


def _before_and_after(seen: Seen, other: Seen, cut: Sequence[int]) -> None:
    """The visitor's cuts; where there are none, what all of them would do."""
    if cut:
        title = _("Without skip {which}").format(which=", ".join(map(str, cut)))
        told, second = "", other.segmentation.mask
    else:
        depth = cast(UNet, seen.segmenter.module).config.depth
        title, second = _("Without any skip"), mask_without(seen, range(depth))
        told = _("Above nothing is cut yet; here everything is. ")
    share = _change(seen.subject, tuple(cut), seen.segmentation.mask, second).share
    told += _("{share} of the pixels have another class; point at one for both.").format(share=share_text(share))
    maps(show.cut_maps(seen, second, title, told), key="seg_cut_maps", columns=3, height=260)


@st.cache_data(max_entries=16, show_spinner=False)
def _change(subject: tuple[str, str], cut: tuple[int, ...], _before: np.ndarray, _after: np.ndarray) -> Change:
    return change(_before, _after)


def _table(seen: Seen, depth: int, chosen: Sequence[int]) -> None:
    """A row for each single cut, for all of them, and for the visitor's."""
    cuts = [(level,) for level in range(depth)] + [tuple(range(depth))]
    if chosen and tuple(chosen) not in cuts:
        cuts.append(tuple(chosen))
    with st.spinner(_("Cutting each skip connection in turn …"), show_time=True):
        found = _changes(*seen.subject, tuple(cuts), seen)
    lines = [_("| Skip connections cut | Pixels with another class | Border pixels |"), "|---|--:|--:|"]
    lines.append(_("| none | 0 % | {n} |").format(n=grouped(found[0].before)))
    for cut, made in zip(cuts, found, strict=True):
        which = _("all") if len(cut) == depth else ", ".join(map(str, cut))
        name = f"**{which}**" if list(cut) == list(chosen) else which
        lines.append(f"| {name} | {share_text(made.share)} | {grouped(made.after)} |")
    st.markdown("\n".join(lines))
    worst = max(range(depth), key=lambda level: found[level].share)
    text = _(
        "On this photo, skip connection {level} matters most: without it {share} of the pixels change their class."
    )
    st.caption(text.format(level=worst, share=share_text(found[worst].share)) + " "
               + _("The network was trained with all of them, so a cut shows what it relies on, not what a U-Net without it "
                   "would have learned."))  # fmt: skip


def step_through(seen: Seen, other: Seen, cut: Sequence[int], share: tuple[float, float]) -> None:
    """The stepper on one level of the decoder. share: (down, across) of the photo, 0–1, where the window lies."""
    page.step_through(
        _("One level of the decoder on a window of your photo’s own maps: up-convolution, concatenation, two convolutions. "
          "Point at a cell after the up-convolution: it comes from one cell below, times a 2 × 2 kernel.")
    )  # fmt: skip
    network = cast(UNet, seen.segmenter.module)
    able = steppable(network)
    names = {level: _("Decoder {level}").format(level=level) for level in able}
    level = able[0]
    if len(able) > 1:
        level = st.segmented_control(_("Level"), able, default=able[0], required=True, format_func=names.__getitem__,
                                     key="seg_level", bind="query-params")  # fmt: skip
    below = other.maps["bottom" if level == network.config.depth - 1 else f"decoder.{level + 1}"]
    place = int(share[0] * below.shape[1]), int(share[1] * below.shape[2])
    taken = _steps(f"{seen.subject[0]} {tuple(cut)}", seen.subject[1], level, place, level in cut, other)
    st.caption(_("The window lies round the pixel that you clicked. At its border the convolutions see zeros, where the whole "
                 "map goes on. Deeper levels do the same with more channels than one can follow."))  # fmt: skip
    show_steps(taken, key="seg_stepper", roles=ROLES, start=taken.first("conv_transpose2d"),
               subject=f"{seen.subject} {level} {place}")  # fmt: skip

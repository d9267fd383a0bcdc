"""Choosing networks that say what every pixel is, and what they say of a photo: kept, so that no control runs them again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from explorer.errors import UserError
from explorer.images import Photo
from explorer.segmentation_views import View, view
from explorer.segmentations import Instances, Segmentation
from explorer.text import _
from explorer.ui.weights import load_or_offer, select_model, size_of
from pretrained import catalog, segmentation
from pretrained.records import Segmenter
from pretrained.segmentation import LoadedSegmenter

SHOWN = 440  # longer side of the photo on the page, pixels
LAST = "segmenters last"


@dataclass(frozen=True, eq=False)
class Seen:
    """What a network says of a photo. maps: of U-Net, by name, float32 (C, h, w); areas: share of each class, 0–1."""

    segmenter: LoadedSegmenter
    photo: Photo
    segmentation: Segmentation = field(repr=False)
    maps: Mapping[str, np.ndarray] = field(repr=False)
    areas: np.ndarray
    view: View = field(repr=False)

    @property
    def subject(self) -> tuple[str, str]:
        """Which network and photo."""
        return self.segmenter.model.key, self.photo.digest


@st.cache_resource(max_entries=3, show_spinner=False)
def kept_segmenter(key: str) -> LoadedSegmenter:
    """The segmenter of this key, for all sessions; of those in memory the one unused for longest goes first."""
    return segmentation.load_segmenter(key, download=False)


@st.cache_resource(max_entries=4, show_spinner=False)
def _kept_seen(key: str, digest: str, cut: tuple[int, ...], _segmenter: LoadedSegmenter, _photo: Photo) -> Seen:
    look = segmentation.look(_segmenter, _photo.pixels, cut)
    made = look.segmentation
    return Seen(_segmenter, _photo, made, look.maps, made.areas, view(made, _photo.pixels, SHOWN))


@st.cache_resource(max_entries=16, show_spinner=False)
def _kept_mask(key: str, digest: str, cut: tuple[int, ...], _segmenter: LoadedSegmenter, _photo: Photo) -> np.ndarray:
    return segmentation.segment(_segmenter, _photo.pixels, cut).mask


@st.cache_resource(max_entries=2, show_spinner=False)
def _kept_instances(key: str, digest: str, _segmenter: LoadedSegmenter, _photo: Photo) -> Instances:
    return segmentation.find_instances(_segmenter, _photo.pixels)


def segmenters(instances: bool) -> dict[str, Segmenter]:
    """The catalogue's segmenters by key, in its order: those that find objects, or those that say what every pixel is."""
    return {model.key: model for model in catalog.models(Segmenter) if model.instances is instances}


def bundled() -> str:
    """The key of the bundled segmenter that pages open on."""
    return next(model.key for model in segmenters(instances=False).values() if model.source == "bundled")


def choose_segmenter(key: str) -> LoadedSegmenter:
    """The control, and the segmenter to use: the chosen one, or a bundled one until the chosen one is here.

    key: of the control, also in the address. LoadError: the bundled one is missing or damaged.
    """
    records = segmenters(instances=False)
    names = {record.key: record.name for record in records.values()}
    chosen = select_model(
        names, key, _("The first two come with this app. The others are torchvision's official weights.")
    )
    return load_or_offer(records[chosen], size_of(records[chosen]), kept_segmenter) or kept_segmenter(bundled())


def look_at(segmenter: LoadedSegmenter, photo: Photo, cut: Collection[int] = ()) -> Seen:
    """What the segmenter says of a photo, from its one pass; cut: levels of U-Net without their skip connection.

    UserError: it cannot see it, or there is not enough memory.
    """
    with st.spinner(_("{name} looks at the photo …").format(name=segmenter.model.name), show_time=True):
        return _kept_seen(segmenter.model.key, photo.digest, tuple(sorted(cut)), segmenter, photo)


def mask_without(seen: Seen, cut: Collection[int]) -> np.ndarray:
    """The mask without the skip connections of these levels, uint8 (H, W). Errors as look_at."""
    return _kept_mask(*seen.subject, tuple(sorted(cut)), seen.segmenter, seen.photo)


def look_or_stay(segmenter: LoadedSegmenter, photo: Photo) -> Seen | None:
    """The same; what goes wrong is said, and what was seen last on this visit stays, or the bundled segmenter's answer.

    None: there is nothing to show.
    """
    state = st.session_state
    try:
        state[LAST] = look_at(segmenter, photo)
    except UserError as error:
        st.error(str(error), icon=":material/memory:")
        if LAST not in state and segmenter.model.key != bundled():
            with suppress(UserError):  # it has no more memory, and was said to have none
                state[LAST] = look_at(kept_segmenter(bundled()), photo)
        if LAST in state:
            text = _("Until then you see {name} on {photo}.")
            st.caption(text.format(name=state[LAST].segmenter.model.name, photo=state[LAST].photo.name))
    return state.get(LAST)


@contextmanager
def telling() -> Iterator[None]:
    """What cannot be done inside is said in its sentence; the page goes on behind."""
    try:
        yield
    except UserError as error:
        st.error(str(error), icon=":material/memory:")


def find_instances(segmenter: LoadedSegmenter, photo: Photo) -> Instances:
    """The objects that it finds, from its one pass. Errors as look_at."""
    with st.spinner(_("{name} looks at the photo …").format(name=segmenter.model.name), show_time=True):
        return _kept_instances(segmenter.model.key, photo.digest, segmenter, photo)

"""Choosing networks that find objects, and what they propose for a photo: kept, so that sliders never run them again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer.detections import Detections
from explorer.errors import UserError
from explorer.images import Photo
from explorer.text import _
from explorer.ui.weights import load_or_offer, select_model, size_of
from explorer.yolox_cells import best_first
from pretrained import catalog, detection
from pretrained.detection import LoadedDetector, Look
from pretrained.records import Detector


@dataclass(frozen=True, eq=False)
class Seen:
    """What a detector proposes for a photo. order: of YOLOX the cells by score, that of box n at place n; else empty."""

    detector: LoadedDetector
    look: Look
    order: np.ndarray


@st.cache_resource(max_entries=2, show_spinner=False)
def kept_detector(key: str) -> LoadedDetector:
    """The detector of this key, for all sessions; of those in memory the one unused for longest goes first."""
    return detection.load_detector(key, download=False)


@st.cache_resource(max_entries=8, show_spinner=False)
def _kept_look(key: str, digest: str, _detector: LoadedDetector, _pixels: np.ndarray) -> Seen:
    look = detection.look(_detector, _pixels)
    return Seen(_detector, look, best_first(look.grids) if look.grids else np.zeros(0, int))


def detectors() -> dict[str, Detector]:
    """The catalogue's detectors by key, in its order."""
    return {model.key: model for model in catalog.models(Detector)}


def choose_detector(key: str) -> LoadedDetector:
    """The control, and the detector to use: the chosen one, or the bundled one until the chosen one is here.

    key: of the control, also in the address.
    """
    records = detectors()
    names = {record.key: record.name for record in records.values()}
    chosen = select_model(
        names, key, _("The first comes with this app. The others are their makers' official weights.")
    )
    return load_or_offer(records[chosen], size_of(records[chosen]), kept_detector) or kept_detector(_bundled(records))


def look_at(detector: LoadedDetector, photo: Photo) -> Seen:
    """What the detector proposes, from its one pass over the photo; what goes wrong is said, and something is still shown.

    Then it is the bundled detector's proposals, or none at all.
    """
    bundled = _bundled(detectors())
    try:
        return _look(detector, photo)
    except UserError as error:
        st.error(str(error), icon=":material/visibility_off:")
    if detector.model.key != bundled:
        try:
            seen = _look(kept_detector(bundled), photo)
            _say_bundled()
            return seen
        except UserError:  # it has no more memory, and was said to have none
            pass
    nothing = np.zeros(0, np.float32)
    found = Detections(nothing.reshape(0, 4), nothing, nothing.astype(np.int64), detector.classes)
    return Seen(detector, Look(found), np.zeros(0, int))


def _look(detector: LoadedDetector, photo: Photo) -> Seen:
    with st.spinner(_("{name} looks at the photo …").format(name=detector.model.name), show_time=True):
        return _kept_look(detector.model.key, photo.digest, detector, photo.pixels)


def _say_bundled() -> None:
    st.caption(_("Until then you see the bundled model."))


def _bundled(records: dict[str, Detector]) -> str:
    return next(model.key for model in records.values() if model.source == "bundled")

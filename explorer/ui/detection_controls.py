"""The Detection page's controls: scores, overlaps, and the legend of classes that switches them off and on."""

from __future__ import annotations

import streamlit as st

from explorer.components.address import keep_in_address
from explorer.detection_views import counts
from explorer.detections import Detections
from explorer.text import _
from explorer.ui.detection_pictures import colour_of
from explorer.ui.legend import swatches

HIDDEN = "detect_hidden"
LEGEND = "detect_classes"


def choose_thresholds(suppresses: bool) -> tuple[float, float]:
    """(least score, IoU above which two boxes are one object). suppresses: whether the model's boxes need the second."""
    least = st.slider(_("Least score (confidence)"), 0.01, 0.99, 0.3, 0.01, key="detect_score", bind="query-params")
    overlap = st.slider(
        _("Most overlap (IoU)"), 0.05, 0.95, 0.45, 0.05, key="detect_iou", bind="query-params",
        disabled=not suppresses,
        help=_("Of two boxes of one class that overlap by more than this, only the better one stays."),
    )  # fmt: skip
    return least, overlap


def choose_classes(likely: Detections) -> frozenset[str]:
    """A legend of the classes that some likely box has, with counts; → those switched off, also others of earlier photos.

    likely: all boxes above the score, whatever their class.
    """
    state = st.session_state
    hidden = frozenset(state.setdefault(HIDDEN, _from_address()))
    present = counts(likely)
    if not present:
        st.caption(_("No class has a box here."))
        return hidden
    if LEGEND not in state or state.get(f"{LEGEND} of") != list(present):  # other classes: begin as the switches are
        state[LEGEND] = [name for name in present if name not in hidden]
        state[f"{LEGEND} of"] = list(present)
    st.html(swatches(LEGEND, (f"var(--head-{colour_of(likely.classes.index(name))})" for name in present)))
    shown = st.pills(_("Classes"), list(present), selection_mode="multi", key=LEGEND, wrap=True,
                     format_func=lambda name: f"{name} {present[name]}",
                     help=_("Boxes with at least that score; a click switches a class off and on."))  # fmt: skip
    hidden = (hidden - present.keys()) | (present.keys() - set(shown))
    state[HIDDEN] = hidden
    if hidden or state.get(f"{HIDDEN} named"):
        state[f"{HIDDEN} named"] = True  # from now on the address is told, also that none is off any more
        keep_in_address({HIDDEN: ",".join(sorted(hidden))}, key="detect_address")
    return hidden


def _from_address() -> frozenset[str]:
    return frozenset(filter(None, st.query_params.get(HIDDEN, "").split(",")))

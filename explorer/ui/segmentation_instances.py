"""Semantic beside instance segmentation on the Segmentation page: Mask R-CNN's objects, or objects of masks and boxes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.maps import maps
from explorer.detections import keep
from explorer.errors import UserError
from explorer.instance_views import Object, likely, objects, stands_for
from explorer.numbers import grouped, number
from explorer.segmentations import Instances, instances_of
from explorer.text import _
from explorer.ui import detectors, page
from explorer.ui import segmentation_pictures as show
from explorer.ui.segmentation_controls import share_text
from explorer.ui.segmenters import Seen, find_instances, kept_segmenter, segmenters
from explorer.ui.weights import load_or_offer, size_of

OVERLAP = 0.45  # IoU above which two boxes of one class are one object
BOXES, RCNN = "boxes", "rcnn"


@st.cache_resource(max_entries=4, show_spinner=False)
def _put_together(key: str, digest: str, detector: str, least: float, _seen: Seen, _boxes: detectors.Seen) -> Instances:
    found = keep(_boxes.look.found, least, OVERLAP)
    pairs = stands_for(found.classes, _seen.segmentation.classes)
    return instances_of(_seen.segmentation, found, pairs)


def beside_instances(seen: Seen, opacity: float) -> Instances | None:
    """The section. → the objects that are shown, None where there cannot be any."""
    page.section(
        _("Semantic and instance"),
        _("Semantic segmentation gives every pixel a class. Instance segmentation tells objects of one class apart, and leaves "
          "sky and road alone."),
    )  # fmt: skip
    controls, picture = page.play()
    with controls:
        ways = {BOXES: _("Masks and boxes"), RCNN: _("Mask R-CNN")}
        way = st.segmented_control(_("Objects from"), list(ways), default=BOXES, required=True, wrap=True,
                                   format_func=ways.__getitem__, key="seg_objects", bind="query-params")  # fmt: skip
        least = st.slider(_("Least score"), 0.05, 0.95, 0.3, 0.05, key="seg_score", bind="query-params",
                          help=_("Of an object’s box. The networks do not run again."))  # fmt: skip
        found = _mask_rcnn(seen, least) if way == RCNN else None
        made_of = found is None
        if found is None:
            found, told = _from_boxes(seen, least)
        else:
            told = _("Mask R-CNN finds boxes, and in each box a mask of its own.")
    if found is None:
        with picture:
            maps([show.semantic_map(seen, opacity)], key="seg_semantic", columns=2, height=320)
        with controls:
            st.info(told, icon=":material/crop_free:")
        return None
    lines = objects(found)
    with picture:
        count = _("1 object.") if len(lines) == 1 else _("{n} objects.").format(n=len(lines))
        right = show.instance_map(seen, found, lines, opacity, f"{count} {told}")
        maps([show.semantic_map(seen, opacity), right], key="seg_instances", columns=2, height=320)
        if lines:
            st.markdown(_object_table(lines, seen))
        else:
            st.caption(_("No object here has a score of {least}: lower the slider, or choose another photo.").format(
                least=number(least, 2)))  # fmt: skip
        if made_of:
            st.caption(_("No network made these objects as one: they are, in each box, the mask’s pixels of the box’s class. "
                         "Where two objects of a class overlap, the border between them is a box’s edge."))  # fmt: skip
    return found


def _mask_rcnn(seen: Seen, least: float) -> Instances | None:
    """Its objects; None while it is not on this computer or cannot look, which is said."""
    (model,) = segmenters(instances=True).values()
    until = _("Until then you see objects put together of mask and boxes.")
    loaded = load_or_offer(model, size_of(model), kept_segmenter, place="_instances", until=until)
    if loaded is None:
        return None
    try:
        return likely(find_instances(loaded, seen.photo), least)
    except UserError as error:
        st.error(str(error), icon=":material/memory:")
        return None


def _from_boxes(seen: Seen, least: float) -> tuple[Instances | None, str]:
    """(objects of this mask and the bundled detector's boxes, how they were made); (None, why there are none)."""
    model = next(one for one in detectors.detectors().values() if one.source == "bundled")
    try:
        boxes = detectors.look_at(detectors.kept_detector(model.key), seen.photo)
    except UserError as error:
        return None, str(error)
    pairs = stands_for(boxes.detector.classes, seen.segmentation.classes)
    if not pairs:
        text = _(
            "{detector} knows no object that {segmenter} has a class for. Choose Mask R-CNN, or another model above."
        )
        return None, text.format(detector=model.name, segmenter=seen.segmenter.model.name)
    found = _put_together(*seen.subject, boxes.detector.model.key, least, seen, boxes)
    others = [f"{name} → {other}" for name, other in pairs.items() if name != other]
    told = _("Put together of the mask and the boxes of {detector}.").format(detector=model.name)
    return found, told + (" " + _("Their classes: {pairs}.").format(pairs=", ".join(others)) if others else "")


def _object_table(lines: tuple[Object, ...], seen: Seen) -> str:
    """A row for each object."""
    most = 12
    rows = [_("| Object | Score | Pixels | Share of the photo |"), "|---|--:|--:|--:|"]
    rows += [
        f"| {one.number} {one.name} | {number(one.score, 2)} | {grouped(one.pixels)} | {share_text(one.share)} |"
        for one in lines[:most]
    ]
    text = "\n".join(rows)
    if len(lines) > most:
        whole = share_text(float(np.sum([one.share for one in lines[most:]])))
        text += "\n\n" + _("And {n} more with {share} of the photo.").format(n=len(lines) - most, share=whole)
    return text

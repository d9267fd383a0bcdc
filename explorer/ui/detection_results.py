"""The Detection page's results: a table, files to take along, and what is known of the model."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from explorer.detection_views import known_classes
from explorer.detections import Detections, Found, to_coco, to_csv
from explorer.images import Photo
from explorer.text import _
from explorer.ui import page
from explorer.ui.photo_input import photo_source
from pretrained.catalog import card
from pretrained.detection import LoadedDetector
from pretrained.records import Detector, DetectorCard


def show_results(kept: Detections, photo: Photo) -> None:
    """The boxes that are left as a table, as CSV and as COCO's JSON."""
    page.section(_("Results"), _("In pixels of the photo, from its upper left corner."))
    columns: dict[str, object] = {_("class"): kept.names, _("score"): kept.scores.round(4)}
    columns |= {name: kept.boxes[:, k].round(1) for k, name in enumerate(("x0", "y0", "x1", "y1"))}
    table = pd.DataFrame(columns, index=pd.RangeIndex(1, len(kept) + 1))
    score = st.column_config.ProgressColumn(_("score"), min_value=0, max_value=1, format="%.3f")
    edges = {name: st.column_config.NumberColumn(format="%.1f") for name in ("x0", "y0", "x1", "y1")}
    st.dataframe(table, height=min(38 + 35 * max(len(kept), 1), 300), column_config={_("score"): score, **edges})
    found = [Found(photo.name, photo.pixels.shape[1], photo.pixels.shape[0], kept)]
    stem = photo.name.rsplit(".", 1)[0] or "photo"
    left, right, _rest = st.columns([2, 3, 6])
    left.download_button(_("CSV"), lambda: to_csv(found), file_name=f"{stem}-boxes.csv", mime="text/csv",
                         icon=":material/download:", key="detect_csv")  # fmt: skip
    right.download_button(_("COCO JSON"), lambda: to_coco(found), file_name=f"{stem}-coco.json", mime="application/json",
                          icon=":material/download:", key="detect_coco")  # fmt: skip


def show_model(detector: LoadedDetector) -> None:
    """What its makers say of it, and how large it is."""
    model = detector.model
    page.section(_("About this model"))
    parameters = sum(parameter.numel() for parameter in detector.module.parameters())
    text = _("**{name}**: {parameters:.1f} million parameters and {classes} classes. Trained on: {data}. {figures} "
             "Licence: {licence}.")  # fmt: skip
    facts = {"parameters": parameters / 1e6, "classes": len(known_classes(detector.classes)), "figures": figures(model)}
    st.markdown(text.format(name=model.name, data=model.data, licence=model.licence, **facts))


def figures(model: Detector) -> str:
    """How good it was measured to be, in a sentence: by the training that made its file, or by its makers."""
    if model.source == "bundled":
        facts = card(model, DetectorCard)
        told = _("On {photos} photos held out its mean average precision is {map50:.1%} at an IoU of 0.5, and {map:.1%} over "
                 "IoUs from 0.5 to 0.95.")  # fmt: skip
        return told.format(photos=facts.photos, map50=facts.map50, map=facts.map)
    if model.average_precision is None:
        return _("Its makers published no figure.")
    return _("On COCO’s validation photos its makers measured a mean average precision of {ap:.1%} over IoUs from 0.5 to "
             "0.95.").format(ap=model.average_precision)  # fmt: skip


def snippet(model: Detector, photo: Photo, least: float, overlap: float | None, hidden: frozenset[str]) -> str:
    """The lines that compute the boxes that are left."""
    options = ([f"overlap={overlap}"] if overlap is not None else []) + ([f"hidden={sorted(hidden)}"] if hidden else [])
    chosen = "".join(f", {option}" for option in options)
    return f"""
from explorer.detection_views import known_classes
from explorer.detections import keep
from pretrained.detection import load_detector, look
{photo_source(photo)}
detector = load_detector("{model.key}")
found = keep(look(detector, photo.pixels).found, {least}{chosen})
for name, score, box in zip(found.names, found.scores, found.boxes):
    print(f"{{score:.2f}} {{name}}", box.round(1))
result = found.boxes
"""

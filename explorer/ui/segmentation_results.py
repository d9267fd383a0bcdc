"""The last sections of the Segmentation page: files to take along, and what is known of the model."""

from __future__ import annotations

import csv
import io

import numpy as np
import streamlit as st

from explorer.numbers import number
from explorer.segmentations import Instances, instances_to_coco, mask_png, segmentation_to_coco
from explorer.text import _
from explorer.ui import page
from explorer.ui import segmentation_pictures as show
from explorer.ui.segmenters import Seen
from pretrained import catalog
from pretrained.records import SegmenterCard


def files(seen: Seen, instances: Instances | None) -> None:
    """Files to take along."""
    page.at_scale(_("The whole result for your photo, at its full size of {width} × {height} pixels.").format(
        width=seen.photo.pixels.shape[1], height=seen.photo.pixels.shape[0]))  # fmt: skip
    name = seen.photo.name
    stem, made = name.rsplit(".", 1)[0], seen.segmentation
    columns = st.columns(4, gap="small")
    files = [
        (_("Mask (PNG)"), lambda: mask_png(made), f"{stem}-mask.png", "image/png",
         _("Grey: the value of a pixel is its class’s place in the list, from 0.")),
        (_("Outlines (COCO JSON)"), lambda: segmentation_to_coco(made, name).encode(), f"{stem}-classes.json",
         "application/json", _("A polygon for each part of each class; holes are filled.")),
        (_("Areas (CSV)"), lambda: areas_csv(seen).encode(), f"{stem}-areas.csv", "text/csv",
         _("Pixels and share of each class.")),
    ]  # fmt: skip
    if instances is not None and len(instances):
        files.append(
            (_("Objects (COCO JSON)"), lambda: instances_to_coco(instances, name).encode(), f"{stem}-objects.json",
             "application/json", _("Box, score and polygon of each object."))
        )  # fmt: skip
    for column, (label, data, file, kind, about) in zip(columns, files, strict=False):
        with column:
            st.download_button(label, data, file_name=file, mime=kind, icon=":material/download:", help=about,
                               key=f"seg_save_{file.rsplit('-', 1)[1].replace('.', '_')}")  # fmt: skip
    st.caption(
        _("Classes by place: {names}.").format(
            names=", ".join(f"{k} {one}" for k, one in enumerate(show.names_of(seen)))
        )
    )


def areas_csv(seen: Seen) -> str:
    """A line for each class: its place, name, pixels and share of the photo."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["photo", "label", "class", "pixels", "share"])
    counts = np.bincount(seen.segmentation.mask.ravel(), minlength=len(seen.segmentation.classes))
    for label, (name, count) in enumerate(zip(seen.segmentation.classes, counts.tolist(), strict=True)):
        writer.writerow([seen.photo.name, label, name, count, f"{count / counts.sum():.6f}"])
    return file.getvalue()


def about(seen: Seen) -> None:
    """What the record and the card say of the model."""
    page.section(_("About this model"))
    model = seen.segmenter.model
    count = sum(parameter.numel() for parameter in seen.segmenter.module.parameters())
    text = _("**{name}**: {parameters} million parameters, {n} classes, trained on {data}. Licence: {licence}.").format(
        name=model.name, parameters=f"{count / 1e6:.1f}", n=len(seen.segmenter.classes), data=model.data,
        licence=model.licence)  # fmt: skip
    if model.source == "bundled":
        card = catalog.card(model, SegmenterCard)
        told = _(" On {photos} photos held out it reaches a mean IoU of {iou}. Class by class: {classes}.")
        each = ", ".join(
            f"{name} {number(value, 2)}" for name, value in sorted(card.iou.items(), key=lambda one: -one[1])
        )
        text += told.format(photos=card.photos, iou=number(card.mean_iou), classes=each)
    else:
        meta = catalog.official(model).meta["_metrics"]
        ((where, scores),) = meta.items()
        listed = ", ".join(f"{name.replace('_', ' ')} {number(value, 1)}" for name, value in scores.items())
        text += _(" Its makers measured on {where}, in per cent: {scores}.").format(where=where, scores=listed)
    st.markdown(text)
    if model.source == "bundled":
        st.caption(_("It gives every pixel one of its classes, whatever you show it. It has seen no other photos."))

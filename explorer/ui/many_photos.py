"""What the page Many photos chooses and shows: the model, the photos, one of them with its result, a part to step through."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Literal

import numpy as np
import streamlit as st

from explorer.batches import Labels, Look, Mask, Outcome, Source, classes_of, process, summary
from explorer.components.maps import Map
from explorer.detection_views import few_of_a_class, trace_nms
from explorer.detections import Detections
from explorer.errors import UserError
from explorer.gallery import load_sample
from explorer.models.unet import UNet
from explorer.network_parts import HEAD, part, parts, trace_part
from explorer.numbers import number
from explorer.segmentation_views import plain_name
from explorer.text import _
from explorer.trace import Trace
from explorer.ui.batch_job import Job, job_of
from explorer.ui.classification_pass import FAMILIES
from explorer.ui.detection_pictures import Canvas, boxes_on
from explorer.ui.detectors import choose_detector
from explorer.ui.models import choose_classifier
from explorer.ui.segmenters import choose_segmenter
from explorer.unet_views import decoder_steps
from pretrained import classification, detection, segmentation
from pretrained.classification import Classifier
from pretrained.detection import LoadedDetector
from pretrained.segmentation import LoadedSegmenter

SAMPLES = ("coco_pizza.jpg", "coco_street_bus_cars.jpg", "cat_chelsea.jpg", "coco_train.jpg")
TYPES = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"]
MOST = 500
TOP = 5
OVERLAP = 0.45  # IoU above which two boxes of one class are one object
Task = Literal["classes", "boxes", "masks"]
ROLES = {
    **dict.fromkeys("x maps boxes a b below".split(), "input"),
    **dict.fromkeys("fc classifier head up conv1 conv2 bn1 bn2".split(), "weight"),
    **dict.fromkeys("scores skip".split(), "value"),
    **dict.fromkeys("overlap best".split(), "output"),
    **dict.fromkeys("left others suppressed".split(), "mask"),
    **dict.fromkeys("intersection union out".split(), "hidden"),
}


@dataclass(frozen=True, eq=False)
class Chosen:
    """The model and how it looks at a photo. overlaps: whether its boxes still need suppression."""

    task: Task
    loaded: Classifier | LoadedDetector | LoadedSegmenter
    look: Look

    @property
    def key(self) -> str:
        """Of the model."""
        return self.loaded.model.key

    @property
    def overlap(self) -> float | None:
        """The IoU above which boxes are suppressed; None where there are none, or none needs to be."""
        return OVERLAP if isinstance(self.loaded, LoadedDetector) and self.loaded.model.overlaps else None


def choose_model() -> Chosen:
    """Task and model. UserError: the bundled model of this task is not there."""
    tasks: dict[Task, str] = {"classes": _("Classes"), "boxes": _("Boxes"), "masks": _("Masks")}
    task = st.segmented_control(_("Find"), list(tasks), default="classes", required=True, key="many_task",
                                format_func=tasks.__getitem__, bind="query-params")  # fmt: skip
    if task == "boxes":
        detector = choose_detector("many_detector")
        return Chosen("boxes", detector, partial(_boxes, detector))
    if task == "masks":
        segmenter = choose_segmenter("many_segmenter")
        return Chosen("masks", segmenter, partial(segmentation.segment, segmenter))
    classifier = choose_classifier(FAMILIES, key="many_classifier")
    return Chosen("classes", classifier, partial(_labels, classifier))


def _labels(classifier: Classifier, pixels: np.ndarray) -> Labels:
    made = classification.classify(classifier, pixels, TOP)
    return Labels(made.labels, made.probabilities)


def _boxes(detector: LoadedDetector, pixels: np.ndarray) -> Detections:
    return detection.look(detector, pixels).found


def choose_photos() -> tuple[list[Source], Hashable]:
    """(photos, what tells them from others): uploads, or a few of the gallery until there are some."""
    files = st.file_uploader(_("Your photos"), type=TYPES, accept_multiple_files=True, key="many_upload",
                             help=_("Drop a folder’s photos here, up to {most} of them.").format(most=MOST))  # fmt: skip
    if not files:
        st.caption(_("Until then you see some sample photos."))
        return [Source(name, partial(load_sample, name)) for name in SAMPLES], "samples"
    if len(files) > MOST:
        st.warning(_("Only the first {most} of {n} photos are looked at.").format(most=MOST, n=len(files)),
                   icon=":material/content_cut:")  # fmt: skip
    taken = files[:MOST]
    sources = [Source.of(file.name, file.getvalue()) for file in taken]
    return sources, tuple(_digest(file.file_id, file.getvalue()) for file in taken)


@st.cache_data(max_entries=2 * MOST, show_spinner=False)
def _digest(file_id: str, _data: bytes) -> str:
    return sha256(_data).hexdigest()


@st.cache_resource(max_entries=6, show_spinner=False)
def _gallery(key: str, _sources: Sequence[Source], _look: Look) -> list[Outcome]:
    return list(process(_sources, _look))


def work_on(chosen: Chosen, sources: list[Source], identity: Hashable) -> Job:
    """The work: of the samples it is done at once, as the page opens on their results."""
    job = job_of((chosen.key, identity), len(sources), lambda: process(sources, chosen.look))
    if identity == "samples" and not job.done:
        with st.spinner(_("{name} looks at the samples …").format(name=chosen.loaded.model.name)):
            job.outcomes = list(_gallery(chosen.key, sources, chosen.look))
    return job


def table(outcomes: Sequence[Outcome]) -> dict[str, list[Any]]:
    """A row for each photo."""
    return {
        _("Photo"): [one.name for one in outcomes],
        _("Result"): [summary(one) for one in outcomes],
        _("Width"): [one.size[0] or None for one in outcomes],
        _("Height"): [one.size[1] or None for one in outcomes],
        _("Seconds"): [round(one.seconds, 3) for one in outcomes],
    }


def result_map(outcome: Outcome) -> Map:
    """One photo with what was found."""
    assert outcome.preview is not None  # noqa: S101 — it was found on something
    found = outcome.found
    if isinstance(found, Detections):
        canvas = Canvas(outcome.preview, *outcome.size)
        return Map(outcome.preview, outcome.name, summary(outcome), role="output", boxes=boxes_on(canvas, found))
    told = summary(outcome)
    if isinstance(found, Labels):
        pairs = zip(found.names, found.probabilities.tolist(), strict=True)
        told = ", ".join(f"{name} {number(p, 2)}" for name, p in pairs)
    if isinstance(found, Mask):
        names = tuple(plain_name(name) for name in found.classes)
        mask = classes_of(found, outcome.preview.shape[:2])
        return Map(mask, outcome.name, told, rgb=outcome.preview, names=names)
    return Map(outcome.preview, outcome.name, told, role="input")


def steps_of(chosen: Chosen, source: Source, outcome: Outcome) -> tuple[Trace, str] | None:
    """(steps of the model's last part on one photo, the operation to begin on); None where it shows none."""
    loaded = chosen.loaded
    try:
        if isinstance(loaded, LoadedDetector):
            few = few_of_a_class(outcome.found, outcome.found) if isinstance(outcome.found, Detections) else None
            return (trace_nms(few, OVERLAP), "div") if few is not None and len(few) else None
        pixels = source.read().pixels
        if isinstance(loaded, Classifier):
            if HEAD not in parts(loaded.module):
                return None
            made = part(classification.look(loaded, pixels), HEAD)
            return trace_part(made), made.start
        if not isinstance(loaded.module, UNet):
            return None
        maps = segmentation.unet_maps(loaded, pixels)
        middle = maps["decoder.1"].shape[1] // 2, maps["decoder.1"].shape[2] // 2
        return decoder_steps(loaded.module, maps, 0, middle), "conv_transpose2d"
    except UserError:
        return None


def snippet(chosen: Chosen, sources: Sequence[Source], samples: bool, least: float) -> str:
    """The lines that do the same with the photos in a folder, or with the samples."""
    names = [source.name for source in sources]
    listed = "names = [\n" + "".join(f"    {name!r},\n" for name in names) + "]\n"
    given = f"{listed}sources = [Source(name, partial(load_sample, name)) for name in names]"
    imports = "from functools import partial\nfrom explorer.gallery import load_sample\n"
    if not samples:
        imports = "from pathlib import Path\n"
        given = f"{listed}sources = [Source.of(name, Path(name).read_bytes()) for name in names]"
    module, load, ask = _CALLS[chosen.task]
    return f"""
{imports}from explorer.batches import Labels, Source, archive, chosen, process
from pretrained.{module} import {load}, {ask}
{given}
model = {load}("{chosen.key}")
outcomes = chosen(list(process(sources, {_LOOKS[chosen.task]})), {least}, {chosen.overlap})
data = archive(outcomes)  # a ZIP file
{_RESULTS[chosen.task]}
"""


_CALLS = {
    "classes": ("classification", "load_classifier", "classify"),
    "boxes": ("detection", "load_detector", "look"),
    "masks": ("segmentation", "load_segmenter", "segment"),
}
_LOOKS = {
    "classes": f"lambda x: Labels((made := classify(model, x, {TOP})).labels, made.probabilities)",
    "boxes": "lambda pixels: look(model, pixels).found",
    "masks": "lambda pixels: segment(model, pixels)",
}
_RESULTS = {
    "classes": "result = [one.found.probabilities for one in outcomes if not one.error]",
    "boxes": "result = [len(one.found) for one in outcomes if not one.error]",
    "masks": "result = [one.found.areas for one in outcomes if not one.error]",
}
RESULT_OF: dict[Task, Callable[[Any], Any]] = {
    "classes": lambda found: found.probabilities,
    "boxes": len,
    "masks": lambda found: found.areas,
}
"""What the snippet leaves of each photo that went well."""

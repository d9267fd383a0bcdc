"""Many photos through one network: one by one, whatever is wrong with some of them, and all results in one ZIP file."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import cv2
import numpy as np

from explorer import palette
from explorer.detections import Detections, Found, keep, to_coco, to_csv
from explorer.errors import UserError
from explorer.images import Photo, fit, read_photo, to_png
from explorer.segmentation_views import class_colours, overlay, plain_name, sampled
from explorer.segmentations import Segmentation, mask_png, segmentation_to_coco

PREVIEW = 640
"""Longer side of the picture that is kept of a photo, pixels."""
MOST_BOXES = 300
"""Boxes that are kept of a photo, the best ones."""
OPACITY = 0.55


@dataclass(frozen=True)
class Source:
    """A photo to come. read: its pixels, or UserError."""

    name: str
    read: Callable[[], Photo]

    @classmethod
    def of(cls, name: str, data: bytes) -> Source:
        """An uploaded file."""
        return cls(name, lambda: read_photo(data, name))


@dataclass(frozen=True, eq=False)
class Labels:
    """What a classifier says. names: the best first; probabilities: float32, of these."""

    names: tuple[str, ...]
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class Mask:
    """What is kept of a segmentation, which itself takes megabytes. png: as mask_png; areas: share of each class, 0–1.

    coco: its outlines, as segmentation_to_coco.
    """

    png: bytes
    areas: np.ndarray
    classes: tuple[str, ...]
    coco: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one photo. size: (width, height) in pixels, (0, 0) where it could not be read.

    seconds: for reading it and looking at it; preview: uint8 (h, w, 3), of a mask with its colours; error: one sentence, "" if
    all went well; then found is there.
    """

    name: str
    size: tuple[int, int]
    seconds: float
    found: Labels | Detections | Mask | None
    preview: np.ndarray | None
    error: str = ""


def classes_of(mask: Mask, size: tuple[int, ...]) -> np.ndarray:
    """Each pixel's class at another size, uint8 (h, w). size: (h, w)."""
    read = cv2.imdecode(np.frombuffer(mask.png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert read is not None  # noqa: S101 — the file was made here
    return sampled(np.asarray(read), size)


Look = Callable[[np.ndarray], Labels | Detections | Segmentation]
"""uint8 (H, W, 3) → what a network says of it. UserError: it cannot."""


def process(sources: Iterable[Source], look: Look) -> Iterator[Outcome]:
    """One outcome for each source, in order, as they come. A photo that fails is one outcome with a sentence."""
    for source in sources:
        started = time.perf_counter()
        size, preview = (0, 0), None
        try:
            photo = source.read()
            size = photo.pixels.shape[1], photo.pixels.shape[0]
            preview = fit(photo.pixels, PREVIEW)
            found = look(photo.pixels)
            if isinstance(found, Segmentation):
                colours = class_colours(found.classes)
                preview = overlay(preview, sampled(found.mask, preview.shape[:2]), colours, OPACITY)
                coco = segmentation_to_coco(found, source.name)
                kept: Labels | Detections | Mask = Mask(mask_png(found), found.areas, found.classes, coco)
            elif isinstance(found, Detections):
                kept = found.chosen(np.arange(min(MOST_BOXES, len(found))))
            else:
                kept = found
            yield Outcome(source.name, size, time.perf_counter() - started, kept, preview)
        except UserError as error:
            yield Outcome(source.name, size, time.perf_counter() - started, None, preview, str(error))


def chosen(outcomes: Sequence[Outcome], least: float, overlap: float | None) -> list[Outcome]:
    """With the boxes that explorer.detections.keep leaves; others as they are."""
    return [
        replace(one, found=keep(one.found, least, overlap)) if isinstance(one.found, Detections) else one
        for one in outcomes
    ]


def summary(outcome: Outcome) -> str:
    """What was found, in a few words; the sentence on what went wrong."""
    found = outcome.found
    if isinstance(found, Labels):
        return f"{found.names[0]} {100 * float(found.probabilities[0]):.0f}\u202f%"
    if isinstance(found, Detections):
        counts = {name: found.names.count(name) for name in dict.fromkeys(found.names)}
        return ", ".join(f"{count} × {name}" for name, count in counts.items()) or "—"
    if isinstance(found, Mask):
        order = [k for k in np.argsort(-found.areas, kind="stable")[:3] if found.areas[k] > 0]
        return ", ".join(f"{plain_name(found.classes[k])} {100 * found.areas[k]:.0f}\u202f%" for k in order)
    return outcome.error


def drawn(outcome: Outcome) -> np.ndarray | None:
    """The preview with what was found, uint8 (h, w, 3): boxes with their names; masks have their colours already."""
    if outcome.preview is None or not isinstance(outcome.found, Detections):
        return outcome.preview
    picture = outcome.preview.copy()
    scale = picture.shape[1] / outcome.size[0]
    lines = zip(
        outcome.found.boxes * scale, outcome.found.labels, outcome.found.names, outcome.found.scores, strict=True
    )
    for box, label, name, score in lines:
        x0, y0, x1, y1 = (int(value) for value in box.round())
        colour = palette.rgb(palette.CLASSES[int(label) % len(palette.CLASSES)])
        cv2.rectangle(picture, (x0, y0), (x1, y1), (255, 255, 255), 3)
        cv2.rectangle(picture, (x0, y0), (x1, y1), colour, 2)
        _tag(picture, f"{name} {score:.2f}", x0, y0, colour)
    return picture


def _tag(picture: np.ndarray, text: str, x: int, y: int, colour: tuple[int, int, int]) -> None:
    """A name on a ground of its colour, inside the picture."""
    plain = text.encode("ascii", "replace").decode()  # cv2 has no other letters; classes are English
    (width, height), below = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    x, y = max(0, min(x, picture.shape[1] - width)), max(height + below, y)
    cv2.rectangle(picture, (x, y - height - below), (x + width, y), colour, -1)
    ink = (17, 17, 17) if sum(colour) > 380 else (255, 255, 255)
    cv2.putText(picture, plain, (x, y - below // 2 - 1), cv2.FONT_HERSHEY_SIMPLEX, 0.45, ink, 1, cv2.LINE_AA)


def table_csv(outcomes: Sequence[Outcome]) -> str:
    """A line for each photo: its size, what was found, seconds, what went wrong."""
    rows = [
        [one.name, *one.size, "" if one.error else summary(one), f"{one.seconds:.3f}", one.error] for one in outcomes
    ]
    return _csv(["photo", "width", "height", "result", "seconds", "error"], rows)


def archive(outcomes: Sequence[Outcome]) -> bytes:
    """A ZIP file: results.csv, pictures, and by what the network says classes.csv, boxes (CSV, COCO), or masks with areas."""
    file = io.BytesIO()
    stems = _stems([one.name for one in outcomes])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("results.csv", table_csv(outcomes))
        for stem, one in zip(stems, outcomes, strict=True):
            picture = drawn(one)
            if picture is not None and not one.error:
                made.writestr(f"pictures/{stem}.png", to_png(picture))
            if isinstance(one.found, Mask):
                made.writestr(f"masks/{stem}.png", one.found.png)
                made.writestr(f"outlines/{stem}.json", one.found.coco)
        for name, text in _tables(outcomes).items():
            made.writestr(name, text)
    return file.getvalue()


def _tables(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """File name → text, for the kinds of results that there are."""
    texts = {}
    labels = [(one.name, one.found) for one in outcomes if isinstance(one.found, Labels)]
    if labels:
        rows = [
            [photo, rank, name, f"{p:.6f}"]
            for photo, found in labels
            for rank, (name, p) in enumerate(zip(found.names, found.probabilities.tolist(), strict=True), start=1)
        ]
        texts["classes.csv"] = _csv(["photo", "rank", "class", "probability"], rows)
    boxes = [Found(one.name, *one.size, one.found) for one in outcomes if isinstance(one.found, Detections)]
    if boxes:
        texts |= {"boxes.csv": to_csv(boxes), "boxes.json": to_coco(boxes)}
    masks = [(one.name, one.found) for one in outcomes if isinstance(one.found, Mask)]
    if masks:
        rows = [
            [photo, label, name, f"{share:.6f}"]
            for photo, found in masks
            for label, (name, share) in enumerate(zip(found.classes, found.areas.tolist(), strict=True))
        ]
        texts["areas.csv"] = _csv(["photo", "label", "class", "share"], rows)
        texts["classes.json"] = json.dumps(masks[0][1].classes, ensure_ascii=False)
    return texts


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return file.getvalue()


def _stems(names: Sequence[str]) -> list[str]:
    """Names of files without their endings, each once, none of which leads out of its folder."""
    made: list[str] = []
    for name in names:
        stem = PurePath(name.replace("\\", "/")).stem.strip(". ") or "photo"
        number, wanted = 1, stem
        while wanted.lower() in {other.lower() for other in made}:
            number += 1
            wanted = f"{stem}-{number}"
        made.append(wanted)
    return made

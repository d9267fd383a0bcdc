"""Objects that a network found in a photo, whichever network it was: choosing among them, and files to take along."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torchvision.ops import batched_nms

from explorer.models.boxes import iou


@dataclass(frozen=True, eq=False)
class Detections:
    """boxes: float32 (n, 4), x0, y0, x1, y1 in pixels of the original photo; scores: float32 (n,), 0–1, best first.

    labels: int64 (n,), places in classes; classes: the names of all that the network knows.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def names(self) -> tuple[str, ...]:
        """What each box holds, n names."""
        return tuple(self.classes[label] for label in self.labels)

    def chosen(self, which: np.ndarray) -> Detections:
        """Some of them. which: bool (n,), or int (k,) in the wanted order."""
        return Detections(self.boxes[which], self.scores[which], self.labels[which], self.classes)


@dataclass(frozen=True)
class Overlap:
    """How an IoU comes about: the shared rectangle, its area, both areas, and intersection ÷ union. In pixels."""

    left: float
    top: float
    right: float
    bottom: float
    intersection: float
    first: float
    second: float
    union: float
    iou: float


@dataclass(frozen=True)
class Round:
    """One round of non-maximum suppression. best: the box that is kept; rivals: those left of its label, with their IoU.

    suppressed: the rivals that go, because their IoU is above the threshold. All are places in the detections.
    """

    best: int
    rivals: tuple[tuple[int, float], ...]
    suppressed: tuple[int, ...]


def best_first(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> Detections:
    """Detections of arrays in any order."""
    order = np.argsort(-scores, kind="stable")
    return Detections(
        boxes[order].astype(np.float32), scores[order].astype(np.float32), labels[order].astype(np.int64), classes
    )


def keep(
    found: Detections,
    least_score: float,
    overlap: float | None = None,
    hidden: Collection[str] = (),
    most: int | None = None,
) -> Detections:
    """Those with at least this score; of boxes with one label that overlap by a greater IoU only the best; at most so many.

    overlap: None keeps all that overlap, as a network without suppression (DETR) needs. hidden: classes to leave out.
    """
    shown = np.array([name not in hidden for name in found.classes], bool)
    found = found.chosen((found.scores >= least_score) & shown[found.labels])
    if overlap is not None:
        arrays = (found.boxes, found.scores, found.labels)
        kept = batched_nms(*(torch.from_numpy(array) for array in arrays), overlap)
        found = found.chosen(kept.numpy())
    return found if most is None else found.chosen(np.arange(min(most, len(found))))


def rounds(found: Detections, overlap: float) -> list[Round]:
    """Non-maximum suppression round by round, with all IoUs that it looks at."""
    boxes, left, done = torch.from_numpy(found.boxes), list(range(len(found))), []
    while left:
        best, *others = left
        same = [place for place in others if found.labels[place] == found.labels[best]]
        overlaps = iou(boxes[best], boxes[same]).tolist()
        gone = tuple(place for place, value in zip(same, overlaps, strict=True) if value > overlap)
        done.append(Round(best, tuple(zip(same, overlaps, strict=True)), gone))
        left = [place for place in others if place not in gone]
    return done


def overlap_of(a: Sequence[float], b: Sequence[float]) -> Overlap:
    """The IoU of two boxes x0, y0, x1, y1 and all that it is made of; where they share nothing, the intersection is 0."""
    left, top, right, bottom = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    intersection = max(right - left, 0.0) * max(bottom - top, 0.0)
    first, second = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    union = first + second - intersection
    return Overlap(
        left, top, right, bottom, intersection, first, second, union, intersection / union if union > 0 else 0.0
    )


@dataclass(frozen=True)
class Found:
    """What was found in a photo of that name and size in pixels, for a file that may speak of several."""

    photo: str
    width: int
    height: int
    detections: Detections


def to_csv(photos: Sequence[Found]) -> str:
    """A line for each box: photo, class, score, x0, y0, x1, y1 in pixels."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["photo", "class", "score", "x0", "y0", "x1", "y1"])
    for found in photos:
        of = found.detections
        for box, score, name in zip(of.boxes.tolist(), of.scores.tolist(), of.names, strict=True):
            writer.writerow([found.photo, name, f"{score:.4f}", *(f"{x:.1f}" for x in box)])
    return file.getvalue()


def to_coco(photos: Sequence[Found]) -> str:
    """COCO's JSON: images, categories (numbered from 1) and annotations, whose boxes are x, y, width, height in pixels."""
    return json.dumps(coco(photos), indent=1, ensure_ascii=False)


def coco(photos: Sequence[Found]) -> dict[str, list]:
    """What to_coco writes."""
    classes = tuple(dict.fromkeys(name for found in photos for name in found.detections.classes))
    annotations: list[dict] = []
    for number, found in enumerate(photos, start=1):
        of = found.detections
        for (x0, y0, x1, y1), score, name in zip(of.boxes.tolist(), of.scores.tolist(), of.names, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": classes.index(name) + 1,
                    "bbox": [round(x, 2) for x in (x0, y0, x1 - x0, y1 - y0)],
                    "area": round((x1 - x0) * (y1 - y0), 2),
                    "iscrowd": 0,
                    "score": round(score, 4),
                }
            )
    return {
        "images": [
            {"id": number, "file_name": found.photo, "width": found.width, "height": found.height}
            for number, found in enumerate(photos, start=1)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(classes, start=1)],
        "annotations": annotations,
    }

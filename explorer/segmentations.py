"""What a network says of every pixel of a photo, whichever network it was: areas, outlines, and files to take along."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from explorer.detections import Detections, Found, coco
from explorer.images import to_png


@dataclass(frozen=True, eq=False)
class Segmentation:
    """mask: uint8 (H, W), each pixel's class in the original photo, a place in classes.

    probabilities: float32 (classes, h, w), 0–1, which sum to 1 over the classes; the whole photo on the network's own grid.
    """

    mask: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]

    @property
    def areas(self) -> np.ndarray:
        """Share of the photo of each class, float64 (classes,), which sum to 1."""
        return np.bincount(self.mask.ravel(), minlength=len(self.classes)) / self.mask.size


@dataclass(frozen=True, eq=False)
class Instances:
    """masks: bool (n, H, W), of each object in the original photo; detections: its n boxes, scores and labels."""

    masks: np.ndarray
    detections: Detections

    def __len__(self) -> int:
        return len(self.masks)


def boundaries(mask: np.ndarray) -> np.ndarray:
    """bool (H, W): pixels whose neighbour to the right or below is of another class. mask: int (H, W)."""
    edge = np.zeros(mask.shape, bool)
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    edge[:-1] |= mask[:-1] != mask[1:]
    return edge


def instances_of(segmentation: Segmentation, found: Detections, stands_for: Mapping[str, str]) -> Instances:
    """Objects put together of a mask and boxes: in each box the pixels of its class, which belong to the smallest box.

    It is no network's own instance segmentation: where two objects of one class overlap, the border is a box's edge.
    stands_for: the detector's name of a class → the mask's; boxes of other classes, and those without a pixel, are left out.
    """
    known = [place for place, name in enumerate(found.names) if stands_for.get(name) in segmentation.classes]
    sizes = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(1)
    owner = np.full(segmentation.mask.shape, -1)
    for place in sorted(known, key=lambda place: -sizes[place]):  # smaller ones take from larger ones
        x0, y0 = np.floor(found.boxes[place, :2]).astype(int).clip(0)
        x1, y1 = np.ceil(found.boxes[place, 2:]).astype(int)
        wanted = segmentation.classes.index(stands_for[found.names[place]])
        owner[y0:y1, x0:x1][segmentation.mask[y0:y1, x0:x1] == wanted] = place
    masks = [owner == place for place in known]
    kept = [number for number, mask in enumerate(masks) if mask.any()]
    empty = np.zeros((0, *segmentation.mask.shape), bool)
    chosen = found.chosen(np.array([known[number] for number in kept], np.int64))
    return Instances(np.stack([masks[number] for number in kept]) if kept else empty, chosen)


def mask_png(segmentation: Segmentation) -> bytes:
    """A grey PNG file: the value of a pixel is its class's place in `classes`."""
    return to_png(segmentation.mask)


def polygons(mask: np.ndarray) -> list[list[float]]:
    """Outlines of a bool (H, W) mask as COCO writes them, x, y, x, y, … through the centres of the outermost pixels.

    Holes are filled; parts of less than three corners, which are no polygons, are left out.
    """
    outlines, _tree = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [outline.ravel().astype(float).tolist() for outline in outlines if len(outline) >= 3]


def segmentation_to_coco(segmentation: Segmentation, photo: str) -> str:
    """COCO's JSON with an annotation for each class that is there, its outlines as polygons."""
    present = [label for label in range(len(segmentation.classes)) if (segmentation.mask == label).any()]
    masks = [segmentation.mask == label for label in present]
    boxes = np.array([_box(mask) for mask in masks], np.float32).reshape(-1, 4)
    scores, labels = np.ones(len(present), np.float32), np.array(present, np.int64)
    made = _with_polygons(np.array(masks), Detections(boxes, scores, labels, segmentation.classes), photo)
    for annotation in made["annotations"]:
        del annotation["score"]  # nobody gave one
    return json.dumps(made, ensure_ascii=False)


def instances_to_coco(instances: Instances, photo: str) -> str:
    """COCO's JSON with an annotation for each object, its outlines as polygons."""
    return json.dumps(_with_polygons(instances.masks, instances.detections, photo), ensure_ascii=False)


def _with_polygons(masks: np.ndarray, found: Detections, photo: str) -> dict[str, list]:
    """masks: bool (n, H, W); found: of the same n objects."""
    height, width = masks.shape[1:]
    made = coco([Found(photo, width, height, found)])
    for annotation, mask in zip(made["annotations"], masks, strict=True):
        annotation["segmentation"] = polygons(mask)
        annotation["area"] = int(mask.sum())
    return made


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 round the pixels that are True."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

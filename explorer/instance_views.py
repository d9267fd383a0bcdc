"""Objects of a photo told apart: which box's class is which mask's, and a picture in which each has its own pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.detections import Detections
from explorer.segmentations import Instances, boundaries

STRIPE = 6
"""Pixels from one stripe of a pattern to the next."""
LIGHTNESS = (0.0, 0.35, -0.3, 0.6)
"""How much towards white (above 0) or black an object's colour goes, one after the other."""
OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "bus": ("bus", "car"),
    "truck": ("truck", "car"),
    "motorbike": ("motorbike", "cyclist"),
    "motorcycle": ("motorbike", "cyclist"),
    "bicycle": ("bicycle", "cyclist"),
    "person": ("person", "pedestrian"),
    "cat": ("cat", "pet"),
    "dog": ("dog", "pet"),
    "airplane": ("aeroplane",),
    "couch": ("sofa",),
    "dining table": ("diningtable",),
    "potted plant": ("pottedplant",),
    "tv": ("tvmonitor",),
}
"""A detector's name of a class → the names that masks may have for it, the closest first. CamVid counts buses as cars."""


@dataclass(frozen=True)
class Object:
    """One of the instances. number: from 1; score: of its box; pixels: of its mask; share: of the photo, 0–1."""

    number: int
    name: str
    score: float
    pixels: int
    share: float
    box: tuple[float, float, float, float]


def stands_for(found: Sequence[str], classes: Sequence[str]) -> dict[str, str]:
    """The detector's names of classes → the mask's, those that have one."""
    pairs = {}
    for name in found:
        match = next((other for other in OTHER_NAMES.get(name, (name,)) if other in classes), None)
        if match is not None:
            pairs[name] = match
    return pairs


def likely(instances: Instances, least: float) -> Instances:
    """Those with at least this score."""
    kept = instances.detections.scores >= least
    return Instances(instances.masks[kept], instances.detections.chosen(kept))


def objects(instances: Instances) -> tuple[Object, ...]:
    """One line for each, the best first."""
    of: Detections = instances.detections
    lines = zip(of.names, of.scores.tolist(), of.boxes.tolist(), instances.masks, strict=True)
    return tuple(
        Object(number, name, score, int(mask.sum()), float(mask.mean()), (box[0], box[1], box[2], box[3]))
        for number, (name, score, box, mask) in enumerate(lines, start=1)
    )


def numbered(masks: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """uint8 (h, w): the number of the object at each cell, 0 for none; the best lies on top. masks: bool (n, H, W)."""
    rows = ((np.arange(size[0]) + 0.5) * masks.shape[1] / size[0]).astype(np.int64)
    columns = ((np.arange(size[1]) + 0.5) * masks.shape[2] / size[1]).astype(np.int64)
    numbers = np.zeros(size, np.uint8)
    for place in reversed(range(min(len(masks), 255))):
        numbers[masks[place][rows[:, None], columns[None]]] = place + 1
    return numbers


def patterned(pixels: np.ndarray, numbers: np.ndarray, colours: np.ndarray, opacity: float) -> np.ndarray:
    """The photo with each object in its class's colour, lighter or darker and striped in its own way, uint8 (h, w, 3).

    pixels: uint8 (h, w, 3); numbers: as `numbered`; colours: uint8 (n, 3), of each object's class.
    """
    count = np.arange(len(colours))
    towards = np.array(LIGHTNESS, np.float32)[count % len(LIGHTNESS)][:, None]
    shades = colours + (255.0 * (towards > 0) - colours) * np.abs(towards)
    shades = np.concatenate([np.zeros((1, 3)), shades])[numbers]  # (h, w, 3)
    rows, columns = np.indices(numbers.shape)
    along = np.stack([columns + rows, columns - rows, rows, columns])
    kind = np.concatenate([[0], count // len(LIGHTNESS) % 4])[numbers]
    striped = np.take_along_axis(along, kind[None], 0)[0] // (STRIPE // 2) % 2 == 0
    strength = (opacity * np.where(striped, 1.0, 0.7) * (numbers > 0))[..., None]
    made = pixels * (1 - strength) + shades * strength
    made[boundaries(numbers)] = 255.0
    return made.round().astype(np.uint8)

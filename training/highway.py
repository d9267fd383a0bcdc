"""The photos of roads that the bundled detector learns from, and the random views of them that it is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

FOLDER = "highway5_304"
NEAR_DUPLICATES = "highway5_near_duplicates_of_train.json"
GREY = 114  # what surrounds a photo, as in explorer.letterbox
LEAST_SHARE = 0.25  # of a box that must be left in a view
LEAST_SIDE = 3.0  # pixels of a box in a view


@dataclass(frozen=True)
class Road:
    """image: uint8 (H, W, 3) BGR; boxes: float32 (n, 4), x0, y0, x1, y1 in its pixels; labels: int64 (n,)."""

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


def classes(root: Path) -> tuple[str, ...]:
    """The names that labels point at. root: the folder in which highway5_304/ lies."""
    return tuple(json.loads((root / FOLDER / "annotations.json").read_text())["classes"])


def load(root: Path, split: str) -> list[Road]:
    """All photos of a split: "train", or "valid" without those that nearly equal one of "train".

    root: the folder in which highway5_304/ and highway5_near_duplicates_of_train.json lie.
    """
    left_out = set(json.loads((root / NEAR_DUPLICATES).read_text())) if split == "valid" else set()
    roads = []
    for entry in json.loads((root / FOLDER / "annotations.json").read_text())["images"]:
        if entry["split"] == split and entry["file"] not in left_out:
            image = cv2.imread(str(root / FOLDER / entry["file"]), cv2.IMREAD_COLOR)
            boxes = np.array(entry["boxes"], np.float32).reshape(-1, 4)
            roads.append(Road(image, boxes, np.array(entry["labels"], np.int64)))
    return roads


def mosaic(roads: list[Road], size: int, rng: np.random.Generator) -> Road:
    """Four views that meet somewhere in the middle (Bochkovskiy et al. 2020, "YOLOv4")."""
    x, y = (int(size * rng.uniform(0.3, 0.7)) for _ in range(2))
    image = np.empty((size, size, 3), np.uint8)
    boxes, labels = [], []
    for left, top, right, bottom in ((0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size)):
        road = roads[int(rng.integers(len(roads)))]
        scale = size / max(road.image.shape) * np.exp(rng.uniform(np.log(0.4), np.log(1.2)))
        part = view(road, (right - left, bottom - top), scale, rng)
        image[top:bottom, left:right] = part.image
        boxes.append(part.boxes + np.array([left, top, left, top], np.float32))
        labels.append(part.labels)
    return Road(image, np.concatenate(boxes), np.concatenate(labels))


def single(road: Road, size: int, rng: np.random.Generator) -> Road:
    """One photo, somewhat larger or smaller than the view."""
    scale = size / max(road.image.shape) * np.exp(rng.uniform(np.log(0.75), np.log(1.33)))
    return view(road, (size, size), scale, rng)


def view(road: Road, size: tuple[int, int], scale: float, rng: np.random.Generator) -> Road:
    """The photo at this scale, stretched a little, perhaps mirrored, as much of it in the view as fits.

    size: width and height of the view.
    """
    height, width = road.image.shape[:2]
    stretch = np.exp(rng.uniform(-0.1, 0.1))
    zoom = np.array([scale * stretch, scale / stretch])
    room = np.array(size) - zoom * (width, height)  # negative where the photo is larger than the view
    shift = room * rng.random(2)
    affine = np.column_stack([np.diag(zoom), shift + (zoom - 1) / 2])  # OpenCV counts from the first pixel's centre
    image = cv2.warpAffine(road.image, affine, size, flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY))
    boxes = road.boxes * np.tile(zoom, 2) + np.tile(shift, 2)
    if rng.random() < 0.5:
        image = image[:, ::-1]
        boxes = boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (size[0], 0, size[0], 0)
    inside = boxes.clip(0, np.tile(size, 2))
    sides = inside[:, 2:] - inside[:, :2]
    share = sides.prod(1) / (boxes[:, 2:] - boxes[:, :2]).prod(1).clip(1e-6)
    kept = (sides.min(1, initial=size[0]) >= LEAST_SIDE) & (share >= LEAST_SHARE)
    return Road(image, inside[kept].astype(np.float32), road.labels[kept])


def recolour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hue by ±5 of 180, saturation and value by ±30 of 255 at random. uint8 (H, W, 3) BGR."""
    shift = (rng.uniform(-1, 1, 3) * (5, 30, 30)).astype(np.int16)
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV).astype(np.int16) + shift
    hsv[..., 0] %= 180
    return cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2BGR)

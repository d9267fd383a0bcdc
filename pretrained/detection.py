"""A photo in, boxes out, whichever network it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from explorer.detections import Detections, best_first
from explorer.errors import UserError
from explorer.letterbox import Letterbox, letterbox
from explorer.models import yolo
from explorer.models.boxes import corners
from explorer.text import _
from pretrained import catalog, memory
from pretrained.download import Cancelled, Progress
from pretrained.loading import fill, load_state_dict
from pretrained.records import Detector, Model

YOLOX: dict[str, Callable[[int], yolo.YOLOX]] = {
    builder.__name__: builder for builder in (yolo.yolox_nano, yolo.yolox_tiny, yolo.yolox_s, yolo.yolox_m)
}
LEAST_SCORE = 0.01  # boxes below it are not even proposed, except by YOLOX
MOST = 2000  # boxes that torchvision's networks propose

COCO_CLASSES = tuple(
    """person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign,
    parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag, tie,
    suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard, tennis racket,
    bottle, wine glass, cup, fork, knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza,
    donut, cake, chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote, keyboard, cell phone,
    microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear, hair drier,
    toothbrush""".replace("\n", " ").split(", ")
)
COCO_CLASSES = tuple(" ".join(name.split()) for name in COCO_CLASSES)
"""The 80 names that the logits of Megvii's checkpoints stand for, in order."""

# torchvision's builders set this for weights that were trained with an older layer.
NO_EPSILON = ("fasterrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn")


@dataclass(frozen=True, eq=False)
class LoadedDetector:
    """module: in evaluation mode, its parameters frozen, safe to share between sessions; classes: of its labels."""

    model: Detector
    module: nn.Module
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Look:
    """All that a network proposes for a photo; explorer.detections.keep chooses among it without running it again.

    found: every proposal, best first. Only of YOLOX: box, what it was shown (BGR), and grids, for strides 8, 16 and 32
    float32 (5 + classes, h, w), the raw outputs. Only of DETR and YOLOS: queries, int64 (n,), which of its queries proposed
    each box. Only of DETR: attention, float32 (layers, heads, queries, h, w), where each query of the decoder looks in the
    photo; each map sums to 1.
    """

    found: Detections
    box: Letterbox | None = None
    grids: tuple[np.ndarray, ...] = ()
    queries: np.ndarray | None = None
    attention: np.ndarray | None = None


def load_detector(
    key: str, progress: Progress | None = None, cancelled: Cancelled | None = None, *, download: bool = True
) -> LoadedDetector:
    """Build the network and fill in its weights, downloading them if need be.

    UserError: no such model. LoadError: its weights could not be had, or do not fit. DamagedError: download is False, and a
    copy is not sound. What comes from the hub is not asked about this.
    """
    model = catalog.get(key, Detector)
    if model.way == "transformers":
        from pretrained import transformer_detection  # imports transformers, which takes seconds

        module, classes = transformer_detection.load(model, progress, cancelled)
        return LoadedDetector(model, module, classes)
    state = load_state_dict(model, progress, cancelled, download=download)
    with torch.inference_mode(False):
        module, classes = _yolox(model) if model.way == "yolox" else torchvision_network(model)
        fill(module, state, model.name)
    return LoadedDetector(model, module.eval().requires_grad_(False), classes)


def look(detector: LoadedDetector, pixels: np.ndarray) -> Look:
    """Show it a photo. pixels: uint8 (H, W, 3) RGB. UserError: there is not enough memory, or the network cannot see it."""
    with guarded(detector.model):
        if detector.model.way == "yolox":
            return _look_yolox(detector, pixels)
        if detector.model.way == "torchvision":
            return _look_torchvision(detector, pixels)
        from pretrained import transformer_detection

        found, queries, attention = transformer_detection.look(
            detector.module, detector.classes, pixels, detector.model.input_size
        )
        return Look(found, queries=queries, attention=attention)


@contextmanager
def guarded(model: Model) -> Iterator[None]:
    """Whatever goes wrong while a network looks at a photo is a UserError with one sentence."""
    try:
        with memory.looking(model.name), torch.inference_mode():
            yield
    except UserError:
        raise
    except Exception as error:
        message = _("{name} cannot see a photo of this shape; choose another photo or another model.")
        raise UserError(message.format(name=model.name)) from error


def torchvision_network(model: Model) -> tuple[nn.Module, tuple[str, ...]]:
    """(torchvision's detector as its own weights need it, without suppressing any box; names of the classes)."""
    from torchvision.models import get_model

    classes = tuple(catalog.official(model).meta["categories"])
    options: dict[str, Any]
    if model.architecture.startswith("ssd"):
        options = {"score_thresh": LEAST_SCORE, "nms_thresh": 1.0, "detections_per_img": MOST}
    elif model.architecture.startswith("mask"):
        options = {"box_score_thresh": 0.05}  # a mask is made for each box, so that boxes are suppressed before
    else:
        options = {"box_score_thresh": LEAST_SCORE, "box_nms_thresh": 1.0, "box_detections_per_img": MOST}
    module = get_model(model.architecture, weights=None, weights_backbone=None, num_classes=len(classes), **options)
    if model.architecture in NO_EPSILON:
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.eps = 0.0
    return module, classes


def as_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) → float32 (3, H, W), 0–1."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous().float() / 255


def bundled_facts(model: Model) -> tuple[tuple[str, ...], dict[str, Any]]:
    """(class names, sizes of the network) in a bundled file. LoadError: it is missing or damaged."""
    path = catalog.WEIGHTS / model.file
    try:
        with safe_open(path, framework="np") as file:
            facts = file.metadata() or {}
        return tuple(json.loads(facts["classes"])), json.loads(facts["config"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise catalog.incomplete(path) from error


def _yolox(model: Detector) -> tuple[nn.Module, tuple[str, ...]]:
    with torch.device("meta"):  # no time spent on random weights
        if model.source != "bundled":
            return YOLOX[model.architecture](len(COCO_CLASSES)), COCO_CLASSES
        classes, sizes = bundled_facts(model)
        return yolo.YOLOX(yolo.YoloxConfig(**sizes)), classes


def _look_yolox(detector: LoadedDetector, pixels: np.ndarray) -> Look:
    box = letterbox(pixels, detector.model.input_size)
    # Its few pixels are sooner turned round than the photo's.
    box = replace(box, pixels=cv2.cvtColor(box.pixels, cv2.COLOR_RGB2BGR))
    x = torch.from_numpy(box.pixels).permute(2, 0, 1).float()[None]  # (1, 3, side, side), BGR, 0–255
    grids = detector.module(x)
    rows = yolo.decode(grids)[0]  # (cells, 5 + classes)
    scores, labels = (rows[:, 4:5] * rows[:, 5:]).max(1)
    boxes = box.to_photo(corners(rows[:, :4]).numpy())
    found = best_first(boxes, scores.numpy(), labels.numpy(), detector.classes)
    return Look(found, box, tuple(grid[0].numpy() for grid in grids))


def _look_torchvision(detector: LoadedDetector, pixels: np.ndarray) -> Look:
    (made,) = detector.module([as_tensor(pixels)])
    boxes, scores, labels = (made[name].numpy() for name in ("boxes", "scores", "labels"))
    return Look(best_first(boxes, scores, labels, detector.classes))

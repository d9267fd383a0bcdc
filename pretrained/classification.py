"""A photo in, the most likely classes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from explorer.errors import UserError
from explorer.models import alexnet, googlenet, resnet, swin, vgg, vit
from explorer.text import _
from pretrained import catalog, memory
from pretrained.download import Cancelled, Progress
from pretrained.loading import fill, load_state_dict
from pretrained.records import ImageClassifier

BUILDERS: dict[str, Callable[[int], nn.Module]] = {
    builder.__name__: builder
    for builder in (
        *(resnet.resnet18, resnet.resnet34, resnet.resnet50, resnet.resnet101, resnet.resnet152),
        *(googlenet.googlenet, alexnet.alexnet, vgg.vgg11, vgg.vgg13, vgg.vgg16, vgg.vgg19),
        *(vit.vit_small_96, vit.vit_b_16, vit.vit_b_32, vit.vit_l_16, vit.vit_l_32),
        *(swin.swin_t, swin.swin_s, swin.swin_b),
    )
}
RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
COPIES = 2.2  # of the weights, in memory while they are loaded
LONGEST_SIDE = 8192  # pixels of a resized photo; beyond it (32:1) only the part in the crop is resized

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Classifier:
    """module: in evaluation mode, its parameters frozen, safe to share between sessions; labels: of its logits.

    The module is one of explorer.models, which shows its maps (explorer.explain.Backbone); of a library model, torchvision's.
    """

    model: ImageClassifier
    module: Any
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Prediction:
    """The k most likely classes, best first.

    labels: k names; classes: int64 (k,), their indices in the logits; probabilities: float32 (k,), 0–1;
    logits: float32 (classes,), of all; box: (x0, y0, x1, y1), the part of the photo the network saw, in its pixels.
    """

    labels: tuple[str, ...]
    classes: np.ndarray
    probabilities: np.ndarray
    logits: np.ndarray
    box: Box


def load_classifier(key: str, progress: Progress | None = None, cancelled: Cancelled | None = None) -> Classifier:
    """Build the network and fill in its weights, downloading them if need be (see loading.load_state_dict).

    UserError: no such model. LoadError: its weights could not be had, or do not fit, or there is too little memory.
    """
    model = catalog.get(key, ImageClassifier)
    needed = int(COPIES * catalog.published(model).mib * 2**20)
    memory.check(needed, model.name)
    try:
        state = load_state_dict(model, progress, cancelled)
        labels = catalog.labels(model)
        # Parameters made inside a caller's inference mode would be barred from Grad-CAM.
        with torch.inference_mode(False):
            module, state = _network(model, len(labels), state)
            fill(module, state, model.name)
    except (MemoryError, RuntimeError) as error:
        if not memory.is_lack_of_memory(error):
            raise
        raise memory.too_little(needed, model.name) from error
    return Classifier(model, module.eval().requires_grad_(False), labels)


def _network(model: ImageClassifier, classes: int, state: dict[str, Tensor]) -> tuple[nn.Module, dict[str, Tensor]]:
    """The network without its weights, and the weights under its own names."""
    if model.library:
        from pretrained import library  # imports torchvision

        return library.build(model, classes), library.named_as_modules(state)
    with torch.device("meta"):  # no time spent on random weights
        return BUILDERS[model.architecture](classes), state


def preprocess(classifier: Classifier, pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) RGB → float32 (1, 3, input_size, input_size), as the network was trained to see it.

    "crop" is torchvision's `weights.transforms()` on a PIL image; "squeeze" is what training/photos.py does.
    """
    model = classifier.model
    view = _squeeze(pixels, model) if model.resize == "squeeze" else _crop(pixels, model)
    x = torch.from_numpy(view.copy()).permute(2, 0, 1).contiguous().float() / 255  # (3, input_size, input_size), 0–1
    mean, std = torch.tensor(model.mean).view(3, 1, 1), torch.tensor(model.std).view(3, 1, 1)
    return ((x - mean) / std).unsqueeze(0)


def classify(classifier: Classifier, pixels: np.ndarray, top: int = 5) -> Prediction:
    """Show it a photo. pixels: uint8 (H, W, 3) RGB; top: how many classes to name. UserError: too little memory."""
    x = preprocess(classifier, pixels)
    try:
        with torch.inference_mode():
            logits = classifier.module(x)[0]  # (classes,)
    except (MemoryError, RuntimeError) as error:
        if not memory.is_lack_of_memory(error):
            raise
        message = _("There is not enough memory for {name} to look at a photo; choose a smaller model.")
        raise UserError(message.format(name=classifier.model.name)) from error
    probabilities, classes = logits.softmax(0).topk(min(top, len(logits)))
    return Prediction(
        labels=tuple(classifier.labels[i] for i in classes.tolist()),
        classes=classes.numpy(),
        probabilities=probabilities.numpy(),
        logits=logits.numpy(),
        box=seen(classifier.model, *pixels.shape[:2]),
    )


def seen(model: ImageClassifier, height: int, width: int) -> Box:
    """(x0, y0, x1, y1): the part of a height × width photo that reaches the network, in pixels of the photo."""
    if model.resize == "squeeze":
        return 0.0, 0.0, float(width), float(height)
    (new_height, new_width), (top, left) = _crop_geometry(model, height, width)
    x, y = width / new_width, height / new_height
    return left * x, top * y, (left + model.input_size) * x, (top + model.input_size) * y


def _crop_geometry(model: ImageClassifier, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """((height, width) once the short side is resize_size, (top, left) of the centre crop), rounded as torchvision."""
    short, long = sorted((height, width))
    new_long = int(model.resize_size * long / short)
    size = (new_long, model.resize_size) if width <= height else (model.resize_size, new_long)
    top, left = (round((side - model.input_size) / 2) for side in size)
    return size, (top, left)


def _crop(pixels: np.ndarray, model: ImageClassifier) -> np.ndarray:
    """uint8 (H, W, 3) → uint8 (input_size, input_size, 3)."""
    image, side, resampling = Image.fromarray(pixels), model.input_size, RESAMPLING[model.interpolation]
    (height, width), (top, left) = _crop_geometry(model, *pixels.shape[:2])
    if max(height, width) > LONGEST_SIDE:
        # Within one grey level of the way below, and a 1 × 4000 photo does not become one of 256 × 1,024,000.
        box = seen(model, *pixels.shape[:2])
        return np.asarray(image.resize((side, side), resampling, box=box))
    image = image.resize((width, height), resampling)
    return np.asarray(image.crop((left, top, left + side, top + side)))


def _squeeze(pixels: np.ndarray, model: ImageClassifier) -> np.ndarray:
    """uint8 (H, W, 3) → uint8 (input_size, input_size, 3), proportions not kept."""
    size = (model.input_size, model.input_size)
    return cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)

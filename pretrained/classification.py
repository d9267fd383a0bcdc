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

from explorer.explain import Pass, pass_through
from explorer.models import alexnet, googlenet, resnet, swin, vgg, vit
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


def load_classifier(
    key: str, progress: Progress | None = None, cancelled: Cancelled | None = None, *, download: bool = True
) -> Classifier:
    """Build the network and fill in its weights, downloading them if need be (see loading.load_state_dict).

    UserError: no such model. LoadError: its weights could not be had, or do not fit, or there is too little memory.
    """
    model = catalog.get(key, ImageClassifier)
    needed = int(COPIES * catalog.published(model).mib * 2**20)
    memory.check(needed, model.name)
    try:
        state = load_state_dict(model, progress, cancelled, download=download)
        labels = catalog.labels(model)
        # Parameters made inside a caller's inference mode would be barred from Grad-CAM.
        with torch.inference_mode(False):
            module, state = _network(model, len(labels), state)
            fill(module, state, model.name)
            # The order in which convolutions on a CPU read their weights: the same numbers, sooner.
            module = module.to(memory_format=torch.channels_last)
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


def view(classifier: Classifier, pixels: np.ndarray) -> np.ndarray:
    """What the network sees of a photo: uint8 (H, W, 3) RGB → uint8 (input_size, input_size, 3).

    "crop" is torchvision's `weights.transforms()` on a PIL image; "squeeze" is what training/photos.py does.
    """
    model = classifier.model
    return _squeeze(pixels, model) if model.resize == "squeeze" else _crop(pixels, model)


def normalise(classifier: Classifier, views: np.ndarray) -> Tensor:
    """uint8 (n, H, W, 3) RGB → float32 (n, 3, H, W), in the range that the network was trained on."""
    model = classifier.model
    x = torch.from_numpy(views.copy()).permute(0, 3, 1, 2).contiguous().float() / 255  # (n, 3, H, W), 0–1
    mean, std = torch.tensor(model.mean).view(3, 1, 1), torch.tensor(model.std).view(3, 1, 1)
    return (x - mean) / std


def preprocess(classifier: Classifier, pixels: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) RGB → float32 (1, 3, input_size, input_size), as the network was trained to see it."""
    return normalise(classifier, view(classifier, pixels)[None])


def classify(classifier: Classifier, pixels: np.ndarray, top: int = 5) -> Prediction:
    """Show it a photo. pixels: uint8 (H, W, 3) RGB; top: how many classes to name. UserError: too little memory."""
    with memory.looking(classifier.model.name), torch.inference_mode():
        logits = classifier.module(preprocess(classifier, pixels))[0]  # (classes,)
    return named(classifier, logits, pixels, top)


def look(classifier: Classifier, pixels: np.ndarray) -> Pass:
    """As classify, keeping what explains the answer (explorer.explain.evidence). UserError: too little memory."""
    with memory.looking(classifier.model.name):
        return pass_through(classifier.module, preprocess(classifier, pixels))


def named(classifier: Classifier, logits: Tensor, pixels: np.ndarray, top: int = 5) -> Prediction:
    """The answer that these logits (classes,) are. pixels: the photo; top: how many classes to name."""
    logits = logits.detach()
    probabilities, classes = logits.softmax(0).topk(min(top, len(logits)))
    return Prediction(
        labels=tuple(classifier.labels[i] for i in classes.tolist()),
        classes=classes.numpy(),
        probabilities=probabilities.numpy(),
        logits=logits.numpy(),
        box=seen(classifier.model, *pixels.shape[:2]),
    )


def class_probability(classifier: Classifier, views: np.ndarray, target: int) -> np.ndarray:
    """How sure it is of one class: uint8 (n, H, W, 3), as `view` gives them → float32 (n,). UserError: too little memory."""
    with memory.looking(classifier.model.name), torch.inference_mode():
        return classifier.module(normalise(classifier, views)).softmax(1)[:, target].numpy()


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

"""Every other classifier that torchvision has weights for: they run as torchvision wrote them, and show no maps.

Importing this imports torchvision, which takes seconds.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from torch import Tensor, nn
from torchvision import models as torchvision_models
from torchvision.models import WeightsEnum, get_model, get_model_builder, get_model_weights, list_models

from pretrained.image_models import IMAGE_MODELS, TORCHVISION_LICENCE
from pretrained.records import LIBRARY_PREFIX, ImageClassifier

# What torchvision's builders add by themselves once they are given the weights.
AS_TRAINED: dict[str, dict[str, Any]] = {
    name: {"aux_logits": True, "transform_input": True, "init_weights": False} for name in ("googlenet", "inception_v3")
}
# Older names of DenseNet's layers, with dots where the modules have none.
DENSENET = re.compile(r"(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)")


@cache
def library_models() -> tuple[ImageClassifier, ...]:
    """A record for each of torchvision's classification weights that IMAGE_MODELS has none for, by name."""
    known = {model.weights for model in IMAGE_MODELS}
    return tuple(
        _record(name, weights)
        for name in list_models(module=torchvision_models)
        for weights in get_model_weights(name)
        # VGG-16 has weights for detection, too, without a head.
        if str(weights) not in known and weights.meta["categories"]
    )


def build(model: ImageClassifier, classes: int) -> nn.Module:
    """torchvision's network with random weights, in the form that its official ones fit."""
    options = {"image_size": model.input_size} if model.architecture.startswith("vit_") else {}
    return get_model(
        model.architecture, weights=None, num_classes=classes, **options, **AS_TRAINED.get(model.architecture, {})
    )


def named_as_modules(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """An official checkpoint's tensors under the names of torchvision's modules: only DenseNet's differ."""
    return {DENSENET.sub(r"\1\2", name): tensor for name, tensor in state.items()}


def _record(name: str, weights: WeightsEnum) -> ImageClassifier:
    transforms = weights.transforms()
    (input_size,), (resize_size,) = transforms.crop_size, transforms.resize_size
    licence = weights.meta.get("license")
    return ImageClassifier(
        key=f"{LIBRARY_PREFIX}{name}-{weights.name}".lower().replace("_", "-"),
        name=f"{name}, {weights.name}",
        family=get_model_builder(name).__module__.rsplit(".", 1)[1],
        architecture=name,
        source="torchvision",
        weights=str(weights),
        file=weights.url.rsplit("/", 1)[1],
        input_size=input_size,
        resize="crop",
        resize_size=resize_size,
        interpolation=transforms.interpolation.value,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        licence=TORCHVISION_LICENCE if licence is None else f"As {licence}",
        data="ImageNet-1K" if licence is None else "Photos of Instagram by their hashtags, then ImageNet-1K",
        library=True,
    )

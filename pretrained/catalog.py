"""The models there are, one record each (pretrained.records), and what is known of them.

Importing this loads no torch; figures are read when somebody asks.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from explorer.errors import UserError
from explorer.text import _
from pretrained import LoadError
from pretrained.detection_models import DETECTORS, SEGMENTERS
from pretrained.image_models import IMAGE_MODELS
from pretrained.records import (
    LIBRARY_PREFIX,
    Card,
    CharacterModel,
    ClassifierCard,
    ImageClassifier,
    MapHeadsModel,
    Model,
    Published,
    TranslationModel,
)
from pretrained.text_models import TEXT_MODELS

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

ModelKind = TypeVar("ModelKind", bound=Model)
CardKind = TypeVar("CardKind", bound=Card)

WEIGHTS = Path(__file__).parent / "weights"


MODELS: tuple[Model, ...] = (
    *IMAGE_MODELS,
    *DETECTORS,
    *SEGMENTERS,
    MapHeadsModel(
        key="map-heads-resnet18",
        name="Attention blocks for ResNet-18 (bundled)",
        family="ResNet",
        architecture="map_heads",
        source="bundled",
        file="map-heads-resnet18.safetensors",
        licence="As its photos: CC BY 4.0 (Caltech-101), ImageNet's research terms (Imagenette)",
        data="Imagenette and Caltech-101",
        backbone="resnet18-photos110",
        layer="layer3.1",
        channels=256,
        classes=110,
        squeezed=16,
        heads=4,
    ),
    CharacterModel(
        key="character-lstm-640",
        name="Character LSTM (bundled)",
        family="LSTM",
        architecture="CharacterLSTM",
        source="bundled",
        file="character-lstm-640.safetensors",
        licence="MIT, as the explorer; the books are in the public domain",
        data="44 children’s books in the public domain",
        embedding_size=64,
        hidden_size=640,
        line=64,
    ),
    TranslationModel(
        key="translator-32",
        name="English to French, small (bundled)",
        family="Transformer",
        architecture="Translator",
        source="bundled",
        file="translator-32.safetensors",
        licence="MIT, as the explorer; its sentences are made by the explorer’s own grammar",
        data="Random sentences of explorer/translation.py",
        d_model=32,
        heads=4,
        d_ff=64,
        layers=2,
        seed=0,
    ),
    *TEXT_MODELS,
)


def models(kind: type[ModelKind]) -> tuple[ModelKind, ...]:
    """Every model of a kind, such as ImageClassifier, or all with Model; bundled ones first, then by size."""
    return tuple(model for model in MODELS if isinstance(model, kind))


def get(key: str, kind: type[ModelKind]) -> ModelKind:
    """The model of that key and kind, also one of pretrained.library. UserError: there is none.

    Keys also come from addresses that people type.
    """
    if key.startswith(LIBRARY_PREFIX) and issubclass(ImageClassifier, kind):
        from pretrained.library import library_models  # imports torchvision

        others: tuple[Model, ...] = library_models()
    else:
        others = MODELS
    for model in others:
        if model.key == key and isinstance(model, kind):
            return model
    raise UserError(_("There is no model called “{key}”; choose one from the list.").format(key=key))


def official(model: Model) -> WeightsEnum:
    """torchvision's own record of the weights: url, meta, transforms. Imports torchvision, which takes seconds."""
    from torchvision.models import get_weight

    return get_weight(model.weights)


def labels(model: ImageClassifier) -> tuple[str, ...]:
    """The names that the logits stand for, in order. LoadError: the bundled file is missing or damaged."""
    if model.source == "torchvision":
        return tuple(official(model).meta["categories"])
    metadata, _shapes = _bundled_header(model)
    try:
        return tuple(json.loads(metadata["classes"]))
    except (KeyError, ValueError) as error:
        raise incomplete(WEIGHTS / model.file) from error


def published(model: ImageClassifier) -> Published:
    """What its makers measured. LoadError: the bundled file or its card is missing or damaged."""
    if model.source == "bundled":
        facts = card(model, ClassifierCard)
        _metadata, shapes = _bundled_header(model)
        return Published(
            top1=facts.top1,
            top5=facts.top5,
            measured_on=_("photos held out of Imagenette and Caltech-101"),
            top1_by_dataset=(("Imagenette", facts.top1_imagenette), ("Caltech-101", facts.top1_caltech101)),
            parameters=sum(math.prod(shape) for name, shape in shapes.items() if not _is_statistic(name)),
            mib=facts.bytes / 2**20,
            gmacs=None,
        )
    meta = official(model).meta
    ((measured_on, scores),) = meta["_metrics"].items()
    return Published(
        top1=scores["acc@1"] / 100,
        top5=scores["acc@5"] / 100,
        measured_on=measured_on,
        top1_by_dataset=(),
        parameters=meta["num_params"],
        mib=meta["_file_size"],
        gmacs=meta["_ops"],
    )


def card(model: Model, kind: type[CardKind]) -> CardKind:
    """The card of a bundled model, weights/<file>.json, read as that kind. LoadError: it is missing or damaged."""
    path = (WEIGHTS / model.file).with_suffix(".json")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return kind(**{field.name: facts[field.name] for field in fields(kind)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise incomplete(path) from error


def incomplete(path: Path) -> LoadError:
    """A file that comes with the explorer is not there, or not whole."""
    message = _("{file}, which comes with the explorer, is missing or damaged; install the explorer again.")
    return LoadError(message.format(file=path.name))


def _bundled_header(model: Model) -> tuple[dict[str, str], dict[str, list[int]]]:
    """(metadata, shape of each tensor) of a bundled file, without reading the tensors and without torch."""
    from safetensors import SafetensorError, safe_open

    path = WEIGHTS / model.file
    try:
        with safe_open(path, framework="np") as file:
            return file.metadata() or {}, {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise incomplete(path) from error


def _is_statistic(name: str) -> bool:
    return name.endswith((".running_mean", ".running_var", ".num_batches_tracked"))

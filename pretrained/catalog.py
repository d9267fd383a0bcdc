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
from pretrained.records import (
    Card,
    CharacterModel,
    ClassifierCard,
    ImageClassifier,
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

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def _official(depth: int, version: int, digits: str) -> ImageClassifier:
    """torchvision's ResNet. digits: the start of the file's SHA-256, as in its name."""
    return ImageClassifier(
        key=f"resnet{depth}-imagenet-v{version}",
        name=f"ResNet-{depth}" if version == 1 else f"ResNet-{depth} (new recipe)",
        family="ResNet",
        architecture=f"resnet{depth}",
        source="torchvision",
        weights=f"ResNet{depth}_Weights.IMAGENET1K_V{version}",
        file=f"resnet{depth}-{digits}.pth",
        # timm's "tv2" repositories were made from these very files; its "tv" ones from older uploads of version 1.
        hub_repo=f"timm/resnet{depth}.tv2_in1k" if version == 2 else "",
        input_size=224,
        resize="crop",
        resize_size=256 if version == 1 else 232,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        licence="BSD-3-Clause (torchvision); the photos are under ImageNet's research terms",
        data="ImageNet-1K",
    )


MODELS: tuple[Model, ...] = (
    ImageClassifier(
        key="resnet18-photos110",
        name="ResNet-18 (bundled)",
        family="ResNet",
        architecture="resnet18",
        source="bundled",
        file="resnet18-photos110.safetensors",
        input_size=128,
        resize="squeeze",
        resize_size=128,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        licence="As its photos: CC BY 4.0 (Caltech-101), ImageNet's research terms (Imagenette)",
        data="Imagenette and Caltech-101",
    ),
    _official(18, 1, "f37072fd"),
    _official(34, 1, "b627a593"),
    _official(50, 1, "0676ba61"),
    _official(50, 2, "11ad3fa6"),
    _official(101, 1, "63fe2227"),
    _official(101, 2, "cd907fc2"),
    _official(152, 1, "394f9c45"),
    _official(152, 2, "f82ba261"),
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
    """The model of that key and kind. UserError: there is none (keys also come from addresses that people type)."""
    for model in models(kind):
        if model.key == key:
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

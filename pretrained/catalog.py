"""The models there are, one record each. Importing this loads no torch; figures are read when somebody asks.

A record holds what identifies and feeds a model. What its makers measured (accuracy, parameters, labels) is read from
torchvision's `weights.meta`, or from the card that the training wrote beside the bundled weights.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from explorer.errors import UserError
from explorer.text import _
from pretrained import LoadError

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum

Task = Literal["classification"]

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Model:
    """One trained network.

    key: stable, lower case, used in addresses; name: for the visitor; family: the idea it belongs to;
    architecture: the function in explorer.models that builds it;
    source: where the weights come from; weights: torchvision's name of them ("" if bundled); file: their file name,
    which for torchvision ends in the first digits of its SHA-256;
    hub_repo: a Hugging Face repository that has the very same weights as model.safetensors, or "";
    input_size: side of the square the network sees, pixels; resize: "squeeze" the whole photo into it, or scale the
    short side to resize_size and "crop" the centre; mean, std: of RGB in 0–1, per channel;
    licence: of the weights; data: what they were trained on.
    """

    key: str
    name: str
    task: Task
    family: str
    architecture: str
    source: Literal["bundled", "torchvision"]
    weights: str
    file: str
    hub_repo: str
    input_size: int
    resize: Literal["squeeze", "crop"]
    resize_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    licence: str
    data: str


@dataclass(frozen=True)
class Published:
    """What the makers of a model measured.

    top1, top5: share of the held-out photos, 0–1; measured_on: which photos; top1_by_dataset: the same, per source,
    where the photos have several; parameters: count, without the running statistics of batch norm; mib: size of the
    file, 2²⁰ bytes; gmacs: 10⁹ multiply–adds per photo (torchvision lists them as GFLOPS), None if nobody counted.
    """

    top1: float
    top5: float
    measured_on: str
    top1_by_dataset: tuple[tuple[str, float], ...]
    parameters: int
    mib: float
    gmacs: float | None


@dataclass(frozen=True)
class Card:
    """What the training wrote about the bundled weights. Scores are shares of the held-out photos, 0–1."""

    top1: float
    top5: float
    top1_imagenette: float
    top1_caltech101: float
    epochs: int
    sha256: str
    bytes: int


IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def _official(depth: int, version: int, digits: str) -> Model:
    """torchvision's ResNet. digits: the start of the file's SHA-256, as in its name."""
    return Model(
        key=f"resnet{depth}-imagenet-v{version}",
        name=f"ResNet-{depth}" if version == 1 else f"ResNet-{depth} (new recipe)",
        task="classification",
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


MODELS = (
    Model(
        key="resnet18-photos110",
        name="ResNet-18 (bundled)",
        task="classification",
        family="ResNet",
        architecture="resnet18",
        source="bundled",
        weights="",
        file="resnet18-photos110.safetensors",
        hub_repo="",
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
)


def models(task: Task | None = None) -> tuple[Model, ...]:
    """Every model of a task, or of all; bundled ones first, then by size."""
    return tuple(model for model in MODELS if task in (None, model.task))


def get(key: str) -> Model:
    """The model of that key. UserError: there is none (keys also come from addresses that people type)."""
    for model in MODELS:
        if model.key == key:
            return model
    raise UserError(_("There is no model called “{key}”; choose one from the list.").format(key=key))


def official(model: Model) -> WeightsEnum:
    """torchvision's own record of the weights: url, meta, transforms. Imports torchvision, which takes seconds."""
    from torchvision.models import get_weight

    return get_weight(model.weights)


def labels(model: Model) -> tuple[str, ...]:
    """The names that the logits stand for, in order. LoadError: the bundled file is missing or damaged."""
    if model.source == "torchvision":
        return tuple(official(model).meta["categories"])
    metadata, _shapes = _bundled_header(model)
    try:
        return tuple(json.loads(metadata["classes"]))
    except (KeyError, ValueError) as error:
        raise incomplete(WEIGHTS / model.file) from error


def published(model: Model) -> Published:
    """What its makers measured. LoadError: the bundled file or its card is missing or damaged."""
    if model.source == "bundled":
        facts = card(model)
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


def card(model: Model) -> Card:
    """The card of a bundled model, weights/<file>.json. LoadError: it is missing or damaged."""
    path = (WEIGHTS / model.file).with_suffix(".json")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return Card(**{field.name: facts[field.name] for field in fields(Card)})
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

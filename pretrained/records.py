"""What is written down about a trained network: a record and a card for each task, over what all have in common.

A record identifies a model and says how to feed it. What was measured stands elsewhere: in torchvision's `weights.meta`, or
in the card that the training wrote beside the bundled weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

Task = Literal[
    "classification",
    "map heads",
    "detection",
    "segmentation",
    "characters",
    "translation",
    "language",
    "judging",
    "answering",
]
Source = Literal["bundled", "torchvision", "web", "package", "hub"]
LIBRARY_PREFIX = "torchvision-"
"""The keys of pretrained.library begin so, and no others."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """One trained network; a subclass for each task.

    key: stable, lower case, used in addresses; name: for the visitor; family: the idea it belongs to;
    architecture: the function or class in explorer.models that builds it, or transformers' where there is none;
    source: where the weights come from: with the explorer, from torchvision, from an address of their makers, with a Python
    package that the set-up installs, from the hub; file: their file name, which for torchvision ends in the first digits of
    its SHA-256; licence: of the weights; data: what they were trained on;
    weights: torchvision's name of them, "" if they are not torchvision's;
    hub_repo: a Hugging Face repository that has the very same weights as model.safetensors, or "";
    url, sha256: the makers' address of the file, and its checksum, "" if it is not from the web; part: the entry of that file
    that holds the tensors, "" if it holds nothing else.
    """

    task: ClassVar[Task]

    key: str
    name: str
    family: str
    architecture: str
    source: Source
    file: str
    licence: str
    data: str
    weights: str = ""
    hub_repo: str = ""
    url: str = ""
    sha256: str = ""
    part: str = ""


@dataclass(frozen=True, kw_only=True)
class Detector(Model):
    """A photo in, boxes out: pretrained.detection.

    way: how it is run: explorer.models.yolo, torchvision's own network, transformers'; input_size: for YOLOX the side of
    the square that the photo is put into, else the shorter side that it is scaled to, pixels; overlaps: whether its boxes
    still need non-maximum suppression; megabytes: of the file, 10⁶ bytes; average_precision: on COCO's validation photos as
    its makers published it, mean over IoUs of 0.5–0.95, 0–1, None where it was trained on others.
    """

    task = "detection"

    way: Literal["yolox", "torchvision", "transformers"]
    input_size: int
    overlaps: bool
    megabytes: float
    average_precision: float | None


@dataclass(frozen=True, kw_only=True)
class Segmenter(Model):
    """A photo in, the class of every pixel or a mask for every object out: pretrained.segmentation.

    way: how it is run: explorer.models.unet, explorer.models.fcn, torchvision's own network; input_size: the longer side for
    U-Net, the shorter side else, to which the photo is scaled, pixels; instances: whether it finds objects;
    megabytes: of the file, 10⁶ bytes.
    """

    task = "segmentation"

    way: Literal["unet", "fcn", "torchvision"]
    input_size: int
    instances: bool
    megabytes: float


@dataclass(frozen=True, kw_only=True)
class ImageClassifier(Model):
    """A photo in, a score for each class out.

    input_size: side of the square the network sees, pixels; resize: "squeeze" the whole photo into it, or scale the
    short side to resize_size and "crop" the centre; interpolation: of that scaling; mean, std: of RGB in 0–1, per channel;
    library: built by torchvision itself, not by explorer.models.
    """

    task = "classification"

    input_size: int
    resize: Literal["squeeze", "crop"]
    resize_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    library: bool = False


@dataclass(frozen=True, kw_only=True)
class MapHeadsModel(Model):
    """Three heads on the maps of a bundled classifier, with attention blocks and without: pretrained.map_heads.

    backbone: the classifier's key; layer: which of its maps they see; channels: of these; classes: length of the logits;
    squeezed: width inside squeeze-and-excitation; heads: of the self-attention.
    """

    task = "map heads"

    backbone: str
    layer: str
    channels: int
    classes: int
    squeezed: int
    heads: int


@dataclass(frozen=True, kw_only=True)
class CharacterModel(Model):
    """Characters in, after each the probabilities of the next one out.

    embedding_size, hidden_size: widths of the network; line: the longest line of its training text, characters.
    """

    task = "characters"

    embedding_size: int
    hidden_size: int
    line: int


@dataclass(frozen=True, kw_only=True)
class TextModel(Model):
    """Reads text by self-attention.

    layers, heads: how many, and how many in each; languages: of its training, for the visitor; megabytes: of the
    weights' file, 10⁶ bytes.
    """

    layers: int
    heads: int
    languages: str
    megabytes: float


@dataclass(frozen=True, kw_only=True)
class LanguageRecord(TextModel):
    """A BERT, which pretrained.language runs.

    guesses_words, judges_pairs: whether its weights have the masked-word and the next-sentence head.
    """

    task = "language"

    guesses_words: bool
    judges_pairs: bool


@dataclass(frozen=True, kw_only=True)
class JudgeRecord(TextModel):
    """A text in, a probability for each class out: pretrained.finetuned.classifier_from_hub. example: a text to begin with."""

    task = "judging"

    example: str


@dataclass(frozen=True, kw_only=True)
class AnswerRecord(TextModel):
    """A question and a text in, the piece of the text that answers out: pretrained.finetuned.finder_from_hub.

    says_nothing: whether it was trained to say that the text has no answer.
    """

    task = "answering"

    says_nothing: bool


@dataclass(frozen=True, kw_only=True)
class TranslationModel(Model):
    """Words of explorer.translation in, their French out. The numbers are those of a TransformerConfig, and the seed."""

    task = "translation"

    d_model: int
    heads: int
    d_ff: int
    layers: int
    seed: int


@dataclass(frozen=True)
class Card:
    """What the training wrote about bundled weights, of whatever task. sha256, bytes: of the file."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class ClassifierCard(Card):
    """Scores are shares of the held-out photos, 0–1."""

    top1: float
    top5: float
    top1_imagenette: float
    top1_caltech101: float
    epochs: int


@dataclass(frozen=True)
class UntaughtCard(Card):
    """What the card of a network with a teacher says of the same network without one. Shares of the held-out photos, 0–1."""

    plain_top1: float
    plain_top1_imagenette: float
    plain_top1_caltech101: float
    plain_epochs: int


@dataclass(frozen=True)
class MapHeadsCard(Card):
    """By head: top1, the share of the `photos` held out, 0–1, and how many parameters."""

    top1: Mapping[str, float]
    parameters: Mapping[str, int]
    photos: int
    epochs: int


@dataclass(frozen=True)
class DetectorCard(Card):
    """Average precision as COCO measures it, 0–1: map50 at an IoU of 0.5, map over 0.5–0.95, ap50 by class at 0.5.

    photos: how many were scored; epochs, warm_up_epochs: of the detector, of its backbone before; loss_curve: epoch, loss.
    """

    map50: float
    map: float
    ap50: Mapping[str, float]
    photos: int
    epochs: int
    warm_up_epochs: int
    loss_curve: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class SegmenterCard(Card):
    """Intersection over union on the photos held out, 0–1: mean over the classes, and of each. loss_curve: epoch, loss."""

    mean_iou: float
    iou: Mapping[str, float]
    photos: int
    epochs: int
    loss_curve: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class CharacterCard(Card):
    """bits_per_character: mean of −log₂ P(next character) over the held-out text; updates: of the weights in training.

    unigram_bits, five_gram_bits, gzip_bits, xz_bits: the same text by training/character_baselines.py, for comparison.
    """

    bits_per_character: float
    held_out_characters: int
    updates: int
    unigram_bits: float
    five_gram_bits: float
    gzip_bits: float
    xz_bits: float


@dataclass(frozen=True)
class TranslationCard(Card):
    """exact: share of `held_out` sentences whose greedy translation is right in every word; updates: of the weights.

    losses: of each update; checked: updates after which `accuracy` was measured, the share of 100 other held-out sentences.
    """

    exact: float
    held_out: int
    updates: int
    losses: Sequence[float]
    checked: Sequence[int]
    accuracy: Sequence[float]


@dataclass(frozen=True)
class LanguageCard(Card):
    """Shares on chapters held out: of masked words guessed right, of pairs judged right; how many there were of each.

    loss_curve: (updates, loss of masked words, loss of next sentences), means since the row before; updates: of the weights.
    """

    masked_accuracy: float
    masked_words: int
    next_sentence_accuracy: float
    pairs: int
    updates: int
    loss_curve: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Published:
    """What the makers of an image classifier measured.

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

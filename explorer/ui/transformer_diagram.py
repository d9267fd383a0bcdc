"""The Transformer's diagram: which boxes, where, with which numbers of the run, and how they are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from explorer.components.diagram import Arrow, Box, Frame
from explorer.models.transformer import TransformerConfig
from explorer.numbers import number
from explorer.text import _
from explorer.transformer_views import Run, likeliest
from explorer.ui.transformer_blocks import Kind, kinds

ROW = 55
"""Pixels of a row."""
WORDS_ROWS = 1.55
ABOVE_LAYER, BELOW_LAYER = 0.4, 0.15
"""Rows for the label and the lower edge of a layer's frame."""
SELF = ("value", "key", "query")
START_OPEN = "decoder.cross"


@dataclass(frozen=True)
class Picture:
    """What the diagram component draws. height: pixels."""

    boxes: list[Box]
    arrows: list[Arrow]
    frames: list[Frame]
    height: int


def layer_blocks(stack: str, pre_norm: bool) -> list[str]:
    """The blocks of one layer from below, as they run."""
    parts = ["attention", "feed_forward"] if stack == "encoder" else ["masked", "cross", "feed_forward"]
    found = []
    for place, part in enumerate(parts, start=1):
        found += [f"norm{place}", part, f"add{place}"] if pre_norm else [part, f"norm{place}"]
    return [f"{stack}.{part}" for part in found]


def columns_of(pre_norm: bool) -> tuple[list[str], list[str]]:
    """The boxes of the encoder's and of the decoder's column, from below."""
    encoder = [
        "source.words",
        "source.embedding",
        "source.positions",
        *layer_blocks("encoder", pre_norm),
        "encoder.final",
    ]
    decoder = ["target.words", "target.embedding", "target.positions", *layer_blocks("decoder", pre_norm)]
    return encoder, [*decoder, "decoder.final", "output", "softmax", "next.words"]


def can_open(pre_norm: bool) -> list[str]:
    """The boxes that stand for steps of the run."""
    return [box for column in columns_of(pre_norm) for box in column if not box.endswith(".words")]


def in_run(box: str, layer: int) -> str:
    """What a box is called in the run: "encoder.attention" of layer 1 is "encoder.1.attention"."""
    stack, _dot, part = box.partition(".")
    return f"{stack}.{layer}.{part}" if is_in_layer(box) else box


def is_in_layer(box: str) -> bool:
    """Whether there is one of it in every layer."""
    return box.startswith(("encoder.", "decoder.")) and not box.endswith(".final")


def kind_of(box: str) -> str:
    """The key of its Kind: the last part of its name."""
    return box.rpartition(".")[2]


def picture(run: Run, config: TransformerConfig, layer: int) -> Picture:
    """The diagram of the run, with the numbers of one layer, counted from 0."""
    columns = columns_of(config.pre_norm)
    named = kinds(config.pre_norm)
    height = ABOVE_LAYER + sum(sum(_rows(box)) for box in columns[1])
    boxes = [
        _words_box(run, box, column, row) if box.endswith(".words") else _box(run, box, column, row, layer, named)
        for column, blocks in enumerate(columns)
        for box, row in _places(blocks, height)
    ]
    names = {"encoder": _("encoder, layer {n} of N = {all}"), "decoder": _("decoder, layer {n} of N = {all}")}
    frames = [
        Frame(tuple(layer_blocks(stack, config.pre_norm)), name.format(n=layer + 1, all=config.layers))
        for stack, name in names.items()
    ]
    return Picture(boxes, _arrows(columns, config.pre_norm), frames, round(height * ROW))


def _rows(box: str) -> tuple[float, float]:
    """(the height of a box, what stays free above it), in rows."""
    if box.endswith(".words"):
        return WORDS_ROWS, 0.0
    return 1.0, BELOW_LAYER if box.endswith(".positions") else 0.0


def _places(boxes: Sequence[str], height: float) -> list[tuple[str, float]]:
    """Each box with its top, in rows from above; the first stands at the bottom."""
    places, free = [], height
    for box in boxes:
        if box.endswith(".final"):
            free -= ABOVE_LAYER
        rows, above = _rows(box)
        places.append((box, free - rows))
        free -= rows + above
    return places


def _words_box(run: Run, box: str, column: int, row: float) -> Box:
    following = tuple(likeliest(each, 1)[0][0] for each in run.probabilities)
    words, role, name = {
        "source.words": (run.source, "input", _("the sentence")),
        "target.words": (run.target, "input", _("written so far")),
        "next.words": (following, "output", _("likeliest next word")),
    }[box]
    top = box == "next.words"
    strong, told = len(words) - 1 if top else None, " ".join(words)
    return Box(box, name, column, row, role, WORDS_ROWS, words=words, strong=strong, above=top, about=told, opens=False)


def _box(run: Run, box: str, column: int, row: float, layer: int, named: Mapping[str, Kind]) -> Box:
    kind, values = named[kind_of(box)], run.blocks[in_run(box, layer)].output
    text = _("{words} words × {units} numbers, {low} to {high}")
    about = text.format(
        words=len(values), units=values.shape[1], low=number(values.min(), 2), high=number(values.max(), 2)
    )
    return Box(box, kind.label, column, row, kind.role, values=values, signed=box != "softmax", about=about)


def _arrows(columns: tuple[list[str], list[str]], pre_norm: bool) -> list[Arrow]:
    arrows = []
    for blocks, side in zip(columns, ("left", "right"), strict=True):
        for below, above in pairwise(blocks):
            part = kind_of(above)
            prongs = SELF if part in ("attention", "masked") else ("query",) if part == "cross" else ()
            arrows.append(Arrow(below, above, prongs=prongs))
        # The residual connections: past each part, from what goes into it (before its norm, if that comes first).
        origin = next(box for box in blocks if box.endswith(".positions"))
        for box in blocks:
            if is_in_layer(box) and kind_of(box).startswith("add" if pre_norm else "norm"):
                arrows.append(Arrow(origin, box, "residual", side))  # type: ignore[arg-type]
                origin = box
    arrows.append(Arrow("encoder.final", "decoder.cross", "across", prongs=("value", "key")))
    return arrows

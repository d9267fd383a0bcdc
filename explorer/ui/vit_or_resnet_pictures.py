"""What the page “ViT or ResNet?” shows: its pictures, and the sentences that say what is seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.components.maps import Map
from explorer.plots.vit_or_resnet import Curve, Spread
from explorer.text import _
from explorer.ui import page
from explorer.units import three
from explorer.vit_or_resnet import GRID, LEVELS, SEEDS, Harm, OrderMatters, Robustness
from explorer.vit_or_resnet_reach import Reach
from explorer.vit_photo import lit, seen_pixels, square
from explorer.window_pictures import DIM
from pretrained.classification import Classifier, preprocess
from pretrained.records import Published, UntaughtCard

ROLES = {"ViT": "query", "ResNet": "gradient"}
REACH_SIDE = 384  # pixels: of the photo under the gradient, a multiple of both networks' squares
COARSE = {"ViT": 12, "ResNet": 16}
"""Squares of 8 pixels along the side, over which the gradient is summed."""


def formula() -> str:
    """Both: weights by offset within a kernel, weights by content over everything."""
    x, out, weight = page.tex("input", "x"), page.tex("output", "y"), page.tex("weight", "W")
    near, far = r"j\, \in\, \text{kernel at } i", r"\text{all } j"
    return (
        rf"\begin{{aligned}} \text{{convolution}} \quad {out}_i &= \sum_{{{near}}} {weight}_{{j-i}}\, {x}_j \\ "
        rf"\text{{attention}} \quad {out}_i &= \sum_{{{far}}} {page.tex('hidden', 'α')}({x}_i, {x}_j)\, {weight}\, {x}_j "
        r"\end{aligned}"
    )


def level_names(harm: Harm) -> list[str]:
    """Of LEVELS, for the axis."""
    if harm == "shuffled":
        return [_("whole") if level == 1 else f"{level} × {level}" for level in LEVELS[harm]]
    return [f"{level}%" for level in LEVELS[harm]]


def seen_maps(photo: np.ndarray, classifiers: Mapping[str, Classifier], found: Mapping[str, Robustness], harm: Harm,
              level: int, seed: int) -> list[Map]:  # fmt: skip
    """The harmed photo as each network gets it, with what it answers. photo: uint8 (SIDE, SIDE, 3)."""
    place = LEVELS[harm].index(level)
    pictures = []
    for name, classifier in classifiers.items():
        pixels = seen_pixels(preprocess(classifier, photo), classifier.model.mean, classifier.model.std)
        one = found[name]
        best, own = int(one.best[place, seed]), one.probability[place, seed]
        told = _("{side} × {side} pixels. It answers “{answer}”; “{own}”, its answer to the whole photo, gets {p:.1%}.")
        if best == one.target:
            told = _("{side} × {side} pixels. It answers “{own}”, as to the whole photo: {p:.1%}.")
        pictures.append(
            Map(pixels, _("What {name} sees").format(name=name),
                told.format(side=len(pixels), answer=classifier.labels[best], own=classifier.labels[one.target], p=own),
                role=ROLES[name])
        )  # fmt: skip
    return pictures


def spreads(found: Mapping[str, Robustness]) -> dict[str, Spread]:
    """For the chart."""
    return {
        name: Spread(one.median, one.probability.min(axis=1), one.probability.max(axis=1))
        for name, one in found.items()
    }


def harm_finding(found: Mapping[str, Robustness], harm: Harm, level: int, labels: Mapping[str, tuple[str, ...]]) -> str:
    """What is left of both answers at this level."""
    place = LEVELS[harm].index(level)
    parts = []
    for name, one in found.items():
        text = _("{name} gives “{label}” {now:.1%} (median; {whole:.1%} to the whole photo) and keeps its answer {kept} of "
                 "{seeds} times")  # fmt: skip
        parts.append(
            text.format(
                name=name, label=labels[name][one.target], now=one.median[place], whole=one.median[0],
                kept=round(one.kept[place] * SEEDS), seeds=SEEDS,
            )
        )  # fmt: skip
    if place == 0:
        start = _("On the photo as it is:")
    elif harm == "shuffled":
        start = _("With {n} × {n} patches shuffled:").format(n=level)
    else:
        start = _("With {p}% of {n} × {n} patches hidden:").format(p=level, n=GRID)
    return f"{start} {'; '.join(parts)}."


def overall(found: Mapping[str, Robustness], harm: Harm) -> str:
    """Which network keeps more of its answer over all levels, relative to the whole photo."""
    kept = {name: float((one.median[1:] / max(one.median[0], 1e-9)).mean()) for name, one in found.items()}
    first, second = sorted(kept, key=kept.__getitem__, reverse=True)
    text = _("Over all levels {first} keeps {a:.0%} of its first probability, {second} {b:.0%}. One photo and {seeds} seeds "
             "say how these two networks do on this photo, not which kind is better.")  # fmt: skip
    return text.format(first=first, a=kept[first], second=second, b=kept[second], seeds=SEEDS)


def protocol() -> str:
    """How the comparison is made fair."""
    return _(
        "Each network is asked for its own answer to the whole photo. Both get the same square, harmed before it is made "
        "smaller: hidden patches are in the photo’s mean colour, and both lose the same ones. {seeds} random orders a level; "
        "the line is their median, the band their range."
    ).format(seeds=SEEDS)


def nearest(one: Reach, depth: float) -> int:
    """The map at this depth, 0–1."""
    return int(np.abs(one.depth - depth).argmin())


def reach_maps(pixels: np.ndarray, both: Mapping[str, Reach], depth: float) -> list[Map]:
    """What moves the middle place of each network at this depth, as light on the photo."""
    photo = square(pixels, (0.0, 0.0, float(pixels.shape[1]), float(pixels.shape[0])), REACH_SIDE)
    pictures = []
    for name, one in both.items():
        number = nearest(one, depth)
        coarse = one.coarse(number, COARSE[name])
        left, top, width, height = one.field[number]
        frame, told = None, _("Attention can reach any patch. Brightness is the square root of what does.")
        if not np.isnan(left):
            x0, y0, x1, y1 = (
                round(REACH_SIDE * min(max(edge, 0), 1)) for edge in (left, top, left + width, top + height)
            )
            frame = (x0, y0, x1 - x0, y1 - y0)
            told = _("The frame is the receptive field, cut at the photo’s edge: nothing outside it could count.")
        pictures.append(
            Map(lit(photo, np.sqrt(coarse), DIM), f"{name}: {one.names[number].replace('_', ' ')}",
                _("On average {far:.0%} of the side away.").format(far=one.distance[number]) + " " + told,
                role=ROLES[name], frame=frame)
        )  # fmt: skip
    return pictures


def reach_finding(both: Mapping[str, Reach], heads: np.ndarray) -> str:
    """How far the networks look at the beginning and at the end."""
    vit, resnet = both["ViT"], both["ResNet"]
    text = _(
        "In the ViT’s first layer the heads look {near:.0%} to {far:.0%} of the side away; every layer could see everything. "
        "By what moves the middle of your photo, the ResNet begins at {first:.0%} and ends at {last:.0%}, the ViT goes from "
        "{start:.0%} to {end:.0%}."
    )
    return text.format(
        near=np.nanmin(heads[0]), far=np.nanmax(heads[0]), first=resnet.distance[0], last=resnet.distance[-1],
        start=vit.distance[0], end=vit.distance[-1],
    )  # fmt: skip


def curves(both: Mapping[str, Reach]) -> tuple[Curve, Curve, Curve]:
    """For the chart: by gradient, of both; half the receptive field of the ResNet."""
    vit, resnet = both["ViT"], both["ResNet"]
    return (
        Curve(vit.depth, vit.distance),
        Curve(resnet.depth, resnet.distance),
        Curve(resnet.depth, resnet.furthest),
    )


def order_text(found: OrderMatters) -> str:
    """Markdown: what shuffling just the ViT's own patches changes, with its positions and without."""
    text = _(
        "Shuffle just the ViT’s own patches. With its position embeddings, a logit changes by up to **{with_positions}**. "
        "Without them, by at most **{without}**, where the largest is {largest}: rounding. To attention alone a photo is a set "
        "of patches. A convolution has no such version: its weights belong to offsets between neighbours."
    )
    return text.format(
        with_positions=three(found.with_positions), without=_tiny(found.without), largest=three(found.largest)
    )


def _tiny(value: float) -> str:
    """0.0000031 → 3.1·10⁻⁶, and 0 as it is."""
    if value == 0:
        return "0"
    exponent = int(np.floor(np.log10(value)))
    if exponent > -3:
        return three(value)
    digits = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{value / 10**exponent:.1f}·10{digits}"


def data_table(vit: Published, resnet: Published, untaught: UntaughtCard) -> str:
    """Markdown: what each network got and how often it is right on photos held out."""
    lines = [
        "| " + " | ".join((_("Network"), _("Parameters"), _("Right"), *(
            name for name, _share in resnet.top1_by_dataset))) + " |",
        "|---|---:|---:|" + "---:|" * len(resnet.top1_by_dataset),
    ]  # fmt: skip
    rows = [
        (_("ResNet-18: kernels say that neighbours matter"), resnet.parameters, resnet.top1,
         [share for _name, share in resnet.top1_by_dataset]),
        (_("ViT, taught by the ResNet"), vit.parameters, vit.top1,
         [share for _name, share in vit.top1_by_dataset]),
        (_("The same ViT, no teacher"), vit.parameters, untaught.plain_top1,
         [untaught.plain_top1_imagenette, untaught.plain_top1_caltech101]),
    ]  # fmt: skip
    for name, parameters, top1, parts in rows:
        cells = " | ".join(f"{share:.1%}" for share in parts)
        lines.append(f"| {name} | {three(parameters / 1e6)}\u00a0M | {top1:.1%} | {cells} |")
    return "\n".join(lines)

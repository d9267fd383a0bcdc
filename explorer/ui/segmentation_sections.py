"""Sections of the Segmentation page: one pixel's classes, FCN against U-Net, two masks compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import streamlit as st

from explorer.components.maps import maps
from explorer.models.unet import UNet
from explorer.numbers import grouped, number
from explorer.plots.bars import probabilities
from explorer.segmentation_views import ClassOverlap, Pixel, compare, mean_iou, plain_name
from explorer.text import _
from explorer.ui import page
from explorer.ui import segmentation_pictures as show
from explorer.ui.segmentation_controls import share_text
from explorer.ui.segmenters import Seen, kept_segmenter, look_at, mask_without, segmenters
from explorer.ui.weights import is_here
from explorer.unet_views import Outline, PixelLogits, fcn_outline, pixel_logits, unet_outline

MOST_BARS = 8
TERMS = 2  # of a logit's sum that are written out
MIRROR, NO_SKIPS, SKIP, OTHER = "mirror", "no skips", "skip ", "model "


@st.cache_data(max_entries=8, show_spinner=False)
def _fcn(height: int, width: int) -> Outline:
    model = next(one for one in segmenters(instances=False).values() if one.way == "fcn")
    return fcn_outline(height, width, model.input_size)


@st.cache_data(max_entries=4, show_spinner=False)
def _mirrored(key: str, digest: str, _seen: Seen) -> np.ndarray:
    """What the network says of the mirrored photo, mirrored back."""
    from pretrained.segmentation import segment

    flipped = np.ascontiguousarray(_seen.photo.pixels[:, ::-1])
    return np.ascontiguousarray(segment(_seen.segmenter, flipped).mask[:, ::-1])


@st.cache_data(max_entries=16, show_spinner=False)
def _compared(first: tuple[str, str], second: str, _a: np.ndarray, _b: np.ndarray, classes: tuple[str, ...]) -> tuple:
    return compare(_a, _b, classes)


def one_pixel(seen: Seen, pixel: Pixel) -> None:
    """The classes of the chosen pixel: logits, softmax, bars."""
    page.section(
        _("One pixel"),
        _("The network answers the question “which class?” again for every pixel. Click a pixel in a picture above: here are "
          "its numbers."),
    )  # fmt: skip
    names, grid = show.names_of(seen), seen.segmentation.probabilities
    p = grid[:, pixel.row, pixel.column]
    order = np.argsort(-p, kind="stable")[:MOST_BARS]
    text, bars = st.columns([6, 5], gap="medium")
    with text:
        found = _("Pixel **({x}, {y})** of the photo lies in cell [{row}, {column}] of the network’s {rows} × {columns} cells. "
                  "The likeliest of {n} classes is **{name}**.")  # fmt: skip
        st.markdown(
            found.format(x=pixel.x, y=pixel.y, row=pixel.row, column=pixel.column, rows=grid.shape[1],
                         columns=grid.shape[2], n=len(names), name=names[int(order[0])])
        )  # fmt: skip
        made = None
        if isinstance(seen.segmenter.module, UNet):
            made = pixel_logits(seen.segmenter.module, seen.maps, pixel.row, pixel.column)
            st.markdown(_("A 1×1 convolution turns the {n} channels of the last map into logits. For {name}, its two largest "
                          "terms first:").format(n=len(made.features), name=names[int(order[0])]))  # fmt: skip
            st.latex(_sum_formula(made, int(order[0])))
        st.markdown(_softmax_table(names, p, order, None if made is None else made.logits))
        if made is None:
            st.caption(_("Softmax sees only how far a logit lies below the largest one, so that is what stands here."))
        if len(names) > len(order):
            st.caption(_("The {n} likeliest of {all} classes are shown; the others share {rest}.").format(
                n=len(order), all=len(names), rest=share_text(max(0.0, 1 - float(p[order].sum())))))  # fmt: skip
    with bars:
        page.chart(
            probabilities([names[k] for k in order], p[order], page.theme(), 0),
            key="seg_bars",
            alt=_("The likeliest class is {name} at {p:.0%}.").format(name=names[int(order[0])], p=float(p[order[0]])),
        )
        st.caption(
            _("The class with the longest bar is the pixel’s colour in the mask. All {n} add up to 1.").format(
                n=len(names)
            )
        )


def _sum_formula(made: PixelLogits, label: int) -> str:
    """w·h + … + b = z for one class, with numbers."""
    terms = made.weight[label] * made.features
    order = np.argsort(-np.abs(terms), kind="stable")
    weight, hidden = (lambda t: page.tex("weight", t)), (lambda t: page.tex("hidden", t))
    written = [rf"{weight(_tex(made.weight[label, k]))} \cdot {hidden(_tex(made.features[k]))}" for k in order[:TERMS]]
    rest = float(terms[order[TERMS:]].sum())
    sums = " + ".join(written)
    total = page.tex("output", _tex(made.logits[label]))
    more = (
        rf" + \underbrace{{{_tex(rest)}}}_{{{len(terms) - TERMS}\ \text{{{_('more')}}}}}" if len(terms) > TERMS else ""
    )
    end = rf"{more} + \underbrace{{{_tex(made.bias[label])}}}_{{b}} = {total}"
    return rf"\begin{{aligned}} z = {{}}&{sums} \\ &{end} \end{{aligned}}"


def _tex(value: float) -> str:
    text = number(value).replace("−", "-")
    return f"({text})" if text.startswith("-") else text


def _softmax_table(names: Sequence[str], p: np.ndarray, order: np.ndarray, logits: np.ndarray | None) -> str:
    """A row for each class: z, z − the largest, its exponential, and that divided by the sum of all; without z if None."""
    top, total = float(p[order[0]]), float(p.sum())
    head = ["$z - z_{max}$", "$e^{z - z_{max}}$", "$p$"]
    rows = []
    for k in order:
        # Softmax keeps the ratios, so what lies between two logits can be had back.
        below = float(np.log(max(p[k], 1e-38) / top)) if logits is None else float(logits[k] - logits[order[0]])
        cells = [number(below), number(float(np.exp(below)), 4), number(float(p[k]), 4)]
        rows.append([names[k], *([] if logits is None else [number(float(logits[k]))]), *cells])
    if logits is not None:
        head = [_("logit $z$"), *head]
    lines = [[_("Class"), *head], ["---", *["--:"] * len(head)], *rows]
    every = _("Divided by {sum}, the sum over all {n} classes, the exponentials are the probabilities $p$.")
    every = every.format(n=len(p), sum=number(total / top, 4))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{every}"


def two_ways(seen: Seen, unet: Seen) -> None:
    """FCN against U-Net in shapes, for this photo."""
    st.subheader(_("Two ways back to full size"), anchor=False)
    height, width = seen.photo.pixels.shape[:2]
    ours = unet_outline(cast(UNet, unet.segmenter.module), unet.maps)
    theirs = _fcn(height, width)
    sides = [_("| | {a} | {b} |").format(a=theirs.name, b=unet.segmenter.model.name), "|---|---|---|"]
    times = tuple(round(a / b) for a, b in zip(theirs.input, theirs.last, strict=True))

    def size(pair: tuple[int, int]) -> str:
        return f"{pair[0]} × {pair[1]}"

    sides += [
        _("| Your photo goes in as | {a} | {b} |").format(a=size(theirs.input), b=size(ours.input)),
        _("| Coarsest map | {a} | {b} |").format(a=size(theirs.coarsest), b=size(ours.coarsest)),
        _("| Classes are told on | {a} cells | {b} cells |").format(a=size(theirs.last), b=size(ours.last)),
        _("| Back to full size by | blending neighbours, {n}×; nothing is learned | up-convolutions and skip connections, "
          "{d} times 2× |").format(n=times[0], d=cast(UNet, unet.segmenter.module).config.depth),
        _("| Parameters | {a} million | {b} million |").format(a=f"{theirs.parameters / 1e6:.1f}",
                                                                 b=f"{ours.parameters / 1e6:.1f}"),
    ]  # fmt: skip
    st.markdown("\n".join(sides))
    st.caption(_("The shapes are those of your photo. An FCN is all convolution, so the photo may have any size. Its borders "
                 "are as coarse as its cells. U-Net brings the fine maps of the encoder back in at every size."))  # fmt: skip


def compare_masks(seen: Seen) -> None:
    """IoU class by class, of this mask and a second one."""
    page.section(
        _("Intersection over union"),
        _("How alike are two masks? For each class, divide the pixels that both give it by the pixels that at least one "
          "of them gives it. Networks are scored so, against a mask that people drew; here it is one mask against another."),
    )  # fmt: skip
    controls, picture = page.play()
    with controls:
        options = _seconds(seen)
        if st.session_state.get("seg_second", MIRROR) not in options:
            del st.session_state["seg_second"]
        chosen = st.selectbox(_("Second mask"), list(options), format_func=options.__getitem__, key="seg_second",
                              bind="query-params")  # fmt: skip
        second = _second(seen, chosen)
        found: tuple[ClassOverlap, ...] = _compared(
            seen.subject, chosen, seen.segmentation.mask, second, seen.segmentation.classes
        )
        names = [plain_name(one.name) for one in found]
        if st.session_state.get("seg_iou_class", "") not in ["", *names]:
            del st.session_state["seg_iou_class"]
        largest = max(found, key=lambda one: one.union)
        name = st.selectbox(_("Class"), ["", *names], key="seg_iou_class", bind="query-params",
                            format_func=lambda one: one or _("the largest"))  # fmt: skip
        one = found[names.index(name)] if name else largest
    with picture:
        left, right = st.columns(2, gap="medium")
        with left:
            told = _("{both} pixels in both, {a} only in the first, {b} only in the second.").format(
                both=grouped(one.intersection), a=grouped(one.first - one.intersection),
                b=grouped(one.second - one.intersection))  # fmt: skip
            title = _("Where “{name}” is").format(name=plain_name(one.name))
            maps([show.agreement_map(seen, second, one.label, title, told)], key="seg_agree", columns=1, height=300)
        with right:
            st.latex(_iou_formula(one))
            st.markdown(_overlap_table(found))


def _seconds(seen: Seen) -> dict[str, str]:
    """What this mask can be compared with."""
    options = {MIRROR: _("The mirrored photo, mirrored back")}
    module = seen.segmenter.module
    if isinstance(module, UNet):
        options = {NO_SKIPS: _("Without any skip connection")} | options
        for level in range(module.config.depth):
            options[f"{SKIP}{level}"] = _("Without skip connection {level}").format(level=level)
    for key, model in segmenters(instances=False).items():
        same = model.data == seen.segmenter.model.data and key != seen.segmenter.model.key
        if same and is_here(model):
            options[f"{OTHER}{key}"] = model.name
    return options


def _second(seen: Seen, chosen: str) -> np.ndarray:
    if chosen == MIRROR:
        with st.spinner(_("Looking at the mirrored photo …")):
            return _mirrored(*seen.subject, seen)
    if chosen.startswith(OTHER):
        return look_at(kept_segmenter(chosen.removeprefix(OTHER)), seen.photo).segmentation.mask
    depth = cast(UNet, seen.segmenter.module).config.depth
    cut = range(depth) if chosen == NO_SKIPS else [int(chosen.removeprefix(SKIP))]
    return mask_without(seen, cut)


def _iou_formula(one: ClassOverlap) -> str:
    """With its numbers: the union is both areas less what they share."""
    shared, first, second = (_tex_count(value) for value in (one.intersection, one.first, one.second))
    union = rf"{shared} \div ({first} + {second} - {shared})"
    end = rf"{shared} \div {_tex_count(one.union)} = {number(one.iou)}"
    return rf"\begin{{aligned}} \text{{IoU}} &= {union} \\ &= {end} \end{{aligned}}"


def _tex_count(value: int) -> str:
    return f"{value:,}".replace(",", r"\,")


def _overlap_table(found: Sequence[ClassOverlap]) -> str:
    lines = [_("| Class | Intersection | Union | IoU |"), "|---|--:|--:|--:|"]
    lines += [
        f"| {plain_name(one.name)} | {grouped(one.intersection)} | {grouped(one.union)} | {number(one.iou)} |"
        for one in sorted(found, key=lambda one: -one.union)
    ]
    mean = _("The mean over these {n} classes, mIoU, is **{mean}**.").format(n=len(found), mean=number(mean_iou(found)))
    return "\n".join(lines) + f"\n\n{mean}"

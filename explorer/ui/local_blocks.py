"""A convolutional network with an attention block: the bundled ResNet-18's maps through both kinds."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.explain import enlarge, overlay
from explorer.images import Photo
from explorer.map_attention import Block, BlockLook, block_look, trace_block
from explorer.models.swin import Sides
from explorer.numbers import grouped
from explorer.text import _
from explorer.trace import Trace
from explorer.ui import page
from explorer.ui.local_heads import choose_cell
from explorer.ui.local_pictures import on_photo
from explorer.ui.models import kept_classifier
from explorer.window_pictures import square
from pretrained.catalog import published
from pretrained.classification import preprocess
from pretrained.map_heads import MapHeads, load_map_heads

CHANNELS = 5
SMALL = 168  # pixels: side of the pictures of channels
HEAD_NAMES = {
    "none": _("No block"),
    "squeeze": _("Squeeze-and-excitation"),
    "attention": _("Self-attention over cells"),
}


@st.cache_resource(show_spinner=False)
def kept_heads() -> MapHeads:
    """The bundled blocks, for all sessions."""
    return load_map_heads()


@st.cache_resource(max_entries=8, show_spinner=False)
def look_at(digest: str, _pixels: np.ndarray) -> BlockLook:
    """What the blocks do on this photo, kept."""
    found = kept_heads()
    classifier = kept_classifier(found.model.backbone)
    return block_look(classifier.module, found.model.layer, found.heads, preprocess(classifier, _pixels))


@st.cache_resource(max_entries=8, show_spinner=False)
def block_steps(block: Block, digest: str, _maps: np.ndarray) -> Trace:
    """The steps of one block on this photo's maps, kept."""
    return trace_block(block, kept_heads().heads, _maps)


def blocks_section(photo: Photo) -> BlockLook:
    """Squeeze-and-excitation and self-attention on the ResNet's maps of the photo."""
    look, found = look_at(photo.digest, photo.pixels), kept_heads()
    rows, columns = look.grid
    page.section(
        _("An attention block in a convolutional network"),
        _("The bundled ResNet-18 turns your photo into {c} maps of {h} × {w} cells after its third stage. Two blocks work on "
          "them; their weights were trained for this page, those of the ResNet left as they are.").format(
              c=len(look.maps), h=rows, w=columns),
    )  # fmt: skip
    view = square(photo.pixels)
    st.subheader(_("Which channels count: squeeze-and-excitation"), anchor=False)
    st.latex(_squeeze_formula())
    st.markdown(_("Each map is squeezed to its mean. From all {c} means two small layers compute a gate between 0 and 1 for "
                  "each map, and the map is multiplied by it. These are let through most on your photo, and least, of the maps "
                  "that are not 0:").format(c=len(look.maps)))  # fmt: skip
    small = square(view, SMALL)
    maps([_channel(small, look, c) for c in (*look.strongest(CHANNELS), *look.weakest(CHANNELS)[::-1])],
         key="local_channels", columns=CHANNELS, height=150, size="small")  # fmt: skip
    st.caption(gates_text(look))

    st.subheader(_("Which cells belong together: self-attention over the map"), anchor=False)
    controls, picture = page.play()
    with controls:
        st.markdown(_("Each of the {n} cells becomes a token with {c} numbers and attends to all others, near or far: a "
                      "non-local block. Click on a cell. Without any weights, cells look at those they are like. "
                      "The heads were trained to name photos; where they look is not by itself why they answer so.").format(
                          n=rows * columns, c=len(look.maps)))  # fmt: skip
        cell = choose_cell("local_cells", look.grid, _("Row of the cell"), _("Column of the cell"))
    with picture:
        maps(cell_maps(view, look, cell), key="local_cells", columns=3, height=240, pick=True)
    st.markdown(heads_table(look, found, kept_classifier(found.model.backbone).labels))
    whole = published(kept_classifier(found.model.backbone).model)
    st.caption(_("Right of {n} photos held out: one linear layer on the mean of the same maps, with each block before it "
                 "and without. Nothing else differs. The whole ResNet-18, with its fourth stage, is right on "
                 "{top1:.1%}.").format(n=grouped(found.card.photos), top1=whole.top1))  # fmt: skip
    return look


def _squeeze_formula() -> str:
    x, weight = page.tex("input", "x"), page.tex("weight", "W")
    squeezed, gate = page.tex("hidden", "z"), page.tex("mask", "s")
    return (
        rf"\begin{{aligned}} {squeezed}_c &= \frac{{1}}{{hw}} \sum_{{i,j}} {x}_c[i, j] \\ "
        rf"{gate} &= \sigma\big({weight}_2\, \text{{relu}}({weight}_1\, {squeezed})\big) \\ "
        rf"{page.tex('output', 'y')}_c &= {gate}_c \cdot {x}_c \end{{aligned}}"
    )


def _channel(photo: np.ndarray, look: BlockLook, channel: int) -> Map:
    """One channel as light on the photo, with its gate."""
    heat = enlarge(look.maps[channel], photo.shape[1], photo.shape[0])
    title = _("gate {g:.3f}").format(g=look.gates[channel])
    told = _("channel {c}, mean {m:.2f}").format(c=channel, m=look.squeezed[channel])
    return Map(heat, title, told, role="mask", rgb=overlay(photo, heat))


def gates_text(look: BlockLook) -> str:
    """How many gates are open, and how many shut."""
    return _(
        "On your photo {open} of {all} gates are above 0.9 and {shut} below 0.1. Bright is where a map is large. Choose "
        "another photo: other gates open."
    ).format(open=(look.gates > 0.9).sum(), all=look.gates.size, shut=(look.gates < 0.1).sum())


def cell_maps(photo: np.ndarray, look: BlockLook, cell: Sides) -> list[Map]:
    """Where one cell looks: without weights, and with each trained head."""
    first, *heads = look.from_cell(cell)
    pictures = [
        on_photo(photo, first, cell, _("Without weights"), _("Looks at cells with like features."), role="input")
    ]
    pictures += [
        on_photo(photo, weights, cell, _("Head {n}").format(n=n + 1),
                 _("At most {most:.1%} on one cell.").format(most=weights.max()), head=n)
        for n, weights in enumerate(heads)
    ]  # fmt: skip
    mean = np.mean(heads, axis=0)
    pictures.append(on_photo(photo, mean, cell, _("Mean of the heads"), _("Even attention would be {even:.1%} a cell.").format(
        even=1 / mean.size)))  # fmt: skip
    return pictures


def heads_table(look: BlockLook, found: MapHeads, labels: tuple[str, ...]) -> str:
    """Markdown: what each head answers to the photo, and how often it is right on photos held out."""
    lines = [
        "| " + " | ".join((_("Block"), _("Answer"), _("Probability"), _("Right"), _("Parameters"))) + " |",
        "|---|---|---:|---:|---:|",
    ]  # fmt: skip
    for name, text in HEAD_NAMES.items():
        best = int(look.probabilities[name].argmax())
        lines.append(
            f"| {text} | {labels[best]} | {look.probabilities[name][best]:.1%} | {found.card.top1[name]:.1%} | "
            f"{grouped(found.card.parameters[name])} |"
        )
    return "\n".join(lines)

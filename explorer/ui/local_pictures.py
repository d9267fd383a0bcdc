"""Attention on the photo, and what windows leave of it: the pictures and the sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.components.maps import Map
from explorer.local_attention import Answers, Kept, Way, within
from explorer.models.swin import Sides
from explorer.text import _
from explorer.vit_photo import spread
from explorer.window_pictures import lit


def on_photo(photo: np.ndarray, weights: np.ndarray, place: Sides, title: str, caption: str, *, role: str = "key",
             head: int | None = None) -> Map:  # fmt: skip
    """One row of attention as light on the photo, the most attended patch in full light; its number on hover.

    photo: uint8 (S, S, 3); weights: float (h, w), S a multiple of both; place: the patch or cell that looks, outlined.
    """
    step = photo.shape[0] // weights.shape[0], photo.shape[1] // weights.shape[1]
    return Map(
        spread(weights, len(photo)), title, caption, role=role, rgb=lit(photo, weights), head=head,
        frame=(place[1] * step[1], place[0] * step[0], step[1], step[0]),
    )  # fmt: skip


def patch_maps(photo: np.ndarray, row: np.ndarray, allowed: np.ndarray, patch: Sides, grid: Sides) -> list[Map]:
    """Where a patch looks, as the head was trained and within its window. row: float (T,), sums to 1; allowed: bool (T,).

    The tokens before the patches lie nowhere on the photo.
    """
    count = grid[0] * grid[1]
    patches, inside = row[-count:], allowed[-count:]
    share = float(patches[inside].sum() / patches.sum())
    restricted = within(row, allowed)[-count:]
    return [
        on_photo(photo, patches.reshape(grid), patch, _("Everywhere"),
                 _("What the outlined patch looks at. Click on another.")),
        on_photo(photo, restricted.reshape(grid), patch, _("Within its window"),
                 _("The same head, if it may look there alone: {share:.0%} of its attention to patches stays, scaled up "
                   "to 1.").format(share=share), role="mask"),
    ]  # fmt: skip


def kept_map(found: Kept, chosen: tuple[int, int]) -> Map:
    """The share that windows leave, a row for each layer and a column for each head. chosen: layer and head, outlined."""
    layers, heads = found.share.shape
    return Map(
        found.share, _("Attention kept"),
        _("A row for each layer, a column for each head: the share of its attention that stays within the windows. Click on a "
          "head."), role="hidden",
        limit=1.0, signed=False, frame=(chosen[1], chosen[0], 1, 1),
        rows=tuple(str(n + 1) for n in range(layers)),
        columns=tuple(str(n + 1) for n in range(heads)),
    )  # fmt: skip


def kept_text(found: Kept, window: int) -> str:
    """Which layers look near, in numbers: the first, the last and the most local head."""
    layer, head = np.unravel_index(int(found.share.argmax()), found.share.shape)
    text = _(
        "Within windows of {n} × {n} a patch sees {even:.0%} of the patches on average: so much a head would keep that looks "
        "everywhere alike. On your photo the first layer keeps **{first:.0%}**, the last **{last:.0%}**; most of all head "
        "{head} of layer {layer}, **{most:.0%}**."
    )
    return text.format(
        n=window, even=found.even, first=found.share[0].mean(), last=found.share[-1].mean(), head=head + 1,
        layer=layer + 1, most=found.share.max(),
    )  # fmt: skip


def answer_finding(found: Answers, window: int, way: Way, labels: Sequence[str]) -> str:
    """What the network answers within these windows, against what it answers freely."""
    place = found.sides.index(window)
    free, held = found.probability[way][-1], found.probability[way][place]
    best = int(found.best[way][place])
    answer = (
        _("It still answers so.") if best == found.target else _("It answers “{label}” now.").format(label=labels[best])
    )
    text = _("Free to look everywhere, it answers “{label}” at {free:.1%}. Held to windows of {n} × {n}, without learning "
             "anew, it gives that {held:.1%}. {answer}")  # fmt: skip
    return text.format(label=labels[found.target], free=free, n=window, held=held, answer=answer)

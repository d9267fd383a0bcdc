"""All heads of a language model at a glance: a thumbnail of each head's attention, by layer or ranked by a statistic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.components.component import component
from explorer.components.packing import pack

MOST_PIXELS = 64
"""Side of a thumbnail; of longer texts, each pixel is the largest weight of several tokens."""

_mount = component("attention_grid")


@dataclass(frozen=True)
class PickedHead:
    """The head that was clicked last; both counted from 0."""

    layer: int
    head: int


def thumbnails(attention: np.ndarray, limit: float = 1.0, side: int = MOST_PIXELS) -> np.ndarray:
    """Attention as bytes, 0 to 255 at `limit` and above; more than `side` tokens are pooled by their largest weight.

    attention: float (layers, heads, T, S) → uint8 (layers, heads, ≤ side, ≤ side).
    """
    for axis in (-2, -1):
        length = attention.shape[axis]
        if length > side:
            starts = np.arange(side) * length // side
            attention = np.maximum.reduceat(attention, starts, axis)
    return np.clip(attention * (255 / limit) + 0.5, 0, 255).astype(np.uint8)


def attention_grid(
    images: np.ndarray,
    *,
    key: str,
    selected: tuple[int, int],
    statistic: np.ndarray,
    name: str,
    unit: str = "",
    order: Literal["layers", "statistic"] = "layers",
    limit: float = 1.0,
    alt: str = "",
) -> PickedHead | None:
    """Show the thumbnails; a click, or Enter, comes back as the picked head (the page runs again).

    images: uint8 (layers, heads, T, S), see thumbnails; limit: the weight of the end colour. statistic: (layers, heads),
    drawn as a bar under each thumbnail; name, unit: what it is. order: a row for each layer, or the largest first.
    alt: the finding, in words.
    """
    data = encode(
        images, selected=selected, statistic=statistic, name=name, unit=unit, order=order, limit=limit, alt=alt
    )
    picked = _mount(key=key, data=data, default={"picked": None}, on_picked_change=lambda: None).picked
    return None if picked is None else PickedHead(picked["layer"], picked["head"])


def encode(
    images: np.ndarray,
    *,
    selected: tuple[int, int],
    statistic: np.ndarray,
    name: str,
    unit: str = "",
    order: Literal["layers", "statistic"] = "layers",
    limit: float = 1.0,
    alt: str = "",
) -> bytes:
    """The bytes that attention_grid.js reads. The arguments are those of `attention_grid`."""
    body = {
        "selected": list(selected),
        "name": name,
        "unit": unit,
        "order": order,
        "limit": float(limit),
        "alt": alt,
    }
    return pack(body, [np.ascontiguousarray(images), np.ascontiguousarray(statistic, np.float32)])

"""Attention as lines from words to words: the queries on the left, the keys on the right, a colour for each head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from explorer.components.component import component
from explorer.components.packing import pack

_mount = component("attention_lines")


@dataclass(frozen=True)
class Locked:
    """The word that a visitor holds. side: whether it asks ("query") or is asked ("key"); place: in its sequence."""

    side: Literal["query", "key"]
    place: int

    @classmethod
    def read(cls, held: Mapping[str, Any] | None) -> Locked | None:
        """From what the browser sent."""
        return None if held is None else cls(held["side"], held["place"])


def attention_lines(
    weights: np.ndarray,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    key: str,
    heads: Sequence[int] | None = None,
    locked: Locked | None = None,
    names: Sequence[str] = (),
    url: str = "",
    pick: bool = False,
    height: int = 560,
) -> Locked | None:
    """Show weights, (heads, T, S), between T queries and S keys; a row sums to 1, NaN where nothing may be looked at.

    heads: those shown at first, None: all; the visitor may choose others without the page running. locked: the word held at
    first. names: of the heads, "Head 0" … if empty; their number chooses the colour, twelve there are. url: the query
    parameter that keeps the locked word, none if empty. pick: a lock comes back (the page runs again). height: pixels, more
    words scroll.
    """
    data = encode(weights, queries, keys, heads=heads, locked=locked, names=names, url=url, pick=pick, height=height)
    state = _mount(key=key, data=data, default={"locked": None}, on_locked_change=lambda: None)
    return Locked.read(state.locked) if pick else None


def encode(
    weights: np.ndarray,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    heads: Sequence[int] | None = None,
    locked: Locked | None = None,
    names: Sequence[str] = (),
    url: str = "",
    pick: bool = False,
    height: int = 560,
) -> bytes:
    """The bytes that attention_lines.js reads. The arguments are those of `attention_lines`."""
    if weights.shape[1:] != (len(queries), len(keys)):
        raise ValueError(f"weights of shape {weights.shape} do not fit {len(queries)} queries and {len(keys)} keys")
    body = {
        "queries": list(queries),
        "keys": list(keys),
        "heads": list(range(len(weights)) if heads is None else heads),
        "names": list(names),
        "locked": None if locked is None else {"side": locked.side, "place": locked.place},
        "url": url,
        "pick": pick,
        "height": height,
    }
    return pack(body, [np.ascontiguousarray(weights, dtype=np.float32)])

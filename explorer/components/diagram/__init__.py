"""A block diagram whose boxes open: each shows the numbers that flow out of it, word by word, and can be chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import streamlit as st

from explorer.components.component import component
from explorer.components.packing import pack
from explorer.text import _

_mount = component("diagram")


@dataclass(frozen=True, eq=False)
class Box:
    """One block. id: also what a click gives back. column: counted from the left, from 0; row: its top, in rows from above,
    also in parts of one; rows: its height.

    role: the palette role of its label. values: float (T, units), a column of heat for each of T tokens, or None. words: a
    text for each token instead, above the boxes of the column if `above`, else below them; strong: the one in bold. signed: as
    in `Map`. about: what it is, also for those who cannot see it. opens: whether it can be chosen.
    """

    id: str
    label: str
    column: int
    row: float
    role: str = "hidden"
    rows: float = 1.0
    values: np.ndarray | None = None
    signed: bool = True
    words: tuple[str, ...] = ()
    strong: int | None = None
    above: bool = False
    about: str = ""
    opens: bool = True


@dataclass(frozen=True)
class Arrow:
    """From a box to another. "flow": straight up; "residual": past what lies between, on that side, into the target's side;
    "across": up, over into the gap between the columns, and into the target's side.

    prongs: palette roles; it ends in so many heads, each in its colour. None: one plain head.
    """

    start: str
    end: str
    kind: Literal["flow", "residual", "across"] = "flow"
    side: Literal["left", "right"] = "left"
    prongs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """A dashed line around these boxes, with a text above them inside."""

    boxes: tuple[str, ...]
    label: str


def diagram(
    boxes: Sequence[Box],
    arrows: Sequence[Arrow],
    *,
    key: str,
    selected: str,
    frames: Sequence[Frame] = (),
    height: int = 760,
    alt: str = "",
    url: str = "",
) -> str | None:
    """Show the blocks, in `height` pixels; the id of the one that was clicked last, or chosen with Enter (the page runs again).

    selected: the one that is drawn as open. alt: what the diagram shows, in a sentence. url: the query parameter that keeps
    the choice, none if empty. Arrow keys go from box to box.
    """
    data = encode(boxes, arrows, selected=selected, frames=frames, height=height, alt=alt, url=url)
    picked = _mount(key=key, data=data, default={"picked": None}, on_picked_change=lambda: None).picked
    return None if picked is None else picked["id"]


def fresh_choice(key: str) -> str | None:
    """The box that was clicked, in the run after the click only; asked before the diagram is mounted."""
    picked: Mapping[str, Any] | None = (st.session_state.get(key) or {}).get("picked")
    fresh = picked is not None and picked != st.session_state.get(f"{key} seen")
    st.session_state[f"{key} seen"] = picked
    return picked["id"] if picked is not None and fresh else None


def heat(values: np.ndarray, signed: bool) -> np.ndarray:
    """The values as bytes, one row for each unit. values: float (T, units) → uint8 (units, T).

    signed: 128 is zero and ±127 the largest magnitude; else 0 to 255 from zero to the largest.
    """
    top = float(np.abs(values).max(initial=0.0)) or 1.0
    scaled = 128 + 127 * values / top if signed else 255 * values / top
    return np.ascontiguousarray(np.clip(scaled, 0, 255).round().astype(np.uint8).T)


def encode(
    boxes: Sequence[Box],
    arrows: Sequence[Arrow],
    *,
    selected: str,
    frames: Sequence[Frame] = (),
    height: int = 760,
    alt: str = "",
    url: str = "",
) -> bytes:
    """The bytes that diagram.js reads. Raises ValueError for an arrow or a frame with a box that is not there."""
    known = {box.id for box in boxes}
    named = [
        *(end for arrow in arrows for end in (arrow.start, arrow.end)),
        *(name for frame in frames for name in frame.boxes),
    ]
    missing = [name for name in named if name not in known]
    if missing:
        raise ValueError(f"there is no box “{missing[0]}”")
    arrays: list[np.ndarray] = []
    records = []
    for box in boxes:
        if box.values is not None:
            arrays.append(heat(box.values, box.signed))
        records.append(
            {
                "id": box.id,
                "label": box.label,
                "column": box.column,
                "row": box.row,
                "rows": box.rows,
                "role": box.role,
                "heat": None if box.values is None else len(arrays) - 1,
                "signed": box.signed,
                "words": list(box.words),
                "strong": box.strong,
                "above": box.above,
                "about": box.about,
                "opens": box.opens,
            }
        )
    body = {
        "boxes": records,
        "arrows": [
            {"from": a.start, "to": a.end, "kind": a.kind, "side": a.side, "prongs": list(a.prongs)} for a in arrows
        ],
        "frames": [{"boxes": list(frame.boxes), "label": frame.label} for frame in frames],
        "selected": selected,
        "height": height,
        "alt": alt,
        "url": url,
        "texts": {"save": _("Save the diagram")},
    }
    return pack(body, arrays)

"""Pictures of numbers: photos, kernels and feature maps on canvas, with values on hover, zoom, and downloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from explorer.components.component import component
from explorer.components.packing import pack

Size = Literal["large", "small", "thumbnail"]
BoxStyle = Literal["box", "struck", "waiting", "area"]

_mount = component("maps")


@dataclass(frozen=True)
class Box:
    """A rectangle over a picture.

    edges: x0, y0, x1, y1 in cells from the upper left corner; label: on its tag, if there is room; about: said beside the
    label where it is pointed at; colour: a head's, 0 to 11, None: the picture's role's. style: "box", "struck": crossed out,
    "waiting": a thin line, "area": a shaded part that cannot be pointed at.
    """

    edges: tuple[float, float, float, float]
    label: str = ""
    about: str = ""
    colour: int | None = None
    style: BoxStyle = "box"


@dataclass(frozen=True, eq=False)
class Map:
    """One picture.

    values: (H, W) numbers, or uint8 (H, W, 3), a photo in RGB. title: its name. caption: what is seen and what it means,
    also its text alternative. role: the palette role that names it. limit: the value of the end colour; None: the largest
    magnitude. signed: True for a diverging scale, False for one from zero up, None: by the values. rgb: uint8 (H, W, 3),
    the colours to show instead of a scale. frame: (x, y, width, height) of an outlined window, in cells.
    dropped: trailing (rows, columns) that no kernel reaches; they are faded. padding: how many rows and columns at the edge
    (top, bottom, left, right) are not of the image. marks: int (n, 2), row and column of cells that get a dot.
    share: maps with the same text share one colour scale. unit: written behind each value, such as "°". names: the values
    are places among these, which are said instead; beside: float (H, W), then said behind the name.
    rows, columns: what each row and column stands for, such as the words of a sentence; empty: their numbers.
    head: the attention head, 0 to 11, whose colour marks the title. boxes: over the picture, the most important first; with
    them the arrow keys go from box to box. lattice: (width, height) in cells of larger cells that lines part.
    """

    values: np.ndarray
    title: str
    caption: str = ""
    role: str = "output"
    limit: float | None = None
    signed: bool | None = None
    rgb: np.ndarray | None = None
    frame: tuple[int, int, int, int] | None = None
    dropped: tuple[int, int] = (0, 0)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    marks: np.ndarray | None = None
    share: str = ""
    unit: str = ""
    names: tuple[str, ...] = ()
    beside: np.ndarray | None = None
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    head: int | None = None
    boxes: tuple[Box, ...] = ()
    lattice: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for another number of labels than of rows or columns."""
        for name, labels, size in zip(("rows", "columns"), (self.rows, self.columns), self.values.shape, strict=False):
            if labels and len(labels) != size:
                raise ValueError(f"{len(labels)} labels for {size} {name} of “{self.title}”")


@dataclass(frozen=True)
class Picked:
    """The cell that was clicked last. map: place in the sequence; row, column: in cells; time: of the click, ms since 1970.

    box: the place of the smallest box round it in Map.boxes, None where there is none.
    """

    map: int
    row: int
    column: int
    time: int = 0
    box: int | None = None

    @classmethod
    def read(cls, held: Mapping[str, Any] | None) -> Picked | None:
        """From what the browser sent."""
        return (
            None
            if held is None
            else cls(held["map"], held["row"], held["column"], held.get("time", 0), held.get("box"))
        )


def maps(
    pictures: Sequence[Map],
    *,
    key: str,
    columns: int = 2,
    height: int = 320,
    pick: bool = False,
    size: Size = "large",
) -> Picked | None:
    """Show pictures in a grid of so many columns, at most `height` pixels high; fewer columns where the page is narrow.

    pick: clicks come back as the Picked cell (the page runs again). size: "small" pictures have no tools, a "thumbnail"
    has no text at all.
    """
    data = encode(pictures, columns=columns, height=height, pick=pick, size=size)
    state = _mount(key=key, data=data, default={"picked": None}, on_picked_change=lambda: None)
    return Picked.read(state.picked)


def encode(
    pictures: Sequence[Map], *, columns: int = 2, height: int = 320, pick: bool = False, size: Size = "large"
) -> bytes:
    """The bytes that maps.js reads. The arguments are those of `maps`."""
    arrays: list[np.ndarray] = []

    def add(array: np.ndarray | None) -> int | None:
        if array is None:
            return None
        arrays.append(np.ascontiguousarray(array if array.dtype == np.uint8 else array.astype(np.float32, copy=False)))
        return len(arrays) - 1

    body = {
        "columns": columns,
        "height": height,
        "pick": pick,
        "size": size,
        "maps": [
            {
                "values": add(m.values),
                "rgb": add(m.rgb),
                "title": m.title,
                "caption": m.caption,
                "role": m.role,
                "limit": None if m.limit is None else float(m.limit),
                "signed": m.signed,
                "frame": m.frame,
                "dropped": m.dropped,
                "padding": m.padding,
                "marks": add(m.marks),
                "share": m.share,
                "unit": m.unit,
                "names": m.names,
                "beside": add(m.beside),
                "rows": m.rows,
                "columns": m.columns,
                "head": m.head,
                "edges": add(np.array([box.edges for box in m.boxes], np.float32)) if m.boxes else None,
                "boxes": [
                    {"label": box.label, "about": box.about, "colour": box.colour, "style": box.style}
                    for box in m.boxes
                ],
                "lattice": m.lattice,
            }
            for m in pictures
        ],
    }
    return pack(body, arrays)

"""The Detection page's section on YOLOX's grids: maps of what every cell says, and the arithmetic of one."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.address import keep_in_address
from explorer.components.maps import Box, Map, maps
from explorer.images import Photo
from explorer.letterbox import Letterbox
from explorer.models.yolo import STRIDES
from explorer.numbers import grouped, number
from explorer.text import _
from explorer.ui import page
from explorer.ui.detection_pictures import colour_of, place_text
from explorer.ui.detectors import Seen
from explorer.ui.picks import fresh_pick
from explorer.units import three
from explorer.yolox_cells import Cell, Place, beyond, cell_at, class_maps, objectness_maps, place_of

CELL, LATTICE = "detect_cell", "detect_lattice"


def show_cells(seen: Seen, photo: Photo, likely_label: int | None, wanted: int | None) -> None:
    """The section. likely_label: a class to begin with; wanted: the box whose cell the visitor has just asked for."""
    page.section(
        _("What every cell says"),
        _("Each cell of three grids proposes one box. Click on a cell: its six numbers become a box of the photo. Where are "
          "the cells that are sure, on the coarse grid and on the fine one?"),
    )  # fmt: skip
    look = seen.look
    if look.box is None or not look.grids:
        st.info(_("{name} has no such grids: choose a YOLOX under “Model” to see them.").format(
            name=seen.detector.model.name), icon=":material/grid_on:")  # fmt: skip
        return
    classes = seen.detector.classes
    place = _choose_cell(seen, photo, wanted)
    controls, picture = page.play()
    with controls:
        label = classes.index(
            st.selectbox(_("Class to map"), classes, index=likely_label or 0, key="detect_class", bind="query-params")
        )
        sizes = {level: f"{stride}" for level, stride in enumerate(STRIDES)}
        level = st.segmented_control(_("Lines on the photo: stride"), list(sizes), required=True, default=len(STRIDES) - 1,
                                     format_func=sizes.__getitem__, key=LATTICE, bind="query-params")  # fmt: skip
    cell = cell_at(look.grids, look.box, place)
    with controls:
        st.markdown(_cell_text(cell, classes))
        st.markdown(_photo_text(cell, look.box))
    with picture:
        left, right = st.columns([5, 6], gap="small")
        with left:
            maps([_seen_map(look.box, cell, level, classes)], key="detect_seen", columns=1, height=420, pick=True)
        with right:
            shown = _value_maps(look.grids, look.box, cell, label, classes)
            maps(shown, key="detect_cells", columns=3, height=180, pick=True, size="small")
        left, right = st.columns(2, gap="small")
        left.latex(_formulas())
        right.latex(_arithmetic(cell))
    cell_text = f"{place.level}.{place.row}.{place.column}"
    keep_in_address({CELL: cell_text, LATTICE: sizes[level]}, key="detect_cell_address")


def _choose_cell(seen: Seen, photo: Photo, wanted: int | None) -> Place:
    """The cell that was clicked last, on this photo and by this model; at first that of the best box."""
    state, grids = st.session_state, seen.look.grids
    subject = (seen.detector.model.key, photo.digest)
    best = place_of(grids, int(seen.order[0]))
    if CELL not in state:
        state[CELL] = (subject, _from_text(st.query_params.get(CELL, ""), grids) or best)
    elif state[CELL][0] != subject:
        state[CELL] = (subject, best)
    if wanted is not None:
        state[CELL] = (subject, place_of(grids, int(seen.order[wanted])))
        state[LATTICE] = state[CELL][1].level
    picked = fresh_pick("detect_cells")
    if picked is not None:
        state[CELL] = (subject, Place(picked.map % len(STRIDES), picked.row, picked.column))
        state[LATTICE] = state[CELL][1].level
    on_photo = fresh_pick("detect_seen")
    if on_photo is not None:
        level = state.get(LATTICE, state[CELL][1].level)
        state[CELL] = (subject, Place(level, on_photo.row // STRIDES[level], on_photo.column // STRIDES[level]))
    return state[CELL][1]


def _from_text(text: str, grids: tuple[np.ndarray, ...]) -> Place | None:
    """1.4.7 → the cell, None where there is none such."""
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return None
    level, row, column = map(int, parts)
    inside = level < len(grids) and row < grids[level].shape[1] and column < grids[level].shape[2]
    return Place(level, row, column) if inside else None


def _seen_map(box: Letterbox, cell: Cell, level: int, classes: tuple[str, ...]) -> Map:
    """What the network was shown, RGB, with the lines of a grid, the chosen cell and its box."""
    side, stride = box.pixels.shape[0], STRIDES[level]
    told = _("{side} × {side} pixels, grey where there is no photo. Shaded: the chosen cell of stride {stride}.")
    x0, y0, x1, y1 = (min(max(value, 0.0), side) for value in cell.inside)
    name = f"{classes[cell.label]} {number(cell.score, 2)}"
    return Map(
        np.ascontiguousarray(box.pixels[..., ::-1]), _("What the network sees"),
        told.format(side=side, stride=cell.place.stride), role="input", lattice=(stride, stride),
        boxes=(Box((x0, y0, x1, y1), name, f"· {place_text(cell.photo)}", colour_of(cell.label)),
               Box(cell.place.edges, style="area")),
    )  # fmt: skip


def _value_maps(
    grids: tuple[np.ndarray, ...], box: Letterbox, cell: Cell, label: int, classes: tuple[str, ...]
) -> list[Map]:
    """Objectness of the three grids, then the probability of a class; the chosen cell is outlined."""
    pictures = []
    kinds = ((_("Objectness"), objectness_maps(grids), "output"), (classes[label], class_maps(grids, label), "value"))
    for name, values, role in kinds:
        for level, (stride, one) in enumerate(zip(STRIDES, values, strict=True)):
            frame = (cell.place.column, cell.place.row, 1, 1) if level == cell.place.level else None
            told = _("{rows} × {columns} cells, the largest {top}").format(
                rows=one.shape[0], columns=one.shape[1], top=number(float(one.max()), 2))  # fmt: skip
            title = _("{name}, stride {stride}").format(name=name, stride=stride)
            pictures.append(
                Map(one, title, told, role=role, limit=1.0, signed=False, frame=frame, dropped=beyond(box, level))
            )
    return pictures


def _cell_text(cell: Cell, classes: tuple[str, ...]) -> str:
    place = cell.place
    return _("Cell **[{row}, {column}]** of the grid of stride **{stride}** proposes: **{name}**, with a score of "
             "**{score}**.").format(row=place.row, column=place.column, stride=place.stride, name=classes[cell.label],
                                    score=number(cell.score))  # fmt: skip


def _formulas() -> str:
    """The decoding in symbols, LaTeX."""
    t_x, t_y, t_w, t_h = (page.tex("hidden", f"t_{{{of}}}") for of in "xywh")
    return _aligned(
        rf"x &= (g_x + {t_x}) \cdot s",
        rf"y &= (g_y + {t_y}) \cdot s",
        rf"w &= e^{{{t_w}}} \cdot s",
        rf"h &= e^{{{t_h}}} \cdot s",
        rf"{page.tex('output', 'score')} &= P(\text{{object}}) \cdot {page.tex('value', 'P')}(c)",
    )


def _arithmetic(cell: Cell) -> str:
    """The same with the cell's numbers: x, y, width, height and the score."""
    place, stride = cell.place, cell.place.stride
    t_x, t_y, t_w, t_h = (page.tex("hidden", f"{{{value:.3f}}}") for value in cell.t)
    plus_x, plus_y = ("" if value < 0 else "+" for value in cell.t[:2])
    return _aligned(
        rf"({place.column} {plus_x} {t_x}) \cdot {stride} &= {three(cell.x)}",
        rf"({place.row} {plus_y} {t_y}) \cdot {stride} &= {three(cell.y)}",
        rf"e^{{{t_w}}} \cdot {stride} &= {three(cell.width)}",
        rf"e^{{{t_h}}} \cdot {stride} &= {three(cell.height)}",
        rf"{number(cell.objectness)} \cdot {number(float(cell.classes[cell.label]))} &= {number(cell.score)}",
    )


def _aligned(*lines: str) -> str:
    rows = r" \\ ".join(lines).replace("−", "-").replace("\u202f", r"\,")  # KaTeX has its own signs
    return rf"\begin{{aligned}} {rows} \end{{aligned}}"


def _photo_text(cell: Cell, box: Letterbox) -> str:
    """How the box gets from the network's input into the photo."""
    x0, y0, x1, y1 = cell.inside
    photo = cell.photo
    text = _("The score is objectness times the probability of the class. The photo’s {width} × {height} pixels were "
             "scaled by {scale}, so the left edge is ({x} − {half}) ÷ {scale} = {left} in the photo")  # fmt: skip
    told = text.format(width=grouped(box.width), height=grouped(box.height), scale=number(box.scale), x=three(cell.x),
                       half=three(cell.width / 2), left=three(x0 / box.scale))  # fmt: skip
    cut = min(x0, y0) < 0 or x1 / box.scale > box.width or y1 / box.scale > box.height
    told += _(", and so on; what is beyond its edges is cut off.") if cut else _(", and so on.")
    return told + " " + _("The box: {place}.").format(place=place_text(photo))

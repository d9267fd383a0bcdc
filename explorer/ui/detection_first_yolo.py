"""The Detection page's section that lays the first YOLO's grid over the photo, beside YOLOX's cells."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.maps import Box, Map, maps
from explorer.detection_views import best, known_classes, places_in
from explorer.detections import Detections
from explorer.letterbox import Letterbox
from explorer.models.yolo import STRIDES
from explorer.numbers import grouped
from explorer.text import _
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.detection_pictures import Canvas, box_on, boxes_on, colour_of, listed
from explorer.ui.detectors import Seen
from explorer.yolo_grid import (
    Predictions,
    Responsible,
    coarsest_without,
    collisions,
    responsible,
    yolo_predictions,
    yolox_predictions,
)
from explorer.yolox_cells import Place, place_of

MOST = 40
"""Objects whose cells are drawn."""


def show_first_yolo(canvas: Canvas, kept: Detections, seen: Seen) -> None:
    """The section. kept: the boxes that are left after suppression, which here stand for the objects."""
    page.section(
        _("The first YOLO’s grid"),
        _("In 2016 YOLO cut the photo into S × S cells. The cell that holds the centre of an object answers for it, with B "
          "boxes and one set of C class probabilities. Make S small: when do two objects meet in one cell?"),
    )  # fmt: skip
    st.latex(
        rf"\begin{{aligned}} {page.tex('output', 'confidence')} &= P(\text{{object}}) \cdot \text{{IoU}} \\ "
        rf"{page.tex('output', 'score')}_c &= {page.tex('value', 'P')}(c \mid \text{{object}}) \cdot P(\text{{object}}) "
        r"\cdot \text{IoU} \end{aligned}"
    )
    controls, picture = page.play()
    with controls:
        side = bounded(_("S, cells across"), range(1, 21), 7, key="detect_s")
        boxes = bounded(_("B, boxes a cell"), range(1, 6), 2, key="detect_b")
    objects = best(kept, MOST)
    cells = responsible(objects.boxes, canvas.width, canvas.height, side)
    classes, box = len(known_classes(seen.detector.classes)), seen.look.box
    with controls:
        st.latex(_formula(side, boxes, classes, yolo_predictions(side, boxes, classes)))
        st.markdown(_collision_text(objects, cells, boxes, (canvas.width, canvas.height)))
        if len(kept) > MOST:
            st.caption(_("The {most} best boxes stand for the objects.").format(most=MOST))
    proposed = proposing(seen, objects)
    with picture:
        pictures = [_first_map(canvas, objects, cells, side)]
        if box is not None:
            pictures.append(_yolox_map(canvas, objects, proposed, box))
        maps(pictures, key="detect_first_maps", columns=2, height=380)
        if box is not None:
            _say_yolox(yolox_predictions(box.pixels.shape[0], classes), classes, yolo_predictions(side, boxes, classes))
        else:
            st.caption(_("Choose a YOLOX under “Model” to see its cells beside these."))


def proposing(seen: Seen, objects: Detections) -> list[Place]:
    """The cells of YOLOX that proposed these boxes; none of another model."""
    if not seen.look.grids:
        return []
    return [place_of(seen.look.grids, int(seen.order[place])) for place in places_in(seen.look.found, objects)]


def _formula(side: int, boxes: int, classes: int, made: Predictions) -> str:
    return (
        rf"\begin{{aligned}} & S \cdot S \cdot (B \cdot 5 + C) \\ &= {side} \cdot {side} \cdot ({boxes} \cdot 5 + {classes}) "
        rf"= {_grouped(made.numbers)} \end{{aligned}}"
    )


def _grouped(value: int) -> str:
    return grouped(value).replace("\u202f", r"\,")


def _first_map(canvas: Canvas, objects: Detections, cells: tuple[Responsible, ...], side: int) -> Map:
    """The photo under S × S cells; those that answer are shaded, and the centres marked."""
    height, width = canvas.pixels.shape[:2]
    across, down = canvas.width / side, canvas.height / side
    areas = tuple(
        Box(canvas.edges((c * across, r * down, (c + 1) * across, (r + 1) * down)), colour=colour, style="area")
        for (r, c), colour in {one.cell: colour_of(int(objects.labels[k])) for k, one in enumerate(cells)}.items()
    )
    marks = [_pixel(canvas, one.centre) for one in cells]
    told = _("Shaded, {n} of {all}: the cells that answer for {what}. A dot marks each centre.").format(
        n=len(areas), all=side**2, what=listed(objects)) if len(objects) else _("No object, so no cell answers.")  # fmt: skip
    return Map(
        canvas.pixels, _("YOLO, {side} × {side} cells").format(side=side), told, role="input",
        lattice=(width / side, height / side), marks=np.array(marks, np.float32) if marks else None,
        boxes=(*boxes_on(canvas, objects), *areas),
    )  # fmt: skip


def _pixel(canvas: Canvas, centre: tuple[float, float]) -> tuple[int, int]:
    """(row, column) of what is shown."""
    x, y, _x1, _y1 = canvas.edges((*centre, *centre))
    return min(int(y), canvas.pixels.shape[0] - 1), min(int(x), canvas.pixels.shape[1] - 1)


def _yolox_map(canvas: Canvas, objects: Detections, proposed: list[Place], box: Letterbox) -> Map:
    """The photo with the boxes, and the cell of one of the three grids that proposed each."""
    areas = tuple(
        Box(
            canvas.edges([edge / box.scale for edge in place.edges]),
            colour=colour_of(int(objects.labels[k])),
            style="area",
        )
        for k, place in enumerate(proposed)
    )
    tags = [_("stride {stride}").format(stride=place.stride) for place in proposed]
    boxes = tuple(box_on(canvas, objects, k, label=tag) for k, tag in enumerate(tags))
    counted = ", ".join(
        _("{n} by stride {stride}").format(n=n, stride=stride)
        for stride in STRIDES
        if (n := sum(place.stride == stride for place in proposed))
    )
    told = _("Shaded: the cells that proposed the boxes. {counted}.").format(counted=counted) if counted else _(
        "No box, so no cell is shaded.")  # fmt: skip
    return Map(canvas.pixels, _("YOLOX, three grids"), told, role="output", boxes=(*boxes, *areas))


def _collision_text(objects: Detections, cells: tuple[Responsible, ...], boxes: int, size: tuple[int, int]) -> str:
    if not len(objects):
        return _("Nothing is found on this photo, so no cell has anything to answer for.")
    shared = collisions(cells)
    if not shared:
        one, first = cells[0], objects.names[0]
        x, y, width, height = one.target
        return _("No two centres share a cell. Cell **[{row}, {column}]** answers for the best {name}: its centre lies at "
                 "({x:.2f}, {y:.2f}) in the cell, and it is {width:.2f} × {height:.2f} of the photo.").format(
                     row=one.row, column=one.column, name=first, x=x, y=y, width=width, height=height)  # fmt: skip
    (row, column), places = next(iter(sorted(shared.items(), key=lambda item: -len(item[1]))))
    held = listed(objects.chosen(np.array(places)))
    text = _("**Cell [{row}, {column}] holds {n} centres**: {held}. It has one set of class probabilities, so {told}.")
    kinds = len({int(objects.labels[place]) for place in places})
    if kinds > 1:
        told = _("it must leave all but one class out")
    elif len(places) > boxes:
        told = _("its {boxes} boxes can hold {boxes} of them at most").format(boxes=boxes)
    else:
        told = _("they must be of one class, as here, and share its {boxes} boxes").format(boxes=boxes)
    least = coarsest_without(objects.boxes, *size)
    text = text.format(row=row, column=column, n=len(places), held=held, told=told)
    return text + " " + (
        _("From S = {least} on, no two share a cell here.").format(least=least)
        if least is not None
        else _("Some would share one even at S = 64.")
    )  # fmt: skip


def _say_yolox(made: Predictions, classes: int, first: Predictions) -> None:
    text = _("YOLOX has **three grids** instead of one: {cells} = {boxes} cells, each with one box, without anchors, so "
             "{boxes} · (5 + {classes}) = **{numbers}** numbers against {first}. Objects that share a cell of the first "
             "YOLO mostly have cells of their own here. Its head is decoupled: one branch says what is there, another where "
             "it is and whether there is anything.")  # fmt: skip
    side = [round(count**0.5) for count in made.cells]
    st.markdown(text.format(cells=" + ".join(f"{one}²" for one in side), boxes=grouped(made.boxes), classes=classes,
                            numbers=grouped(made.numbers), first=grouped(first.numbers)))  # fmt: skip

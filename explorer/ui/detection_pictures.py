"""Boxes on a photo, and the sentences that say what was found; shared by the sections of the Detection page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.components.maps import Box, BoxStyle, Map
from explorer.detection_views import MOST_DRAWN, best, counts
from explorer.detections import Detections
from explorer.images import fit
from explorer.numbers import grouped, number
from explorer.text import _

SHOWN = 640  # longer side of the photo on the page, pixels
COLOURS = 12  # that boxes can have; classes beyond share them, and each box bears its name
IRREGULAR = {
    "person": "people",
    "mouse": "mice",
    "sheep": "sheep",
    "skis": "skis",
    "scissors": "scissors",
    "knife": "knives",
}


@dataclass(frozen=True, eq=False)
class Canvas:
    """A photo as it is shown. pixels: uint8 (h, w, 3); width, height: of the photo itself."""

    pixels: np.ndarray = field(repr=False)
    width: int
    height: int

    @classmethod
    def of(cls, photo: np.ndarray, side: int = SHOWN) -> Canvas:
        """photo: uint8 (H, W, 3); side: the longest that it is shown with, pixels."""
        return cls(fit(photo, side), photo.shape[1], photo.shape[0])

    def edges(self, box: Sequence[float]) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 in pixels of the photo → in pixels of what is shown."""
        across, down = self.pixels.shape[1] / self.width, self.pixels.shape[0] / self.height
        x0, y0, x1, y1 = (float(value) for value in box)
        return x0 * across, y0 * down, x1 * across, y1 * down


def colour_of(label: int) -> int:
    """The place of a class's colour among the palette's twelve."""
    return int(label) % COLOURS


def place_text(box: Sequence[float]) -> str:
    """Where a box lies, in pixels of the photo."""
    x0, y0, x1, y1 = (f"{value:.0f}" for value in box)
    return f"x {x0}–{x1}, y {y0}–{y1}"


def name_of(found: Detections, place: int) -> str:
    """Class and score: car 0.87."""
    return f"{found.names[place]} {number(float(found.scores[place]), 2)}"


def box_on(canvas: Canvas, found: Detections, place: int, style: BoxStyle = "box", label: str | None = None) -> Box:
    """One of the found, drawn. label: on its tag, class and score if None."""
    box, name = found.boxes[place].tolist(), name_of(found, place)
    where = f"· {place_text(box)}"
    colour = colour_of(int(found.labels[place]))
    if label is None:
        return Box(canvas.edges(box), name, where, colour, style)
    return Box(canvas.edges(box), label, f"{name} {where}", colour, style)


def boxes_on(canvas: Canvas, found: Detections) -> tuple[Box, ...]:
    """All of the found, drawn: at most MOST_DRAWN, best first."""
    return tuple(box_on(canvas, found, place) for place in range(min(len(found), MOST_DRAWN)))


def before_and_after(
    canvas: Canvas, likely: Detections, kept: Detections, least: float, overlap: float | None, top: float | None
) -> list[Map]:
    """The photo with all boxes above the score, and with those that are left. top: the best score there is, if any.

    overlap: above which boxes were suppressed, None where none needed to be.
    """
    told = _("{n} boxes with a score of at least {least}.").format(n=grouped(len(likely)), least=number(least, 2))
    if len(likely) > MOST_DRAWN:
        told += " " + _("The {most} best are drawn.").format(most=MOST_DRAWN)
    left = finding(kept, least, top)
    if len(kept) > MOST_DRAWN:
        left += " " + _("The {most} best are drawn.").format(most=MOST_DRAWN)
    if len(likely) > len(kept):
        left += " " + _("{n} overlapped a better one of their class.").format(n=grouped(len(likely) - len(kept)))
    title = _("After suppression") if overlap is not None else _("Nothing to suppress")
    return [
        Map(canvas.pixels, _("All boxes"), told, role="input", boxes=boxes_on(canvas, best(likely, MOST_DRAWN))),
        Map(canvas.pixels, title, left, role="output", boxes=boxes_on(canvas, best(kept, MOST_DRAWN))),
    ]


def finding(found: Detections, least: float, top: float | None) -> str:
    """What was found, in a sentence. least: the score that was asked for; top: the best there is, None: no box at all."""
    if len(found):
        return _("Found: {what}.").format(what=listed(found))
    if top is None or top < 0.005:
        return _("The network finds nothing here: choose another photo or another model.")
    if top < least:
        text = _("No box reaches a score of {least}; the best has {top}. Lower the slider, or choose another photo.")
        return text.format(least=number(least, 2), top=number(top, 2))
    return _("All classes that were found are switched off.")


def listed(found: Detections) -> str:
    """3 cars, 1 bus."""
    return ", ".join(counted(name, n) for name, n in counts(found).items())


def counted(name: str, n: int) -> str:
    """1 bus, 2 buses."""
    return f"{grouped(n)} {name if n == 1 else plural(name)}"


def plural(name: str) -> str:
    """Of a class's name, in English as all of them are."""
    if name in IRREGULAR:
        return IRREGULAR[name]
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"

"""The section “Hide a part”: occlusion, the place that counts most, and the photo without it."""

from __future__ import annotations

import numpy as np

from explorer.components.maps import Map, maps
from explorer.occlusions import covered, frame, most_important
from explorer.text import _
from explorer.ui.bounded import bounded
from explorer.ui.classification_methods import Asked, hide
from pretrained.classification import view
from pretrained.records import ImageClassifier


def controls(model: ImageClassifier) -> tuple[int, int]:
    """(side of the square, distance of two places), pixels of what the network sees: eighths and the like of its side."""
    unit = model.input_size // 32
    side = bounded(
        _("Side of the square (pixels)"), [unit * n for n in (4, 6, 8, 10, 12, 16)], 8 * unit, key="class_side"
    )
    steps = [unit * n for n in (2, 4, 6, 8, 12, 16) if unit * n <= side]
    more = _("Small steps look everywhere, and take longer: half the step is four times the places.")
    stride = bounded(_("Step between places (pixels)"), steps, min(4 * unit, side), key="class_step", help=more)
    return side, stride


def hide_a_part(asked: Asked, name: str, side: int, stride: int, *, again: bool) -> None:
    """The pictures. name: of the class; again: whether the same was asked for at the top of the page."""
    found = hide(asked, side, stride, again=again)
    if found is None:
        return  # an offer to go on stands there
    photo = view(asked.classifier, asked.pixels)
    place = most_important(found)
    after, loss = found.covered[place], found.drop[place]
    text = _("With the framed square hidden, “{name}” falls from {before:.1%} to {after:.1%}.")
    if loss <= 0:
        text = _("No square makes “{name}” less likely: {before:.1%} as it is, {after:.1%} without the framed one.")
    text = text.format(name=name, before=found.whole, after=after)
    maps(
        [
            Map(photo, _("What the network sees"), _("The square that counts most is framed."), role="input",
                frame=frame(found, place, photo.shape[:2])),
            Map(found.drop, _("Probability lost at each place"),
                _("One cell for each of {n} places of the square; below 0, hiding helps.").format(n=found.drop.size),
                role="output", signed=True, marks=np.array([place])),
            Map(covered(photo, found, place), _("Without it"), text, role="input"),
        ],
        key="class_hidden", columns=3, height=300,
    )  # fmt: skip

"""A text in which each character is coloured by a number of its own; a chosen character tells its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.components.component import component
from explorer.components.packing import pack
from explorer.text import _

_mount = component("coloured_text")


@dataclass(frozen=True, eq=False)
class Guesses:
    """What was thought to come after each character, likeliest first.

    characters: what the places stand for; places: uint8 (T, k); probabilities: float32 (T, k); given: float32 (T,), the
    probability of the character that does come next, NaN for the last one.
    """

    characters: Sequence[str]
    places: np.ndarray
    probabilities: np.ndarray
    given: np.ndarray


def coloured_text(
    text: str,
    values: np.ndarray,
    *,
    key: str,
    title: str,
    caption: str,
    limit: float,
    signed: bool = False,
    unit: str = "",
    role: str = "output",
    guesses: Guesses | None = None,
    chosen: int | None = None,
    url: str = "",
    height: int = 300,
) -> None:
    """Show the text in at most `height` pixels, line breaks as “↵”. Click on a character, or move with the arrow keys.

    values: float (T,), one for each character, NaN where there is none. caption: what is seen and what it means, also the text
    alternative. limit: the value of the end colour; signed: a diverging scale, negative ones underlined, or one from 0
    up. unit: written behind each value. guesses: shown as bars for the chosen character. chosen: its place before anybody has
    chosen, None for none; url: the query parameter that keeps it, counted from 1, "" for none.
    """
    arrays = [np.ascontiguousarray(values, np.float32)]
    if guesses is not None:
        arrays += [np.ascontiguousarray(part) for part in (guesses.places, guesses.probabilities, guesses.given)]
    body = {
        "text": text,
        "title": title,
        "caption": caption,
        "limit": float(limit),
        "signed": signed,
        "unit": unit,
        "role": role,
        "characters": None if guesses is None else list(guesses.characters),
        "chosen": chosen,
        "url": url,
        "height": height,
        "words": {
            "space": _("space"),
            "break": _("line break"),
            "readout": _("{character}, {place} of {all}: {value}"),
            "none": _("no value"),
            "hint": _("Point at a character, or choose one by a click or the arrow keys."),
            "after": _("What the model expects after {before}"),
            "comes": _("The text goes on with {character}, which had {probability}."),
            "end": _("Here the text ends."),
            "save": _("Save the numbers"),
        },
    }
    _mount(key=key, data=pack(body, arrays))

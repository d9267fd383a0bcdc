"""What is chosen on the Segmentation page: classes by their legend, a pixel by a click, the class of the probability map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.components.address import keep_in_address
from explorer.components.maps import Picked
from explorer.segmentation_views import Pixel, class_colours, middle_of, pixel_at, plain_name
from explorer.text import _
from explorer.ui.legend import swatches
from explorer.ui.picks import fresh_pick
from explorer.ui.segmenters import Seen

HIDDEN, LEGEND, PIXEL, CLASS = "seg_hidden", "seg_classes", "seg_pixel", "seg_class"
PICTURES = "seg_pictures"


def follow_clicks(seen: Seen) -> None:
    """Move to the pixel that was clicked since the last run. Before the pictures are shown."""
    state = st.session_state
    if PIXEL not in state:
        named = _from_text(st.query_params.get(PIXEL, ""))
        state[PIXEL] = (seen.photo.digest, named or _start(seen))
    elif state[PIXEL][0] != seen.photo.digest:
        state[PIXEL] = (seen.photo.digest, _start(seen))
    picked = fresh_pick(PICTURES)
    if picked is not None:
        shape = seen.segmentation.probabilities.shape[1:] if picked.map == 2 else seen.view.mask.shape
        state[PIXEL] = (seen.photo.digest, _in_photo(picked, shape, seen))


def pixel_of(seen: Seen) -> Pixel:
    """The chosen pixel, also in the address."""
    pixel = pixel_at(seen.segmentation, *st.session_state[PIXEL][1])
    keep_in_address({PIXEL: f"{pixel.x}.{pixel.y}"}, key="seg_pixel_address")
    return pixel


def choose_classes(seen: Seen) -> frozenset[int]:
    """The legend: a button for each class that is there, with its share of the photo. → the labels switched off.

    Classes switched off stay so on other photos.
    """
    state, classes = st.session_state, seen.segmentation.classes
    hidden = frozenset(state.setdefault(HIDDEN, _names(st.query_params.get(HIDDEN, ""))))
    present = {
        plain_name(classes[label]): int(label) for label in np.argsort(-seen.areas, kind="stable") if seen.areas[label]
    }
    if LEGEND not in state or state.get(f"{LEGEND} of") != list(
        present
    ):  # other classes: the buttons begin as the switches are
        state[LEGEND] = [name for name in present if name not in hidden]
        state[f"{LEGEND} of"] = list(present)
    colours = class_colours(classes)
    shades = (f"rgb{tuple(colours[place].tolist())}" for place in present.values())
    st.html(swatches(LEGEND, shades, more="outline:1px solid var(--faint)"))
    shown = st.pills(
        _("Classes and their share of the photo"),
        list(present),
        selection_mode="multi",
        key=LEGEND,
        wrap=True,
        format_func=lambda name: f"{name} {share_text(seen.areas[present[name]])}",
        help=_("A click switches a class off and on."),
    )
    hidden = (hidden - present.keys()) | (present.keys() - set(shown))
    state[HIDDEN] = hidden
    keep_in_address({HIDDEN: ",".join(sorted(hidden))}, key="seg_hidden_address")
    return frozenset(label for label, name in enumerate(classes) if plain_name(name) in hidden)


def choose_class(classes: Sequence[str], label: int) -> int:
    """Whose probability is mapped. label: the class of the chosen pixel, the default."""
    state, names = st.session_state, [plain_name(name) for name in classes]
    if state.get(CLASS, "") not in ["", *names]:
        del state[CLASS]  # another network's
    chosen = st.selectbox(
        _("Probability of"),
        ["", *names],
        format_func=lambda name: name or _("the chosen pixel’s class"),
        key=CLASS,
        bind="query-params",
    )
    return names.index(chosen) if chosen else label


def share_text(share: float) -> str:
    """12.3 %, with a narrow space; what is there is never 0 %."""
    return "< 0.1\u202f%" if 0 < share < 0.0005 else f"{100 * share:.1f}\u202f%"


def _start(seen: Seen) -> tuple[int, int]:
    """In the middle of the largest class that is no background."""
    mask, classes = seen.segmentation.mask, seen.segmentation.classes
    areas = np.array([0 if plain_name(name) == "background" else 1 for name in classes]) * seen.areas
    return middle_of(mask, int(areas.argmax()))


def _in_photo(picked: Picked, shape: tuple[int, ...], seen: Seen) -> tuple[int, int]:
    height, width = seen.segmentation.mask.shape
    return int((picked.column + 0.5) * width / shape[1]), int((picked.row + 0.5) * height / shape[0])


def _from_text(text: str) -> tuple[int, int] | None:
    """12.34 → (12, 34)."""
    parts = text.split(".")
    return (
        (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(p.isdecimal() and len(p) < 7 for p in parts) else None
    )


def _names(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))

"""Pictures and sentences of the Segmentation page."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from explorer import palette
from explorer.components.maps import Box, Map
from explorer.instance_views import Object, numbered, patterned
from explorer.numbers import grouped, number
from explorer.segmentation_views import (
    Pixel,
    agreement,
    class_colours,
    outlines,
    overlay,
    plain_name,
    sampled,
)
from explorer.segmentations import Instances, boundaries
from explorer.text import _
from explorer.ui.segmentation_controls import share_text
from explorer.ui.segmenters import Seen

CUT_OPACITY = 0.8
REACH = 5  # cells of the frame round the chosen pixel, to each side
LABELLED = 24  # objects that get a number on the picture
AGREE = ("#8a8d93", "#0066ff", "#ffcc00", "#660022")
"""Neither, only the first, only the second, both; of the palette of classes, whose first few differ most."""


def names_of(seen: Seen) -> tuple[str, ...]:
    """The classes as they are shown."""
    return tuple(plain_name(name) for name in seen.segmentation.classes)


def play_maps(
    seen: Seen, opacity: float, hidden: Collection[int], label: int, pixel: Pixel, theme: palette.Theme
) -> list[Map]:
    """The photo under its classes, their borders, the probability of one, and how sure the network is."""
    shown, names, grid = seen.view, names_of(seen), seen.segmentation.probabilities
    colours, ground = class_colours(seen.segmentation.classes), palette.rgb(palette.BACKGROUND[theme])
    scale = shown.mask.shape[0] / seen.segmentation.mask.shape[0], shown.mask.shape[1] / seen.segmentation.mask.shape[1]
    here = _frame(int(pixel.y * scale[0]), int(pixel.x * scale[1]))
    edge = int(boundaries(seen.segmentation.mask).sum())
    return [
        Map(
            shown.mask, _("Classes"), classes_text(seen), role="output", names=names, beside=shown.sure, frame=here,
            rgb=overlay(shown.pixels, shown.mask, colours, opacity, hidden),
        ),
        Map(
            shown.mask, _("Borders"), _("{n} pixels of the photo have a neighbour of another class.").format(n=grouped(edge)),
            role="output", names=names, beside=shown.sure, frame=here,
            rgb=outlines(shown.pixels, shown.mask, colours, ground, hidden),
        ),
        Map(
            grid[label], _("Probability of “{name}”").format(name=names[label]),
            _("The network’s own {rows} × {columns} cells; the largest is {top}.").format(
                rows=grid.shape[1], columns=grid.shape[2], top=number(float(grid[label].max()))),
            role="output", limit=1.0, signed=False, frame=_frame(pixel.row, pixel.column),
        ),
        Map(
            shown.sure, _("How sure it is"),
            _("The probability of each pixel’s own class; {share} of the pixels have less than a half.").format(
                share=share_text(float((shown.sure < 0.5).mean()))),
            role="hidden", limit=1.0, signed=False, frame=here,
        ),
    ]  # fmt: skip


def _frame(row: int, column: int) -> tuple[int, int, int, int]:
    """x, y, width, height of a square round a cell."""
    return column - REACH, row - REACH, 2 * REACH + 1, 2 * REACH + 1


def classes_text(seen: Seen) -> str:
    """What is seen, in a sentence."""
    names, order = names_of(seen), np.argsort(-seen.areas, kind="stable")
    if names[order[0]] == "background" and seen.areas[order[0]] > 0.9995:
        return _("The network finds none of its classes here: choose another photo or another model.")
    large = [f"{names[k]} {share_text(seen.areas[k])}" for k in order[:3] if seen.areas[k] > 0]
    return _("Most of the photo: {what}.").format(what=", ".join(large))


def semantic_map(seen: Seen, opacity: float) -> Map:
    """Every pixel's class: objects of one class run into each other."""
    shown = seen.view
    painted = overlay(shown.pixels, shown.mask, class_colours(seen.segmentation.classes), opacity)
    told = _("{n} classes. Objects of one class that touch are one area.").format(n=int((seen.areas > 0).sum()))
    return Map(shown.mask, _("Semantic"), told, rgb=painted, names=names_of(seen), beside=shown.sure)


def instance_map(seen: Seen, instances: Instances, lines: Sequence[Object], opacity: float, told: str) -> Map:
    """Every object on its own: each has a number, a lightness and a direction of its stripes."""
    shown, of = seen.view, instances.detections
    numbers = numbered(instances.masks, shown.mask.shape)
    colours = class_colours(of.classes)[of.labels]
    names = ("—", *(f"{one.number}: {one.name} {number(one.score, 2)}" for one in lines))
    scale = np.array(shown.mask.shape[::-1] * 2) / np.array(seen.segmentation.mask.shape[::-1] * 2)
    boxes = []
    for one in lines[:LABELLED]:
        x0, y0, x1, y1 = (np.array(one.box) * scale).tolist()
        about = _("· {n} pixels").format(n=grouped(one.pixels))
        boxes.append(Box((x0, y0, x1, y1), f"{one.number} {one.name}", about, style="waiting"))
    return Map(numbers, _("Instances"), told, rgb=patterned(shown.pixels, numbers, colours, opacity),
               names=names, boxes=tuple(boxes))  # fmt: skip


def agreement_map(seen: Seen, second: np.ndarray, label: int, title: str, told: str) -> Map:
    """Where two masks say a class. second: uint8 (H, W)."""
    shown = seen.view
    found = sampled(agreement(seen.segmentation.mask, second, label), shown.mask.shape)
    colours = np.array([palette.rgb(colour) for colour in AGREE], np.uint8)
    painted = overlay(shown.pixels, found, colours, 0.75, hidden=[0])
    rows, columns = np.indices(found.shape)
    striped = ((found == 1) & ((rows + columns) % 6 < 2)) | ((found == 2) & ((rows - columns) % 6 < 2))
    painted[striped] = shown.pixels[striped]
    names = (_("neither"), _("only the first"), _("only the second"), _("both"))
    return Map(found, title, told, rgb=painted, names=names)


def cut_maps(seen: Seen, second: np.ndarray, title: str, told: str) -> list[Map]:
    """The whole network's mask, a second one of the photo, and where they differ. second: uint8 (H, W)."""
    shown, names = seen.view, names_of(seen)
    colours, mask = class_colours(seen.segmentation.classes), sampled(second, seen.view.mask.shape)
    same = mask == shown.mask
    painted = colours[mask]
    painted[same] = (0.5 * shown.pixels[same] + 0.25 * 255).astype(np.uint8)
    pairs = tuple(_("{name}, as before").format(name=a) if a == b else f"{a} → {b}" for a in names for b in names)
    pixels = shown.pixels
    return [
        Map(shown.mask, _("With all skips"), classes_text(seen), rgb=overlay(pixels, shown.mask, colours, CUT_OPACITY),
            names=names, beside=shown.sure),
        Map(mask, title, _("The same photo and weights."), rgb=overlay(pixels, mask, colours, CUT_OPACITY), names=names),
        Map(shown.mask.astype(np.uint16) * len(names) + mask, _("What changed"), told, rgb=painted, names=pairs,
            role="gradient"),
    ]  # fmt: skip

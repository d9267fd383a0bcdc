"""What the Detection page makes of a network's proposals: a choice small enough to draw, counts, the steps of suppression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch

from explorer.detections import Detections
from explorer.models.boxes import nms
from explorer.trace import Trace, trace

MOST_DRAWN = 300
"""Boxes on one picture."""
MOST_STEPPED = 8
"""Boxes that one steps through suppression with."""

UNNAMED = ("N/A", "__background__")


def best(found: Detections, most: int) -> Detections:
    """The best of them, at most so many."""
    return found.chosen(np.arange(min(most, len(found))))


def known_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """The kinds of object among a network's names; COCO's numbering has gaps, and some networks name the background."""
    return tuple(dict.fromkeys(name for name in classes if name not in UNNAMED))


def counts(found: Detections) -> dict[str, int]:
    """Class → how many boxes, the most frequent first, then in the order of the classes."""
    counted = Counter(found.labels.tolist())
    return {found.classes[label]: n for label, n in sorted(counted.items(), key=lambda item: (-item[1], item[0]))}


def places_in(all_found: Detections, some: Detections) -> list[int]:
    """Where each of some boxes, chosen from them all in order, stands among all; of equal ones the first that is left."""
    places: list[int] = []
    for box, score, label in zip(some.boxes, some.scores, some.labels, strict=True):
        same = (all_found.boxes == box).all(1) & (all_found.scores == score) & (all_found.labels == label)
        places.append(next(int(k) for k in np.flatnonzero(same) if int(k) not in places))
    return places


def others(all_found: Detections, some: Detections, most: int) -> Detections:
    """The best that are not among some of them, at most so many."""
    taken = set(places_in(all_found, some))
    left = [k for k in range(min(len(all_found), most + len(taken))) if k not in taken]
    return all_found.chosen(np.array(left[:most], int))


def few_of_a_class(likely: Detections, all_found: Detections) -> Detections:
    """The best few boxes of the class that most of the likely ones have; of the best box's class where none is likely."""
    if not len(all_found):
        return all_found
    name = next(iter(counts(likely)), all_found.names[0])
    pool = likely if len(likely) else all_found
    return best(pool.chosen(pool.labels == pool.classes.index(name)), MOST_STEPPED)


def trace_nms(found: Detections, overlap: float) -> Trace:
    """The steps of explorer.models.boxes.nms on these boxes."""
    return trace(nms, torch.from_numpy(found.boxes), torch.from_numpy(found.scores), overlap)

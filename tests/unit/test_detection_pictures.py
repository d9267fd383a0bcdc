from __future__ import annotations

import numpy as np
import pytest

from explorer.components.maps import Map
from explorer.detections import Detections
from explorer.ui.detection_pictures import Canvas, before_and_after, counted, finding
from pretrained import detection

CLASSES = ("bus", "car", "motorbike", "person", "truck")


def some(*rows: tuple[str, float]) -> Detections:
    boxes = np.array([(10 * k, 10, 10 * k + 8, 30) for k in range(len(rows))], np.float32).reshape(-1, 4)
    labels = np.array([CLASSES.index(name) for name, _score in rows], np.int64)
    return Detections(boxes, np.array([score for _name, score in rows], np.float32), labels, CLASSES)


def test_the_pictures_say_what_was_found():
    canvas = Canvas.of(np.zeros((100, 200, 3), np.uint8), 100)
    likely = some(("car", 0.9), ("car", 0.8), ("bus", 0.7), ("person", 0.6), ("person", 0.5))
    before, after = before_and_after(canvas, likely, likely.chosen(np.array([0, 1, 2])), 0.3, 0.45, 0.9)
    assert before.caption == "5 boxes with a score of at least 0.30."
    assert after.caption == "Found: 2 cars, 1 bus. 2 overlapped a better one of their class."
    first, second = after.boxes[:2]
    assert (first.label, first.about, first.edges) == ("car 0.90", "· x 0–8, y 10–30", (0, 5, 4, 15))
    assert second.colour == first.colour == 1
    assert after.boxes[2].colour == 0
    assert isinstance(before, Map)


def test_only_the_best_of_many_are_drawn_and_that_is_said():
    canvas = Canvas.of(np.zeros((100, 200, 3), np.uint8))
    many = some(*[("car", 0.9)] * 400)
    before, after = before_and_after(canvas, many, many.chosen(np.arange(350)), 0.3, 0.45, 0.9)
    assert len(before.boxes) == len(after.boxes) == 300
    assert before.caption == "400 boxes with a score of at least 0.30. The 300 best are drawn."
    assert after.caption == "Found: 350 cars. The 300 best are drawn. 50 overlapped a better one of their class."


@pytest.mark.parametrize(
    ("least", "top", "sentence"),
    [
        (0.3, 0.12, "No box reaches a score of 0.30; the best has 0.12. Lower the slider, or choose another photo."),
        (0.3, 0.001, "The network finds nothing here: choose another photo or another model."),
        (0.3, None, "The network finds nothing here: choose another photo or another model."),
        (0.3, 0.9, "All classes that were found are switched off."),
    ],
)
def test_nothing_found_is_said_calmly(least, top, sentence):
    assert finding(some(), least, top) == sentence


@pytest.mark.parametrize(
    ("name", "n", "told"),
    [("bus", 2, "2 buses"), ("person", 3, "3 people"), ("car", 1, "1 car"), ("wine glass", 2, "2 wine glasses"),
     ("teddy bear", 4, "4 teddy bears"), ("sheep", 2, "2 sheep"), ("toothbrush", 2, "2 toothbrushes"), ("toy", 2, "2 toys")],
)  # fmt: skip
def test_counting_in_words(name, n, told):
    assert counted(name, n) == told


def test_every_class_of_the_catalogue_has_a_plural():
    assert all(
        counted(name, 2) != f"2 {name}" for name in detection.COCO_CLASSES if name not in {"sheep", "skis", "scissors"}
    )

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from explorer import batches
from explorer.batches import Labels, Mask, Source
from explorer.detections import Detections
from explorer.errors import UserError
from explorer.images import to_png
from explorer.segmentations import Segmentation

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)


def sources(*names: str) -> list[Source]:
    return [Source.of(name, to_png(PIXELS)) for name in names]


def labels(_pixels: np.ndarray) -> Labels:
    return Labels(("pizza", "cup"), np.array([0.75, 0.2], np.float32))


def boxes(_pixels: np.ndarray) -> Detections:
    corners = np.array([[10, 5, 30, 25], [11, 5, 31, 25], [40, 20, 55, 38]], np.float32)
    return Detections(corners, np.array([0.9, 0.8, 0.4], np.float32), np.array([1, 1, 0]), ("bus", "car"))


def mask(pixels: np.ndarray) -> Segmentation:
    made = np.zeros(pixels.shape[:2], np.uint8)
    made[:10] = 1
    p = np.eye(2, dtype=np.float32)[made].transpose(2, 0, 1)
    return Segmentation(made, p, ("__background__", "cat"))


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def opened(outcomes: list[batches.Outcome]) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(batches.archive(outcomes))) as made:
        assert made.testzip() is None
        return {name: made.read(name) for name in made.namelist()}


def test_a_bad_photo_is_one_row_and_the_rest_goes_on():
    several = [*sources("a.png"), Source.of("b.txt", b"no picture"), *sources("c.png")]
    first, second, third = batches.process(several, labels)
    assert (first.size, first.error) == ((60, 40), "")
    assert second.error.startswith("This file is not a picture")
    assert (second.found, second.preview, second.size) == (None, None, (0, 0))
    assert batches.summary(second) == second.error
    assert batches.summary(third) == "pizza 75\u202f%"
    written = rows(batches.table_csv([first, second, third]))
    assert [row[0] for row in written[1:]] == ["a.png", "b.txt", "c.png"]
    assert [bool(row[5]) for row in written[1:]] == [False, True, False]


def test_a_network_that_cannot_look_is_said_for_that_photo():
    def look(pixels: np.ndarray) -> Labels:
        if pixels.shape[0] > 100:
            raise UserError("There is not enough memory.")
        return labels(pixels)

    large = Source.of("large.png", to_png(np.zeros((200, 200, 3), np.uint8)))
    first, second = batches.process([large, *sources("a.png")], look)
    assert first.error == "There is not enough memory."
    assert first.size == (200, 200)
    assert second.found is not None


def test_photos_are_looked_at_only_when_asked_for():
    seen = []

    def look(pixels: np.ndarray) -> Labels:
        seen.append(1)
        return labels(pixels)

    going: Iterator[batches.Outcome] = batches.process(sources("a.png", "b.png"), look)
    assert seen == []
    next(going)
    assert len(seen) == 1


def test_thresholds_choose_among_kept_boxes():
    outcomes = list(batches.process(sources("a.png"), boxes))
    assert batches.summary(outcomes[0]) == "2 × car, 1 × bus"
    (fewer,) = batches.chosen(outcomes, 0.3, 0.5)
    assert batches.summary(fewer) == "1 × car, 1 × bus"
    (fewest,) = batches.chosen(outcomes, 0.95, None)
    assert batches.summary(fewest) == "—"
    picture = batches.drawn(fewer)
    assert picture is not None
    assert not np.array_equal(picture, PIXELS)
    assert np.array_equal(picture[27:40, 0:9], PIXELS[27:40, 0:9])  # away from the boxes it is the photo


def test_the_archive_of_boxes():
    files = opened(list(batches.process(sources("a.png", "A.png", "../a.jpg"), boxes)))
    assert set(files) == {"results.csv", "boxes.csv", "boxes.json", *(f"pictures/{n}.png" for n in ("a", "A-2", "a-3"))}
    coco = json.loads(files["boxes.json"])
    assert (len(coco["images"]), len(coco["annotations"])) == (3, 9)
    assert len(rows(files["boxes.csv"].decode())) == 10


def test_the_archive_of_masks():
    outcomes = list(batches.process([*sources("a.png"), Source.of("bad", b"")], mask))
    assert isinstance(outcomes[0].found, Mask)
    assert batches.summary(outcomes[0]) == "background 75\u202f%, cat 25\u202f%"
    assert np.array_equal(batches.classes_of(outcomes[0].found, (40, 60)), mask(PIXELS).mask)
    assert batches.classes_of(outcomes[0].found, (4, 6)).tolist() == [[1] * 6] + [[0] * 6] * 3
    files = opened(outcomes)
    assert set(files) == {
        "results.csv", "areas.csv", "classes.json", "pictures/a.png", "masks/a.png", "outlines/a.json"
    }  # fmt: skip
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(files["masks/a.png"]))), mask(PIXELS).mask)
    assert [row[3] for row in rows(files["areas.csv"].decode())[1:]] == ["0.750000", "0.250000"]
    assert json.loads(files["outlines/a.json"])["annotations"][1]["area"] == 600


def test_the_archive_of_classes():
    files = opened(list(batches.process(sources("a.png"), labels)))
    assert set(files) == {"results.csv", "classes.csv", "pictures/a.png"}
    assert rows(files["classes.csv"].decode())[1][:3] == ["a.png", "1", "pizza"]


@pytest.mark.parametrize("name", ["", "...", "/", "a/b\\..\\c.png"])
def test_names_of_files_lead_nowhere_else(name):
    (stem,) = batches._stems([name])
    assert stem
    assert not set(stem) & set("/\\")
    assert stem.strip(". ") == stem

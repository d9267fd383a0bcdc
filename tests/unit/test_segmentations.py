from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_masks

from explorer import segmentations
from explorer.detections import Detections
from explorer.segmentations import Instances, Segmentation, boundaries, instances_of, polygons

CLASSES = ("road", "car", "pedestrian")


def of(mask: list[list[int]] | np.ndarray) -> Segmentation:
    mask = np.asarray(mask, np.uint8)
    return Segmentation(mask, np.eye(3, dtype=np.float32)[mask].transpose(2, 0, 1), CLASSES)


def test_areas_are_shares_of_the_photo():
    np.testing.assert_allclose(of([[0, 0, 1, 1], [0, 0, 0, 0]]).areas, [0.75, 0.25, 0])


def test_boundaries_lie_where_the_class_changes():
    found = boundaries(np.array([[0, 0, 1], [0, 0, 1], [2, 2, 2]]))
    assert found.astype(int).tolist() == [[0, 1, 0], [1, 1, 1], [0, 0, 0]]
    assert not boundaries(np.ones((4, 5), int)).any()


def test_the_png_holds_the_classes():
    mask = np.random.default_rng(0).integers(0, 3, (5, 7)).astype(np.uint8)
    read = np.asarray(Image.open(io.BytesIO(segmentations.mask_png(of(mask)))))
    assert np.array_equal(read, mask)


def drawn(outlines: list[list[float]], shape: tuple[int, int]) -> np.ndarray:
    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [np.array(o, np.int32).reshape(-1, 2) for o in outlines], 1)
    return canvas.astype(bool)


@given(seed=st.integers(0, 9999), height=st.integers(10, 60), width=st.integers(10, 60), count=st.integers(1, 3))
def test_polygons_drawn_again_are_the_mask(seed, height, width, count):
    rng, canvas = np.random.default_rng(seed), np.zeros((height, width), np.uint8)
    for _ in range(count):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.ellipse(canvas, centre, tuple(rng.integers(3, 12, 2).tolist()), float(rng.uniform(0, 180)), 0, 360, 1, -1)
    mask = canvas.astype(bool)
    holes = cv2.findContours(canvas, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[1]
    again = drawn(polygons(mask), mask.shape)
    assert not (again & ~mask).any() or (holes is not None and (holes[0, :, 3] >= 0).any())
    assert (mask & ~again).sum() <= 2 * count  # corners of one or two pixels are no polygon


def test_a_hole_is_filled_and_a_speck_left_out():
    mask = np.zeros((9, 9), bool)
    mask[1:6, 1:6], mask[3, 3], mask[8, 8] = True, False, True
    again = drawn(polygons(mask), mask.shape)
    assert again[3, 3]
    assert not again[8, 8]
    assert again.sum() == 25


def test_a_segmentation_as_coco():
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 10:25] = 1
    made = json.loads(segmentations.segmentation_to_coco(of(mask), "street.jpg"))
    assert made["images"] == [{"id": 1, "file_name": "street.jpg", "width": 30, "height": 20}]
    road, car = made["annotations"]
    assert (car["category_id"], car["bbox"], car["area"]) == (2, [10, 5, 15, 10], 150)
    assert road["area"] == 450
    assert "score" not in car
    read = coco_masks.decode(coco_masks.merge(coco_masks.frPyObjects(car["segmentation"], 20, 30)))
    inside = np.zeros((20, 30), bool)
    inside[6:14, 11:24] = True
    assert read[inside].all()  # pycocotools may leave out half a pixel of the outline
    assert not read[mask == 0].any()


def test_instances_of_masks_and_boxes():
    mask = np.zeros((10, 20), np.uint8)
    mask[2:8, 1:9], mask[2:8, 12:18], mask[0, 0] = 1, 1, 2
    boxes = np.array([[0, 1, 20, 9], [11.5, 1, 19, 9], [1, 1, 9, 9], [2, 2, 4, 4], [12, 9, 14, 10]], np.float32)
    found = Detections(
        boxes, np.linspace(0.9, 0.5, 5).astype(np.float32), np.array([1, 1, 1, 0, 2]), ("bus", "car", "person")
    )
    made = instances_of(of(mask), found, {"car": "car", "person": "pedestrian"})
    # The large box has nothing of its own left; a bus is no class of the mask; where the person's box is, there is none.
    assert made.detections.scores.tolist() == found.scores[[1, 2]].tolist()
    assert len(made) == 2
    assert np.array_equal(made.masks[0], (mask == 1) & (np.arange(20) >= 11))
    assert np.array_equal(made.masks[1], (mask == 1) & (np.arange(20) < 11))
    assert not (made.masks.sum(0) > 1).any()
    again = json.loads(segmentations.instances_to_coco(made, "x"))
    assert [a["area"] for a in again["annotations"]] == [36, 48]
    assert [a["score"] for a in again["annotations"]] == pytest.approx([0.8, 0.7])


def test_no_instances():
    nothing = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), ("car",))
    made = instances_of(of(np.ones((4, 6), np.uint8)), nothing, {"car": "car"})
    assert (len(made), made.masks.shape) == (0, (0, 4, 6))
    assert json.loads(segmentations.instances_to_coco(made, "x"))["annotations"] == []
    assert isinstance(made, Instances)

from __future__ import annotations

import numpy as np

from explorer import instance_views as views
from explorer.detections import Detections
from explorer.segmentations import Instances
from training import unet_camvid, unet_pets

HIGHWAY = ("bus", "car", "motorbike", "person", "truck")


def instances() -> Instances:
    masks = np.zeros((3, 20, 30), bool)
    masks[0, 2:10, 2:12], masks[1, 8:18, 5:25], masks[2, 0:2, 28:30] = True, True, True
    boxes = np.array([[2, 2, 12, 10], [5, 8, 25, 18], [28, 0, 30, 2]], np.float32)
    found = Detections(boxes, np.array([0.9, 0.6, 0.2], np.float32), np.array([1, 1, 3]), HIGHWAY)
    return Instances(masks, found)


def test_every_class_of_the_road_has_one_of_camvid():
    pairs = views.stands_for(HIGHWAY, unet_camvid.CLASSES)
    assert pairs == {"bus": "car", "car": "car", "motorbike": "cyclist", "person": "pedestrian", "truck": "car"}
    assert views.stands_for(HIGHWAY, unet_pets.CLASSES) == {}
    assert views.stands_for(("dog", "tv"), ("__background__", "dog", "tvmonitor")) == {"dog": "dog", "tv": "tvmonitor"}


def test_objects_are_numbered_and_measured():
    first, second, third = views.objects(instances())
    assert (first.number, first.name, first.pixels) == (1, "car", 80)
    assert second.share == 200 / 600
    assert third.name == "person"
    assert len(views.likely(instances(), 0.5)) == 2


def test_the_best_lies_on_top_at_any_size():
    masks = instances().masks
    numbers = views.numbered(masks, (20, 30))
    assert numbers[9, 8] == 1  # both cars' masks hold it
    assert numbers[12, 8] == 2
    assert numbers[0, 29] == 3
    assert numbers[19, 0] == 0
    assert np.array_equal(views.numbered(masks, (10, 15)), numbers[1::2, 1::2])
    assert not views.numbered(masks[:0], (4, 6)).any()


def test_objects_of_one_class_look_different_and_the_rest_is_photo():
    photo = np.full((20, 30, 3), 120, np.uint8)
    numbers = views.numbered(instances().masks, (20, 30))
    drawn = views.patterned(photo, numbers, np.tile(np.uint8([[0, 102, 255]]), (3, 1)), 0.8)
    far = numbers == 0
    far[1:] &= numbers[:-1] == 0
    far[:-1] &= numbers[1:] == 0
    far[:, :-1] &= numbers[:, 1:] == 0
    assert (drawn[far] == 120).all()
    looks = [{tuple(c) for c in drawn[numbers == k].tolist()} - {(255, 255, 255)} for k in (1, 2, 3)]
    assert len(looks[0]) == 2  # stripes
    assert not looks[0] & looks[1]

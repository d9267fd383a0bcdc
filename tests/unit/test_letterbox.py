from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.letterbox import GREY, letterbox


@pytest.mark.parametrize(
    ("height", "width", "inside", "scale"),
    [
        (480, 640, (416, 312), 0.65),
        (640, 480, (312, 416), 0.65),
        (208, 104, (208, 416), 2.0),
        (1, 4000, (416, 1), 0.104),
    ],
)
def test_the_photo_lies_at_the_top_left_and_the_rest_is_grey(height, width, inside, scale):
    box = letterbox(np.full((height, width, 3), (10, 200, 30), np.uint8), 416)
    assert (box.inside, box.scale) == (inside, pytest.approx(scale))
    assert box.pixels.shape == (416, 416, 3)
    assert box.pixels.dtype == np.uint8
    assert (box.pixels[: inside[1], : inside[0]] == (10, 200, 30)).all()
    assert (box.pixels[inside[1] :] == GREY).all()
    assert (box.pixels[:, inside[0] :] == GREY).all()


def test_pixels_are_those_of_opencv():
    import cv2

    photo = np.random.default_rng(0).integers(0, 256, (90, 70, 3)).astype(np.uint8)
    box = letterbox(photo, 64)
    assert np.array_equal(box.pixels[:64, :49], cv2.resize(photo, (49, 64), interpolation=cv2.INTER_LINEAR))


@given(
    height=st.integers(1, 900), width=st.integers(1, 900), side=st.sampled_from([32, 320, 416]), seed=st.integers(0, 99)
)
def test_boxes_return_to_the_photo(height, width, side, seed):
    box = letterbox(np.zeros((height, width, 3), np.uint8), side)
    corners = np.random.default_rng(seed).uniform(0, (width, height), (5, 2, 2))  # two points of each box
    boxes = np.sort(corners, axis=1).reshape(5, 4)
    np.testing.assert_allclose(box.to_photo(box.from_photo(boxes)), boxes, rtol=1e-4, atol=1e-3)


def test_boxes_are_cut_at_the_edges():
    box = letterbox(np.zeros((100, 50, 3), np.uint8), 200)
    assert box.to_photo(np.array([[-20.0, -4, 300, 300]])).tolist() == [[0, 0, 50, 100]]

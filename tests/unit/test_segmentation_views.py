from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer import palette
from explorer import segmentation_views as views
from explorer.segmentations import Segmentation

CLASSES = ("background", "car", "sky")


def segmentation(height: int = 12, width: int = 16, seed: int = 0) -> tuple[Segmentation, np.ndarray]:
    """Random probabilities on a grid of half the photo's size, the mask that follows, and a photo."""
    rng = np.random.default_rng(seed)
    p = rng.random((3, height // 2, width // 2)).astype(np.float32)
    p /= p.sum(0)
    mask = p.argmax(0).repeat(2, 0).repeat(2, 1).astype(np.uint8)
    return Segmentation(mask, p, CLASSES), rng.integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_the_background_is_grey_and_no_class_has_anothers_colour():
    colours = views.class_colours(("__background__", *[f"class {k}" for k in range(20)]))
    assert tuple(colours[0]) == palette.rgb(palette.NO_CLASS)
    assert len({tuple(colour) for colour in colours}) == 21
    assert tuple(views.class_colours([f"class {k}" for k in range(22)])[20]) == palette.rgb(palette.CLASSES[0])


def test_a_view_says_how_sure_the_network_is_of_the_class_it_shows():
    made, photo = segmentation()
    shown = views.view(made, photo, 16)
    assert np.array_equal(shown.mask, made.mask)
    np.testing.assert_array_equal(shown.sure, made.probabilities.max(0).repeat(2, 0).repeat(2, 1))
    smaller = views.view(made, photo, 8)
    assert smaller.pixels.shape == (6, 8, 3)
    np.testing.assert_array_equal(smaller.sure, made.probabilities.max(0))


def test_the_opacity_mixes_and_hidden_classes_stay_photo():
    made, photo = segmentation()
    colours = views.class_colours(CLASSES)
    assert np.array_equal(views.overlay(photo, made.mask, colours, 0.0), photo)
    assert np.array_equal(views.overlay(photo, made.mask, colours, 1.0), colours[made.mask])
    half = views.overlay(photo, made.mask, colours, 0.5, hidden=[1])
    car = made.mask == 1
    assert np.array_equal(half[car], photo[car])
    expected = (photo[~car] * 0.5 + colours[made.mask][~car] * 0.5).round()
    np.testing.assert_allclose(half[~car], expected, atol=1)


def test_outlines_stand_on_both_sides_of_a_border_in_the_colours_of_the_classes():
    mask = np.zeros((6, 8), np.uint8)
    mask[:, 4:] = 1
    colours, photo = views.class_colours(CLASSES), np.full((6, 8, 3), 100, np.uint8)
    drawn = views.outlines(photo, mask, colours, (255, 255, 255))
    assert (drawn[:, 3] == colours[0]).all()
    assert (drawn[:, 4] == colours[1]).all()
    faint = round(0.35 * 100 + 0.65 * 255)
    assert (drawn[:, [0, 1, 2, 5, 6, 7]] == faint).all()
    assert (views.outlines(photo, mask, colours, (255, 255, 255), hidden=[1])[:, 4] == faint).all()


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [(0, 0, (0, 0, 0, 0)), (15, 11, (15, 11, 5, 7)), (-3, 99, (0, 11, 5, 0)), (5, 4, (5, 4, 2, 2))],
)
def test_a_pixel_knows_its_cell(x, y, expected):
    found = views.pixel_at(segmentation()[0], x, y)
    assert (found.x, found.y, found.row, found.column) == expected


def test_the_middle_of_a_class_is_of_that_class():
    ring = np.ones((9, 9), np.uint8)
    ring[2:7, 2:7] = 0
    x, y = views.middle_of(ring, 1)
    assert ring[y, x] == 1
    assert views.middle_of(ring, 2) == (4, 4)


def test_two_masks_class_by_class():
    first = np.array([[0, 0, 1, 1], [0, 0, 1, 1]], np.uint8)
    second = np.array([[0, 1, 1, 1], [0, 1, 1, 0]], np.uint8)
    background, car = views.compare(first, second, CLASSES)
    assert (background.first, background.second, background.intersection, background.union) == (4, 3, 2, 5)
    assert (car.first, car.second, car.intersection, car.union) == (4, 5, 3, 6)
    assert views.mean_iou((background, car)) == pytest.approx((2 / 5 + 3 / 6) / 2)
    assert views.agreement(first, second, 1).tolist() == [[0, 2, 3, 3], [0, 2, 3, 1]]
    made = views.change(first, second)
    assert made.share == 3 / 8
    assert (made.before, made.after) == (2, 4)


MASKS = arrays(np.uint8, (7, 9), elements=st.integers(0, 2))


@given(MASKS, MASKS)
def test_unions_hold_both_and_a_mask_agrees_with_itself(first, second):
    for one in views.compare(first, second, CLASSES):
        seen = views.agreement(first, second, one.label)
        assert one.intersection == (seen == views.BOTH).sum()
        assert one.union == (seen != views.NEITHER).sum() == one.first + one.second - one.intersection
    assert {one.iou for one in views.compare(first, first, CLASSES)} == {1.0}
    assert views.change(first, first).share == 0

"""An occlusion as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.occlusions import covered, frame, most_important, per_pixel
from explorer.patches import Occlusion, mean_colour, occlusion

FOUND = Occlusion(0.5, np.array([[0.4, 0.5], [0.1, 0.7]]), ((0, 2), (0, 3)), 4)


def test_a_pixel_loses_the_mean_of_all_squares_that_hid_it():
    lost = per_pixel(FOUND, (6, 7))
    assert lost.shape == (6, 7)
    assert lost[0, 0] == pytest.approx(0.1)
    assert lost[5, 0] == pytest.approx(0.4)
    assert lost[5, 6] == pytest.approx(-0.2)
    assert lost[2, 0] == pytest.approx((0.1 + 0.4) / 2)
    assert lost[2, 3] == pytest.approx((0.1 + 0 + 0.4 - 0.2) / 4)


def test_the_square_that_counts_most():
    assert most_important(FOUND) == (1, 0)
    assert frame(FOUND, (1, 0), (6, 7)) == (0, 2, 4, 4)
    assert frame(FOUND, (1, 1), (6, 7)) == (3, 2, 4, 4)


def test_covered_is_what_the_network_saw():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    seen = []

    def keep(photos: np.ndarray) -> np.ndarray:
        seen.extend(photos.copy())
        return np.zeros(len(photos))

    found = occlusion(pixels, keep, side=4, stride=5)
    assert np.array_equal(covered(pixels, found, (1, 1)), seen[found.drop.shape[1] + 1])
    assert (covered(pixels, found, (0, 0))[:4, :4] == mean_colour(pixels)).all()


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (1, 1)])
def test_photos_of_one_pixel(size):
    pixels = np.zeros((*size, 3), np.uint8)
    found = occlusion(pixels, lambda photos: np.ones(len(photos)), side=32, stride=16)
    assert per_pixel(found, size).shape == size
    x, y, width, height = frame(found, most_important(found), size)
    assert (x + width <= size[1], y + height <= size[0]) == (True, True)

"""Photos as patches, to be looked at."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.patches import near_and_far
from explorer.vit_photo import apart, drawn_side, enlarged, frame_apart, grid_of_grids, lit, seen_pixels, spread, square

NOISE = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)


def test_what_was_normalised_is_a_photo_again():
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    x = (torch.from_numpy(NOISE).permute(2, 0, 1).float() / 255 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(
        std
    ).view(3, 1, 1)
    np.testing.assert_array_equal(seen_pixels(x[None], mean, std), NOISE)


def test_patches_stand_apart_and_each_is_whole():
    spaced = apart(NOISE, (3, 3), (1, 2, 3))
    assert spaced.shape == (14, 14, 3)
    for row in range(3):
        for column in range(3):
            x, y, width, height = frame_apart(row, column, 4)
            patch = NOISE[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            np.testing.assert_array_equal(spaced[y : y + height, x : x + width], patch)
    np.testing.assert_array_equal(spaced[4, 0], (1, 2, 3))


def test_tiny_patches_are_left_together():
    np.testing.assert_array_equal(apart(NOISE, (6, 6), (0, 0, 0)), NOISE)
    assert frame_apart(1, 2, 2) == (4, 2, 2, 2)


def test_a_map_of_patches_covers_the_photo():
    values = np.arange(9, dtype=np.float64).reshape(3, 3)
    wide = spread(values, 12)
    assert wide.dtype == np.float32
    assert (wide[4:8, 8:] == 5).all()
    light = lit(NOISE, (values == 5).astype(float), 1.0)
    np.testing.assert_array_equal(light[4:8, 8:], NOISE[4:8, 8:])
    assert (light[:4] == 24).all()


def test_the_square_is_the_part_that_the_network_sees():
    photo = np.zeros((20, 40, 3), np.uint8)
    photo[:, 10:30] = 200
    # At the border, pixels are mixed with those beyond.
    assert (square(photo, (10.0, 0.0, 30.0, 20.0), 60)[:, 2:-2] == 200).all()
    assert square(photo, (0.0, 0.0, 40.0, 20.0), 60).shape == (60, 60, 3)


@pytest.mark.parametrize(("side", "about", "drawn"), [(12, 336, 336), (14, 336, 336), (7, 336, 336), (24, 100, 96)])
def test_drawn_sides_are_multiples_of_the_patches(side, about, drawn):
    assert drawn_side((side, side), about) == drawn


def test_the_grid_of_grids_has_each_patchs_picture_at_its_place():
    similarity = np.random.default_rng(0).random((2, 3, 2, 3))
    picture = grid_of_grids(similarity)
    assert picture.shape == (5, 11)
    np.testing.assert_allclose(picture[3:5, 8:11], similarity[1, 2], rtol=1e-6)
    assert np.isnan(picture[2]).all()


def test_small_patches_are_enlarged_by_whole_factors():
    wide, patch = enlarged(NOISE, 4)
    assert (wide.shape, patch) == ((48, 48, 3), 16)
    np.testing.assert_array_equal(wide[::4, 3::4], NOISE)
    assert enlarged(NOISE, 6)[1] == 18
    assert enlarged(NOISE, 16)[0].shape == NOISE.shape


def test_near_and_far_positions():
    similar = np.zeros((3, 3, 3, 3))
    similar[0, 0] = [[1, 0.9, 0.1], [0.7, 0.2, 0.3], [0.4, 0.5, 0.6]]
    near, far = near_and_far(similar, (0, 0))
    assert near == pytest.approx(0.8)
    assert far == pytest.approx((0.1 + 0.2 + 0.3 + 0.4 + 0.5 + 0.6) / 6)

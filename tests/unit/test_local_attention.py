"""A Vision Transformer held to windows: what its masks let through, what is kept, what it answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.local_attention import (
    WAYS,
    colour_patches,
    gather,
    kept,
    layer_masks,
    plain_windows,
    probabilities_within,
    trace_windows,
    window_mask,
    window_sides,
    within,
)
from explorer.models.vit import VisionTransformer
from explorer.windows import visible
from tests.unit.small_vit import CONFIG, small_vit


@pytest.fixture
def network() -> VisionTransformer:
    return small_vit()


@settings(max_examples=30, deadline=None)
@given(side=st.integers(2, 12), window=st.integers(1, 6), extra=st.integers(0, 2), moved=st.booleans())
def test_a_token_may_look_where_swins_patch_would_see(side, window, extra, moved):
    mask = window_mask((side, side), window, extra, moved=moved)
    assert mask.shape == (side * side + extra,) * 2
    assert mask[:extra].all()
    assert mask[:, :extra].all()
    row, column = side // 2, side - 1
    seen = visible((side, side), window, (row, column), moved=moved)
    np.testing.assert_array_equal(mask[extra + row * side + column, extra:].reshape(side, side), seen)


def test_sides_of_windows():
    assert window_sides(12) == (2, 3, 4, 6)
    assert window_sides(14) == (2, 7)


def test_what_even_attention_keeps_is_the_share_of_the_window():
    masks = layer_masks(CONFIG, 4, "fixed")
    even = np.full((2, 2, 66, 66), 1 / 66)
    found = kept(even, masks, 64)
    np.testing.assert_allclose(found.share, 16 / 64)
    assert found.even == 16 / 64
    moved = kept(even, layer_masks(CONFIG, 4, "moved"), 64)
    np.testing.assert_allclose(moved.share[0], 16 / 64)
    assert (moved.share[1] < 16 / 64).all()  # windows that are cut at the edges
    assert moved.even == pytest.approx(moved.share.mean())


def test_what_a_patch_gives_to_tokens_off_the_photo_does_not_count():
    weights = np.zeros((1, 1, 66, 66))
    weights[..., 0] = 0.5  # the class token
    weights[..., 2] = 0.25  # the first patch
    weights[..., -1] = 0.25  # the last one
    found = kept(weights, layer_masks(CONFIG, 4, "fixed")[:1], 64)
    # the 16 patches of the first window keep half, those of the last one too, the other 32 nothing
    np.testing.assert_allclose(found.share, [[0.25]])


def test_attention_within_is_what_a_mask_gives(network):
    x = torch.randn(1, 3, 32, 32)
    masks = layer_masks(CONFIG, 4, "moved")
    free, held = network.read(x), network.read(x, masks)
    wanted = within(free.attention[0][0, 1, 20].numpy(), masks[0][20].numpy())
    np.testing.assert_allclose(held.attention[0][0, 1, 20].numpy(), wanted, rtol=1e-4, atol=1e-7)
    for weights, mask in zip(held.attention, masks, strict=True):
        assert not weights[0, :, ~mask].any()
        torch.testing.assert_close(weights.sum(-1), torch.ones(1, 2, 66))


def test_a_window_as_large_as_the_photo_changes_nothing(network):
    x = torch.randn(1, 3, 32, 32)
    sides = (1, *window_sides(8), 8)
    found = gather(sides, {way: [probabilities_within(network, x, one, way) for one in sides] for way in WAYS})
    free = network(x)[0].softmax(0)
    assert found.sides == (1, 2, 4, 8)
    assert found.target == int(free.argmax())
    for way in WAYS:
        assert found.probability[way][-1] == pytest.approx(float(free.max()), abs=1e-6)
        assert found.best[way][-1] == found.target
        assert len({round(float(p), 6) for p in found.probability[way]}) > 1
    lone = network.read(x, layer_masks(CONFIG, 1, "fixed")).logits[0].softmax(0)
    assert found.probability["fixed"][0] == pytest.approx(float(lone[found.target]), abs=1e-6)


def test_patches_of_a_colour_look_at_patches_of_like_colour():
    photo = np.zeros((8, 8, 3), np.uint8)
    photo[:, 4:] = 255
    x = colour_patches(photo)
    assert x.shape == (1, 4, 4, 3)
    np.testing.assert_allclose(x.mean(dim=(0, 1, 2)).numpy(), 0, atol=1e-6)
    steps = trace_windows(photo, moved=True)
    out, weights = plain_windows()(x)
    torch.testing.assert_close(steps.result[0], out)
    assert steps.left_out == ()
    # the first whole window lies across the border of black and white: columns 1 and 3 of its map are both white or black
    looked = weights[0, 0, 0]
    assert weights.shape == (1, 4, 1, 4, 4)
    np.testing.assert_allclose(looked.sum(-1).numpy(), 1, rtol=1e-6)
    assert looked[0, 0] == looked[0, 2] > looked[0, 1] == looked[0, 3]

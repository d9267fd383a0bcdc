"""Windows on the photo: stages, where a patch of Swin looks, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.models.swin import SwinConfig, SwinTransformer, WindowAttention
from explorer.network_layers import total_macs
from explorer.window_pictures import bordered, lit, rolled_pixels, square
from explorer.windows import attention_macs, from_patch, stages, visible


def test_the_stages_of_swin_t():
    found = stages(SwinConfig(), 224)
    assert [(one.side, one.patch, one.width, one.windows) for one in found] == [
        (56, 4, 96, 64), (28, 8, 192, 16), (14, 16, 384, 4), (7, 32, 768, 1)]  # fmt: skip
    assert found[3].macs == found[3].global_macs
    assert found[0].macs == 4 * 56**2 * 96**2 + 2 * 49 * 56**2 * 96


def test_stages_are_those_of_the_network_on_any_photo():
    config = SwinConfig(width=8, blocks=(1, 2, 1), heads=(1, 2, 4), window=3, classes=4)
    maps = SwinTransformer(config).maps(torch.zeros(1, 3, 60, 60))
    assert [one.side for one in stages(config, 60)] == [maps[f"stage{n}.0"].shape[1] for n in (1, 2, 3)]


@pytest.mark.parametrize(("side", "window"), [(12, 4), (10, 4)])
def test_the_macs_are_those_that_the_network_makes(side, window):
    (fact,) = stages(SwinConfig(patch=1, width=8, blocks=(1,), heads=(2,), window=window), side)
    counted = total_macs(WindowAttention(8, 2, window, 0), torch.zeros(1, side, side, 8))
    assert fact.macs == counted
    assert fact.global_macs == attention_macs((side, side), 8)


@settings(max_examples=30, deadline=None)
@given(side=st.integers(3, 11), window=st.integers(2, 4), place=st.tuples(st.integers(0, 10), st.integers(0, 10)),
       moved=st.booleans())  # fmt: skip
def test_a_patch_looks_only_at_what_it_may_see_and_where_the_network_has_it(side, window, place, moved):
    patch = place[0] % side, place[1] % side
    torch.manual_seed(0)
    attention = WindowAttention(4, 2, window, window // 2 if moved else 0)
    x = torch.randn(1, side, side, 4)
    with torch.no_grad():
        _out, weights = attention(x)
    found = from_patch(weights[0].numpy(), (side, side), window, patch, moved=moved)
    assert found.shape == (2, side, side)
    seen = visible((side, side), window, patch, moved=moved)
    assert not found[:, ~seen].any()
    assert (found[:, seen] > 0).all()
    # the rest went to the padding, which lies outside the photo
    assert (found.sum((1, 2)) <= 1 + 1e-5).all()
    if side % window == 0:
        np.testing.assert_allclose(found.sum((1, 2)), 1, rtol=1e-5)


def test_another_patch_has_its_own_weights():
    torch.manual_seed(1)
    attention = WindowAttention(4, 1, 2, 1)
    x = torch.randn(1, 4, 4, 4)
    with torch.no_grad():
        expected = attention(x)[1][0]
    found = from_patch(expected.numpy(), (4, 4), 2, (2, 1), moved=True)
    # (2, 1) stands at (1, 0) once rolled by 1: the first window, its third place; it holds (1…2, 1…2) of the photo
    np.testing.assert_array_equal(found[0, 1:3, 1:3].ravel(), expected[0, 0, 2].numpy())


def test_pictures():
    photo = np.full((9, 9, 3), 200, np.uint8)
    seen = np.zeros((3, 3), bool)
    seen[1, 1] = True
    light = lit(photo, seen)
    assert (light[3:6, 3:6] == 200).all()
    assert (light[:3] < 100).all()
    lined = bordered(photo, np.array([[0, 0, 1]] * 3), (1, 2, 3))
    assert (lined[:, 6] == (1, 2, 3)).all()
    assert (lined[:, :4] == 200).all()
    ramp = np.arange(81, dtype=np.uint8).reshape(9, 9)
    assert rolled_pixels(ramp, (3, 3), (1, 1))[0, 0] == ramp[3, 3]
    assert square(np.zeros((5, 50, 3), np.uint8), 12).shape == (12, 12, 3)

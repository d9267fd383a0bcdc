from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.attention_distance import (
    even_distance,
    mean_attention_distance,
    patch_distances,
    window_attention_distance,
)
from explorer.models.swin import SwinConfig, SwinTransformer
from explorer.models.vit import VisionTransformer, VitConfig
from explorer.patches import cut, hidden, joined, mean_colour, occlusion, on_patches, position_similarity, shuffled
from explorer.windows import attention_macs, mask_matrix, reach, visible, windowed, windows_of


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_distances_between_patches():
    distances = patch_distances((2, 3), 16)
    assert distances.shape == (6, 6)
    assert (distances[0, 1], distances[0, 3], distances[0, 5]) == (16, 16, pytest.approx(16 * 5**0.5))
    assert np.array_equal(distances, distances.T)
    assert even_distance((1, 2), 8) == 4


def test_a_head_that_looks_at_itself_at_its_neighbour_or_everywhere():
    itself = np.eye(9)
    neighbour = np.roll(np.eye(4), 1, axis=1)  # in a row of four, the last looks back at the first: 8 + 8 + 8 + 24
    even = np.full((9, 9), 1 / 9)
    assert mean_attention_distance(itself, (3, 3), 8) == 0
    assert mean_attention_distance(neighbour, (1, 4), 8) == 12
    assert mean_attention_distance(even, (3, 3), 8) == pytest.approx(even_distance((3, 3), 8))


def test_extra_tokens_lie_nowhere():
    weights = np.array([[0.2, 0.4, 0.4], [0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    # The first patch's look at itself and at the other, 8 pixels away, are alike; the second looks at the class token alone.
    assert mean_attention_distance(weights, (1, 2), 8) == 4
    assert np.isnan(mean_attention_distance(np.array([[0.0, 1, 0], [1, 0, 0], [1, 0, 0]]), (1, 2), 8))


def test_distance_by_layer_and_head_of_a_network():
    network = VisionTransformer(VitConfig(32, 8, layers=2, heads=3, width=12, d_ff=16, classes=5))
    with torch.inference_mode():
        attention = torch.stack(network.read(torch.randn(1, 3, 32, 32)).attention)[:, 0].numpy()
    distances = mean_attention_distance(attention, (4, 4), 8)
    assert distances.shape == (2, 3)
    # An untrained network looks nearly everywhere alike.
    assert distances == pytest.approx(np.full((2, 3), even_distance((4, 4), 8)), rel=0.1)
    one = attention[1, 2, 1:, 1:]
    by_hand = [
        sum(one[i, j] * 8 * np.hypot(i // 4 - j // 4, i % 4 - j % 4) for j in range(16)) / one[i].sum()
        for i in range(16)
    ]
    assert distances[1, 2] == pytest.approx(np.mean(by_hand))


def test_distance_within_windows():
    network = SwinTransformer(SwinConfig(width=4, blocks=(2,), heads=(2,), window=2, classes=3))
    with torch.inference_mode():
        weights = network.read(torch.randn(1, 3, 16, 16)).attention["stage1.0"][0].numpy()
    distances = window_attention_distance(weights, 2, 4)
    assert distances.shape == (2,)
    assert ((distances > 0) & (distances < 4 * 2**0.5)).all()


def test_similarity_of_positions():
    positions = np.concatenate([np.full((1, 4), 9.0), np.eye(4), -np.eye(4)[:2]])  # an extra token, then 2 × 3 patches
    similar = position_similarity(positions, (2, 3))
    assert similar.shape == (2, 3, 2, 3)
    assert similar[0, 0].tolist() == [[1, 0, 0], [0, -1, 0]]
    assert position_similarity(np.zeros((4, 3)), (2, 2)).tolist() == np.zeros((2, 2, 2, 2)).tolist()


def test_a_row_of_attention_as_a_picture():
    assert on_patches(np.arange(8.0), (2, 3)).tolist() == [[2, 3, 4], [5, 6, 7]]
    assert on_patches(np.zeros((5, 10)), (3, 3)).shape == (5, 3, 3)


@given(rows=st.integers(1, 5), columns=st.integers(1, 5), height=st.integers(1, 6), width=st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_patches_are_joined_again(rows, columns, height, width):
    pixels = noise(rows * height, columns * width, 3)
    parts = cut(pixels, (rows, columns))
    assert parts.shape == (rows * columns, height, width, 3)
    assert np.array_equal(parts[-1], pixels[-height:, -width:])
    assert np.array_equal(joined(parts, (rows, columns)), pixels)


def test_patches_must_be_equal():
    with pytest.raises(ValueError, match="10 × 12 pixels cannot be cut into 3 × 4"):
        cut(noise(10, 12, 3), (3, 4))


def test_shuffling_moves_whole_patches():
    pixels = noise(12, 8, 3)
    mixed = shuffled(pixels, (3, 2), seed=1)
    assert not np.array_equal(mixed, pixels)
    as_sets = [sorted(part.tobytes() for part in cut(photo, (3, 2))) for photo in (pixels, mixed)]
    assert as_sets[0] == as_sets[1]
    assert np.array_equal(mixed, shuffled(pixels, (3, 2), seed=1))
    assert np.array_equal(shuffled(pixels, (1, 1), seed=1), pixels)


def test_hiding_more_keeps_hidden_what_was_hidden():
    pixels = noise(16, 16, 3)
    masks = [(hidden(pixels, (4, 4), share, 3) != pixels).any(-1) for share in (0, 0.25, 0.5, 1)]
    counts = [cut(mask[..., None], (4, 4)).any((1, 2, 3)).sum() for mask in masks]
    assert counts == [0, 4, 8, 16]
    assert all((after | ~before).all() for before, after in pairwise(masks))
    assert (hidden(pixels, (4, 4), 1, 3) == mean_colour(pixels)).all()


def test_occlusion_asks_about_every_place():
    pixels = noise(10, 7, 3)
    pixels[6:, 5:] = 255

    def brightness(photos: np.ndarray) -> np.ndarray:
        return photos[:, 6:, 5:].mean((1, 2, 3)) / 255

    found = occlusion(pixels, brightness, side=4, stride=3, batch=2)
    assert found.starts == ((0, 3, 6), (0, 3))
    assert found.whole == 1
    assert found.drop.shape == (3, 2)
    assert found.drop[0].tolist() == found.drop[:, 0].tolist()[:2] == [0, 0]
    assert found.drop[2, 1] == pytest.approx(1 - mean_colour(pixels).mean() / 255)
    assert 0 < found.drop[1, 1] < found.drop[2, 1]
    assert occlusion(pixels, brightness, side=20, stride=3).covered.shape == (1, 1)


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize(("size", "window"), [((8, 8), 4), ((6, 9), 3), ((7, 5), 4), ((4, 12), 4), ((3, 3), 4)])
def test_visible_patches_are_those_that_the_network_lets_through(size, window, moved):
    """By the gradient: which patches of the input change this patch's output."""
    torch.manual_seed(0)
    config = SwinConfig(width=8, blocks=(2,), heads=(2,), window=window, classes=3)
    attention = SwinTransformer(config).features["1"][int(moved)].attn
    x = torch.randn(1, *size, 8, requires_grad=True)
    for patch in ((0, 0), (size[0] // 2, size[1] // 2), (size[0] - 1, size[1] - 1)):
        (gradient,) = torch.autograd.grad(attention(x)[0][0, *patch].sum(), x)
        assert np.array_equal(gradient[0].abs().sum(-1).numpy() > 0, visible(size, window, patch, moved=moved))


def test_windows_that_are_moved():
    windows = windows_of((4, 4), 2, moved=True)
    assert windows.shift == (1, 1)
    # Rolled by one, the first row and column come last and share windows with patches they may not see.
    assert windows.number.tolist() == [[3, 2, 2, 3], [1, 0, 0, 1], [1, 0, 0, 1], [3, 2, 2, 3]]
    assert windows.groups == 9
    assert windows.rolled[0, 0].tolist() == [1, 1]
    assert windows.rolled[3, 3].tolist() == [0, 0]
    assert windows_of((4, 4), 2, moved=False).groups == 4
    assert mask_matrix((4, 4), 2).shape == (4, 4, 4)
    assert mask_matrix((4, 4), 2)[0].all()
    assert mask_matrix((4, 4), 2)[3].sum() == 4  # each of the four corners sees itself alone


def test_reach_grows_across_windows():
    reached = [reach((8, 8), 4, (0, 0), blocks) for blocks in (0, 1, 2, 3, 4)]
    assert [int(one.sum()) for one in reached] == [1, 16, 16, 64, 64]
    assert int(reach((8, 8), 4, (4, 4), 2).sum()) == 64
    # The same by gradient through real blocks.
    network = SwinTransformer(SwinConfig(width=8, blocks=(2,), heads=(2,), window=4, classes=3))
    x = torch.randn(1, 8, 8, 8, requires_grad=True)
    out = x
    for block in network.features["1"]:
        out, _ = block(out)
    for patch in ((0, 0), (4, 4), (1, 6)):
        (gradient,) = torch.autograd.grad(out[0, *patch].sum(), x, retain_graph=True)
        assert np.array_equal(gradient[0].abs().sum(-1).numpy() > 0, reach((8, 8), 4, patch, 2))


def test_cost_of_windows():
    # Liu et al. 2021, eq. 1 and 2, for the first stage of swin_t.
    assert attention_macs((56, 56), 96) == 4 * 3136 * 96**2 + 2 * 3136**2 * 96
    assert attention_macs((56, 56), 96, 7) == 4 * 3136 * 96**2 + 2 * 49 * 3136 * 96
    assert windowed(np.arange(16).reshape(4, 4), 2)[1].tolist() == [[2, 3], [6, 7]]

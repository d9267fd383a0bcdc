"""Two networks compared: what is done to the photo, what is asked, and how far their places look."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attention_distance import attention_distances, mean_attention_distance, patch_distances
from explorer.models.patch_order import mean_after_attention
from explorer.models.resnet import ResNet, ResNetConfig
from explorer.models.vit import VisionTransformer
from explorer.network_layers import map_fields
from explorer.vit_or_resnet import LEVELS, SEEDS, SIDE, ask_at, harmed, order_matters, robustness, trace_order
from explorer.vit_or_resnet_reach import even_from_middle, head_distances, reach
from tests.unit.small_vit import small_vit


@pytest.fixture
def vit() -> VisionTransformer:
    return small_vit()


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def share_of_red(photos: np.ndarray) -> np.ndarray:
    """A network of two classes that sees nothing but the middle pixel of the top left quarter."""
    red = photos[:, 96, 96, 0] / 255
    return np.stack([red, 1 - red], axis=1)


@pytest.mark.parametrize("level", LEVELS["shuffled"])
def test_shuffled_photos_have_the_same_pixels(photo, level):
    mixed = harmed(photo, "shuffled", level, 3)
    assert (mixed == photo).all() == (level == 1)
    np.testing.assert_array_equal(np.sort(mixed, axis=None), np.sort(photo, axis=None))


@pytest.mark.parametrize("level", LEVELS["hidden"])
def test_so_many_patches_are_hidden(photo, level):
    less = harmed(photo, "hidden", level, 1)
    changed = (less != photo).any(axis=2).reshape(12, 32, 12, 32).any(axis=(1, 3)).sum()
    assert changed == round(level / 100 * 144)


def test_every_level_is_asked_with_every_seed(photo):
    asked = []

    def ask(photos):
        asked.append(len(photos))
        return share_of_red(photos)

    found = robustness(photo, "shuffled", ask)
    assert asked == [1, *[SEEDS] * (len(LEVELS["shuffled"]) - 1)]
    assert found.probability.shape == (len(LEVELS["shuffled"]), SEEDS)
    own = share_of_red(photo[None])[0]
    assert found.target == own.argmax()
    assert set(found.probability[0]) == {own.max()}
    assert found.median[0] == own.max()
    assert found.kept[0] == 1
    assert ((found.kept >= 0) & (found.kept <= 1)).all()
    one = ask_at(photo, "shuffled", 4, share_of_red)
    np.testing.assert_array_equal(found.probability[3], one[:, found.target])
    np.testing.assert_array_equal(found.best[3], one.argmax(1))
    assert len(set(found.probability[3])) > 1


def test_order_matters_to_positions_alone(vit):
    x = torch.randn(1, 3, 32, 32)
    found = order_matters(vit, x, 2)
    assert found.without < 1e-4 * max(found.largest, 1) < found.with_positions
    tokens = vit.embed(x) - vit.positions(8, 8)
    for layer in vit.encoder.layers.values():
        tokens, _ = layer(tokens)
    assert found.largest == pytest.approx(float(vit.logits(tokens).abs().max()), rel=1e-4)


def test_the_mean_after_attention_knows_no_order(photo):
    x, order = torch.randn(16, 3), torch.randperm(16)
    mean, difference = mean_after_attention(x, order)
    wanted = nn.functional.scaled_dot_product_attention(x[None], x[None], x[None])[0].mean(0)
    torch.testing.assert_close(mean, wanted, rtol=1e-5, atol=1e-6)
    assert difference.abs().max() < 1e-6
    steps = trace_order(photo, 0)
    assert [step.op for step in steps.steps].count("softmax") == 2
    assert steps.left_out == ()


def test_distances_of_every_patch_have_the_mean_that_is_known():
    weights = np.random.default_rng(0).random((2, 3, 18, 18))
    weights /= weights.sum(-1, keepdims=True)
    each = attention_distances(weights, (4, 4), 8)
    np.testing.assert_allclose(each.mean(-1), mean_attention_distance(weights, (4, 4), 8))
    row = weights[1, 2, 2 + 5, 2:]
    assert each[1, 2, 5] == pytest.approx((row * patch_distances((4, 4), 8)[5]).sum() / row.sum())


def test_heads_from_the_middle(vit):
    even = np.full((2, 2, 66, 66), 1 / 66)
    np.testing.assert_allclose(head_distances(vit, even), even_from_middle(8))


def test_nothing_outside_the_receptive_field_counts():
    torch.manual_seed(0)
    network = ResNet(ResNetConfig(width=8, classes=3)).eval().requires_grad_(False)
    x = torch.randn(1, 3, 128, 128)
    found = reach(network, x)
    assert found.names == tuple(network.blocks())
    np.testing.assert_allclose(found.weight.sum((1, 2)), 1, rtol=1e-4)
    fields = map_fields(network, x)
    for number, name in enumerate(found.names[:4]):
        size = fields[name][0].size
        left, top, width, height = (found.field[number] * 128).round().astype(int)
        assert (width, height) == (size, size)
        inside = found.weight[number, max(top, 0) : top + height, max(left, 0) : left + width]
        assert inside.sum() == pytest.approx(1, abs=1e-4)
        if size < 128:  # the field is no larger than it must be
            assert inside[0].max() > 0
            assert inside[:, 0].max() > 0
    assert (np.diff(found.distance[:4]) > 0).all()
    assert (found.distance <= found.furthest * 2**0.5 + 1e-6).all()
    assert found.coarse(0, 16).sum() == pytest.approx(1, abs=1e-4)


def test_the_gradient_is_the_jacobians(vit):
    """Of a linear network, whose Jacobian is known: the columns' lengths, in expectation over the random directions."""

    class Linear:
        def __init__(self):
            torch.manual_seed(0)
            self.kernel = torch.randn(64, 3, 3, 3)

        def maps(self, x):
            return {"only": nn.functional.conv2d(x, self.kernel, padding=1)}

    network = Linear()
    found = reach(network, torch.randn(1, 3, 9, 9), draws=800)
    lengths = network.kernel.square().sum((0, 1)).sqrt().numpy()
    wanted = lengths / lengths.sum()
    np.testing.assert_allclose(found.weight[0, 3:6, 3:6], wanted, rtol=0.1)
    assert found.weight[0].sum() == pytest.approx(found.weight[0, 3:6, 3:6].sum(), abs=1e-6)
    first = reach(vit, torch.randn(1, 3, 32, 32))
    assert first.names[0] == "patches"
    assert np.isnan(first.field).all()
    own = first.coarse(0, 8)
    assert own[4, 4] == pytest.approx(1, abs=1e-4)  # before any attention: its own patch alone
    assert (first.coarse(1, 8) > 0).all()  # after one layer: every patch

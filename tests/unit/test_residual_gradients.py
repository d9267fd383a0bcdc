"""The gradient at every layer of a deep network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from explorer.models.plain import SmallNetwork
from explorer.residual_gradients import CLASSES, gradient_norms, views


@pytest.fixture
def x():
    return views(np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8))


def test_views_are_a_batch_of_mean_0_and_variance_1(x):
    assert x.shape == (16, 3, 32, 32)
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.std((0, 2, 3)), torch.ones(3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (200, 2)])
def test_views_of_a_photo_of_one_colour_and_of_any_size_are_finite(size):
    assert views(np.full((*size, 3), 90, np.uint8)).isfinite().all()


@pytest.mark.parametrize("shortcut", [True, False])
def test_norms_are_those_of_backward(x, shortcut):
    found = gradient_norms(14, shortcut, True, x, seed=3)
    torch.manual_seed(3)
    network = SmallNetwork(14, shortcut, True, CLASSES)
    loss = F.cross_entropy(network(x), torch.randint(CLASSES, (16,)))
    loss.backward()
    wanted = [p.grad.pow(2).sum().sqrt().item() for name, p in network.named_parameters() if "conv" in name]
    assert len(found.norms) == 13
    np.testing.assert_allclose(found.norms, wanted, rtol=1e-5)
    assert found.loss == pytest.approx(loss.item(), rel=1e-6)


def test_nothing_random_of_the_app_is_disturbed(x):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    gradient_norms(8, True, True, x)
    torch.testing.assert_close(torch.rand(3), wanted)


def test_shortcuts_keep_the_gradient_of_a_deep_network_even(x):
    plain, residual = (gradient_norms(44, shortcut, True, x).ratio for shortcut in (False, True))
    assert plain > 10 * residual > 0

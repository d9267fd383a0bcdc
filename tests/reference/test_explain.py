from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.explain import enlarge, grad_cam, mosaic, overlay
from explorer.models.resnet import resnet18


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return resnet18(6).eval().requires_grad_(False)


def cam_by_hooks(network, layer, x, target):
    """Grad-CAM as most programs compute it: with hooks on the layer."""
    kept = {}
    handles = [
        layer.register_forward_hook(lambda _m, _i, out: kept.update(maps=out)),
        layer.register_full_backward_hook(lambda _m, _i, out: kept.update(gradient=out[0])),
    ]
    network(x.clone().requires_grad_())[0, target].backward()
    for handle in handles:
        handle.remove()
    weights = kept["gradient"].mean(dim=(2, 3), keepdim=True)
    return (weights * kept["maps"]).sum(1).relu()[0].detach().numpy()


@pytest.mark.parametrize("layer", ["layer1.0", "layer3.1", "layer4.1"])
@pytest.mark.parametrize("target", [None, 0, 5])
def test_grad_cam_equals_the_version_with_hooks(network, layer, target):
    x = torch.randn(1, 3, 96, 96)
    look = grad_cam(network, x, layer, target)
    expected = cam_by_hooks(network, network.get_submodule(layer), x, look.target)
    np.testing.assert_allclose(look.cam, expected, rtol=1e-4, atol=1e-7)
    with torch.inference_mode():
        np.testing.assert_allclose(look.logits, network(x)[0].numpy(), rtol=1e-4, atol=1e-5)
    if target is None:
        assert look.target == look.logits.argmax()


def test_grad_cam_works_inside_inference_mode_and_leaves_nothing_behind(network):
    with torch.inference_mode():
        grad_cam(network, torch.randn(1, 3, 64, 64), "layer4.1")
    assert all(p.grad is None for p in network.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in network.modules())


def test_overlay_keeps_the_hottest_pixel_and_dims_the_coldest():
    pixels = np.full((4, 5, 3), 200, np.uint8)
    heat = np.zeros((4, 5), np.float32)
    heat[1, 2] = 3
    out = overlay(pixels, heat)
    assert (out[1, 2] == 200).all()
    assert (out[0, 0] < 100).all()


def test_enlarge_keeps_the_peak_in_place():
    cam = np.zeros((4, 4), np.float32)
    cam[1, 3] = 1
    big = enlarge(cam, 80, 40)
    assert big.shape == (40, 80)
    assert big.min() >= 0
    row, column = np.unravel_index(big.argmax(), big.shape)
    assert 10 <= row < 20
    assert column >= 60


def test_mosaic_places_each_kernel():
    weight = np.random.default_rng(0).normal(size=(10, 3, 5, 5)).astype(np.float32)
    picture = mosaic(weight, columns=4)
    assert picture.shape == (3 * 6 - 1, 4 * 6 - 1, 3)
    tile = picture[6:11, 12:17].astype(float)  # kernel 6: second row, third column
    expected = 127.5 + 127.5 * weight[6].transpose(1, 2, 0) / np.abs(weight[6]).max()
    assert np.abs(tile - expected).max() <= 0.5
    assert (picture[5] == 255).all()

"""Each part that can be stepped through gives, from the photo's own pass, what it gave in that pass."""

from __future__ import annotations

import pytest
import torch

from explorer import network_parts
from explorer.explain import pass_through
from explorer.models.alexnet import AlexNet, AlexNetConfig
from explorer.models.googlenet import GoogLeNet, GoogLeNetConfig
from explorer.models.resnet import ResNet, ResNetConfig
from explorer.models.swin import SwinConfig, SwinTransformer
from explorer.models.vgg import Vgg, VggConfig
from explorer.models.vit import VisionTransformer, VitConfig
from explorer.network_parts import HEAD, part, parts, trace_part
from tests.reference.twins import randomise

NETWORKS = {
    "resnet": (ResNet(ResNetConfig((1, 2, 1, 1), width=8, classes=5)), 64),
    "bottleneck": (ResNet(ResNetConfig((1, 1, 1, 1), bottleneck=True, width=8, classes=5)), 64),
    "googlenet": (GoogLeNet(GoogLeNetConfig(classes=5)), 64),
    "alexnet": (AlexNet(AlexNetConfig((8, 8, 8, 8, 8), 16, 5)), 96),
    "vgg": (Vgg(VggConfig((1, 2, 1, 1, 1), (4, 8, 8, 8, 8), hidden=16, classes=5)), 64),
    "vit": (VisionTransformer(VitConfig(32, 8, layers=2, heads=2, width=8, d_ff=16, classes=5, distilled=True)), 32),
    "swin": (SwinTransformer(SwinConfig(width=8, blocks=(2, 1), heads=(2, 2), window=4, classes=5)), 64),
}


@pytest.fixture(scope="module", params=NETWORKS)
def one(request):
    network, side = NETWORKS[request.param]
    torch.manual_seed(0)
    with torch.no_grad():
        randomise(network)
    return pass_through(network.eval().requires_grad_(False), torch.randn(1, 3, side, side))


def test_every_part_gives_what_it_gave_in_the_pass(one):
    names = parts(one.network)
    assert names[-1] == HEAD
    assert len(names) > 1
    for name in names:
        this = part(one, name)
        steps = trace_part(this)
        assert steps.left_out == ()
        assert steps.steps[steps.first(this.start)].op == this.start
        expected = one.logits if name == HEAD else one.maps[name]
        result = steps.result[0] if isinstance(steps.result, tuple) else steps.result
        assert not result.requires_grad
        if this.cut == "class token":
            expected = expected[:, :1]
        elif this.cut == "whole window":
            top, left = ((side // 4) // 2 * 4 for side in expected.shape[1:3])
            expected = expected[:, top : top + 4, left : left + 4]
        else:
            assert this.cut == ""
        torch.testing.assert_close(result, expected.detach(), rtol=1e-4, atol=1e-4)


def test_of_a_large_map_a_window_is_taken_which_is_right_inside(monkeypatch):
    monkeypatch.setattr(network_parts, "MOST", 8 * 12 * 12)
    network, side = NETWORKS["resnet"]
    whole = pass_through(network.eval().requires_grad_(False), torch.randn(1, 3, side, side))
    this = part(whole, "layer1.0")
    assert this.cut == "window"
    assert this.inputs[0].shape == (1, 8, 12, 12)
    result = trace_part(this).result
    # Two 3 × 3 convolutions: the outermost two rows and columns see the window's border.
    torch.testing.assert_close(result[..., 2:-2, 2:-2], whole.maps["layer1.0"].detach()[..., 4:-4, 4:-4])


def test_a_network_without_maps_has_no_parts():
    assert parts(torch.nn.Identity()) == []

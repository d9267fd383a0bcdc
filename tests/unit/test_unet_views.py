from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from explorer import unet_views as views
from explorer.models.fcn import fcn_resnet50
from explorer.models.unet import UNet, UNetConfig


@pytest.fixture(scope="module")
def unet() -> UNet:
    torch.manual_seed(0)
    network = UNet(UNetConfig(3, width=4, depth=3)).eval().requires_grad_(False)
    for name, one in network.named_parameters():
        if "bn" in name and name.endswith("bias"):
            one.uniform_(0.2, 0.5)  # so that no ReLU is dead
    return network


@pytest.fixture(scope="module")
def maps(unet: UNet) -> dict[str, np.ndarray]:
    x = torch.randn(1, 3, 32, 48, generator=torch.Generator().manual_seed(1))
    return {name: one[0].numpy() for name, one in unet.maps(x).items()}


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_cell_sees_as_far_as_the_gradient_reaches(depth, monkeypatch):
    """With positive weights and no ReLU in the way, every input pixel that a cell can see has a gradient."""
    network = UNet(UNetConfig(2, width=2, depth=depth)).eval().double()
    for parameter in network.parameters():
        parameter.data.abs_().add_(0.01)
    side = 2 ** (depth + 5)
    told = views.fields(depth)
    # Max pooling passes the gradient to one cell of four; a mean passes it to all that the window sees.
    monkeypatch.setattr(F, "max_pool2d", F.avg_pool2d)
    for name in told:
        spans = []
        for cell in range(2**depth):  # cells see unequally much
            x = torch.rand(1, 3, side, 2**depth, dtype=torch.float64, requires_grad=True)
            one = network.maps(x)[name]
            one[0, :, one.shape[2] // 2 + cell, 0].sum().backward()
            assert x.grad is not None
            rows = x.grad.abs().sum((0, 1, 3)).nonzero().ravel()
            spans.append(int(rows[-1] - rows[0]) + 1)
        assert max(spans) == told[name], name


def test_levels_say_their_shapes(maps):
    found = views.levels(maps, 3)
    assert list(found) == [*(f"encoder.{k}" for k in range(3)), "bottom", *(f"decoder.{k}" for k in (2, 1, 0))]
    assert (found["bottom"].channels, found["bottom"].rows, found["bottom"].columns) == (32, 4, 6)
    assert found["encoder.0"].field == 5


def test_the_strongest_channels_come_first(maps):
    one = maps["encoder.1"]
    order = views.strongest(one, 3)
    means = one.mean((1, 2))
    assert len(set(order)) == 3
    assert means[order].tolist() == sorted(means.tolist(), reverse=True)[:3]


def test_a_pixels_logits_are_the_heads(unet, maps):
    expected = unet.head(torch.from_numpy(maps["decoder.0"])[None])[0, :, 20, 33]
    found = views.pixel_logits(unet, maps, 20, 33)
    np.testing.assert_allclose(found.logits, expected, atol=1e-5)
    assert (found.features.shape, found.weight.shape, found.bias.shape) == ((4,), (3, 4), (3,))


@pytest.mark.parametrize("level", [0, 2])
def test_a_window_of_the_decoder_gives_what_the_whole_map_has_inside(unet, maps, level):
    steps = views.decoder_steps(unet, maps, level, (2, 3))
    assert [step.op for step in steps.steps][:2] == ["conv_transpose2d", "cat"]
    assert steps.steps[-1].op == "relu"
    below = maps["bottom" if level == 2 else f"decoder.{level + 1}"]
    top, left, side = views.window_at(below.shape, 2, 3)
    whole = maps[f"decoder.{level}"][:, 2 * top : 2 * (top + side), 2 * left : 2 * (left + side)]
    # Two cells from the window's border the convolutions have not met it.
    np.testing.assert_allclose(steps.result[0, :, 2:-2, 2:-2], whole[:, 2:-2, 2:-2], atol=1e-4)


def test_a_cut_skip_is_zeros_in_the_steps(unet, maps):
    joined = views.decoder_steps(unet, maps, 1, (0, 0), cut=True).steps[1].output
    assert not joined[:, :8].any()
    assert joined[:, 8:].any()


@pytest.mark.parametrize(("row", "column"), [(0, 0), (99, 99), (5, 0)])
def test_windows_stay_inside(row, column):
    top, left, side = views.window_at((3, 10, 20), row, column)
    assert side == views.WINDOW
    assert 0 <= top <= 10 - side
    assert 0 <= left <= 20 - side


def test_only_levels_with_few_weights_can_be_stepped_through(unet):
    assert views.steppable(unet) == [0, 1, 2]
    assert views.steppable(UNet(UNetConfig(11, width=24, depth=4))) == [0, 1]
    assert views.steppable(UNet(UNetConfig(2, width=64, depth=1))) == [0]


def test_outlines_of_the_two_kinds(unet, maps):
    ours = views.unet_outline(unet, maps)
    assert (ours.input, ours.coarsest, ours.last) == ((32, 48), (4, 6), (32, 48))
    assert ours.parameters == sum(p.numel() for p in unet.parameters())
    theirs = views.fcn_outline(480, 640, 520)
    assert theirs.input == (520, 693)
    assert theirs.coarsest == theirs.last == (65, 87)
    with torch.device("meta"):
        network = fcn_resnet50()
    assert theirs.parameters == sum(p.numel() for name, p in network.named_parameters() if not name.startswith("aux"))

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.explain import grad_cam
from explorer.models import swin
from explorer.models.swin import SwinConfig, SwinTransformer, from_windows, to_windows
from tests.reference.twins import assert_equal_logits, assert_same_layout, twins


@cache
def pair(window: int) -> tuple[nn.Module, nn.Module]:
    config = SwinConfig(width=8, blocks=(2, 2, 1), heads=(1, 2, 4), window=window, classes=7)
    reference = torchvision.models.SwinTransformer(
        [4, 4], 8, [2, 2, 1], [1, 2, 4], [window, window], stochastic_depth_prob=0.0, num_classes=7
    )
    return twins(SwinTransformer(config), reference)


@settings(max_examples=30, deadline=None)
@given(window=st.integers(2, 5), height=st.integers(16, 90), width=st.integers(16, 90), batch=st.integers(1, 3))
def test_any_size_equals_torchvision(window, height, width, batch):
    assert_equal_logits(*pair(window), torch.randn(batch, 3, height, width))


@pytest.mark.parametrize("size", [(224, 224), (100, 132)])
def test_real_size_equals_torchvision(size):
    assert_equal_logits(*real(), torch.randn(1, 3, *size))


@cache
def real() -> tuple[nn.Module, nn.Module]:
    return twins(swin.swin_t(10), torchvision.models.swin_t(num_classes=10))


@pytest.mark.parametrize("name", ["swin_t", "swin_s", "swin_b"])
def test_layout_is_torchvisions(name):
    with torch.device("meta"):
        assert_same_layout(getattr(swin, name)(), getattr(torchvision.models, name)())


def test_maps_are_what_torchvision_computes_on_the_way():
    ours, reference = pair(3)
    x = torch.randn(2, 3, 60, 44)
    output = ours.read(x)
    assert list(output.maps) == ours.blocks()
    expected = [x := reference.features[0](x)]
    for number in range(1, 6):
        if number % 2:
            expected += [x := block(x) for block in reference.features[number]]
        else:
            x = reference.features[number](x)
    torch.testing.assert_close(list(output.maps.values()), expected, rtol=1e-4, atol=1e-4)
    assert output.maps["stage1.0"].shape == (2, 15, 11, 8)
    assert output.maps["stage2.1"].shape == (2, 8, 6, 16)
    # 15 × 11 patches are padded to 15 × 12, 5 × 4 windows of 3 × 3
    assert output.attention["stage1.1"].shape == (2, 20, 1, 9, 9)
    torch.testing.assert_close(output.attention["stage1.1"].sum(-1), torch.ones(2, 20, 1, 9))


@given(rows=st.integers(1, 4), columns=st.integers(1, 4), window=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_windows_are_undone(rows, columns, window):
    x = torch.randn(2, rows * window, columns * window, 3)
    windows = to_windows(x, window)
    assert windows.shape == (2, rows * columns, window**2, 3)
    assert torch.equal(windows[:, 0, : min(window, 2)], x[:, 0, : min(window, 2)])
    assert torch.equal(from_windows(windows, window, x.shape[1:3]), x)


def test_relative_positions_are_torchvisions():
    ours, reference = pair(4)
    assert torch.equal(
        ours.features["1"][0].attn.relative_position_index, reference.features[1][0].attn.relative_position_index
    )


def test_grad_cam_of_windows():
    ours, _reference = pair(3)
    x = torch.randn(1, 3, 48, 48)
    look = grad_cam(ours, x, "stage2.1", target=2)
    last = ours.maps(x)["stage2.1"].detach().requires_grad_()
    after, _ = ours.features["5"][0](ours.features["4"](last))
    ours.logits(after)[0, 2].backward()
    weights = last.grad[0].mean((0, 1))
    np.testing.assert_allclose(look.cam, (last.detach()[0] @ weights).relu().numpy(), rtol=1e-4, atol=1e-6)

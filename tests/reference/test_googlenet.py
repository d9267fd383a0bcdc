from __future__ import annotations

from functools import cache

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.models.googlenet import INCEPTIONS, GoogLeNet, GoogLeNetConfig, googlenet
from tests.reference.twins import assert_equal_logits, assert_same_layout, twins


@cache
def pair(auxiliary: bool, half_range: bool) -> tuple[nn.Module, nn.Module]:
    reference = torchvision.models.GoogLeNet(7, auxiliary, transform_input=half_range, init_weights=False)
    return twins(GoogLeNet(GoogLeNetConfig(auxiliary, half_range, classes=7)), reference)


@settings(max_examples=12, deadline=None)
@given(half_range=st.booleans(), height=st.integers(15, 80), width=st.integers(15, 80), batch=st.integers(1, 3))
def test_any_size_equals_torchvision(half_range, height, width, batch):
    assert_equal_logits(*pair(half_range, half_range), torch.randn(batch, 3, height, width))


def test_real_size_equals_torchvision():
    assert_equal_logits(*pair(True, True), torch.randn(1, 3, 224, 224))


def test_layout_is_the_official_checkpoints():
    with torch.device("meta"):
        assert_same_layout(googlenet(), torchvision.models.GoogLeNet(aux_logits=True, init_weights=False))


def test_maps_and_branches_have_the_papers_shapes():
    ours, reference = pair(True, True)
    maps = ours.maps(torch.randn(1, 3, 224, 224))
    assert list(maps) == ours.blocks()
    assert [m.shape[1:] for m in maps.values()] == [
        (64, 112, 112), (64, 56, 56), (192, 56, 56), (256, 28, 28), (480, 28, 28), (512, 14, 14), (512, 14, 14),
        (512, 14, 14), (528, 14, 14), (832, 14, 14), (832, 7, 7), (1024, 7, 7),
    ]  # fmt: skip
    branches = ours.inception4b.branches(maps["inception4a"])
    expected = reference.inception4b._forward(maps["inception4a"])
    assert [b.shape[1] for b in branches] == [160, 224, 64, 64]
    torch.testing.assert_close(list(branches), expected, rtol=1e-4, atol=1e-4)


def test_auxiliary_heads_equal_torchvisions():
    ours, reference = pair(True, True)
    maps = ours.maps(torch.randn(2, 3, 96, 96))
    first, second = ours.auxiliary(maps)
    torch.testing.assert_close(first, reference.aux1(maps["inception4a"]), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(second, reference.aux2(maps["inception4d"]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "channels"), [("3a", 256), ("4d", 528), ("5b", 1024)])
def test_channels_of_the_branches_add_up(name, channels):
    assert INCEPTIONS[name].channels == channels

from __future__ import annotations

from functools import cache

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.models.alexnet import AlexNet, AlexNetConfig, alexnet
from tests.reference.twins import assert_equal_logits, assert_same_layout, twins


@cache
def small() -> tuple[nn.Module, nn.Module]:
    """A narrow network, and torchvision's cut down to the same widths."""
    config = AlexNetConfig(channels=(8, 12, 10, 6, 5), hidden=16, classes=7)
    with torch.device("meta"):
        reference = torchvision.models.AlexNet(num_classes=7)
    channels = (3, *config.channels)
    for place, (number, kernel, stride, padding) in enumerate(
        [(0, 11, 4, 2), (3, 5, 1, 2), (6, 3, 1, 1), (8, 3, 1, 1), (10, 3, 1, 1)]
    ):
        reference.features[number] = nn.Conv2d(
            channels[place], channels[place + 1], kernel, stride=stride, padding=padding
        )
    for number, (inputs, outputs) in {1: (180, 16), 4: (16, 16), 6: (16, 7)}.items():
        reference.classifier[number] = nn.Linear(inputs, outputs)
    return twins(AlexNet(config), reference)


@settings(max_examples=15, deadline=None)
@given(height=st.integers(63, 150), width=st.integers(63, 150), batch=st.integers(1, 3))
def test_any_size_equals_torchvision(height, width, batch):
    assert_equal_logits(*small(), torch.randn(batch, 3, height, width))


def test_real_size_equals_torchvision():
    assert_equal_logits(*twins(alexnet(10), torchvision.models.alexnet(num_classes=10)), torch.randn(1, 3, 224, 224))


def test_layout_is_torchvisions():
    with torch.device("meta"):
        assert_same_layout(alexnet(), torchvision.models.alexnet())


def test_maps_are_what_torchvision_computes_on_the_way():
    ours, reference = small()
    x = torch.randn(1, 3, 224, 224)
    maps = ours.maps(x)
    assert list(maps) == ours.blocks() == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert [m.shape[1:] for m in maps.values()] == [(8, 55, 55), (12, 27, 27), (10, 13, 13), (6, 13, 13), (5, 13, 13)]
    for name, relu in zip(maps, (1, 4, 7, 9, 11), strict=True):
        torch.testing.assert_close(maps[name], reference.features[: relu + 1](x), rtol=1e-4, atol=1e-4)


def test_half_of_the_hidden_values_are_dropped_in_training():
    ours, _reference = small()
    last = ours.maps(torch.randn(1, 3, 64, 64))["conv5"]
    try:
        ours.train()
        assert not torch.equal(ours.logits(last), ours.logits(last))
    finally:
        ours.eval()
    assert torch.equal(ours.logits(last), ours.logits(last))


def test_too_small_a_photo_is_refused():
    with pytest.raises(RuntimeError):
        small()[0](torch.zeros(1, 3, 62, 63))

from __future__ import annotations

from functools import cache

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models.vgg import VGG, make_layers

from explorer.models import vgg
from explorer.models.vgg import Vgg, VggConfig
from tests.reference.twins import assert_equal_logits, assert_same_layout, twins


@cache
def small(batch_norm: bool) -> tuple[nn.Module, nn.Module]:
    """A narrow network, and torchvision's of the same widths."""
    blocks, channels, hidden = (1, 2, 1, 3, 2), (4, 6, 8, 8, 10), 16
    layout = [item for count, width in zip(blocks, channels, strict=True) for item in [*[width] * count, "M"]]
    with torch.device("meta"):
        reference = VGG(nn.Sequential(), num_classes=7)
    reference.features = make_layers(layout, batch_norm)
    for number, (inputs, outputs) in {0: (490, hidden), 3: (hidden, hidden), 6: (hidden, 7)}.items():
        reference.classifier[number] = nn.Linear(inputs, outputs)
    return twins(Vgg(VggConfig(blocks, channels, batch_norm, hidden, classes=7)), reference)


@settings(max_examples=20, deadline=None)
@given(batch_norm=st.booleans(), height=st.integers(32, 100), width=st.integers(32, 100), batch=st.integers(1, 3))
def test_any_size_equals_torchvision(batch_norm, height, width, batch):
    assert_equal_logits(*small(batch_norm), torch.randn(batch, 3, height, width))


def test_real_size_equals_torchvision():
    reference = torchvision.models.vgg11(num_classes=10, init_weights=False)
    assert_equal_logits(*twins(vgg.vgg11(10), reference), torch.randn(1, 3, 112, 112))


@pytest.mark.parametrize("name", ["vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"])
def test_layout_is_torchvisions(name):
    with torch.device("meta"):
        assert_same_layout(getattr(vgg, name)(), getattr(torchvision.models, name)())


@pytest.mark.parametrize("batch_norm", [False, True])
def test_maps_are_what_torchvision_computes_on_the_way(batch_norm):
    ours, reference = small(batch_norm)
    x = torch.randn(1, 3, 64, 48)
    maps = ours.maps(x)
    assert list(maps) == ours.blocks()
    assert list(maps)[:3] == ["conv1_1", "conv2_1", "conv2_2"]
    expected = []
    for module in reference.features:
        x = module(x)
        if isinstance(module, nn.ReLU):
            expected.append(x)
    torch.testing.assert_close(list(maps.values()), expected, rtol=1e-4, atol=1e-4)
    assert maps["conv3_1"].shape == (1, 8, 16, 12)
    assert maps["conv5_2"].shape == (1, 10, 4, 3)

from __future__ import annotations

import copy
from functools import cache

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.models import resnet

DEPTHS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


@cache
def pair(name: str, classes: int = 1000):
    """Ours and torchvision's network in evaluation mode, with the same random state, statistics of the norms included."""
    torch.manual_seed(0)
    reference = getattr(torchvision.models, name)(num_classes=classes).eval()
    for module in reference.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.normal_(module.weight, 1, 0.1)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    ours = getattr(resnet, name)(classes).eval()
    ours.load_state_dict(reference.state_dict(), strict=True)
    return ours, reference


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_logits_equal_torchvision(name):
    ours, reference = pair(name)
    x = torch.randn(2, 3, 96, 80)
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), reference(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", DEPTHS)
def test_parameter_names_and_shapes_are_torchvisions(name):
    with torch.device("meta"):
        ours = {k: v.shape for k, v in getattr(resnet, name)().state_dict().items()}
        reference = {k: v.shape for k, v in getattr(torchvision.models, name)().state_dict().items()}
    assert ours == reference


@settings(max_examples=10, deadline=None)
@given(height=st.integers(32, 80), width=st.integers(32, 80), batch=st.integers(1, 2))
def test_any_size_equals_torchvision(height, width, batch):
    ours, reference = pair("resnet18", 7)
    x = torch.randn(batch, 3, height, width)
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), reference(x), rtol=1e-4, atol=1e-4)


def test_gradients_equal_torchvision_in_training_mode():
    ours, reference = (copy.deepcopy(network) for network in pair("resnet18", 7))
    x = torch.randn(3, 3, 64, 64)
    for network in (ours, reference):
        network.train()
        network(x).square().sum().backward()
    for (name, p), (_, q) in zip(ours.named_parameters(), reference.named_parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-3, atol=1e-3 * q.grad.abs().max().item(), msg=name)


def test_maps_name_every_block():
    with torch.inference_mode():
        network = resnet.resnet18(10).eval()
        maps = network.maps(torch.zeros(1, 3, 64, 64))
    blocks = [f"layer{stage}.{block}" for stage in range(1, 5) for block in range(2)]
    assert list(maps) == ["stem", *blocks] == network.blocks()
    assert [tuple(m.shape[1:]) for m in maps.values()] == [
        (64, 16, 16), (64, 16, 16), (64, 16, 16), (128, 8, 8), (128, 8, 8), (256, 4, 4), (256, 4, 4), (512, 2, 2), (512, 2, 2),
    ]  # fmt: skip

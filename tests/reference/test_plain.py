"""Deep networks with shortcuts and without, against torchvision's blocks and against the layers one by one."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models.resnet import BasicBlock

from explorer.models.plain import DEPTHS, WIDTHS, Block, SmallNetwork


class Subsampled(nn.Module):
    """Option A of He et al. 2016: torchvision has no module for it."""

    def __init__(self, stride: int, added: int):
        super().__init__()
        self.stride, self.added = stride, added

    def forward(self, x):
        x = F.avg_pool2d(x, 1, self.stride)
        return torch.cat([x, x.new_zeros(len(x), self.added, *x.shape[2:])], dim=1)


@settings(max_examples=30, deadline=None)
@given(
    channels=st.sampled_from([4, 8]),
    factor=st.sampled_from([1, 2]),
    stride=st.sampled_from([1, 2]),
    side=st.integers(3, 9),
    training=st.booleans(),
    seed=st.integers(0, 999),
)
def test_a_block_with_its_shortcut_is_torchvisions(channels, factor, stride, side, training, seed):
    torch.manual_seed(seed)
    ours = Block(channels, channels * factor, stride, shortcut=True, normalised=True).train(training)
    theirs = BasicBlock(channels, channels * factor, stride, Subsampled(stride, channels * (factor - 1))).train(
        training
    )
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, channels, side, side)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("depth", DEPTHS[:3])
def test_the_plain_network_is_its_layers_one_after_the_other(depth, normalised):
    torch.manual_seed(depth)
    network = SmallNetwork(depth, shortcut=False, normalised=normalised)
    layers: list[nn.Module] = [network.conv1, network.bn1, nn.ReLU()]
    for block in network.blocks:
        layers += [block.conv1, block.bn1, nn.ReLU(), block.conv2, block.bn2, nn.ReLU()]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), network.fc]
    convolutions = sum(isinstance(layer, nn.Conv2d) for layer in layers)
    assert convolutions + 1 == depth
    x = torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(network(x), nn.Sequential(*layers)(x), atol=1e-5, rtol=1e-5)


def test_a_shortcut_costs_no_parameter_and_the_widths_are_those_of_the_paper():
    sizes = [sum(p.numel() for p in SmallNetwork(20, shortcut, True).parameters()) for shortcut in (True, False)]
    assert sizes[0] == sizes[1]
    assert round(sizes[0] / 1e6, 2) == 0.27  # He et al. 2016, table 6
    assert [block.conv2.out_channels for block in SmallNetwork(8, True, True).blocks] == list(WIDTHS)


@pytest.mark.parametrize("depth", [0, 9, 57])
def test_another_depth_is_refused(depth):
    with pytest.raises(ValueError, match="6n"):
        SmallNetwork(depth, True, True)

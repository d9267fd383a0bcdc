"""U-Net against one assembled here of torch.nn's layers, wired after figure 1 of the paper."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.models.unet import UNet, UNetConfig


def double(i: int, o: int) -> nn.Sequential:
    """conv, norm, relu, twice; in the order of our state dict."""
    return nn.Sequential(
        nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
        nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
    )  # fmt: skip


class Recursive(nn.Module):
    """A level of the U with all that is below it inside."""

    def __init__(self, i: int, width: int, levels: int):
        super().__init__()
        self.down = double(i, width)
        self.below = None
        if levels:
            self.below = Recursive(width, 2 * width, levels - 1)
            self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
            self.join = double(2 * width, width)

    def forward(self, x):
        skip = self.down(x)
        if self.below is None:
            return skip
        return self.join(torch.cat([skip, self.up(self.below(nn.functional.max_pool2d(skip, 2)))], 1))

    def levels(self) -> list[Recursive]:
        return [self] if self.below is None else [self, *self.below.levels()]


def pair(width: int, depth: int, classes: int):
    torch.manual_seed(width + depth)
    ours = UNet(UNetConfig(classes, width, depth)).eval()
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.normal_(module.weight, 1, 0.1)
            nn.init.normal_(module.bias, 0, 0.1)
    theirs, head = Recursive(3, width, depth).eval(), nn.Conv2d(width, classes, 1)
    parts = theirs.levels()
    for level in range(depth):
        copy(ours.encoder[level], parts[level].down)
        copy(ours.up[level], parts[level].up)
        copy(ours.decoder[level], parts[level].join)
    copy(ours.bottom, parts[depth].down)
    copy(ours.head, head)
    return ours, nn.Sequential(theirs, head).eval()


def copy(source: nn.Module, target: nn.Module) -> None:
    state = dict(zip(target.state_dict(), source.state_dict().values(), strict=True))
    target.load_state_dict(state)


@settings(max_examples=12)
@given(
    width=st.integers(1, 5),
    depth=st.integers(1, 4),
    classes=st.integers(1, 4),
    height=st.integers(1, 3),
    across=st.integers(1, 3),
)
def test_equals_a_recursive_one_of_torchs_layers(width, depth, classes, height, across):
    ours, theirs = pair(width, depth, classes)
    x = torch.randn(2, 3, height * 2**depth, across * 2**depth)
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


def test_the_papers_size():
    with torch.device("meta"):
        network = UNet(UNetConfig(2))
    assert network.bottom.conv2.weight.shape == (1024, 1024, 3, 3)
    assert 31.0e6 < sum(p.numel() for p in network.parameters()) < 31.1e6  # "31 million", as is often quoted


def test_maps_are_named_and_sized_by_level():
    ours, _ = pair(4, 3, 2)
    with torch.inference_mode():
        maps = ours.maps(torch.randn(1, 3, 16, 24))
    assert {name: tuple(m.shape[1:]) for name, m in maps.items()} == {
        "encoder.0": (4, 16, 24), "encoder.1": (8, 8, 12), "encoder.2": (16, 4, 6), "bottom": (32, 2, 3),
        "decoder.2": (16, 4, 6), "decoder.1": (8, 8, 12), "decoder.0": (4, 16, 24),
    }  # fmt: skip
    assert list(maps) == [*(f"encoder.{i}" for i in range(3)), "bottom", *(f"decoder.{i}" for i in (2, 1, 0))]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_cut_skip_connection_carries_nothing(level):
    """As if the decoder's weights of the skipped half were zero; the other levels' maps of the encoder stay."""
    ours, _ = pair(4, 3, 2)
    x = torch.randn(1, 3, 16, 16)
    with torch.inference_mode():
        whole, cut = ours.maps(x), ours.maps(x, cut=[level])
        assert all(torch.equal(whole[name], cut[name]) for name in whole if "decoder" not in name)
        assert not torch.allclose(whole[f"decoder.{level}"], cut[f"decoder.{level}"])
        ours.decoder[level].conv1.weight[:, : ours.encoder[level].conv1.out_channels] = 0
        torch.testing.assert_close(ours.maps(x)["decoder.0"], cut["decoder.0"])

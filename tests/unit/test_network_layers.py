from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import get_model

from explorer.models.alexnet import alexnet
from explorer.models.googlenet import googlenet
from explorer.models.resnet import ResNet, ResNetConfig, resnet18
from explorer.models.swin import swin_t
from explorer.models.vgg import Vgg, VggConfig
from explorer.models.vit import vit_b_16, vit_small_96
from explorer.network_layers import layer_facts, map_fields, total_macs
from explorer.shapes import Layer, conv_macs, conv_parameters, receptive_field
from pretrained import catalog
from pretrained.classification import BUILDERS
from pretrained.records import ImageClassifier

OFFICIAL = [model for model in catalog.models(ImageClassifier) if model.source == "torchvision"]


def photo(side: int = 224) -> torch.Tensor:
    return torch.zeros(1, 3, side, side)


def flops(network: nn.Module, x: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(x)
    return counter.get_total_flops()


@pytest.mark.parametrize(
    "build", [resnet18, alexnet, googlenet, vit_b_16, swin_t, BUILDERS["vgg11"]], ids=lambda build: build.__name__
)
def test_macs_are_half_of_torchs_flops(build):
    with torch.device("meta"):
        network = build(10).eval()
        assert 2 * total_macs(network, photo()) == flops(network, photo()) > 1e9


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "convnext_tiny", "densenet121", "swin_v2_t", "vit_b_32"])
def test_macs_of_torchvisions_own_networks(name):
    with torch.device("meta"):
        network = get_model(name, weights=None).eval()
        assert 2 * total_macs(network, photo()) == flops(network, photo()) > 1e8


@pytest.mark.parametrize("model", OFFICIAL, ids=lambda model: model.key)
def test_macs_are_what_torchvision_publishes(model):
    with torch.device("meta"):
        layers = layer_facts(BUILDERS[model.architecture](1000).eval(), photo(model.input_size))
    # Of attention torchvision counts only a part: for some networks its linear layers, for others its products too.
    published = catalog.published(model).gmacs
    macs = sum(layer.macs for layer in layers if not layer.kind.endswith("Attention")) / 1e9
    attention = sum(layer.macs for layer in layers if layer.kind.endswith("Attention")) / 1e9
    assert macs - 0.001 <= published <= macs + attention + 0.001


def test_a_transposed_and_a_grouped_convolution():
    network = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2), nn.ConvTranspose2d(6, 5, 2, stride=2))
    first, second = layer_facts(network, torch.zeros(2, 4, 8, 7))
    assert (first.parameters, first.macs) == (conv_parameters(4, 6, (3, 3), 2), 2 * conv_macs(4, 6, (3, 3), (6, 5), 2))
    assert (second.parameters, second.macs) == (conv_parameters(6, 5, (2, 2)), 2 * conv_macs(6, 5, (2, 2), (6, 5)))
    assert first.output == (2, 6, 6, 5)
    assert second.output == (2, 5, 12, 10)


def test_every_parameter_is_counted_once():
    with torch.device("meta"):
        for build in (resnet18, alexnet, googlenet, swin_t):
            network = build().eval()
            total = sum(p.numel() for name, p in network.named_parameters() if not name.startswith("aux"))
            assert sum(layer.parameters for layer in layer_facts(network, photo())) == total


def test_layers_come_in_order_and_leave_no_hook():
    with torch.device("meta"):
        network = resnet18().eval()
        layers = layer_facts(network, photo())
    assert [layer.name for layer in layers][:4] == ["conv1", "bn1", "layer1.0.conv1", "layer1.0.bn1"]
    assert (layers[0].kind, layers[0].output, layers[0].parameters) == ("Conv2d", (1, 64, 112, 112), 9408)
    assert layers[0].macs == 64 * 3 * 49 * 112 * 112
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_the_products_of_attention_belong_to_it():
    with torch.device("meta"):
        layers = {layer.name: layer for layer in layer_facts(vit_small_96(), photo(96))}
    attention = layers["encoder.layers.encoder_layer_0.self_attention"]
    assert attention.parameters == 3 * 256 * 256 + 3 * 256
    assert attention.macs == 146 * 256 * 3 * 256 + 2 * 146 * 146 * 256
    assert layers["encoder.layers.encoder_layer_0.self_attention.out_proj"].macs == 146 * 256 * 256


def positive(network: nn.Module) -> nn.Module:
    """Weights above zero, so that nothing that a cell sees cancels out."""
    for p in network.parameters():
        nn.init.uniform_(p, 0.01, 0.02)
    return network.eval()


def seen(network: nn.Module, name: str, x: torch.Tensor, row: int, column: int) -> tuple[int, int, int, int]:
    """First and last row, first and last column of the photo on which this cell of the map depends, by its gradient."""
    x = x.clone().requires_grad_()
    network.maps(x)[name][0, :, row, column].sum().backward()
    rows, columns = x.grad[0].abs().sum(0).nonzero().unbind(1)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


@pytest.mark.parametrize(
    ("network", "x"),
    [
        (alexnet(3), torch.rand(1, 3, 180, 150)),
        (ResNet(ResNetConfig(width=4, classes=3)), torch.rand(1, 3, 160, 128)),
        (ResNet(ResNetConfig(bottleneck=True, width=4, classes=3)), torch.rand(1, 3, 96, 128)),
        (Vgg(VggConfig((1, 2, 1, 1, 1), (4, 4, 4, 4, 4), hidden=4, classes=3)), torch.rand(1, 3, 128, 96)),
    ],
    ids=["alexnet", "resnet", "bottleneck", "vgg"],
)
def test_receptive_fields_bound_the_gradients(network, x):
    network = positive(network)
    maps, fields = network.maps(x), map_fields(network, x)
    assert list(fields) == network.blocks()
    for name in (network.blocks()[0], network.blocks()[-1], network.blocks()[len(maps) // 2]):
        height, width = maps[name].shape[2:]
        row, column = height // 2, width // 3
        first_row, last_row, first_column, last_column = seen(network, name, x, row, column)
        down, across = fields[name]
        start, left = down.start + row * down.jump, across.start + column * across.jump
        # Of a maximum only the largest counts, so pooling may leave out the border; never is there more.
        slack = 0 if name == network.blocks()[0] and not isinstance(network, ResNet) else down.size
        assert 0 <= first_row - max(start, 0) <= slack
        assert 0 <= min(start + down.size, x.shape[2]) - 1 - last_row <= slack
        assert 0 <= first_column - max(left, 0) <= slack
        assert 0 <= min(left + across.size, x.shape[3]) - 1 - last_column <= slack


@settings(max_examples=20, deadline=None)
@given(
    layers=st.lists(
        st.builds(Layer, st.integers(1, 4), st.integers(1, 2), st.integers(0, 2), st.integers(1, 2)),
        min_size=1,
        max_size=4,
    )
)
def test_a_chain_of_convolutions_is_the_closed_form(layers):
    network = nn.Sequential(*(nn.Conv2d(3, 3, l.kernel, l.stride, l.padding, l.dilation) for l in layers))  # noqa: E741
    with torch.device("meta"):
        found = [facts.fields for facts in layer_facts(network.to("meta"), photo(120))]
    assert found == [(field, field) for field in receptive_field(layers)]


def test_branches_see_as_far_as_the_widest():
    with torch.device("meta"):
        network = googlenet().eval()
        fields = {layer.name: layer.fields for layer in layer_facts(network, photo())}
        maps = map_fields(network, photo())
    assert fields["inception3a.branch1.bn"][0].size == 27 < fields["inception3a.branch2.1.bn"][0].size == 43
    assert maps["inception3a"][0].size == 43
    assert maps["conv1"][0].size == 7
    assert maps["inception5b"][0].jump == 32
    assert fields["fc"] is None


def test_attention_sees_everything():
    with torch.device("meta"):
        fields = {layer.name: layer.fields for layer in layer_facts(vit_small_96(), photo(96))}
    assert fields["conv_proj"][0].size == fields["conv_proj"][0].jump == 8
    assert fields["encoder.layers.encoder_layer_0.mlp.3"] is None

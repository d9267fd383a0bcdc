"""What goes through a network's layers, seen without hooks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from explorer.layer_outputs import walk
from explorer.models.alexnet import AlexNet, AlexNetConfig
from explorer.models.googlenet import googlenet
from explorer.models.resnet import ResNet, ResNetConfig
from explorer.models.vgg import Vgg, VggConfig
from explorer.network_layers import layer_facts, map_fields

NETWORKS = {
    "resnet": (lambda: ResNet(ResNetConfig(width=8, classes=5)), 96),
    "bottleneck": (lambda: ResNet(ResNetConfig(bottleneck=True, width=4, classes=5)), 64),
    "googlenet": (lambda: googlenet(5), 64),
    "alexnet": (lambda: AlexNet(AlexNetConfig((8, 8, 12, 8, 8), hidden=16, classes=5)), 224),
    "vgg": (lambda: Vgg(VggConfig((1, 1, 2, 1, 1), (4, 4, 8, 8, 8), batch_norm=True, hidden=16, classes=5)), 224),
}


@pytest.fixture(scope="module", params=NETWORKS)
def walked(request):
    build, side = NETWORKS[request.param]
    torch.manual_seed(0)
    network = build().eval().requires_grad_(False)
    x = torch.randn(1, 3, side, side)
    return network, x, walk(network, x)


def test_the_outputs_are_the_networks_own(walked):
    network, x, found = walked
    maps = network.maps(x)
    for block, tensor in maps.items():
        last = [layer for layer in found.layers if layer.block == block][-1]
        assert torch.equal(last.output, tensor[0])
    assert torch.equal(found.logits, network(x)[0])
    assert torch.equal(found.layers[-1].output, found.logits)
    assert torch.equal(found.x, x[0])


def test_costs_and_fields_are_those_that_hooks_find(walked):
    network, x, found = walked
    facts = {layer.name: layer for layer in layer_facts(network, x)}
    assert sum(layer.macs for layer in found.layers) == sum(layer.macs for layer in facts.values()) > 0
    own = sum(p.numel() for name, p in network.named_parameters() if not name.startswith("aux"))
    assert sum(layer.parameters for layer in found.layers) == own
    modules = [layer for layer in found.layers if layer.parameters]
    assert len(modules) == sum(fact.parameters > 0 for fact in facts.values())
    for layer in modules:
        fact = facts[layer.name]
        assert (layer.parameters, layer.macs, layer.fields) == (fact.parameters, fact.macs, fact.fields)
        assert tuple(layer.output.shape) == fact.output[1:]
    jumps = {name: fields[1].jump for name, fields in map_fields(network, x).items()}
    assert found.jumps == jumps


def test_every_input_is_the_output_of_its_source(walked):
    _network, _x, found = walked
    for layer in found.layers:
        for x, source in zip(layer.inputs, layer.sources, strict=True):
            if source:
                assert torch.equal(x.flatten(), found[source].output.flatten())
    assert found.layers[0].sources == ("",)


def test_names_are_each_layers_own_and_weights_are_shared(walked):
    network, _x, found = walked
    assert len(set(found.names)) == len(found.names)
    for layer in found.layers:
        if layer.op == "conv2d":
            weight = network.get_submodule(layer.name).weight
            assert layer.weights["weight"].data_ptr() == weight.data_ptr()  # no copy


def test_nothing_is_left_on_the_network(walked):
    network, _x, _found = walked
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_names_of_what_is_no_module():
    found = walk(NETWORKS["resnet"][0]().eval(), torch.randn(1, 3, 64, 64))
    assert found.names[:12] == (
        "conv1", "bn1", "stem.relu", "stem.maxpool",
        "layer1.0.conv1", "layer1.0.bn1", "layer1.0.relu1", "layer1.0.conv2", "layer1.0.bn2", "layer1.0.add",
        "layer1.0.relu2", "layer1.1.conv1",
    )  # fmt: skip
    assert found.names[-2:] == ("head.avgpool", "fc")
    assert found["layer1.0.add"].sources == ("layer1.0.bn2", "stem.maxpool")
    assert found["layer2.0.add"].sources == ("layer2.0.bn2", "layer2.0.downsample.1")
    with pytest.raises(KeyError):
        found["layer9"]


def test_branches_have_names_of_their_own_and_meet_in_a_stack():
    found = walk(googlenet(3).eval(), torch.randn(1, 3, 64, 64))
    stack = found["inception3a.cat"]
    assert stack.sources == tuple(f"inception3a.branch{n}.relu" for n in ("1", "2.1", "3.1", "4.1"))
    assert found["inception3a.maxpool2"].sources == ("inception3a.maxpool1",)
    assert [x.shape[0] for x in stack.inputs] == [64, 128, 32, 32]
    # Pixels are brought into another range first: that is no layer.
    assert found.names[:3] == ("conv1.conv", "conv1.bn", "conv1.relu")


def test_two_visitors_walk_through_one_network_at_once():
    network = NETWORKS["resnet"][0]().eval().requires_grad_(False)
    photos = [torch.randn(1, 3, 96, 96) for _ in range(4)]
    alone = [walk(network, x) for x in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda x: walk(network, x), photos))
    for one, other in zip(alone, together, strict=True):
        assert one.names == other.names
        assert torch.equal(one.logits, other.logits)
        assert [layer.macs for layer in one.layers] == [layer.macs for layer in other.layers]

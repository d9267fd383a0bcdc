"""One cell at a time: computed anew it is the network's number, and it sees what is framed and nothing else."""

from __future__ import annotations

import pytest
import torch
from test_layer_outputs import NETWORKS

from explorer.layer_cells import (
    Window,
    cell_at,
    field_of,
    same_place,
    strongest_channels,
    strongest_place,
)
from explorer.layer_outputs import walk


@pytest.fixture(scope="module", params=NETWORKS)
def walked(request):
    build, side = NETWORKS[request.param]
    torch.manual_seed(1)
    network = build().eval().requires_grad_(False).double()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            module.weight.uniform_(-1.5, 1.5)
            module.bias.normal_()
    x = torch.randn(1, 3, side, side, dtype=torch.float64)
    return network, x, walk(network, x)


def places(layer, count, generator):
    """Corners, and some in between."""
    channels, rows, columns = layer.size
    random = [
        [int(torch.randint(n, (1,), generator=generator)) for n in (channels, rows, columns)] for _ in range(count)
    ]
    return [(0, 0, 0), (channels - 1, rows - 1, columns - 1), *map(tuple, random)]


def test_every_kind_of_cell_is_computed_anew(walked):
    _network, _x, found = walked
    generator = torch.Generator().manual_seed(0)
    for layer in found.layers:
        for place in places(layer, 3, generator):
            cell = cell_at(found, layer.name, place)
            assert cell.chain[-1] == layer.name
            assert float(cell.compute()) == pytest.approx(cell.value, rel=1e-9, abs=1e-9)
            channel, row, column = place
            at = layer.output[channel, row, column] if layer.output.ndim == 3 else layer.output[channel]
            assert cell.value == float(at)


def test_the_last_step_is_the_cell(walked):
    _network, _x, found = walked
    for layer in found.layers[:12]:
        cell = cell_at(found, layer.name, strongest_place(layer))
        steps = cell.steps()
        assert float(steps.steps[-1].output) == pytest.approx(cell.value, rel=1e-9, abs=1e-9)
        assert {step.file.rpartition("/")[2] for step in steps.steps} == {"cells.py"}
        assert steps.left_out == ()


def test_pixels_outside_the_field_change_nothing_and_those_inside_do(walked):
    network, x, found = walked
    generator = torch.Generator().manual_seed(2)
    weighted = [layer for layer in found.layers if layer.op in ("conv2d", "batch_norm", "add") and layer.fields]
    tried = 0
    for layer in weighted[:: max(len(weighted) // 6, 1)]:
        place = places(layer, 1, generator)[-1]
        cell = cell_at(found, layer.name, place)
        inside = cell.field.inside(*x.shape[2:])
        assert inside.height > 0
        assert inside.width > 0
        mask = torch.zeros(x.shape[2:], dtype=torch.bool)
        mask[inside.top : inside.top + inside.height, inside.left : inside.left + inside.width] = True
        noise = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        outside = walk(network, torch.where(mask, x, x + 5 * noise))[layer.name].output[place]
        assert float(outside) == pytest.approx(cell.value, rel=1e-9, abs=1e-9)
        within = walk(network, torch.where(mask, x + 5 * noise, x))[layer.name].output[place]
        assert abs(float(within) - cell.value) > 1e-6
        tried += not mask.all()
    assert tried >= 2


def test_a_layer_without_a_window_sees_everything(walked):
    _network, x, found = walked
    assert field_of(found.layers[-1], 0, 0, *x.shape[2:]) == Window(0, 0, *x.shape[2:])


def test_a_window_at_the_corner_reads_zeros_beyond_the_edge():
    build, _side = NETWORKS["resnet"]
    found = walk(build().eval(), torch.randn(1, 3, 64, 64))
    cell = cell_at(found, "conv1", (2, 0, 1))
    assert cell.window == cell.field == Window(-3, -1, 7, 7)
    assert cell.field.beyond(64, 64) == (3, 0, 1, 0)
    assert cell.field.inside(64, 64) == Window(0, 0, 4, 6)
    window = cell.arguments["window"]
    assert not window[:, :3].any()
    assert not window[:, :, :1].any()
    assert torch.equal(window[:, 3:, 1:], found.x[:, :4, :6])


def test_chains_go_back_to_the_window():
    build, _side = NETWORKS["resnet"]
    found = walk(build().eval(), torch.randn(1, 3, 64, 64))
    cell = cell_at(found, "layer2.0.relu2", (3, 1, 1))
    assert cell.chain == ("layer2.0.conv2", "layer2.0.bn2", "layer2.0.add", "layer2.0.relu2")
    assert cell_at(found, "stem.maxpool", (0, 2, 2)).chain == ("stem.maxpool",)
    assert [step.op for step in cell.steps().steps][-2:] == ["add", "relu"]


def test_groups_see_their_own_channels():
    class Grouped(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 6, 3, stride=2, padding=1, dilation=2, groups=3)
            self.fc = torch.nn.Linear(6, 2)

        def maps(self, x):
            return {"conv": self.conv(x)}

        def logits(self, x):
            return self.fc(torch.nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))

    found = walk(Grouped().eval(), torch.randn(1, 3, 17, 13))
    layer = found["conv"]
    for place in places(layer, 20, torch.Generator().manual_seed(0)):
        cell = cell_at(found, "conv", place)
        assert float(cell.compute().detach()) == pytest.approx(cell.value, abs=1e-5)
        assert cell.arguments["window"].shape == (1, 3, 3)


def test_the_strongest_channel_varies_most_and_its_largest_cell_is_chosen():
    build, _side = NETWORKS["resnet"]
    found = walk(build().eval(), torch.randn(1, 3, 64, 64))
    layer = found["stem.relu"]
    order = strongest_channels(layer)
    assert sorted(order) == list(range(8))
    spread = layer.output.flatten(1).std(1)
    assert order[0] == int(spread.argmax())
    channel, row, column = strongest_place(layer)
    assert channel == order[0]
    assert layer.output[channel, row, column] == layer.output[channel].max()
    assert strongest_place(found["fc"]) == (int(found.logits.argmax()), 0, 0)


@pytest.mark.parametrize(("before", "place", "after", "wanted"), [
    ("stem.relu", (0, 0, 0), "stem.maxpool", (0, 0)),
    ("stem.relu", (0, 31, 16), "stem.maxpool", (15, 8)),
    ("layer1.0.relu2", (0, 15, 7), "layer4.0.relu2", (1, 0)),
    ("layer4.0.relu2", (0, 1, 0), "layer1.0.relu2", (12, 4)),
])  # fmt: skip
def test_another_layer_keeps_the_place_on_the_photo(before, place, after, wanted):
    build, _side = NETWORKS["resnet"]
    found = walk(build().eval(), torch.randn(1, 3, 64, 64))
    channel, *at = same_place(found[before], place, found[after])
    assert tuple(at) == wanted
    assert found[after].output[channel, *at] == found[after].output[:, *at].max()

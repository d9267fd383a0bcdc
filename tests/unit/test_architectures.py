"""The networks that made history, counted."""

from __future__ import annotations

import pytest

from explorer.architectures import NETWORKS, SIDE, outline
from pretrained.catalog import get, published
from pretrained.records import ImageClassifier

DEPTHS = {
    "alexnet": 8,
    "vgg11": 11,
    "vgg16": 16,
    "vgg19": 19,
    "googlenet": 22,
    "resnet18": 18,
    "resnet34": 34,
    "resnet50": 50,
}
SIDES = {
    "alexnet": [55, 27, 13, 1],
    "vgg16": [224, 112, 56, 28, 14, 1],
    "googlenet": [112, 56, 28, 14, 7, 1],
    "resnet50": [112, 56, 28, 14, 7, 1],
    "vit_b_16": [14, 1],
    "swin_t": [56, 28, 14, 7, 1],
}
CHANNELS = {
    "alexnet": [64, 192, 256, 1000],
    "googlenet": [64, 192, 480, 832, 1024, 1000],
    "resnet50": [64, 256, 512, 1024, 2048, 1000],
    "swin_t": [96, 192, 384, 768, 1000],
}


@pytest.mark.parametrize(("key", "depth"), DEPTHS.items())
def test_the_depth_is_the_one_in_its_name(key, depth):
    assert outline(key).depth == depth


@pytest.mark.parametrize("key", NETWORKS)
def test_parameters_and_multiply_adds_are_those_that_torchvision_publishes(key):
    found, known = outline(key), published(get(NETWORKS[key].record, ImageClassifier))
    assert found.parameters == known.parameters
    assert found.macs / 1e9 == pytest.approx(known.gmacs, rel=0.01)
    assert sum(stage.macs for stage in found.stages) == found.macs


@pytest.mark.parametrize(("key", "sides"), SIDES.items())
def test_maps_get_smaller_from_stage_to_stage(key, sides):
    assert [stage.side for stage in outline(key).stages] == sides
    assert all(SIDE / side >= 1 for side in sides)


@pytest.mark.parametrize(("key", "channels"), CHANNELS.items())
def test_channels_are_those_of_the_last_map_of_a_stage(key, channels):
    assert [stage.channels for stage in outline(key).stages] == channels


def test_a_stage_says_what_it_consists_of():
    assert outline("vgg16").stages[2].counts == {"conv 3×3": 3}
    assert outline("resnet18").stages[2].counts == {"conv 3×3": 4, "conv 1×1": 1}  # the projection
    assert outline("vit_b_16").stages[0].counts == {"conv 16×16": 1, "self-attention": 12, "linear": 24}
    assert outline("swin_t").stages[1].counts == {
        "self-attention": 2,
        "linear": 5,
    }  # 4 of two blocks, and patch merging

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.components.layer_strip import Column, encode
from explorer.gallery import load_sample
from explorer.layer_cells import Window, cell_at, field_of
from explorer.layer_outputs import walk
from explorer.layer_views import (
    as_grid,
    as_pixels,
    cut_out,
    grid_shape,
    kernel_slices,
    nearest_cell,
    on_photo,
    stages,
)
from explorer.shapes import Layer, ReceptiveField, receptive_field, receptive_field_step_formula
from pretrained.classification import load_classifier, preprocess


@pytest.fixture(scope="module")
def bundled():
    classifier = load_classifier("resnet18-photos110")
    pixels = load_sample("coco_pizza.jpg").pixels
    return classifier, pixels, walk(classifier.module, preprocess(classifier, pixels))


def test_stages_hold_all_layers_and_costs(bundled):
    classifier, _pixels, walked = bundled
    found = stages(walked)
    assert [stage.size for stage in found] == [(64, 64), (32, 32), (16, 16), (8, 8), (4, 4), (1, 1)]
    assert sum(stage.layers for stage in found) == len(walked.layers)
    assert sum(stage.parameters for stage in found) == sum(p.numel() for p in classifier.module.parameters())
    assert sum(stage.parameter_share for stage in found) == pytest.approx(1)
    assert sum(stage.mac_share for stage in found) == pytest.approx(1)
    assert found[0].fields == (7, 7)
    assert found[4].fields == (211, 435)
    assert found[5].fields is None


def test_what_the_network_was_given_as_a_picture(bundled):
    import cv2

    classifier, pixels, walked = bundled
    card = classifier.model
    picture = as_pixels(walked.x, card.mean, card.std)
    np.testing.assert_array_equal(picture, cv2.resize(pixels, (128, 128), interpolation=cv2.INTER_AREA))


def test_a_window_on_the_photo():
    whole = (0.0, 0.0, 640.0, 320.0)
    assert on_photo(Window(0, 0, 128, 128), whole, (128, 128), 0.5) == (0, 0, 320, 160)
    assert on_photo(Window(-3, 124, 7, 7), whole, (128, 128), 0.5) == (310, 0, 10, 5)
    crop = (100.0, 50.0, 300.0, 250.0)
    assert on_photo(Window(0, 0, 100, 50), crop, (100, 100), 1.0) == (100, 50, 100, 200)
    assert on_photo(Window(7, 7, 1, 1), (0.0, 0.0, 10.0, 10.0), (128, 128), 1.0)[2:] == (1, 1)


@pytest.mark.parametrize("name", ["stem.relu", "layer2.0.conv1", "layer4.1.relu2"])
def test_a_click_on_the_photo_finds_the_cell_in_the_middle_of_whose_field_it_is(bundled, name):
    _classifier, pixels, walked = bundled
    layer, whole = walked[name], (0.0, 0.0, float(pixels.shape[1]), float(pixels.shape[0]))
    rows, columns = layer.size[1:]
    for row in {0, rows // 2, rows - 1}:
        for column in {0, columns // 3, columns - 1}:
            field = field_of(layer, row, column, 128, 128)
            x = (field.left + field.width / 2) / 128 * pixels.shape[1]
            y = (field.top + field.height / 2) / 128 * pixels.shape[0]
            assert nearest_cell(layer, (x, y), whole, (128, 128), 1.0) == (row, column)
    assert nearest_cell(layer, (-50, 1e6), whole, (128, 128), 1.0) == (rows - 1, 0)


@pytest.mark.parametrize(
    ("count", "shape"), [(1, (1, 1)), (110, (10, 11)), (512, (16, 32)), (1000, (25, 40)), (7, (1, 7))]
)
def test_vectors_as_grids(count, shape):
    assert grid_shape(count) == shape
    grid = as_grid(np.arange(count))
    assert grid.shape == shape
    np.testing.assert_array_equal(grid.ravel(), np.arange(count))


def test_cut_out_keeps_a_pixel_at_least():
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    np.testing.assert_array_equal(cut_out(pixels, Window(-2, 1, 4, 2)), pixels[:2, 1:3])
    assert cut_out(pixels, Window(9, 9, 2, 2)).shape[2] == 3


def test_the_slices_of_a_kernel_add_up_to_the_convolution(bundled):
    _classifier, _pixels, walked = bundled
    cell = cell_at(walked, "layer1.0.conv1", (5, 9, 9))
    slices = kernel_slices(walked, cell, 64)
    assert sum(one.amount for one in slices) == pytest.approx(cell.value, abs=1e-4)
    assert [abs(one.amount) for one in slices] == sorted((abs(one.amount) for one in slices), reverse=True)
    np.testing.assert_array_equal(slices[0].values, walked["stem.maxpool"].output[slices[0].channel])
    np.testing.assert_array_equal(slices[0].weights, walked["layer1.0.conv1"].weights["weight"][5, slices[0].channel])
    assert kernel_slices(walked, cell_at(walked, "stem.maxpool", (0, 1, 1)), 3) == []


def test_one_more_layer_in_a_formula():
    layers = [Layer(7, 2, 3), Layer(3, 2, 1)]
    first, second = receptive_field(layers)
    assert receptive_field_step_formula(first, layers[1]) == r"7 + (3 - 1) \cdot 2 = 11"
    assert second.size == 11
    assert (
        receptive_field_step_formula(ReceptiveField(1, 1, 0), Layer(3, dilation=4))
        == r"1 + 4 \cdot (3 - 1) \cdot 1 = 9"
    )


def test_a_strip_needs_its_chosen_layer():
    column = Column("conv1", "4 × 4", 1.0, "weight", (1.0, 2.0), "")
    options = {"bands": [("a", "weight"), ("b", "hidden")], "legend": [], "alt": ""}
    assert b"conv1" in encode([column], selected="conv1", **options)
    with pytest.raises(ValueError, match="no layer “fc”"):
        encode([column], selected="fc", **options)


def test_the_walk_uses_no_inference_tensors(bundled):
    _classifier, _pixels, walked = bundled
    assert not any(torch.is_inference(layer.output) for layer in walked.layers)

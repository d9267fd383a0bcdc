"""Moving the photo: early maps move along, and what is measured is what it is said to be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.gallery import load_sample
from explorer.layer_outputs import walk
from explorer.shift_test import moved, shift_test
from pretrained.classification import load_classifier, preprocess


@pytest.fixture(scope="module")
def bundled():
    classifier = load_classifier("resnet18-photos110")
    x = preprocess(classifier, load_sample("coco_pizza.jpg").pixels)
    return classifier.module, x, walk(classifier.module, x)


def test_the_photo_moves_to_the_right_and_its_edge_is_repeated():
    x = torch.arange(12.0).view(1, 1, 2, 6)
    assert moved(x, 2)[0, 0].tolist() == [[0, 0, 0, 1, 2, 3], [6, 6, 6, 7, 8, 9]]
    assert torch.equal(moved(x, 0), x)


def test_not_moved_everything_is_as_it_was(bundled):
    network, _x, walked = bundled
    test = shift_test(network, walked, 0)
    assert test.blocks == tuple(network.blocks())
    np.testing.assert_allclose(test.along, 1, atol=1e-9)
    np.testing.assert_allclose(test.still, 1, atol=1e-9)
    np.testing.assert_array_equal(test.before, test.after)
    assert test.before.sum() == pytest.approx(1, abs=1e-5)


def test_whole_cells_move_along_and_late_maps_stay(bundled):
    network, x, walked = bundled
    assert list(walked.jumps.values()) == [4, 4, 4, 8, 8, 16, 16, 32, 32]
    whole, between = (shift_test(network, walked, pixels) for pixels in (8, 6))
    assert whole.along[0] > 0.97 > 0.6 > whole.still[0]
    assert whole.still[-1] > whole.still[0]
    assert between.along[0] < whole.along[0]
    with torch.inference_mode():
        after = network(moved(x, 8))[0].softmax(0)
    np.testing.assert_allclose(whole.after, after.numpy(), atol=1e-6)


def test_correlations_are_numpys(bundled):
    network, x, walked = bundled
    test = shift_test(network, walked, 8)
    with torch.inference_mode():
        first, second = (network.maps(photo)["layer2.0"][0].double().numpy() for photo in (x, moved(x, 8)))
    a, b = first[:, :, :-1], second[:, :, 1:]  # 8 pixels are one cell
    a, b = (m.reshape(len(m), -1) - m.reshape(len(m), -1).mean(1, keepdims=True) for m in (a, b))
    assert test.along[3] == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1], abs=1e-9)

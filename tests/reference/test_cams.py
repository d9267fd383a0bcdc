"""Grad-CAM and its kin against pytorch-grad-cam, on random weights of four families; gradients at the photo."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pytorch_grad_cam import EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection
from torch import Tensor, nn

from explorer import cams, saliency
from explorer.explain import evidence, pass_through
from explorer.models.resnet import resnet18
from explorer.models.swin import SwinConfig, SwinTransformer
from explorer.models.vgg import Vgg, VggConfig
from explorer.models.vit import VisionTransformer, VitConfig
from tests.reference.twins import twins

PEERS = {
    "grad_cam": GradCAM,
    "grad_cam_plus_plus": GradCAMPlusPlus,
    "xgrad_cam": XGradCAM,
    "hires_cam": HiResCAM,
    "layer_cam": LayerCAM,
}
CLASSES = 7


def of_resnet() -> tuple:
    ours, theirs = twins(resnet18(CLASSES), torchvision.models.resnet18(num_classes=CLASSES))
    return ours, theirs, {"layer2.1": theirs.layer2[1], "layer4.1": theirs.layer4[1]}, None, 96


def of_vgg() -> tuple:
    config = VggConfig(blocks=(1, 1, 2, 2, 2), channels=(8, 16, 24, 32, 32), hidden=32, classes=CLASSES)
    layers: list = []
    for count, channels in zip(config.blocks, config.channels, strict=True):
        layers += [channels] * count + ["M"]
    theirs = torchvision.models.VGG(torchvision.models.vgg.make_layers(layers), CLASSES, init_weights=False)
    theirs.classifier = nn.Sequential(
        nn.Linear(32 * 49, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, CLASSES)
    )  # fmt: skip
    ours, theirs = twins(Vgg(config), theirs)
    relus = [module for module in theirs.features if isinstance(module, nn.ReLU)]
    for relu in relus:
        relu.inplace = False
    return ours, theirs, {"conv3_2": relus[3], "conv5_2": relus[-1]}, None, 64


def of_vit() -> tuple:
    ours = VisionTransformer(VitConfig(48, 8, layers=4, heads=2, width=16, d_ff=24, classes=CLASSES))
    theirs = torchvision.models.VisionTransformer(48, 8, 4, 2, 16, 24, num_classes=CLASSES)
    ours, theirs = twins(ours, theirs)
    layers = theirs.encoder.layers
    return ours, theirs, {"encoder_layer_0": layers[0], "encoder_layer_2": layers[2]}, ours.to_grid, 48


def of_swin() -> tuple:
    ours = SwinTransformer(SwinConfig(width=8, blocks=(2, 2), heads=(2, 2), window=4, classes=CLASSES))
    theirs = torchvision.models.SwinTransformer([4, 4], 8, [2, 2], [2, 2], [4, 4], num_classes=CLASSES)
    ours, theirs = twins(ours, theirs)
    return ours, theirs, {"stage1.1": theirs.features[1][1], "stage2.0": theirs.features[3][0]}, ours.to_grid, 64


@pytest.fixture(scope="module", params=[of_resnet, of_vgg, of_vit, of_swin])
def network(request):
    ours, theirs, layers, to_grid, side = request.param()
    # pytorch-grad-cam adds 1e-6 to what Grad-CAM++ divides by; where gradients are small, that is the larger part of it.
    heads = {"Vgg": "classifier.6", "VisionTransformer": "heads.head", "SwinTransformer": "head", "ResNet": "fc"}
    for one in (ours, theirs):
        head = one.get_submodule(heads[type(ours).__name__])
        head.weight.data *= 1000
    return ours, theirs.requires_grad_(True), layers, to_grid, side


def photo(side: int, seed: int) -> Tensor:
    return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", PEERS)
@given(seed=st.integers(0, 1000), target=st.integers(0, CLASSES - 1))
@settings(max_examples=3, derandomize=True)
def test_each_is_pytorch_grad_cams(network, name, seed, target):
    ours, theirs, layers, to_grid, side = network
    x = photo(side, seed)
    found = evidence(pass_through(ours, x), target)
    for layer, module in layers.items():
        with PEERS[name](theirs, [module], reshape_transform=to_grid) as peer:
            expected = peer(x, [ClassifierOutputTarget(target)])[0]
        cam = cams.METHODS[name](found.maps[layer], found.gradients[layer])
        assert cam.dtype == np.float32
        assert cam.min() >= 0
        same_scale = scale_cam_image(scale_cam_image(cam[None], (side, side)))[0]
        if name == "hires_cam" and to_grid and not cam.any():
            continue  # a layer norm follows, and the peer's map is its rounding
        assert expected.max() == 0 or expected.std() > 0.01
        if expected.max() > 0:
            assert np.corrcoef(same_scale.ravel(), expected.ravel())[0, 1] > 0.999
        np.testing.assert_allclose(same_scale, expected, atol=0.05 if name == "grad_cam_plus_plus" else 1e-3)


def test_eigen_cam_is_pytorch_grad_cams_up_to_its_sign(network):
    ours, theirs, layers, to_grid, side = network
    x = photo(side, 1)
    found = evidence(pass_through(ours, x), 0)
    for layer, module in layers.items():
        projection = get_2d_projection(found.maps[layer][None].copy())[0]
        cam = cams.eigen_cam(found.maps[layer])
        sign = 1 if np.allclose(cam, np.maximum(projection, 0), atol=1e-3 * np.abs(projection).max()) else -1
        np.testing.assert_allclose(cam, np.maximum(sign * projection, 0), atol=1e-3 * np.abs(projection).max())
        assert (cam > 0).any()
        if sign == 1:
            with EigenCAM(theirs, [module], reshape_transform=to_grid) as peer:
                expected = peer(x, [ClassifierOutputTarget(0)])[0]
            same_scale = scale_cam_image(scale_cam_image(cam[None], (side, side)))[0]
            assert np.corrcoef(same_scale.ravel(), expected.ravel())[0, 1] > 0.999


@given(
    maps=arrays(np.float32, (3, 2, 4), elements=st.floats(-5, 5, width=32)),
    gradient=arrays(np.float32, (3, 2, 4), elements=st.floats(-5, 5, width=32)),
)
@pytest.mark.parametrize("name", cams.METHODS)
def test_whatever_the_maps_are_the_result_is_finite_and_not_below_zero(name, maps, gradient):
    cam = cams.METHODS[name](maps, gradient)
    assert cam.shape == (2, 4)
    assert not np.isnan(cam).any()
    assert (cam >= 0).all()


def test_before_a_layer_norm_the_products_cancel():
    ours, *_, side = of_vit()
    found = evidence(pass_through(ours, photo(side, 0)), 0)
    assert not cams.hires_cam(found.maps["encoder_layer_2"], found.gradients["encoder_layer_2"]).any()
    assert cams.hires_cam(found.maps["encoder_layer_1"], found.gradients["encoder_layer_1"]).any()


def test_by_hand():
    maps = np.array([[[1.0, 3.0]], [[2.0, 0.0]]], np.float32)
    gradient = np.array([[[1.0, -3.0]], [[2.0, 0.0]]], np.float32)
    # α = (−1, 1): −1 · (1, 3) + 1 · (2, 0) = (1, −3)
    assert cams.grad_cam(maps, gradient).tolist() == [[1, 0]]
    # g ⊙ A, summed: (1 + 4, −9 + 0); with positive gradients alone: (1 + 4, 0)
    assert cams.hires_cam(maps, gradient).tolist() == [[5, 0]]
    assert cams.layer_cam(maps, gradient).tolist() == [[5, 0]]
    # α = ((1 − 9) / 4, 4 / 2) = (−2, 2): (−2 + 4, −6)
    assert cams.xgrad_cam(maps, gradient).tolist() == [[2, 0]]
    # Shares: 1 / (2 + 4 · 1) at the first place, 4 / (8 + 2 · 8) in the second channel; α = (1/6, 2 · 4/24)
    np.testing.assert_allclose(cams.grad_cam_plus_plus(maps, gradient), [[1 / 6 + 2 / 3, 0.5]], rtol=1e-6)
    # (1, 2) and (3, 0) lie √2 to either side of their middle; the second is the stronger.
    np.testing.assert_allclose(cams.eigen_cam(maps), [[0, 2**0.5]], atol=1e-6)


def test_evidence_of_all_blocks_is_that_of_each(network):
    ours, *_, side = network
    one = pass_through(ours, photo(side, 3))
    found = evidence(one, 2)
    again = evidence(one, 2)
    names = list(found.maps)
    for name in (names[0], names[-2]):
        (expected,) = torch.autograd.grad(one.logits[0, 2], one.maps[name], retain_graph=True)
        expected = expected if not hasattr(ours, "to_grid") else ours.to_grid(expected)
        np.testing.assert_array_equal(found.gradients[name], expected[0].numpy())
        np.testing.assert_array_equal(found.gradients[name], again.gradients[name])
    assert evidence(one).target == int(one.logits.argmax())
    assert all(parameter.grad is None for parameter in ours.parameters())


def test_a_network_without_maps_has_gradients_at_the_photo():
    torch.manual_seed(0)
    network = torchvision.models.squeezenet1_1(num_classes=CLASSES).eval().requires_grad_(False)
    x = photo(64, 0)
    one = pass_through(network, x)
    assert one.maps == {}
    found = evidence(one, 3)
    gradient = saliency.gradient_of(lambda photos: network(photos)[:, 3])(x)
    torch.testing.assert_close(found.at_photo, gradient[0])


def test_gradients_of_a_batch_are_those_of_each_photo(network):
    ours, *_, side = network
    gradient = saliency.gradient_of(lambda x: ours(x)[:, 1])
    both = gradient(torch.cat([photo(side, 0), photo(side, 1)]))
    one = gradient(photo(side, 1))[0]
    torch.testing.assert_close(both[1], one, rtol=1e-3, atol=1e-4 * float(one.abs().max()))


def test_integrated_gradients_of_a_quadratic_are_exact():
    """∂/∂x Σ w x² / 2 = w x: along the way, half of w x² in the mean; the sum is the whole difference."""
    weight = torch.arange(12.0).view(3, 2, 2)

    def score(x: Tensor) -> Tensor:
        return (weight * x**2).sum((1, 2, 3)) / 2

    x = torch.randn(1, 3, 2, 2)
    found = saliency.integrated_gradients(score, saliency.gradient_of(score), x)
    np.testing.assert_allclose(found.values, (weight * x[0] ** 2 / 2).sum(0), rtol=1e-5)
    assert found.total == pytest.approx(found.difference, rel=1e-5)


def test_integrated_gradients_add_up_to_the_logit():
    torch.manual_seed(0)
    network = resnet18(CLASSES).eval().requires_grad_(False)

    def score(x: Tensor) -> Tensor:
        return network(x)[:, 2]

    found = saliency.integrated_gradients(score, saliency.gradient_of(score), photo(64, 0))
    assert found.values.shape == (64, 64)
    assert found.total == pytest.approx(found.difference, rel=0.15)


def test_smooth_grad_of_a_linear_score_is_its_weight():
    weight = torch.randn(3, 4, 5)
    gradient = saliency.gradient_of(lambda x: (weight * x).sum((1, 2, 3)))
    found = saliency.smooth_grad(gradient, torch.randn(1, 3, 4, 5))
    np.testing.assert_allclose(found, weight.abs().amax(0), rtol=1e-5)


def test_smooth_grad_is_the_same_each_time_and_counts_its_calls():
    calls = []

    def gradient(x: Tensor) -> Tensor:
        calls.append(len(x))
        return x

    x = torch.randn(1, 3, 4, 5)
    first, second = saliency.smooth_grad(gradient, x), saliency.smooth_grad(gradient, x)
    np.testing.assert_array_equal(first, second)
    assert calls == [saliency.BATCH] * (2 * saliency.CALLS)


def test_peaks_are_cut():
    heat = np.arange(200, dtype=np.float32).reshape(10, 20)
    cut = saliency.without_peaks(heat, 0.1)
    assert cut.max() == pytest.approx(179.1)
    assert (cut[heat < 179] == heat[heat < 179]).all()

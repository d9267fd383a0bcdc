"""Segmenters against their makers' own way of running them, for made-up weights in the official format."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torchvision.models import detection as instance_networks
from torchvision.models import segmentation as reference

from explorer.errors import UserError
from explorer.models.unet import UNet, UNetConfig
from pretrained import LoadError, catalog, segmentation
from pretrained.detection import as_tensor
from pretrained.detection_models import SEGMENTERS
from pretrained.records import Segmenter

PHOTO = np.random.default_rng(0).integers(0, 256, (60, 100, 3)).astype(np.uint8)
OFFICIAL = [model for model in SEGMENTERS if model.source == "torchvision"]
QUICK = [model for model in OFFICIAL if "mobilenet" in model.architecture or model.architecture == "fcn_resnet50"]


def randomise(module: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(std=0.1)
            part.running_var.uniform_(0.5, 1.5)
    return module


@pytest.mark.parametrize("model", OFFICIAL, ids=lambda model: model.key)
def test_the_records_say_what_torchvision_says(model):
    weights = catalog.official(model)
    assert weights.url.rsplit("/", 1)[1] == model.file
    assert model.megabytes == pytest.approx(weights.meta["_file_size"] * 2**20 / 1e6, abs=0.1)
    if not model.instances:
        assert weights.transforms().resize_size == [model.input_size]


@pytest.mark.parametrize("model", QUICK, ids=lambda model: model.key)
def test_torchvisions_segmenters_give_torchvisions_probabilities(monkeypatch, model):
    weights = catalog.official(model)
    options = {} if model.architecture.startswith("lraspp") else {"aux_loss": True}
    theirs = getattr(reference, model.architecture)(weights=None, weights_backbone=None, num_classes=21, **options)
    state = randomise(theirs).eval().state_dict()
    monkeypatch.setattr(segmentation, "load_state_dict", lambda *_, **__: state)
    monkeypatch.setattr(catalog, "get", lambda *_: smaller)
    smaller = segmentation.Segmenter(**{**vars(model), "input_size": 96})
    loaded = segmentation.load_segmenter(model.key)
    made = segmentation.segment(loaded, PHOTO)
    transforms = weights.transforms(resize_size=96)
    with torch.inference_mode():
        x = transforms(torch.from_numpy(PHOTO).permute(2, 0, 1))
        expected = theirs(x[None])["out"][0].softmax(0)
    assert made.probabilities.shape == (21, 96, 160)
    np.testing.assert_allclose(made.probabilities, expected, atol=1e-5)
    assert made.classes == tuple(weights.meta["categories"])
    assert made.mask.shape == (60, 100)
    np.testing.assert_allclose(made.probabilities.sum(0), 1, atol=1e-5)


def test_mask_rcnn_gives_torchvisions_masks(monkeypatch):
    model = catalog.get("maskrcnn-resnet50-fpn-coco", Segmenter)
    weights = catalog.official(model)
    network, _ = segmentation.torchvision_network(model)
    state = randomise(network).state_dict()
    for name, tensor in state.items():
        if "cls_score" in name:
            tensor.mul_(40)
        if "mask_fcn_logits.weight" in name:
            tensor.mul_(5)
    monkeypatch.setattr(type(weights), "get_state_dict", lambda self, **_: dict(state))
    monkeypatch.setattr(segmentation, "load_state_dict", lambda *_, **__: state)
    loaded = segmentation.load_segmenter(model.key)
    theirs = instance_networks.maskrcnn_resnet50_fpn(weights=weights).eval()
    for one in (loaded.module, theirs):
        one.transform.min_size = (160,)
    made = segmentation.find_instances(loaded, PHOTO)
    with torch.inference_mode():
        (expected,) = theirs([as_tensor(PHOTO)])
    assert len(made) == len(expected["scores"]) > 0
    np.testing.assert_allclose(made.detections.boxes, expected["boxes"], atol=1e-2)
    agree = made.masks == (expected["masks"][:, 0].numpy() >= 0.5)
    assert agree.mean() > 0.999
    assert made.masks.any()
    assert not made.masks.all()


@pytest.fixture
def unet(tmp_path, monkeypatch):
    """(the model as bundled, with few channels; the network it was made of)."""
    torch.manual_seed(0)
    network = randomise(UNet(UNetConfig(3, width=4, depth=3))).eval()
    network.load_state_dict(
        {k: t.half().float() if t.is_floating_point() else t for k, t in network.state_dict().items()}
    )
    model = catalog.get("unet-camvid", Segmenter)
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    half = {name: t.half() if t.is_floating_point() else t for name, t in network.state_dict().items()}
    metadata = {"classes": json.dumps(["road", "car", "sky"]), "config": json.dumps({"width": 4, "depth": 3})}
    save_file(half, tmp_path / model.file, metadata=metadata)
    digest = hashlib.sha256((tmp_path / model.file).read_bytes()).hexdigest()
    (tmp_path / model.file).with_suffix(".json").write_text(json.dumps({"sha256": digest, "bytes": 1}))
    return segmentation.load_segmenter(model.key), network


def test_a_photo_of_the_trainings_size_is_seen_as_it_is(unet):
    """As training/segmenter.py scores it."""
    from training.photos import normalise, to_batch

    loaded, network = unet
    photo = np.random.default_rng(1).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    made = segmentation.segment(loaded, photo)
    with torch.inference_mode():
        expected = network(normalise(to_batch([photo]))).softmax(1)[0]
    np.testing.assert_allclose(made.probabilities, expected, atol=1e-5)
    assert np.array_equal(made.mask, expected.argmax(0))
    assert made.classes == ("road", "car", "sky")
    assert made.areas.sum() == pytest.approx(1)


@pytest.mark.parametrize("shape", [(60, 100), (333, 517), (8, 512), (1, 4000), (700, 40)])
def test_any_other_is_scaled_and_padded(unet, shape):
    loaded, _network = unet
    photo = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    made = segmentation.segment(loaded, photo)
    assert made.mask.shape == shape
    scale = 320 / max(shape)
    assert made.probabilities.shape[1:] == tuple(max(1, round(side * scale)) for side in shape)


@pytest.mark.parametrize("size", [(311, 222), (37, 50), (20, 30), (1, 400)])
def test_the_mask_is_the_likeliest_class_of_the_interpolated_probabilities(size):
    probabilities = torch.rand(4, 37, 50, generator=torch.Generator().manual_seed(0)).softmax(0)
    whole = F.interpolate(probabilities[None], size, mode="bilinear", align_corners=False)[0].argmax(0)
    assert (segmentation._argmax_at(probabilities, size) == whole.numpy()).mean() > 0.999


def test_a_skip_connection_that_is_cut_changes_the_mask(unet):
    loaded, network = unet
    whole, cut = segmentation.segment(loaded, PHOTO), segmentation.segment(loaded, PHOTO, cut=[0])
    assert not np.allclose(whole.probabilities, cut.probabilities)
    maps = segmentation.unet_maps(loaded, PHOTO, cut=[0])
    with torch.inference_mode():
        logits = network.head(torch.from_numpy(maps["decoder.0"])[None])
    height, width = cut.probabilities.shape[1:]
    np.testing.assert_allclose(logits.softmax(1)[0, :, :height, :width], cut.probabilities, atol=1e-5)


def test_a_damaged_bundle_is_said_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    with pytest.raises(LoadError, match=r"unet-pets\.json, which comes with the explorer, is missing"):
        segmentation.load_segmenter("unet-pets")


def test_an_unknown_key_is_said_in_a_sentence():
    with pytest.raises(UserError, match="There is no model called “segnet”"):
        segmentation.load_segmenter("segnet")

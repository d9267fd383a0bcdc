from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

from explorer.models.resnet import resnet18
from pretrained import LoadError, catalog, classification, loading
from pretrained.records import ImageClassifier
from training import photos

BUNDLED = catalog.get("resnet18-photos110", ImageClassifier)
OFFICIAL = catalog.get("resnet18-imagenet-v1", ImageClassifier)
NEW_RECIPE = catalog.get("resnet50-imagenet-v2", ImageClassifier)
SWIN = catalog.get("swin-t-imagenet-v1", ImageClassifier)
LIBRARY = catalog.get("torchvision-efficientnet-b3-imagenet1k-v1", ImageClassifier)


def random_statistics(module: torch.nn.Module) -> torch.nn.Module:
    """Batch norms as after training, so that no two layers can be swapped unseen."""
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    return module.eval()


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """(torchvision's ResNet-18 with random weights, the classifier loaded from its checkpoint in torch's cache)."""
    home = tmp_path_factory.mktemp("torch")
    checkpoints = home / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    torch.manual_seed(0)
    reference = random_statistics(torchvision.models.resnet18())
    torch.save(reference.state_dict(), checkpoints / "new.pth")
    digits = hashlib.sha256((checkpoints / "new.pth").read_bytes()).hexdigest()[:8]
    model = replace(OFFICIAL, file=f"resnet18-{digits}.pth")
    (checkpoints / "new.pth").rename(checkpoints / model.file)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TORCH_HOME", str(home))
        monkeypatch.setattr(catalog, "MODELS", tuple(model if m.key == model.key else m for m in catalog.MODELS))
        yield reference, classification.load_classifier(model.key)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_an_official_checkpoint_gives_torchvisions_logits(official):
    reference, classifier = official
    pixels = noise(300, 400)
    transforms = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.transforms()
    with torch.inference_mode():
        logits = reference(transforms(Image.fromarray(pixels)).unsqueeze(0))[0]
    prediction = classification.classify(classifier, pixels)
    np.testing.assert_allclose(prediction.logits, logits.numpy(), rtol=1e-5, atol=1e-5)
    expected, classes = logits.softmax(0).topk(5)
    assert prediction.classes.tolist() == classes.tolist()
    assert prediction.labels == tuple(catalog.labels(OFFICIAL)[i] for i in classes)
    np.testing.assert_allclose(prediction.probabilities, expected.numpy(), rtol=1e-5)
    assert (prediction.probabilities.dtype, prediction.logits.dtype) == (np.float32, np.float32)
    assert prediction.logits.shape == (1000,)
    assert len(classification.classify(classifier, pixels, top=5000).labels) == 1000


def test_a_shared_module_stays_as_it_is(official):
    _, classifier = official
    before = {key: tensor.clone() for key, tensor in classifier.module.state_dict().items()}
    classification.classify(classifier, noise(50, 40))
    assert not classifier.module.training
    assert not any(parameter.requires_grad for parameter in classifier.module.parameters())
    assert all(torch.equal(tensor, before[key]) for key, tensor in classifier.module.state_dict().items())


def test_gradients_reach_the_photo_even_if_loaded_in_inference_mode(official):
    _, classifier = official
    with torch.inference_mode():
        classifier = classification.load_classifier(classifier.model.key)
    x = classification.preprocess(classifier, noise(40, 40)).requires_grad_()
    classifier.module(x)[0, 3].backward()
    assert x.grad.abs().sum() > 0


def untrained(model: ImageClassifier) -> classification.Classifier:
    return classification.Classifier(model, torch.nn.Identity(), ())


@settings(max_examples=25)
@given(height=st.integers(1, 700), width=st.integers(1, 700), seed=st.integers(0, 9))
@pytest.mark.parametrize("model", [OFFICIAL, NEW_RECIPE, SWIN, LIBRARY], ids=["v1", "v2", "bicubic", "library"])
def test_preprocessing_is_torchvisions_bit_by_bit(model, height, width, seed):
    if max(height, width) / min(height, width) > 30:
        width = height
    pixels = noise(height, width, seed)
    expected = catalog.official(model).transforms()(Image.fromarray(pixels)).unsqueeze(0)
    assert torch.equal(classification.preprocess(untrained(model), pixels), expected)


@pytest.mark.parametrize(("height", "width"), [(4, 300), (300, 4), (1, 60), (60, 1)])
def test_preprocessing_very_long_photos_is_within_a_grey_level(height, width):
    pixels = noise(height, width)
    expected = catalog.official(OFFICIAL).transforms()(Image.fromarray(pixels)).unsqueeze(0)
    actual = classification.preprocess(untrained(OFFICIAL), pixels)
    assert (actual - expected).abs().max() <= 1.01 / 255 / min(OFFICIAL.std)


def test_a_very_long_photo_takes_no_memory_to_speak_of():
    started = time.monotonic()
    assert classification.preprocess(untrained(OFFICIAL), noise(1, 20_000)).shape == (1, 3, 224, 224)
    assert time.monotonic() - started < 0.5


@given(height=st.integers(1, 300), width=st.integers(1, 300))
@settings(max_examples=30)
def test_the_bundled_network_sees_what_it_was_trained_on(height, width):
    pixels = noise(height, width)
    stored = cv2.resize(pixels, (photos.STORED_SIZE, photos.STORED_SIZE), interpolation=cv2.INTER_AREA)
    expected = photos.normalise(photos.to_batch([stored]))
    actual = classification.preprocess(untrained(BUNDLED), pixels)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "size", "box"),
    [
        (BUNDLED, (300, 400), (0, 0, 400, 300)),
        (OFFICIAL, (256, 256), (16, 16, 240, 240)),
        (OFFICIAL, (512, 512), (32, 32, 480, 480)),
        (OFFICIAL, (256, 356), (66, 16, 290, 240)),
        (OFFICIAL, (712, 512), (32, 132, 480, 580)),
        (NEW_RECIPE, (232, 232), (4, 4, 228, 228)),
    ],
)
def test_the_part_of_the_photo_that_is_seen(model, size, box):
    assert classification.seen(model, *size) == pytest.approx(box)


@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
@settings(max_examples=200)
def test_what_is_seen_lies_in_the_photo_and_is_nearly_square(height, width):
    x0, y0, x1, y1 = classification.seen(OFFICIAL, height, width)
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    assert (x1 - x0) / (y1 - y0) == pytest.approx(1, abs=1 / 256)
    assert (x1 - x0) / min(height, width) == pytest.approx(224 / 256, abs=1 / 256)


@pytest.fixture
def bundled(tmp_path, monkeypatch) -> torch.nn.Module:
    """A network with random weights, shipped as the bundled one is: half precision, classes, card."""
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    torch.manual_seed(1)
    module = random_statistics(resnet18(4))
    half = {key: t.half() if t.is_floating_point() else t for key, t in module.state_dict().items()}
    path = tmp_path / BUNDLED.file
    save_file(half, path, metadata={"classes": json.dumps(["ant", "bee", "cat", "dog"]), "epochs": "1"})
    facts: dict = dict.fromkeys(("top1", "top5", "top1_imagenette", "top1_caltech101"), 0.5)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    facts |= {"epochs": 1, "sha256": sha256, "bytes": path.stat().st_size}
    path.with_suffix(".json").write_text(json.dumps(facts))
    module.load_state_dict({key: t.float() if t.is_floating_point() else t for key, t in half.items()})
    return module


def test_the_bundled_model_classifies(bundled):
    pixels = noise(90, 200)
    classifier = classification.load_classifier(BUNDLED.key)
    prediction = classification.classify(classifier, pixels, top=3)
    with torch.inference_mode():
        logits = bundled(classification.preprocess(classifier, pixels))[0]
    np.testing.assert_allclose(prediction.logits, logits.numpy(), rtol=0, atol=1e-5)
    assert prediction.labels == tuple(np.array(["ant", "bee", "cat", "dog"])[logits.argsort(descending=True)[:3]])
    assert prediction.box == (0, 0, 200, 90)


@pytest.mark.parametrize("missing", [".json", ".safetensors"])
def test_an_incomplete_installation_is_said(bundled, missing):
    (catalog.WEIGHTS / BUNDLED.file).with_suffix(missing).unlink()
    with pytest.raises(LoadError, match=rf"^resnet18-photos110\{missing}, which comes with the explorer, is missing"):
        classification.load_classifier(BUNDLED.key)
    assert loading.find(BUNDLED) is None


def test_damaged_bundled_weights_are_said(bundled):
    path = catalog.WEIGHTS / BUNDLED.file
    content = path.read_bytes()
    path.write_bytes(content[:-2] + b"??")
    with pytest.raises(LoadError, match="which comes with the explorer, is missing or damaged; install"):
        classification.load_classifier(BUNDLED.key)


def test_every_record_has_a_network():
    assert {model.architecture for model in catalog.models(ImageClassifier)} <= classification.BUILDERS.keys()

"""Official checkpoints of all families, and torchvision's other classifiers, with random weights in the official format."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torchvision.models import get_model_weights, get_weight

from explorer.errors import UserError
from pretrained import LoadError, catalog, classification, library, memory
from pretrained.image_models import IMAGE_MODELS
from pretrained.records import CharacterModel, ImageClassifier, Model
from tests.reference.twins import randomise
from tests.unit.fileserver import serving

LIBRARY = library.library_models()


@pytest.fixture
def checkpoints(tmp_path, monkeypatch) -> Path:
    """Torch's cache, empty."""
    monkeypatch.delenv("EXPLORER_MODELS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "huggingface"))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def as_trained(model: ImageClassifier) -> torch.nn.Module:
    """torchvision's network with random weights, as its builder makes it for the official ones."""
    torch.manual_seed(0)
    module = library.build(model, 1000)
    with torch.no_grad():
        randomise(module)
    return module.eval()


def publish(folder: Path, model: ImageClassifier, state: dict, monkeypatch) -> ImageClassifier:
    """Save the checkpoint under a name with its own hash; → the record that wants it, which is the catalogue's from now on."""
    torch.save(state, folder / "new.pth")
    digits = hashlib.sha256((folder / "new.pth").read_bytes()).hexdigest()[:8]
    changed = replace(model, file=f"{model.architecture}-{digits}.pth")
    (folder / "new.pth").rename(folder / changed.file)
    known = catalog.get
    monkeypatch.setattr(catalog, "get", lambda key, kind: changed if key == model.key else known(key, kind))
    return changed


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def assert_answers_as(reference: torch.nn.Module, model: ImageClassifier) -> None:
    pixels = noise(300, 260)
    x = get_weight(model.weights).transforms()(Image.fromarray(pixels)).unsqueeze(0)
    with torch.inference_mode():
        expected = reference(x)[0]
    found = classification.classify(classification.load_classifier(model.key), pixels)
    assert expected.std() > 0.01
    # Random weights make logits of any size; what is lost by rounding grows with the largest.
    lost = max(1e-4, 1e-5 * float(expected.abs().max()))
    np.testing.assert_allclose(found.logits, expected.numpy(), rtol=1e-4, atol=lost)
    assert found.classes[0] == expected.argmax()


def test_googlenet_is_downloaded_and_answers_as_torchvisions(checkpoints, tmp_path, monkeypatch):
    model = catalog.get("googlenet-imagenet-v1", ImageClassifier)
    reference = as_trained(model)
    model = publish(tmp_path, model, reference.state_dict(), monkeypatch)
    with serving((tmp_path / model.file).read_bytes()) as server:
        elsewhere = replace(get_weight(model.weights).value, url=server.url("whole", model.file))
        monkeypatch.setattr(catalog, "official", lambda _model: elsewhere)
        assert_answers_as(reference, model)
        assert server.requests["whole"] == 1
    assert (checkpoints / model.file).is_file()


def test_swin_answers_as_torchvisions(checkpoints, monkeypatch):
    model = catalog.get("swin-t-imagenet-v1", ImageClassifier)
    reference = as_trained(model)
    assert_answers_as(reference, publish(checkpoints, model, reference.state_dict(), monkeypatch))


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "mnasnet0_5", "squeezenet1_1", "shufflenet_v2_x0_5"])
def test_a_library_model_answers_as_torchvisions(name, checkpoints, monkeypatch):
    model = next(model for model in LIBRARY if model.architecture == name)
    reference = as_trained(model)
    assert_answers_as(reference, publish(checkpoints, model, reference.state_dict(), monkeypatch))


def test_the_older_names_in_densenets_checkpoint_are_understood(checkpoints, monkeypatch):
    model = next(model for model in LIBRARY if model.architecture == "densenet121")
    reference = as_trained(model)
    older = {}
    for name, tensor in reference.state_dict().items():
        for part in ("norm", "conv"):
            if "denselayer" in name:
                name = name.replace(f".{part}1.", f".{part}.1.").replace(f".{part}2.", f".{part}.2.")
        older[name] = tensor
    assert "features.denseblock1.denselayer1.norm.1.weight" in older
    assert_answers_as(reference, publish(checkpoints, model, older, monkeypatch))


def test_a_checkpoint_of_another_network_is_said(checkpoints, monkeypatch):
    model = catalog.get("swin-t-imagenet-v1", ImageClassifier)
    state = {"head.weight": torch.zeros(1000, 768), "extra": torch.zeros(2)}
    publish(checkpoints, model, state, monkeypatch)
    with pytest.raises(LoadError, match=r"^The weights of Swin-T do not fit the network: \d+ of \d+ tensors missing"):
        classification.load_classifier(model.key)


def test_too_little_memory_is_said_before_anything_is_read(checkpoints, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 10**9)
    with pytest.raises(
        LoadError, match=r"^VGG-16 needs about 1\.2 GB of memory and 1\.0 GB are free; choose a smaller"
    ):
        classification.load_classifier("vgg16-imagenet-v1")


def test_memory_that_runs_out_while_loading_is_said(checkpoints, monkeypatch):
    def fail(*_arguments, **_options):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(classification, "load_state_dict", fail)
    with pytest.raises(LoadError, match=r"^AlexNet needs about 0\.5 GB of memory"):
        classification.load_classifier("alexnet-imagenet-v1")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_memory_that_runs_out_while_looking_is_said(error):
    def fail(_x):
        raise error

    classifier = classification.Classifier(catalog.get("vgg16-imagenet-v1", ImageClassifier), fail, ())
    with pytest.raises(
        UserError, match=r"^There is not enough memory for VGG-16 to look at this photo; choose a smaller"
    ):
        classification.classify(classifier, noise(30, 40))


@pytest.mark.parametrize("model", LIBRARY, ids=lambda model: model.key)
def test_every_library_record_is_complete(model):
    assert catalog.get(model.key, Model) is catalog.get(model.key, ImageClassifier) is model
    assert set(model.key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert model.library
    assert model.source == "torchvision"
    assert 224 <= model.input_size <= model.resize_size <= 1024
    assert len(catalog.labels(model)) == 1000
    figures = catalog.published(model)
    assert 0.4 < figures.top1 < figures.top5 < 1
    assert figures.parameters > 1e6


def test_together_they_are_all_that_torchvision_has():
    names = torchvision.models.list_models(module=torchvision.models)
    assert len(names) >= 80
    assert {model.architecture for model in (*LIBRARY, *IMAGE_MODELS)} >= set(names)
    weights = [model.weights for model in (*LIBRARY, *IMAGE_MODELS) if model.weights]
    assert len(weights) == len(set(weights))
    everything = {str(one) for name in names for one in get_model_weights(name)}
    assert everything - set(weights) == {"VGG16_Weights.IMAGENET1K_FEATURES"}
    keys = [model.key for model in (*LIBRARY, *catalog.MODELS)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(("key", "kind"), [("torchvision-nothing", Model), (LIBRARY[0].key, CharacterModel)])
def test_an_unknown_library_key_is_said_in_a_sentence(key, kind):
    with pytest.raises(UserError, match=f"^There is no model called “{key}”"):
        catalog.get(key, kind)

"""The Image classification page: methods, models side by side, occlusion, and what is said when something is wrong."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, visit
from PIL import Image
from safetensors.torch import save_file

from explorer.gallery import load_sample
from explorer.ui import classification_run
from explorer.ui.models import kept_classifier
from pretrained import catalog, classification, memory
from pretrained.classification import BUILDERS, classify, load_classifier
from pretrained.records import ImageClassifier
from tests.unit.test_image_models import publish

LONG = 240
BUNDLED = "resnet18-photos110"


@pytest.fixture(scope="module")
def first():
    app = visit("classification", timeout=LONG)
    expect_no_fault(app)
    return app


@pytest.fixture
def models(tmp_path, monkeypatch) -> Path:
    """A folder of the visitor's own files, which EXPLORER_MODELS names; nothing else is on this computer."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("EXPLORER_MODELS", str(folder))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "huggingface"))
    kept_classifier.clear()
    return folder


def captions(app) -> str:
    return "\n".join(one.value for one in app.caption)


def texts(app) -> str:
    return "\n".join(one.value for one in app.markdown)


def table(app) -> str:
    return next(one.proto.body for one in app.get("html") if "aligned" in one.proto.body and "ViT" in one.proto.body)


def record(key: str) -> ImageClassifier:
    return catalog.get(key, ImageClassifier)


def save_random(folder: Path, key: str) -> torch.nn.Module:
    """The official network with random weights, as safetensors under the official name."""
    torch.manual_seed(0)
    module = BUILDERS[record(key).architecture](1000)
    save_file(module.state_dict(), (folder / record(key).file).with_suffix(".safetensors"))
    return module.eval()


def test_the_network_runs_once_for_a_photo(monkeypatch):
    st.cache_resource.clear()
    calls: list[int] = []
    network = kept_classifier(BUNDLED).module
    maps = type(network).maps
    monkeypatch.setattr(type(network), "maps", lambda self, x: calls.append(len(x)) or maps(self, x))
    monkeypatch.setattr("explorer.ui.classification_hide.hide", lambda *_, **__: None)
    app = visit("classification", timeout=LONG, photo="Coffee")
    expect_no_fault(app)
    once = calls.copy()
    for block in ("layer1.0", "layer3.1"):
        app.select_slider(key="block").set_value(block).run()
    app.selectbox(key="class_method").set_value("layer_cam").run()
    app.slider(key="dim").set_value(0.2).run()
    expect_no_fault(app)
    assert once == calls == [1]
    st.cache_resource.clear()


@pytest.mark.parametrize(
    "method",
    ["Grad-CAM++", "XGrad-CAM", "HiResCAM", "LayerCAM", "Eigen-CAM", "Gradient"],
)
def test_the_code_gives_the_heat_of_each_method(method):
    app = visit("classification", timeout=LONG, class_method=method, block="layer3.0", target="lobster")
    expect_no_fault(app)
    names = expect_the_code_computes_what_is_shown(app)
    assert names["target"] == load_classifier(BUNDLED).labels.index("lobster")
    assert names["heat"].max() > 0
    shown = texts(app)
    assert f"**{method}.**" in shown


@pytest.mark.parametrize("method", ["SmoothGrad", "Integrated gradients", "Occlusion"])
def test_the_code_gives_the_heat_of_what_asks_many_times(method, monkeypatch):
    monkeypatch.setattr(classification_run, "LONG", 1000.0)
    app = visit("classification", timeout=LONG, class_method=method)
    expect_no_fault(app)
    names = expect_the_code_computes_what_is_shown(app, rtol=1e-3, atol=1e-4)
    assert names["heat"].ndim == 2
    if method == "Integrated gradients":
        assert names["found"].total == pytest.approx(names["found"].difference, rel=0.2, abs=0.3)


def test_what_takes_long_waits_to_be_asked_and_goes_on_where_it_was(monkeypatch):
    calls = []
    asked = classification.class_probability

    def counting(classifier, views, target):
        calls.append(len(views))
        return asked(classifier, views, target)

    monkeypatch.setattr("explorer.ui.classification_methods.class_probability", counting)
    monkeypatch.setattr(classification_run, "LONG", 0.0)
    monkeypatch.setattr(classification_run, "TRIED", 0.0)
    app = visit("classification", timeout=LONG)
    expect_no_fault(app)
    assert "Hiding 49 places takes about" in captions(app)
    assert calls == [8, 8]
    app.slider(key="dim").set_value(0.5).run()
    assert calls == [8, 8]  # nothing goes on unasked
    app.button(key="class_start_hide").click().run()
    expect_no_fault(app)
    assert calls == [8] * 6 + [1, 1]
    assert "Hiding 49 places" not in captions(app)
    app.slider(key="dim").set_value(0.6).run()
    assert len(calls) == 8


def test_two_models_side_by_side(first):
    pixels = load_sample("coco_pizza.jpg").pixels
    for key in (BUNDLED, "vit-photos110"):
        found = classify(load_classifier(key), pixels)
        for label, probability in zip(found.labels, found.probabilities, strict=True):
            assert f"{label}" in table(first)
            assert f"{probability:.1%}" in table(first)
    assert "total variation distance" in texts(first)
    assert re.search(r"Their best answers (agree|differ)", texts(first))


def test_fewer_answers_and_fewer_models():
    app = visit("classification", timeout=LONG, class_top=1)
    expect_no_fault(app)
    assert 1 <= table(app).count('scope="row"') <= 2
    app.multiselect(key="class_models").set_value(["vit-photos110"]).run()
    expect_no_fault(app)
    assert "total variation" in texts(app)  # the page's own model always stands there
    app.multiselect(key="class_models").set_value([]).run()
    expect_no_fault(app)
    assert "total variation" not in texts(app)
    assert "Their best answers" not in texts(app)


def test_a_model_that_is_not_here_is_said_and_others_stand(models):
    app = visit("classification", timeout=LONG)
    app.multiselect(key="class_models").set_value([BUNDLED, "vgg16-imagenet-v1"]).run()
    expect_no_fault(app)
    assert "VGG-16 is not on this computer yet: choose it as Model" in captions(app)


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("googlenet-imagenet-v1", "inception4a"),
        ("swin-t-imagenet-v1", "stage1.0"),
        ("vit-photos110", "encoder_layer_3"),
    ],
)
def test_other_families_answer_and_are_stepped_through(models, key, part):
    if record(key).source != "bundled":
        save_random(models, key)
    app = visit("classification", timeout=LONG, model=record(key).name, part=part)
    expect_no_fault(app)
    assert app.selectbox(key="model").value == key
    assert app.selectbox(key="part").value == part
    names = expect_the_code_computes_what_is_shown(app, rtol=1e-3, atol=1e-4)
    assert names["classifier"].model.key == key
    assert f"{record(key).name} and " in texts(app)
    assert ("They know different classes" in texts(app)) == (key != "vit-photos110")


def test_a_library_model_answers_and_shows_what_hiding_does(models, monkeypatch):
    monkeypatch.setattr(classification_run, "LONG", 1000.0)
    from pretrained import library

    model = next(one for one in library.library_models() if one.architecture == "squeezenet1_1")
    torch.manual_seed(0)
    module = library.build(model, 1000)
    save_file(module.state_dict(), (models / model.file).with_suffix(".safetensors"))
    app = visit("classification", timeout=LONG, model="Another of torchvision’s …", model_other=model.name)
    expect_no_fault(app)
    assert app.selectbox(key="class_method").value == "occlusion"
    assert "shows no maps" in texts(app)
    names = expect_the_code_computes_what_is_shown(app, rtol=1e-3, atol=1e-4)
    assert names["heat"].shape == (224, 224)
    pixels = load_sample("coco_pizza.jpg").pixels
    x = classification.preprocess(names["classifier"], pixels)
    with torch.inference_mode():
        expected = module.eval()(x)[0].softmax(0).topk(5)
    np.testing.assert_allclose(names["prediction"].probabilities, expected.values, rtol=1e-4)
    app.selectbox(key="class_method").set_value("saliency").run()
    expect_no_fault(app)


def test_the_three_models_used_last_are_kept(models):
    for key in ("alexnet-imagenet-v1", "googlenet-imagenet-v1"):
        save_random(models, key)
    first, second = kept_classifier(BUNDLED), kept_classifier("vit-photos110")
    kept_classifier("googlenet-imagenet-v1")
    assert kept_classifier(BUNDLED) is first  # used again: the ViT is now the one unused for longest
    kept_classifier("alexnet-imagenet-v1")
    assert kept_classifier(BUNDLED) is first
    assert kept_classifier("vit-photos110") is not second
    kept_classifier.clear()


class Code:
    """Pickled, it is an instruction to print."""

    def __reduce__(self):
        return print, ("this was run",)


def expect_one_sentence(app, pattern: str) -> None:
    """That error alone, and below it the bundled model's answer."""
    assert not app.exception
    (error,) = app.error
    assert re.fullmatch(pattern, error.value)
    assert error.value.count(". ") == 0
    assert "Until then you see the bundled model." in captions(app)
    assert "**ResNet-18 (bundled)**" in texts(app)
    expect_the_code_computes_what_is_shown(app)


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        (lambda state: state.pop("fc.bias"), r"1 of \d+ tensors missing \(first: fc.bias\)\."),
        (lambda state: state.update(extra=torch.ones(1)), r"1 beyond its \d+ tensors \(first: extra\)\."),
    ],
)  # fmt: skip
def test_a_checkpoint_with_missing_or_extra_keys(models, change, pattern):
    state = dict(save_random(models, "googlenet-imagenet-v1").state_dict())
    change(state)
    save_file(state, (models / record("googlenet-imagenet-v1").file).with_suffix(".safetensors"))
    app = visit("classification", timeout=LONG, model="GoogLeNet")
    expect_one_sentence(app, rf"The weights of GoogLeNet do not fit the network: {pattern}")


def test_a_pickle_in_place_of_weights(models, monkeypatch, capsys):
    publish(models, record("alexnet-imagenet-v1"), {"features.0.weight": Code()}, monkeypatch)
    changed = catalog.get("alexnet-imagenet-v1", ImageClassifier)
    known = catalog.models
    monkeypatch.setattr(catalog, "models", lambda kind: tuple(
        changed if one.key == changed.key else one for one in known(kind)))  # fmt: skip
    app = visit("classification", timeout=LONG, model="AlexNet")
    expect_one_sentence(app, rf"{changed.file} holds program code beside the weights, so it was not opened\.")
    assert "this was run" not in capsys.readouterr().out
    assert app.button(key="download").label == "Download"
    monkeypatch.setattr("pretrained.loading._read", lambda _copy: pytest.fail("it is not read again at every click"))
    app.slider(key="dim").set_value(0.3).run()
    assert len(app.error) == 1


def test_something_else_in_place_of_weights(models):
    (models / record("swin-t-imagenet-v1").file).with_suffix(".safetensors").write_bytes(b"<html>log in</html>")
    app = visit("classification", timeout=LONG, model="Swin-T")
    expect_one_sentence(app, r"swin_t-704ceda3\.safetensors is damaged or not a file of weights, so it was not used\.")


def test_too_little_memory_to_load(models, monkeypatch):
    save_random(models, "googlenet-imagenet-v1")
    needed = memory.check

    def check(size: int, name: str) -> None:
        monkeypatch.setattr(memory, "available", lambda: 10**7 if name == "GoogLeNet" else None)
        needed(size, name)

    monkeypatch.setattr(memory, "check", check)
    app = visit("classification", timeout=LONG, model="GoogLeNet")
    expect_one_sentence(app, r"GoogLeNet needs about 0\.1 GB of memory and 0\.0 GB are free; choose a smaller model\.")


def test_memory_that_runs_out_while_it_looks(models, monkeypatch):
    save_random(models, "googlenet-imagenet-v1")
    googlenet = kept_classifier("googlenet-imagenet-v1").module

    def fail(_x):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(googlenet, "maps", fail)
    app = visit("classification", timeout=LONG, model="GoogLeNet")
    expect_one_sentence(app, "There is not enough memory for GoogLeNet to look at this photo; choose a smaller model.")
    kept_classifier.clear()


def test_memory_that_runs_out_while_another_stands_beside(models, monkeypatch):
    save_random(models, "googlenet-imagenet-v1")
    monkeypatch.setattr(kept_classifier("googlenet-imagenet-v1").module, "maps", lambda _x: bytearray(2**62))
    app = visit("classification", timeout=LONG)
    app.multiselect(key="class_models").set_value([BUNDLED, "googlenet-imagenet-v1"]).run()
    assert not app.exception
    assert [one.value for one in app.error] == [
        "There is not enough memory for GoogLeNet to look at this photo; choose a smaller model."
    ]
    kept_classifier.clear()


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("size", [(4000, 1), (1, 4000)])
def test_a_photo_one_pixel_high_is_one_sentence_and_the_sample_stays(size, first):
    app = visit("classification", timeout=LONG)
    app.segmented_control(key="photo_from").set_value("upload").run()
    app.file_uploader(key="photo_upload").set_value(("panorama.png", png(*size), "image/png")).run()
    assert not app.exception
    (error,) = app.error
    assert re.fullmatch(r"This picture is [\d,]+ × [\d,]+ pixels, too small to show anything: choose .*", error.value)
    expect_the_code_computes_what_is_shown(app)


@pytest.mark.parametrize("size", [(512, 8), (4000, 1), (1, 4000)])
def test_panoramas_go_through_every_method(size, monkeypatch):
    """The narrowest that are read, and narrower ones, should they ever be."""
    if min(size) == 1:
        monkeypatch.setattr("explorer.images.MIN_SIDE", 1)
        monkeypatch.setattr("explorer.images.MAX_RATIO", 10_000)
    monkeypatch.setattr(classification_run, "LONG", 1000.0)
    app = visit("classification", timeout=LONG)
    app.segmented_control(key="photo_from").set_value("upload").run()
    app.file_uploader(key="photo_upload").set_value(("panorama.png", png(*size), "image/png")).run()
    expect_no_fault(app)
    assert f"{size[0]} × {size[1]}" in "\n".join(one.value for one in app.text)
    for number in range(len(app.selectbox(key="class_method").options)):
        app.selectbox(key="class_method").select_index(number).run()
        expect_no_fault(app)
    assert number == 9

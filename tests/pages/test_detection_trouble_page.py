"""What the Detection page says, in one sentence each, where there is nothing, too much, or something is wrong."""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from arranged import STREET, Thing, arranged_look, look_of_grids
from detection_visits import CLASSES, open_page, said, see
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown
from PIL import Image
from safetensors.torch import save_file

from explorer.detections import Detections
from explorer.images import Photo, read_photo
from explorer.models.yolo import yolox_tiny
from pretrained import LoadError, catalog, detection, loading
from pretrained.detection import LoadedDetector, Look


def photo_of(pixels: np.ndarray) -> Photo:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return read_photo(file.getvalue(), "made.png")


@pytest.mark.parametrize("things", [(), (Thing("car", (10, 10, 60, 50), 0.2),)], ids=["nothing", "unsure"])
def test_a_photo_without_objects(arrange, things):
    arrange(see(things))
    app = open_page()
    expect_no_fault(app)
    assert len(app.session_state["code_result"]) == 0
    assert "No box is left to choose among" in said(app)
    assert "Nothing is found on this photo" in said(app)
    expect_the_code_computes_what_is_shown(app)


def test_no_proposals_at_all(arrange):
    empty = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), CLASSES)
    arrange(lambda *_: Look(empty))
    app = open_page()
    expect_no_fault(app)
    assert "nothing to step through" in said(app)
    assert "has no such grids" in said(app)


def everywhere(detector: LoadedDetector, pixels: np.ndarray) -> Look:
    rng = np.random.default_rng(0)
    side = detector.model.input_size
    grids = [
        rng.normal(size=(5 + len(detector.classes), side // s, side // s)).astype(np.float32) + 2 for s in (8, 16, 32)
    ]
    return look_of_grids(detector, pixels, grids)


def test_thousands_of_boxes(arrange):
    arrange(everywhere)
    app = open_page(detect_score=0.01, detect_iou=0.95)
    expect_no_fault(app)
    assert len(app.session_state["code_result"]) > 1000
    assert "These are the 60 best boxes above the score." in said(app)
    assert "The 40 best boxes stand for the objects." in said(app)


@pytest.mark.parametrize("size", [(8, 512), (512, 8)], ids=["wide", "high"])
def test_a_panorama(road_model, size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    app = open_page(state={"own_photo": photo_of(pixels), "photo_from": "upload"}, detect_score=0.01)
    expect_no_fault(app)
    assert "made.png · " in "".join(one.value for one in app.text)


def test_one_row_of_pixels_is_refused_and_the_photo_before_stays(arrange):
    arrange(see(STREET))
    app = open_page()
    app.segmented_control(key="photo_from").set_value("upload").run()
    file = io.BytesIO()
    Image.new("RGB", (500, 1)).save(file, "PNG")
    app.file_uploader(key="photo_upload").set_value(("strip.png", file.getvalue(), "image/png")).run()
    assert [error.value for error in app.error] == [
        "This picture is 500 × 1 pixels, too small to show anything: choose one of at least 8 × 8."
    ]
    assert not app.exception
    assert len(app.session_state["code_result"]) == 9


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args, **_options) -> None:
        raise LoadError("There is no network.")

    monkeypatch.setattr(loading, "fetch", refuse)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("yolox_nano.safetensors", r"The weights of YOLOX-nano do not fit the network: "),
        ("yolox_nano.pth", r"yolox_nano.pth is damaged (its checksum differs), so it was not used."),
    ],
)
def test_another_checkpoint_under_the_name(arrange, no_network, tmp_path, monkeypatch, name, sentence):
    looked = arrange(see(STREET))
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    state = yolox_tiny().state_dict()
    save_file(state, tmp_path / name) if name.endswith("safetensors") else torch.save({"model": state}, tmp_path / name)
    app = open_page(detect_model="YOLOX-nano")
    assert len(app.error) == 1
    assert app.error[0].value.startswith(sentence)
    assert not app.exception
    assert "Until then you see the bundled model." in said(app)
    assert looked == ["yolox-highway"]
    app.slider(key="detect_score").set_value(0.5).run()
    assert len(app.error) == 1
    assert app.session_state["code_result"].shape == (8, 4)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_pickle_in_place_of_weights(arrange, no_network, tmp_path, monkeypatch, ending):
    arrange(see(STREET))
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    (tmp_path / f"yolox_nano.{ending}").write_bytes(pickle.dumps({"model": print}))
    app = open_page(detect_model="YOLOX-nano")
    assert len(app.error) == 1
    assert f"yolox_nano.{ending} is damaged" in app.error[0].value
    assert not app.exception
    assert len(app.session_state["code_result"])


def test_out_of_memory_at_the_look(arrange, monkeypatch):
    nano = replace(detection.load_detector("yolox-highway"), model=catalog.get("yolox-nano-coco", detection.Detector))

    def look(detector: LoadedDetector, pixels: np.ndarray) -> Look:
        if detector.model.key != "yolox-highway":
            with detection.guarded(detector.model):
                raise MemoryError
        return arranged_look(detector, pixels, STREET)

    looked = arrange(look)
    load = detection.load_detector
    monkeypatch.setattr(detection, "load_detector", lambda key, **_: nano if key == nano.model.key else load(key))
    monkeypatch.setattr(loading, "find", lambda _: Path("here"))
    app = open_page(detect_model="YOLOX-nano")
    assert [error.value for error in app.error] == [
        "There is not enough memory for YOLOX-nano to look at this photo; choose a smaller model."
    ]
    assert len(app.session_state["code_result"]) == 9
    assert looked == ["yolox-nano-coco", "yolox-highway"]
    assert 'load_detector("yolox-highway")' in app.code[-1].value


def test_out_of_memory_for_the_bundled_model(arrange):
    def look(detector: LoadedDetector, _pixels: np.ndarray) -> Look:
        with detection.guarded(detector.model):
            raise MemoryError
        raise AssertionError

    arrange(look)
    app = open_page()
    assert len(app.error) == 1
    assert "not enough memory" in app.error[0].value
    assert not app.exception
    assert app.title[0].value == "Object detection"

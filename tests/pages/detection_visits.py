"""The Detection page in tests: a bundled network with random weights, and looks that are arranged by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from arranged import Thing, arranged_look
from page_visits import expect_no_fault, visit
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest

from explorer.gallery import load_sample
from explorer.models.yolo import YOLOX, YoloxConfig
from explorer.ui import pages
from pretrained import catalog, detection
from pretrained.detection import LoadedDetector, Look
from tests.unit.test_detection import randomise
from training.running import file_facts

CLASSES = ("bus", "car", "motorbike", "person", "truck")
WAIT = 240
STREET_PHOTO = "coco_street_bus_cars.jpg"


@pytest.fixture
def road_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The bundled YOLOX with random weights, in the form of the trained one, and its page in the app."""
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.manual_seed(0)
    config = YoloxConfig(classes=len(CLASSES), depth=0.33, width=0.125)
    state = randomise(YOLOX(config)).state_dict()
    half = {name: t.half() if t.is_floating_point() else t for name, t in state.items()}
    path = folder / "yolox-highway.safetensors"
    save_file(half, path, metadata={"classes": json.dumps(CLASSES), "config": json.dumps(asdict(config))})
    facts = {
        "map50": 0.625,
        "map": 0.375,
        "ap50": {},
        "photos": 321,
        "epochs": 3,
        "warm_up_epochs": 1,
        "loss_curve": [],
    }
    path.with_suffix(".json").write_text(json.dumps(facts | file_facts(path)))
    monkeypatch.setattr(catalog, "WEIGHTS", folder)
    if "detection" not in {topic.file for topic in pages.topics()}:
        known, topic = pages.chapters, pages.Topic("detection", "Object detection", ":material/select_all:", "")
        monkeypatch.setattr(pages, "chapters", lambda: known() | {"Finding things": [topic]})
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "huggingface"))
    st.cache_resource.clear()
    yield path
    st.cache_resource.clear()


Arrange = Callable[[Callable[[LoadedDetector, np.ndarray], Look]], list[str]]


@pytest.fixture
def arrange(road_model: Path, monkeypatch: pytest.MonkeyPatch) -> Arrange:
    """Give every detector this look. → the models that have looked so far, one entry a look."""

    def start(look: Callable[[LoadedDetector, np.ndarray], Look]) -> list[str]:
        looked: list[str] = []

        def counted_look(detector: LoadedDetector, pixels: np.ndarray) -> Look:
            looked.append(detector.model.key)
            return look(detector, pixels)

        monkeypatch.setattr(detection, "look", counted_look)
        return looked

    return start


def see(things: Sequence[Thing]) -> Callable[[LoadedDetector, np.ndarray], Look]:
    return lambda detector, pixels: arranged_look(detector, pixels, things)


def open_page(**options) -> AppTest:
    return visit("detection", timeout=WAIT, **options)


def street() -> np.ndarray:
    return load_sample(STREET_PHOTO).pixels


def said(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.info) for element in kind)


def click(app: AppTest, key: str, **cell: int | None) -> None:
    app.session_state[key] = {"picked": {"row": 0, "column": 0, "map": 0, "time": len(str(cell))} | cell}
    app.run()
    expect_no_fault(app)

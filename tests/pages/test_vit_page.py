"""The Vision Transformer page: what it shows is what the network gave, clicks move it, and the network runs once."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
import streamlit as st
import torch
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, visit

from explorer.gallery import load_sample
from explorer.models.vit import VisionTransformer
from explorer.rollout import rollout
from explorer.vit_cost import layer_macs
from explorer.vit_reading import masses, read
from explorer.vit_timing import LayerTime
from pretrained.classification import load_classifier, preprocess

KEY, PHOTO = "vit-photos110", "coco_pizza.jpg"


@pytest.fixture(scope="module")
def reading():
    classifier = load_classifier(KEY)
    return read(classifier.module, preprocess(classifier, load_sample(PHOTO).pixels))


def markdown(app, start: str) -> str:
    return next(one.value for one in app.markdown if one.value.startswith(start))


def shares(text: str) -> list[float]:
    """The percentages of a sentence."""
    return [float(found) / 100 for found in re.findall(r"([\d.]+)%", text)]


def click(app, key: str, place: int, row: int, column: int):
    """As if a cell of a picture had been clicked."""
    app.session_state[key] = {"picked": {"map": place, "row": row, "column": column, "time": time.monotonic_ns()}}
    app.run()
    expect_no_fault(app)


def test_it_opens_on_the_class_token_of_the_last_layer(reading):
    app = visit("vit", timeout=200)
    expect_no_fault(app)
    said = shares(markdown(app, "From the class token, layer 6, the mean of 8 heads"))
    row = reading.look(5, None, 0)
    np.testing.assert_allclose(said[:3], masses(row, 2), atol=6e-4)
    assert said[3] == pytest.approx(float(row[2:].max()), abs=6e-4)
    rolled = shares(markdown(app, "Of what the class token holds"))
    np.testing.assert_allclose(rolled, masses(rollout(reading.attention)[-1, 0], 2), atol=6e-4)


def test_the_table_has_the_textbook_case_and_every_pixel():
    app = visit("vit", timeout=200)
    table = markdown(app, "| |")
    tokens = next(line for line in table.splitlines() if line.startswith("| Tokens"))
    assert "12² + 2 = 146" in tokens
    assert "14² + 1 = 197" in tokens
    assert "224² + 1 = 50\u202f177" in tokens
    assert "10.1\u00a0GB" in table  # of one head's weights
    assert "17.6\u00a0G" in table
    app = visit("vit", timeout=200, vit_side=384, vit_size=32, vit_sizes="ViT-L", vit_curve="Memory")
    expect_no_fault(app)
    assert "12² + 1 = 145" in markdown(app, "| |")


@pytest.mark.parametrize(
    ("query", "controls"),
    [
        ({}, "layer 6, the mean of 8 heads"),
        ({"vit_layer": 2, "vit_head": 3}, "layer 2, head 3"),
        ({"vit_from": "Distillation token", "vit_head": 8}, "layer 6, head 8"),
        (
            {"vit_from": "The chosen patch", "vit_row": 2, "vit_column": 11, "vit_layer": 1},
            "layer 1, the mean of 8 heads",
        ),
    ],
)
def test_the_code_gives_the_attention_that_is_shown(query, controls, reading):
    app = visit("vit", timeout=200, **query)
    expect_no_fault(app)
    assert controls in markdown(app, "From the ")
    names = expect_the_code_computes_what_is_shown(app)
    token = {"Distillation token": 1, "The chosen patch": reading.token(1, 10)}.get(query.get("vit_from", ""), 0)
    head = query.get("vit_head", 0)
    row = reading.look(query.get("vit_layer", 6) - 1, head - 1 if head else None, token)
    np.testing.assert_allclose(names["result"].ravel(), row[2:], rtol=1e-5)


def test_clicks_move_patch_query_and_head():
    app = visit("vit", timeout=200)
    click(app, "vit_attention", 1, 2, 9)
    assert "From the patch in row 3, column 10" in markdown(app, "From ")
    click(app, "vit_attention", 0, 24 * 7 + 5, 23)
    assert "From the patch in row 8, column 1," in markdown(app, "From ")
    click(app, "vit_rollout", 2, 0, 215)
    assert "From the patch in row 1, column 12," in markdown(app, "From ")
    click(app, "vit_heads", 4, 3, 3)
    assert "head 5" in markdown(app, "From ")
    assert app.select_slider(key="vit_head").value == 5
    click(app, "vit_seen", 0, 17 * 4 + 3, 17 * 5 + 16)
    assert (app.select_slider(key="vit_row").value, app.select_slider(key="vit_column").value) == (5, 6)
    click(app, "vit_seen", 1, 3, 3)  # the photo that is cut otherwise has other patches
    assert app.select_slider(key="vit_row").value == 5
    click(app, "vit_positions", 0, 6, 7)
    assert (app.select_slider(key="vit_row").value, app.select_slider(key="vit_column").value) == (7, 8)
    click(app, "vit_positions", 1, 13 * 11 + 11, 4)
    assert (app.select_slider(key="vit_row").value, app.select_slider(key="vit_column").value) == (12, 1)


def test_clicks_and_sliders_never_run_the_network_again(monkeypatch):
    app = visit("vit", timeout=200)
    expect_no_fault(app)
    calls = []
    embed = VisionTransformer.embed

    def counted(self, x):
        calls.append(x.shape)
        return embed(self, x)

    monkeypatch.setattr(VisionTransformer, "embed", counted)
    click(app, "vit_attention", 1, 2, 9)
    for key, value in (("vit_layer", 2), ("vit_head", 5), ("vit_row", 3), ("vit_size", 28), ("vit_depth", 2)):
        app.select_slider(key=key).set_value(value).run()
        expect_no_fault(app)
    for key, value in (("vit_residual", 0.2), ("vit_discard", 0.9), ("vit_dim", 0.3)):
        app.slider(key=key).set_value(value).run()
        expect_no_fault(app)
    app.segmented_control(key="vit_extra").set_value("distillation").run()
    app.segmented_control(key="vit_fuse").set_value("max").run()
    expect_no_fault(app)
    assert calls == []
    app.selectbox(key="photo").set_value("coco_giraffes.jpg").run()
    expect_no_fault(app)
    assert len(calls) == 3  # the reading, Grad-CAM, the stepper


@pytest.mark.parametrize("part", ["A row of patches", "A layer", "The answer"])
def test_every_part_can_be_stepped_through(part):
    app = visit("vit", timeout=200, vit_part=part, vit_from="The chosen patch", vit_layer=3)
    expect_no_fault(app)


def test_rollout_takes_its_options(reading):
    app = visit("vit", timeout=200, vit_fuse="Largest", vit_residual=0.2, vit_discard=0.5, vit_depth=3)
    expect_no_fault(app)
    expected = masses(rollout(reading.attention, fuse="max", residual=0.2, discard=0.5)[2, 0], 2)
    np.testing.assert_allclose(shares(markdown(app, "Of what the class token holds")), expected, atol=6e-4)


def test_an_official_model_that_is_not_here_is_offered_and_the_page_goes_on():
    app = visit("vit", timeout=200, vit_model="ViT-B/16")
    assert not app.exception
    assert app.selectbox(key="vit_model").value == "vit-b-16-imagenet-v1"
    assert "Download" in [button.label for button in app.button]
    expect_the_code_computes_what_is_shown(app)  # of the bundled one


@pytest.fixture
def forgotten_afterwards():
    """What is kept of a network that stands for the bundled one is not kept for other tests."""
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.mark.usefixtures("forgotten_afterwards")
def test_a_network_without_a_distillation_token(monkeypatch):
    """Stands for the official ones: a class token only, other heads, other patches, other classes' answers."""
    from explorer.models.vit import VitConfig
    from explorer.ui import models
    from pretrained.classification import Classifier

    bundled = load_classifier(KEY)
    torch.manual_seed(0)
    plain = VisionTransformer(VitConfig(96, 16, layers=2, heads=16, width=32, d_ff=32, classes=110))
    other = Classifier(bundled.model, plain.eval().requires_grad_(False), bundled.labels)
    app = visit(
        "vit", timeout=200, vit_from="Distillation token", vit_extra="Distillation token", vit_row=12, vit_head=8
    )
    expect_no_fault(app)
    monkeypatch.setattr(models, "kept_classifier", lambda key: other)
    app.selectbox(key="photo").set_value("coco_cows.jpg").run()
    expect_no_fault(app)
    assert "From the class token, layer 2, head 8" in markdown(app, "From ")
    assert app.select_slider(key="vit_row").value == 6
    assert "6² + 1 = 37" in markdown(app, "| |")


def test_a_layer_is_timed_when_asked_and_can_be_stopped(monkeypatch):
    measured = []

    def timed(network, tokens):
        measured.append(tokens)
        return LayerTime(tokens, layer_macs(network.config, tokens), (tokens * 1e-4,) * 3)

    monkeypatch.setattr("explorer.ui.vit_measure.time_layer", timed)
    app = visit("vit", timeout=200)
    assert "Press Measure" in markdown(app, "1\u202f026 tokens")
    assert measured == []
    app.button(key="vit_measure").click().run()
    expect_no_fault(app)
    assert measured == [18, 66, 146, 258, 578, 1026]
    assert "7.03 times the time: 103\u00a0ms instead of 14.6\u00a0ms" in markdown(app, "1\u202f026 tokens")
    assert app.button(key="vit_stop").disabled
    app.select_slider(key="vit_layer").set_value(2).run()
    assert len(measured) == 6  # nothing is measured unasked

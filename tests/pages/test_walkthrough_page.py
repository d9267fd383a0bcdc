"""The CNN walk-through: any layer, any cell by slider or click, its field, its arithmetic, and the moved photo."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
import torch
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, visit

from explorer.gallery import load_sample
from explorer.images import read_photo, to_png
from explorer.layer_cells import cell_at, strongest_place
from explorer.layer_outputs import walk
from explorer.shift_test import shift_test
from explorer.units import three
from pretrained import catalog
from pretrained.classification import BUILDERS, Classifier, load_classifier, preprocess
from pretrained.records import ImageClassifier

KEY, PHOTO = "resnet18-photos110", "coco_pizza.jpg"


@pytest.fixture(scope="module")
def walked():
    classifier = load_classifier(KEY)
    return walk(classifier.module, preprocess(classifier, load_sample(PHOTO).pixels))


def open_page(**query):
    app = visit("walkthrough", timeout=200, **query)
    expect_no_fault(app)
    return app


def said(app, start: str) -> str:
    return next(one.value for one in app.markdown if one.value.startswith(start))


def place_of(app) -> tuple[int, int, int]:
    return tuple(app.select_slider(key=f"walk_{name}").value for name in ("channel", "row", "column"))


def click(app, key: str, place: int, row: int, column: int):
    app.session_state[key] = {"picked": {"map": place, "row": row, "column": column, "time": time.monotonic_ns()}}
    app.run()
    expect_no_fault(app)


def move_to(app, layer: str):
    app.select_slider(key="walk_layer").set_value(layer).run()
    expect_no_fault(app)


def test_it_opens_on_the_strongest_cell_of_the_first_relu(walked):
    app = open_page()
    assert app.select_slider(key="walk_layer").value == "stem.relu"
    place = strongest_place(walked["stem.relu"])
    assert place_of(app) == place
    cell = cell_at(walked, "stem.relu", place)
    assert three(cell.value) in said(app, f"Channel {place[0]}, row {place[1]}, column {place[2]} is")
    assert app.session_state["code_result"] == cell.value
    step = next(one.value for one in app.markdown if "The last number is the cell" in one.value)
    assert "`conv1` → `bn1` → `stem.relu`" in step


@pytest.mark.parametrize(("layer", "facts"), [
    ("conv1", [r"64 \cdot 3 \cdot 7 \cdot 7 = 9\,408", r"\cdot 64 \cdot 64 = 38\,535\,168"]),
    ("layer2.0.conv1", ["3 × 3, stride 2, padding 1 (zeros)"]),
    ("layer1.0.conv1", [r"11 + (3 - 1) \cdot 4 = 19$ pixels", "64 × 32 × 32 → 64 × 32 × 32"]),
    ("stem.maxpool", [r"7 + (3 - 1) \cdot 2 = 11$", "3 × 3, stride 2, padding 1 (it does not count)"]),
    ("bn1", [r"$2 \cdot 64 = 128$"]),
    ("layer2.0.add", ["128 × 16 × 16 + 128 × 16 × 16 → 128 × 16 × 16"]),
    ("head.avgpool", ["512 × 4 × 4 → 512 × 1 × 1", "the whole map"]),
    ("fc", [r"512 \cdot 110 + 110 = 56\,430", "512 → 110"]),
])  # fmt: skip
def test_the_facts_of_a_layer(layer, facts):
    app = open_page(walk_layer=layer)
    table = next(one.value for one in app.markdown if f"| **{layer}** |" in one.value)
    for fact in facts:
        assert fact in table
    expect_the_code_computes_what_is_shown(app, rtol=1e-4, atol=1e-5)


def test_the_answer_stands_at_the_last_layer(walked):
    app = open_page(walk_layer="fc")
    best = int(walked.logits.argmax())
    assert place_of(app) == (best, 0, 0)
    label = load_classifier(KEY).labels[best]
    assert any(f"Number {best} belongs to “{label}”" in one.value for one in app.caption)


def test_clicks_choose_a_cell_on_the_map_on_a_small_map_and_on_the_photo(walked):
    app = open_page(walk_layer="layer2.0.relu2")
    click(app, "walk_maps", 2, 3, 5)
    assert place_of(app)[1:] == (3, 5)
    shown = app.session_state["walk_shown"]
    assert len(shown) == 12
    click(app, "walk_gallery", 7, 11, 2)
    assert place_of(app) == (shown[7], 11, 2)
    click(app, "walk_maps", 0, 0, 419)  # the photo's upper right corner
    assert place_of(app) == (shown[7], 0, 15)
    before = place_of(app)
    click(app, "walk_maps", 1, 1, 1)  # what the cell sees is no map
    assert place_of(app) == before
    cell = cell_at(walked, "layer2.0.relu2", before)
    assert app.session_state["code_result"] == cell.value
    expect_the_code_computes_what_is_shown(app, rtol=1e-4, atol=1e-5)


def test_a_click_in_the_strip_goes_to_the_layer_and_keeps_the_place():
    app = open_page(walk_layer="layer1.0.relu2", walk_channel=3, walk_row=8, walk_column=24)
    assert place_of(app) == (3, 8, 24)
    app.session_state["walk_strip"] = {"picked": {"name": "layer3.0.conv1", "time": 1}}
    app.run()
    expect_no_fault(app)
    assert app.select_slider(key="walk_layer").value == "layer3.0.conv1"
    assert place_of(app)[1:] == (2, 6)
    move_to(app, "layer4.1.relu2")
    assert place_of(app)[1:] == (1, 3)
    told = said(app, f"Channel {place_of(app)[0]}, row 1, column 3 is")
    assert "435 × 435 pixels" in told
    # What the field reaches beyond the photo's 128 pixels, on either side: 217 − 32 above, 435 − 128 − 185 below.
    assert "185 rows above, 122 rows below, 121 columns on the left and 186 columns on the right" in told


def test_numbers_of_a_vector_are_clicked_in_a_grid():
    app = open_page(walk_layer="fc")
    click(app, "walk_maps", 2, 4, 7)
    assert place_of(app) == (4 * 11 + 7, 0, 0)
    move_to(app, "conv1")
    assert app.select_slider(key="walk_row").options[-1] == "63"


def test_all_channels_can_be_paged_through():
    app = open_page()
    seen = []
    for part in app.select_slider(key="walk_part").options:
        app.select_slider(key="walk_part").set_value(int(part)).run()
        seen += app.session_state["walk_shown"]
    assert sorted(seen) == list(range(64))


def test_another_photo_begins_at_its_own_strongest_cell():
    app = open_page()
    app.selectbox(key="photo").set_value("china_temple.jpg").run()
    expect_no_fault(app)
    classifier = load_classifier(KEY)
    found = walk(classifier.module, preprocess(classifier, load_sample("china_temple.jpg").pixels))
    assert place_of(app) == strongest_place(found["stem.relu"])


def test_where_the_costs_are():
    app = open_page()
    told = next(one.value for one in app.markdown if "multiply–adds, **" in one.value)
    assert "**11\u202f232\u202f942** parameters, **75%** of them in the layers whose output is 4 × 4" in told
    assert "sees 7 pixels a side, one of the last map 435; the photo has 128" in told


def test_the_moved_photo_is_measured(walked):
    app = open_page(walk_shift=16)
    classifier = load_classifier(KEY)
    test = shift_test(classifier.module, walked, 16)
    told = next(one.value for one in app.caption if one.value.startswith("stem: "))
    best = int(test.before.argmax())
    assert f"“{classifier.labels[best]}” goes from {test.before[best]:.1%} to {test.after[best]:.1%}" in told
    along, still = map(float, re.findall(r"-?\d\.\d\d", told.replace("−", "-"))[:2])
    np.testing.assert_allclose((along, still), (test.along[0], test.still[0]), atol=0.006)
    assert any("16 pixels are whole cells up to layer3.1" in one.value for one in app.markdown)
    app.select_slider(key="walk_shift").set_value(5).run()
    assert any("no map can follow exactly" in one.value for one in app.markdown)
    app.select_slider(key="walk_shift").set_value(0).run()
    assert any("all maps are as they were" in one.value for one in app.markdown)


@pytest.mark.parametrize(
    ("key", "layer"),
    [
        ("googlenet-imagenet-v1", "inception3a.cat"),
        ("alexnet-imagenet-v1", "classifier.1"),
        ("vgg11-imagenet-v1", "conv3_2.relu"),
        ("resnet50-imagenet-v1", "layer2.1.relu3"),
    ],
)
def test_other_families_go_the_same_way(monkeypatch, key, layer):
    """With random weights, as theirs are not bundled."""
    card = catalog.get(key, ImageClassifier)
    torch.manual_seed(0)
    module = BUILDERS[card.architecture](1000).eval().requires_grad_(False)
    classifier = Classifier(card, module, catalog.labels(card))
    monkeypatch.setattr("explorer.ui.models.load_or_offer", lambda model, *_: classifier if model.key == key else None)
    app = open_page(walk_model=card.name, walk_layer=layer)
    assert app.selectbox(key="walk_model").value == key
    assert app.select_slider(key="walk_layer").value == layer
    found = walk(module, preprocess(classifier, load_sample(PHOTO).pixels))
    place = place_of(app)
    assert place == strongest_place(found[layer])
    assert app.session_state["code_result"] == pytest.approx(cell_at(found, layer, place).value)
    for other in (found.names[0], found.names[-1]):
        move_to(app, other)
        assert float(cell_at(found, other, place_of(app)).compute()) == pytest.approx(
            app.session_state["code_result"], rel=1e-3, abs=1e-4
        )


def test_a_narrow_photo_goes_through_too():
    pixels = np.zeros((9, 400, 3), np.uint8)
    pixels[:, 100:200] = (250, 40, 40)
    photo = read_photo(to_png(pixels), "narrow.png")
    app = visit("walkthrough", timeout=200, state={"own_photo": photo, "photo_from": "upload"})
    expect_no_fault(app)
    move_to(app, "layer4.1.relu2")
    assert "435 × 435 pixels" in said(app, "Channel")

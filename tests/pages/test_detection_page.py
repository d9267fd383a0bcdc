"""The Detection page on outputs arranged by hand: what it shows, that it looks once, where clicks lead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from arranged import STREET, arranged_look
from detection_visits import STREET_PHOTO, click, open_page, said, see, street
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown

from explorer.detections import keep
from explorer.ui import detection_first_yolo
from explorer.yolox_cells import best_first
from pretrained import detection, transformer_detection
from tests.unit.test_detection import official_detr


def test_the_network_looks_once_whatever_the_sliders_say(arrange):
    looked = arrange(see(STREET))
    app = open_page()
    expect_no_fault(app)
    assert looked == ["yolox-highway"]
    everything = arranged_look(detection.load_detector("yolox-highway"), street(), STREET).found
    for score, iou in ((0.05, 0.95), (0.5, 0.45), (0.5, 0.05), (0.9, 0.5)):
        app.slider(key="detect_score").set_value(score)
        app.slider(key="detect_iou").set_value(iou).run()
        expect_no_fault(app)
        np.testing.assert_array_equal(app.session_state["code_result"], keep(everything, score, iou).boxes)
    app.slider(key="detect_score").set_value(0.5).run()
    app.pills(key="detect_classes").set_value(["bus", "car"]).run()
    for key in ("detect_s", "detect_b", "detect_round"):
        slider = app.select_slider(key=key)
        slider.set_value(slider.options[-1]).run()
    app.selectbox(key="photo").select("coco_cake_and_tea.jpg").run()
    assert len(looked) == 2
    app.selectbox(key="photo").select(STREET_PHOTO).run()
    assert len(looked) == 2
    expect_no_fault(app)


def test_the_code_computes_the_boxes_that_are_shown(arrange):
    arrange(see(STREET))
    app = open_page(detect_score=0.4, detect_iou=0.6)
    app.pills(key="detect_classes").set_value(["bus", "person"]).run()
    names = expect_the_code_computes_what_is_shown(app)
    assert set(names["found"].names) == {"bus", "person"}
    assert "hidden=['car']" in app.code[-1].value
    table = app.dataframe[0].value
    assert table["class"].tolist() == list(names["found"].names)
    np.testing.assert_allclose(table[["x0", "y0", "x1", "y1"]], names["result"], atol=0.06)


def test_the_legend_counts_and_keeps_what_is_off(arrange):
    arrange(see(STREET))
    app = open_page(detect_hidden="car")
    legend = app.pills(key="detect_classes")
    assert set(legend.value) == {"bus", "person"}
    everything = keep(arranged_look(detection.load_detector("yolox-highway"), street(), STREET).found, 0.3)
    assert {f"{name} {everything.names.count(name)}" for name in ("bus", "car", "person")} == set(legend.options)
    app.slider(key="detect_score").set_value(0.92).run()  # only the bus is left
    assert app.pills(key="detect_classes").value == ["bus"]
    app.slider(key="detect_score").set_value(0.3).run()
    assert set(app.pills(key="detect_classes").value) == {"bus", "person"}
    app.pills(key="detect_classes").set_value([]).run()
    assert len(app.session_state["code_result"]) == 0
    expect_no_fault(app)


def test_a_click_on_a_box_shows_its_cell(arrange):
    arrange(see(STREET))
    app = open_page()
    assert "stride **32** proposes: **bus**, with a score of **0.930**" in said(app)
    click(app, "detect_maps", map=1, box=1, time=1)
    assert "proposes: **car**, with a score of **0.900**" in said(app)
    click(app, "detect_cells", map=3 + 1, row=4, column=3, time=2)
    assert "Cell **[4, 3]** of the grid of stride **16**" in said(app)
    assert app.session_state["detect_lattice"] == 1
    click(app, "detect_seen", row=100, column=50, time=3)
    assert "Cell **[6, 3]** of the grid of stride **16**" in said(app)
    app.segmented_control(key="detect_lattice").set_value(0).run()
    click(app, "detect_seen", row=100, column=50, time=4)
    assert "Cell **[12, 6]** of the grid of stride **8**" in said(app)
    app.selectbox(key="photo").select("coco_cake_and_tea.jpg").run()
    assert "proposes: **bus**" in said(app)


def test_an_address_names_the_cell(arrange):
    arrange(see(STREET))
    assert "Cell **[4, 3]** of the grid of stride **16**" in said(open_page(detect_cell="1.4.3"))
    for wrong in ("1.40.3", "a.b.c", "7.0.0"):
        assert "proposes: **bus**" in said(open_page(detect_cell=wrong))


def test_round_by_round(arrange):
    arrange(see(STREET))
    app = open_page()
    assert "**bus 0.93** is the best box left" in said(app)
    rounds = app.select_slider(key="detect_round")
    rounds.set_value(rounds.options[1]).run()
    assert "**car 0.90** is the best box left" in said(app)
    assert "the same object, so it goes" in said(app)
    click(app, "detect_round_map", box=4, time=1)
    assert app.select_slider(key="detect_rival").value == 4
    app.slider(key="detect_iou").set_value(0.95).run()
    assert "taken for another object, so it may stay" in said(app)
    rounds = app.select_slider(key="detect_round")
    rounds.set_value(rounds.options[-1]).run()
    expect_no_fault(app)


def test_the_first_yolos_grid_and_its_numbers(arrange):
    arrange(see(STREET))
    app = open_page(detect_score=0.5)
    assert "= 7 \\cdot 7 \\cdot (2 \\cdot 5 + 5) = 735" in "".join(one.value for one in app.latex)
    app.select_slider(key="detect_s").set_value(1).run()
    assert "**Cell [0, 0] holds 8 centres**: 6 people, 1 bus, 1 car." in said(app)
    assert "it must leave all but one class out" in said(app)
    assert "40² + 20² + 10² = 2\u202f100 cells" in said(app)
    app.select_slider(key="detect_s").set_value(20).run()
    app.pills(key="detect_classes").set_value(["bus"]).run()
    assert "No two centres share a cell. Cell **[5, 17]** answers for the best bus" in said(app)


def test_other_models_are_offered(arrange):
    looked = arrange(see(STREET))
    app = open_page()
    names = app.selectbox(key="detect_model").options
    assert {"YOLOX-nano", "DETR (ResNet-50)", "YOLOS-tiny", "SSDlite (MobileNetV3)"} < set(names)
    servers = {"YOLOX-nano": "github.com", "SSDlite (MobileNetV3)": "pytorch.org", "DETR (ResNet-50)": "huggingface.co"}
    for name, server in servers.items():
        app.selectbox(key="detect_model").select(name).run()
        expect_no_fault(app)
        assert f"{name} is not on this computer yet" in said(app)
        assert server in said(app)
        assert app.button(key="download")
    assert looked == ["yolox-highway"]


def test_what_is_measured_of_the_model_is_its_cards(arrange):
    arrange(see(STREET))
    assert "On 321 photos held out its mean average precision is 62.5% at an IoU of 0.5, and 37.5%" in said(open_page())


def test_where_detrs_queries_look(road_model, tmp_path, monkeypatch):
    official_detr(tmp_path / "models/facebook--detr-resnet-50")
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path / "models"))
    to_input = transformer_detection.to_input
    monkeypatch.setattr(transformer_detection, "to_input", lambda pixels, _shorter: to_input(pixels, 128))
    app = open_page(detect_model="DETR (ResNet-50)", detect_score=0.01)
    expect_no_fault(app)
    model = detection.load_detector("detr-resnet50-coco")
    found = detection.look(model, street())
    np.testing.assert_allclose(app.session_state["code_result"], found.found.boxes, atol=0.01)
    assert app.slider(key="detect_iou").disabled
    assert f"Query **{found.queries[0]}** proposes" in said(app)
    assert "the mean of its 2 heads: each map sums to 1" in said(app)
    click(app, "detect_maps", map=1, box=2, time=1)
    assert f"Query **{found.queries[2]}** proposes" in said(app)
    click(app, "detect_query_photo", box=1, time=2)
    assert f"Query **{found.queries[1]}** proposes" in said(app)
    assert "is run without this" in said(app)
    assert "has no such grids" in said(app)


def test_cells_of_yolox_beside_the_first_yolos(road_model):
    detector = detection.load_detector("yolox-highway")
    seen = detection_first_yolo.Seen(detector, arranged_look(detector, street(), STREET), np.zeros(0, int))
    seen = replace(seen, order=best_first(seen.look.grids))
    kept = keep(seen.look.found, 0.5, 0.45)
    places = detection_first_yolo.proposing(seen, kept)
    for place, (x0, y0, x1, y1) in zip(places, (kept.boxes / 2).tolist(), strict=True):
        left, top, right, bottom = place.edges
        assert left - place.stride <= (x0 + x1) / 2 <= right + place.stride
        assert top - place.stride <= (y0 + y1) / 2 <= bottom + place.stride
    assert {place.stride for place in places} > {32}

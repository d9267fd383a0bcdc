"""The Detection page in Chromium: boxes under the pointer, sliders that only choose, the legend, clicks that lead on."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect
from seeing import at, expect_redrawn, picture, pixels, runs_of, slide, slider, wait_for_rest

from explorer.ui.pages import topics
from tests.bundled import needs_weights

pytestmark = [
    needs_weights("yolox-highway"),
    pytest.mark.skipif("detection" not in {topic.file for topic in topics()}, reason="the page is not in the app yet"),
]
LOW = "/detection?detect_score=0.01"
"""Where the trained network, whatever it answers, has many boxes."""
SCORE = "Least score (confidence)"


def boxes(page: Page, key: str, place: int = 0) -> list[str]:
    """Label and place of every box that a map has."""
    root = page.locator(f".st-key-{key} .root")
    root.wait_for()
    return root.evaluate(
        """(root, place) => {
            const { overlay } = root.maps.pictures[place];
            return overlay ? overlay.boxes.map(({ label, about }) => `${label} ${about}`) : [];
        }""",
        place,
    )


def test_sliders_choose_among_the_same_boxes(app, screenshot):
    page = app.open(LOW)
    everything = boxes(page, "detect_maps")
    assert len(everything) > 20
    before = pixels(picture(page, "After suppression", key="detect_maps"))
    slide(page, SCORE, "ArrowRight", 3)
    expect(page).to_have_url(re.compile(r"detect_score=0\.04"))
    expect_redrawn(picture(page, "After suppression", key="detect_maps"), before)
    fewer = boxes(page, "detect_maps")
    assert len(fewer) < len(everything)
    assert set(fewer) <= set(everything)
    kept = boxes(page, "detect_maps", 1)
    assert set(kept) <= set(fewer)
    screenshot(page, "detection", themes=("light", "dark"))


def test_the_pointer_names_a_box_and_the_keys_go_on(app):
    page = app.open(LOW)
    best, second = boxes(page, "detect_maps", 1)[:2]
    box = picture(page, "After suppression", key="detect_maps")
    box.locator("canvas.grid-top").focus()
    readout = box.locator(".map-readout")
    page.keyboard.press("ArrowRight")
    expect(readout).to_have_text(best)
    page.keyboard.press("ArrowRight")
    expect(readout).to_have_text(second)
    before = runs_of(page)
    page.keyboard.press("Enter")
    wait_for_rest(page, before + 1)
    name, score = re.match(r"(.+) (\d\.\d\d) ·", second).groups()
    says = page.get_by_text(re.compile(rf"^Cell \[\d+, \d+\] of the grid of stride \d+ proposes: {name}"))
    expect(says).to_be_visible()
    assert float(re.search(r"score of (\d\.\d+)", says.inner_text())[1]) == pytest.approx(float(score), abs=0.0051)


def test_a_class_switched_off_is_gone_and_in_the_address(app):
    page = app.open(LOW)
    legend = page.locator(".st-key-detect_classes button[data-variant=pills]")
    first = legend.first.inner_text()
    name, count = first.rsplit(" ", 1)
    assert sum(one.startswith(f"{name} ") for one in boxes(page, "detect_maps")) <= int(count)
    before = runs_of(page)
    legend.first.click()
    wait_for_rest(page, before + 1)
    expect(page).to_have_url(re.compile(f"detect_hidden={name}"))
    assert not any(one.startswith(f"{name} ") for one in boxes(page, "detect_maps"))
    page = app.open(page.url.removeprefix(app.server.url))
    expect(legend.first).to_have_attribute("aria-pressed", "false")
    assert not any(one.startswith(f"{name} ") for one in boxes(page, "detect_maps"))


def test_a_click_on_a_cell_shows_its_box(app):
    page = app.open("/detection")
    page.mouse.click(*at(picture(page, "Objectness, stride 32"), 0.32, 0.45))
    says = page.get_by_text(re.compile(r"^Cell \[\d+, \d+\] of the grid of stride 32 proposes"))
    expect(says).to_be_visible()
    expect(page).to_have_url(re.compile(r"detect_cell=2\.\d+\.\d+"))
    page.mouse.click(*at(picture(page, "Objectness, stride 16"), 0.32, 0.45))
    expect(page.get_by_text(re.compile(r"^Cell \[\d+, \d+\] of the grid of stride 16 proposes"))).to_be_visible()


def test_round_by_round_and_files_to_take_along(app, tmp_path):
    page = app.open(LOW)
    first = page.locator(".map-title", has_text=re.compile(r"^Round 1 of \d+$"))
    before = pixels(page.locator(".map", has=first))
    slide(page, "Round", "ArrowRight")
    title = page.locator(".map-title", has_text=re.compile(r"^Round 2 of \d+$"))
    expect(title).to_be_visible()
    expect_redrawn(page.locator(".map", has=title), before)
    expect(page.locator(".verdict")).to_contain_text("✓")
    with page.expect_download() as kept:
        page.get_by_role("button", name="COCO JSON").click()
    kept.value.save_as(tmp_path / "coco.json")
    read = json.loads((tmp_path / "coco.json").read_text())
    assert len(read["annotations"]) >= len(boxes(page, "detect_maps", 1)) > 0
    assert slider(page, SCORE).input_value() == "0.01"

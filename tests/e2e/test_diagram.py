"""The diagram component by itself: boxes where they belong, hands of all kinds, texts that are no markup, an SVG to keep."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from mounting import mount, show
from playwright.sync_api import Page

from explorer.components.diagram import Arrow, Box, Frame, encode, heat

VALUES = np.array([[1.0, -2.0, 0.0], [0.5, 0.0, 2.0]], np.float32)  # 2 tokens of 3 units
BOXES = [
    Box("words", "the sentence", 0, 4, "input", words=("<b>네</b>", "Donaudampfschifffahrt"), opens=False),
    Box("low", "Low", 0, 3, "input", values=VALUES, about="2 words × 3 numbers"),
    Box("mid", "A label far too long for its box, by any measure", 0, 2, values=VALUES),
    Box("top", "Top", 0, 1, values=VALUES),
    Box("other", "Other", 1, 2, "output", values=np.abs(VALUES), signed=False),
    Box("next", "next", 1, 0, "output", words=("a", "b"), strong=1, above=True, opens=False),
]
ARROWS = [
    Arrow("words", "low"),
    Arrow("low", "mid", prongs=("value", "key", "query")),
    Arrow("mid", "top"),
    Arrow("low", "top", "residual", "left"),
    Arrow("top", "other", "across", prongs=("value", "key")),
]
FRAMES = [Frame(("mid", "top"), "layer 1")]


def draw(page: Page, *, width: int = 700, theme: str = "light", selected: str = "mid") -> None:
    mount(page, "diagram", width=width, theme=theme)
    show(
        page,
        encode(BOXES, ARROWS, frames=FRAMES, selected=selected, height=500, alt="Two columns.", url="box"),
    )


def areas(page: Page) -> dict[str, dict[str, float]]:
    return page.evaluate("() => Object.fromEntries(window.root.diagram.areas)")


def pressed(page: Page) -> list[str]:
    return page.evaluate(
        "() => [...window.root.querySelectorAll('.block[aria-pressed=true]')].map((block) => block.dataset.id)"
    )


def focused(page: Page) -> str | None:
    return page.evaluate("() => window.root.getRootNode().activeElement?.dataset.id ?? null")


def test_values_become_bytes_with_zero_in_the_middle():
    assert heat(VALUES, signed=True).tolist() == [[192, 160], [1, 128], [128, 255]]
    assert heat(np.abs(VALUES), signed=False).tolist() == [[128, 64], [255, 0], [0, 255]]
    assert heat(np.zeros((2, 2)), signed=True).tolist() == [[128, 128], [128, 128]]


def test_an_arrow_from_nowhere_is_refused():
    with pytest.raises(ValueError, match="there is no box “nowhere”"):
        encode(BOXES, [Arrow("nowhere", "low")], selected="low")
    with pytest.raises(ValueError, match="there is no box “lost”"):
        encode(BOXES, [], frames=[Frame(("lost",), "")], selected="low")


@pytest.mark.parametrize("width", [376, 700, 1300])
def test_boxes_stand_in_their_columns_inside_the_picture(page, width):
    draw(page, width=width)
    found = areas(page)
    inner = page.evaluate("() => window.root.clientWidth")
    assert found["low"]["y"] > found["mid"]["y"] > found["top"]["y"]
    assert found["other"]["x"] > found["mid"]["x"] + found["mid"]["width"] + 30
    assert found["other"]["y"] == found["mid"]["y"]
    for area in found.values():
        assert area["x"] >= 0
        assert area["x"] + area["width"] <= inner
        assert 0 <= area["y"] <= area["y"] + area["height"] <= 500
    texts = page.evaluate(
        """() => [...window.root.querySelectorAll("text.name")].map((text) => {
            const [inside, box] = [text.getBBox(), window.root.diagram.areas.get(text.closest(".block").dataset.id)];
            return inside.x >= box.x && inside.x + inside.width <= box.x + box.width; })"""
    )
    assert texts == [True] * 4


def test_the_heat_is_that_of_the_values(page):
    draw(page)
    colours = page.evaluate(
        """async () => {
            const image = new Image();
            image.src = window.root.querySelector("[data-id=low] image").getAttribute("href");
            await image.decode();
            const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
            const pen = canvas.getContext("2d");
            pen.drawImage(image, 0, 0);
            const at = (x, y) => [...pen.getImageData(x, y, 1, 1).data.slice(0, 3)];
            const token = image.width / 2;
            return { low: at(0, 1), high: at(token, 2), zero: at(0, 2), rows: image.height };
        }"""
    )
    assert colours["rows"] == 3
    assert colours["low"][2] > colours["low"][0]  # −2: blue
    assert colours["high"][0] > colours["high"][2]  # +2: orange
    assert min(colours["zero"]) > 245  # 0: the page


def test_a_click_chooses_a_box_and_the_address_keeps_it(page):
    draw(page)
    assert pressed(page) == ["mid"]
    page.locator(".block[data-id=low]").click()
    assert pressed(page) == ["low"]
    assert page.evaluate("() => window.states.picked.id") == "low"
    before = page.evaluate("() => window.states.picked.time")
    page.wait_for_timeout(5)
    page.locator(".block[data-id=low]").click()
    assert page.evaluate("() => window.states.picked.time") > before
    page.locator(".block[data-id=words]").click(force=True)  # it shows words and opens nothing
    assert pressed(page) == ["low"]


def test_keys_alone_reach_every_box(page):
    draw(page)
    page.keyboard.press("Tab")
    assert focused(page) == "mid"  # the open one
    for key, expected in (
        ("ArrowUp", "top"),
        ("ArrowUp", "top"),
        ("ArrowRight", "other"),
        ("ArrowLeft", "mid"),
        ("ArrowDown", "low"),
    ):
        page.keyboard.press(key)
        assert focused(page) == expected, key
    page.keyboard.press("Enter")
    assert pressed(page) == ["low"]
    assert focused(page) == "low"
    page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    assert page.evaluate("() => window.states.picked.id") == "mid"


def test_a_finger_chooses_too(browser):
    context = browser.new_context(has_touch=True, viewport={"width": 400, "height": 800})
    page = context.new_page()
    draw(page, width=400)
    page.locator(".block[data-id=top]").tap()
    assert pressed(page) == ["top"]
    assert areas(page)["top"]["height"] >= 32
    context.close()


def test_it_says_what_it_is_to_those_who_cannot_see_it(page):
    draw(page)
    assert page.locator("svg[role=group]").get_attribute("aria-label") == "Two columns."
    assert page.locator("[data-id=low]").get_attribute("aria-label") == "Low. 2 words × 3 numbers"
    assert page.locator("[data-id=low]").get_attribute("role") == "button"


def test_texts_are_never_markup(page):
    draw(page, width=1300)
    assert page.locator("b").count() == 0
    assert page.get_by_text("<b>네</b>").count() == 1


def test_the_word_under_the_pointer_is_followed_upwards(page):
    draw(page)
    area = page.locator("[data-id=low] image").bounding_box()
    page.mouse.move(area["x"] + area["width"] * 0.75, area["y"] + 3)
    band = page.locator(".follow").evaluate(
        "band => Object.fromEntries(['x', 'width', 'opacity'].map((name) => [name, Number(band.getAttribute(name))]))"
    )
    assert band["opacity"] > 0
    assert band["width"] == pytest.approx(area["width"] / 2, abs=1)
    page.mouse.move(5, 795)
    assert page.locator(".follow").get_attribute("opacity") == "0"


def test_new_values_keep_the_focus_and_another_theme_changes_the_colours(page):
    draw(page)
    page.locator("[data-id=top]").click()
    show(page, encode(BOXES, ARROWS, frames=FRAMES, selected="top", height=500))
    assert focused(page) == "top"
    light = page.locator("[data-id=low] .face").get_attribute("stroke")
    draw(page, theme="dark")
    assert page.locator("[data-id=low] .face").get_attribute("stroke") != light


def test_the_diagram_can_be_kept_as_svg(page, tmp_path: Path):
    draw(page)
    page.hover(".root")
    with page.expect_download() as kept:
        page.get_by_role("button", name="SVG").click()
    kept.value.save_as(tmp_path / "diagram.svg")
    root = ElementTree.parse(tmp_path / "diagram.svg").getroot()
    texts = {text for element in root.iter() if element.tag.endswith("text") for text in element.itertext()}
    assert {"Low", "Top", "Other", "layer 1", "Q", "K", "V"} <= texts
    assert sum(element.tag.endswith("image") for element in root.iter()) == 4

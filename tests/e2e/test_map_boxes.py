"""Boxes over a map: where they are drawn, what pointing at them says, keys and clicks, and the picture that is kept."""

from __future__ import annotations

import numpy as np
import pytest
from mounting import mount, show
from playwright.sync_api import Page, expect

from explorer.components.maps import Box, Map, Picked, encode

GREY = np.full((60, 100, 3), 128, np.uint8)
LARGE = Box((10, 10, 90, 50), "bus 0.90", "· x 10–90, y 10–50", 0)
SMALL = Box((40, 20, 60, 40), "car 0.50", "· x 40–60, y 20–40", 1)
STRUCK = Box((0, 0, 8, 8), "car 0.40", "· x 0–8, y 0–8", 1, "struck")
PART = Box((70, 30, 100, 60), style="area")

PLACES = """() => {
    const { grid, overlay } = window.root.maps.pictures[0];
    const tags = overlay.tags.map(({ box, x, y, width, height }) => ({ label: box.label, x, y, width, height }));
    return { view: grid.view, tags };
}"""
COLOUR = """([x, y]) => {
    const canvas = window.root.querySelector(".grid-base");
    const ratio = canvas.width / canvas.clientWidth;
    return [...canvas.getContext("2d").getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data].slice(0, 3);
}"""
HEADS = """() => [0, 1].map((k) => getComputedStyle(window.root).getPropertyValue(`--head-${k}`).trim())"""


def draw(page: Page, *boxes: Box, theme: str = "light", **fields) -> dict:
    mount(page, "maps", theme=theme)
    show(page, encode([Map(GREY, "Found", "1 bus, 1 car", boxes=boxes, **fields)], columns=1, height=400, pick=True))
    return page.evaluate(PLACES)


def pixel(drawn: dict, x: float, y: float) -> list[float]:
    view = drawn["view"]
    return [view["x"] + x * view["scale"], view["y"] + y * view["scale"]]


def rgb(colour: str) -> list[int]:
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def point(page: Page, drawn: dict, x: float, y: float) -> None:
    area = page.locator("canvas.grid-top").bounding_box()
    across, down = pixel(drawn, x, y)
    page.mouse.move(area["x"] + across, area["y"] + down)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_edges_are_drawn_where_they_are_in_the_colour_of_the_class(page, theme):
    drawn = draw(page, LARGE, SMALL, theme=theme)
    first, second = map(rgb, page.evaluate(HEADS))
    assert page.evaluate(COLOUR, pixel(drawn, 10, 45)) == first
    assert page.evaluate(COLOUR, pixel(drawn, 50, 40)) == second
    assert page.evaluate(COLOUR, pixel(drawn, 30, 45)) == [128, 128, 128]
    assert {tag["label"] for tag in drawn["tags"]} == {"bus 0.90", "car 0.50"}


def test_tags_never_cover_each_other(page):
    crowd = tuple(Box((k, k, 40 + k, 30 + k), f"car 0.{90 - k}", "", k % 12) for k in range(20))
    tags = draw(page, *crowd)["tags"]
    assert 1 < len(tags) < 20
    assert tags[0]["label"] == "car 0.90"
    for n, a in enumerate(tags):
        for b in tags[:n]:
            beside = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
            assert beside or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]


def test_pointing_names_the_smallest_box_and_a_click_picks_it(page):
    drawn = draw(page, LARGE, SMALL, PART)
    readout = page.locator(".map-readout")
    point(page, drawn, 50, 30)
    expect(readout).to_have_text("car 0.50 · x 40–60, y 20–40")
    point(page, drawn, 20, 45)
    expect(readout).to_have_text("bus 0.90 · x 10–90, y 10–50")
    page.mouse.down()
    page.mouse.up()
    picked = Picked.read(page.evaluate("window.states.picked"))
    assert (picked.box, picked.row, picked.column) == (0, 45, 20)
    point(page, drawn, 95, 55)  # an area cannot be pointed at: the pixel is said
    expect(readout).to_have_text("[55, 95] = (128, 128, 128)")
    page.mouse.down()
    page.mouse.up()
    assert Picked.read(page.evaluate("window.states.picked")).box is None


def test_the_arrow_keys_go_from_box_to_box(page):
    draw(page, LARGE, SMALL, PART, STRUCK)
    page.locator("canvas.grid-top").focus()
    readout = page.locator(".map-readout")
    for key, label in (("ArrowRight", "bus"), ("ArrowDown", "car 0.50"), ("ArrowRight", "car 0.40"), ("ArrowRight", "bus"),
                       ("ArrowLeft", "car 0.40")):  # fmt: skip
        page.keyboard.press(key)
        expect(readout).to_contain_text(label)
    page.keyboard.press("Enter")
    assert Picked.read(page.evaluate("window.states.picked")).box == 3


def test_the_boxes_are_said_to_those_who_do_not_see_them(page):
    draw(page, LARGE, SMALL, PART)
    label = page.locator("canvas.grid-top").get_attribute("aria-label")
    assert "1 bus, 1 car" in label
    assert "bus 0.90 · x 10–90, y 10–50; car 0.50 · x 40–60, y 20–40." in label


def test_boxes_go_when_they_are_gone_and_the_kept_picture_has_them(page):
    drawn = draw(page, LARGE)
    size = page.evaluate("""async () => {
        const { grid } = window.root.maps.pictures[0];
        const image = await createImageBitmap(await grid.toBlob());
        const canvas = new OffscreenCanvas(image.width, image.height);
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        const place = (x, y) => [Math.round(x * image.width / 100), Math.round(y * image.height / 60), 1, 1];
        const at = (x, y) => [...context.getImageData(...place(x, y)).data].slice(0, 3);
        return { width: image.width, edge: at(10, 45), ground: at(30, 45) };
    }""")
    assert size["width"] >= 1000
    assert size["edge"] == rgb(page.evaluate(HEADS)[0])
    assert size["ground"] == [128, 128, 128]
    show(page, encode([Map(GREY, "Found", "nothing")], columns=1, height=400, pick=True))
    assert page.evaluate(COLOUR, pixel(drawn, 10, 45)) == [128, 128, 128]
    page.locator("canvas.grid-top").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".map-readout")).to_contain_text("(128, 128, 128)")


def test_a_lattice_parts_the_picture(page):
    drawn = draw(page, lattice=(25.0, 20.0))
    ground = [128, 128, 128]
    for x, y, line in (
        (25, 10, True),
        (50, 30, True),
        (10, 20, True),
        (10, 40, True),
        (12, 10, False),
        (60, 30, False),
    ):
        assert (page.evaluate(COLOUR, pixel(drawn, x, y)) != ground) == line, (x, y)

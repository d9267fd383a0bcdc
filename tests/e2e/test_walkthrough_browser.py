"""The CNN walk-through in a real browser: a clicked cell, its frame on the photo, and the arithmetic that ends in its value."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from seeing import at, expect_drawn, expect_redrawn, overhang, picture, pixels, runs_of, slide, wait_for_rest

SAID = re.compile(r"^(Channel \d+, row \d+, column \d+|Number \d+) is ([−\d.]+)\.")


def value_of_the_cell(page: Page) -> str:
    """As the sentence on the cell says it."""
    found = SAID.match(page.get_by_text(SAID).first.inner_text())
    assert found is not None
    return found[2]


def expect_last_step(page: Page, value: str) -> None:
    """The last number of the steps, in full under the arithmetic, is this one rounded."""
    page.get_by_role("button", name="Last step").click()
    expect(page.locator(".verdict")).to_contain_text("✓ torch has")
    said = re.search(r"torch has ([−\d.e-]+)", page.locator(".verdict").inner_text())
    assert said is not None
    exact, rounded = (float(text.replace("−", "-")) for text in (said[1], value))
    assert abs(exact - rounded) <= 0.006 * abs(rounded), (exact, rounded)


def strip(page: Page):
    return page.locator(".st-key-walk_strip canvas")


def test_a_clicked_cell_is_framed_on_the_photo_and_the_steps_end_in_it(app, screenshot):
    page = app.open("/walkthrough?walk_layer=layer1.1.relu2")
    expect(page.locator(".verdict")).to_contain_text("✓")
    first = value_of_the_cell(page)
    expect_last_step(page, first)
    before = pixels(picture(page, "Your photo"), "grid-top")
    seen = pixels(picture(page, "What the cell sees"))
    runs = runs_of(page)
    page.mouse.click(*at(page.locator(".st-key-walk_maps .map").nth(2), 0.5, 0.8))
    wait_for_rest(page, runs + 1)
    expect(page.get_by_text(re.compile(r"Channel \d+, row 2[456], column 1[567] is"))).to_be_visible()
    expect_redrawn(picture(page, "Your photo"), before, "grid-top")
    after = expect_redrawn(picture(page, "What the cell sees"), seen)
    assert value_of_the_cell(page) != first
    expect_last_step(page, value_of_the_cell(page))
    expect(page).to_have_url(re.compile("walk_row=2[456]"))
    screenshot(page, "walkthrough-clicked", widths=(1440,))
    value = value_of_the_cell(page)
    page = app.open(page.url.removeprefix(app.server.url))
    assert value_of_the_cell(page) == value
    expect_drawn(picture(page, "What the cell sees"), after)


def test_a_small_map_and_the_photo_choose_too(app):
    page = app.open("/walkthrough?walk_layer=layer2.0.relu2&walk_channel=3&walk_row=1&walk_column=1")
    expect(page.get_by_text("Channel 3, row 1, column 1 is")).to_be_visible()
    app.settle()
    third = page.locator(".st-key-walk_gallery .map").nth(2)
    channel = third.locator(".map-title").inner_text().removeprefix("channel ")
    page.mouse.click(*at(third, 0.5, 0.5))
    expect(page.get_by_text(re.compile(rf"Channel {channel}, row [78], column [78] is"))).to_be_visible()
    app.settle()
    page.mouse.click(*at(picture(page, "Your photo"), 0.95, 0.5))
    expect(page.get_by_text(re.compile(rf"Channel {channel}, row [78], column 1[45] is"))).to_be_visible()


def test_keys_walk_through_the_layers(app):
    page = app.open("/walkthrough")
    expect(strip(page)).to_have_attribute("aria-valuetext", re.compile(r"^stem\.relu\."))
    app.settle()
    strip(page).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("columnheader", name="stem.maxpool")).to_be_visible()
    expect(page).to_have_url(re.compile("walk_layer=stem.maxpool"))
    app.settle()
    strip(page).focus()
    page.keyboard.press("End")
    expect(page.get_by_role("columnheader", name="fc", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("Number 81 belongs to “pizza”"))).to_be_visible()
    expect_last_step(page, value_of_the_cell(page))
    slide(page, "Layer", "ArrowLeft")
    expect(page.get_by_role("columnheader", name="head.avgpool")).to_be_visible()
    expect(strip(page)).to_have_attribute("aria-valuetext", re.compile(r"^head\.avgpool\."))


def test_a_click_in_the_strip_and_every_step_can_be_checked(app):
    page = app.open("/walkthrough")
    expect(page.locator(".verdict")).to_contain_text("✓")
    app.settle()
    strip(page).scroll_into_view_if_needed()
    area = strip(page).bounding_box()
    assert area is not None
    runs = runs_of(page)
    page.mouse.click(area["x"] + area["width"] * 0.5, area["y"] + area["height"] * 0.5)
    wait_for_rest(page, runs + 1)
    expect(page.get_by_role("columnheader", name=re.compile(r"^layer2\.1|^layer3\.0"))).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("✓")
    page.get_by_role("button", name="First step").click()
    steps = int(page.locator(".counter").inner_text().split("/")[1])
    assert steps >= 2
    for _ in range(steps):
        page.get_by_role("button", name="Check every cell").click()
        expect(page.locator(".verdict")).to_contain_text("✓ all")
        page.get_by_role("button", name="Step forward").click()


def test_nothing_runs_over_the_edge_of_a_phone(app):
    page = app.open("/walkthrough?walk_layer=layer3.0.conv1", width=400, height=900)
    expect(page.locator(".verdict")).to_contain_text("✓")
    over = overhang(page, ".katex-display")
    assert len(over) == 2
    assert max(over) <= 0, over

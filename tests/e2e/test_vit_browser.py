"""The Vision Transformer page in a real browser: clicks on patches and heads, sliders, links, keys, the stepper."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from seeing import at, choose, expect_drawn, expect_redrawn, picture, pixels, runs_of, slide, wait_for_rest


def click(page: Page, box, across: float, down: float) -> None:
    """Click a place of a picture and wait until the page has followed."""
    wait_for_rest(page)
    before = runs_of(page)
    page.mouse.click(*at(box, across, down))
    wait_for_rest(page, before + 1)


def test_a_clicked_patch_becomes_the_one_that_looks_and_the_link_restores_it(app, screenshot):
    page = app.open("/vit")
    expect(page.get_by_text("From the class token, layer 6, the mean of 8 heads:")).to_be_visible()
    looks, head, rolled = picture(page, "Where it looks"), picture(page, "Head 3"), picture(page, "Rollout")
    before = {box: pixels(box) for box in (looks, head, rolled)}
    click(page, looks, 0.04, 0.96)
    expect(page.get_by_text("From the patch in row 12, column 1, layer 6, the mean of 8 heads:")).to_be_visible()
    for box, drawn in before.items():
        expect_redrawn(box, drawn)
    expect(page).to_have_url(re.compile(r"vit_from=The\+chosen\+patch"))
    expect(page).to_have_url(re.compile("vit_row=12"))
    click(page, picture(page, "Head 6"), 0.5, 0.5)
    expect(page.get_by_text("From the patch in row 12, column 1, layer 6, head 6:")).to_be_visible()
    screenshot(page, "vit-patch", widths=(1440,), themes=("light", "dark"))
    shown = pixels(looks)
    page = app.open(page.url.removeprefix(app.server.url))
    expect(page.get_by_text("From the patch in row 12, column 1, layer 6, head 6:")).to_be_visible()
    expect_drawn(picture(page, "Where it looks"), shown)


def test_the_layer_changes_the_pictures_and_nothing_jumps(app):
    page = app.open("/vit?vit_from=The+chosen+patch&vit_row=3&vit_column=4")
    looks, head = picture(page, "Where it looks"), picture(page, "Head 1")
    expect(looks).to_be_visible()
    wait_for_rest(page)
    before, size = {box: pixels(box) for box in (looks, head)}, looks.bounding_box()
    slide(page, "Layer", "ArrowLeft", 2)
    expect(page.get_by_text("From the patch in row 3, column 4, layer 4, the mean of 8 heads:")).to_be_visible()
    for box, drawn in before.items():
        expect_redrawn(box, drawn)
    expect(page).to_have_url(re.compile("vit_layer=4"))
    now = looks.bounding_box()
    assert (now["width"], now["height"]) == (size["width"], size["height"])
    slide(page, "Layer", "ArrowRight", 2)
    for box, drawn in before.items():
        expect_drawn(box, drawn)


def test_a_patch_of_the_photo_is_projected_and_its_position_shown(app):
    page = app.open("/vit")
    token, position = picture(page, "Token"), picture(page, "As this patch sees the others")
    expect(token).to_be_visible()
    before = {box: pixels(box) for box in (token, position)}
    click(page, picture(page, "What this network sees"), 0.9, 0.1)
    expect(picture(page, "Patch").get_by_text("Row 2, column 11.", exact=True)).to_be_visible()
    for box, drawn in before.items():
        expect_redrawn(box, drawn)
    # The class token still looks: only what was asked for has changed.
    expect(page.get_by_text("From the class token, layer 6, the mean of 8 heads:")).to_be_visible()
    click(page, picture(page, "As every patch sees the others"), 0.5, 0.5)
    expect(picture(page, "Patch").get_by_text("Row 2, column 11.", exact=True)).to_have_count(0)


def test_the_keys_choose_a_patch(app):
    page = app.open("/vit")
    canvas = picture(page, "The weights").locator("canvas.grid-top")
    expect(canvas).to_be_visible()
    wait_for_rest(page)
    before = runs_of(page)
    canvas.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    wait_for_rest(page, before + 1)
    expect(page.get_by_text("From the patch in row 3, column 2, layer 6, the mean of 8 heads:")).to_be_visible()


def test_the_patch_size_changes_only_what_is_cut(app):
    page = app.open("/vit")
    cut, seen = picture(page, "Cut as you like"), picture(page, "What this network sees")
    expect(cut.get_by_text("224 × 224 pixels in 196 patches of 16 × 16.")).to_be_visible()
    before = pixels(cut), pixels(seen)
    slide(page, "Patch size", "ArrowRight")
    expect(cut.get_by_text("224 × 224 pixels in 64 patches of 28 × 28.")).to_be_visible()
    expect_redrawn(cut, before[0])
    expect_drawn(seen, before[1])


@pytest.mark.parametrize("part", ["A row of patches", "A layer"])
def test_every_cell_of_the_steps_can_be_checked(app, part):
    page = app.open("/vit?vit_from=The+chosen+patch")
    expect(page.locator(".verdict")).to_contain_text("✓")
    choose(page, part)
    expect(page.locator(".verdict")).to_contain_text("✓")
    page.get_by_role("button", name="Check every cell").click()
    expect(page.locator(".verdict")).to_contain_text("✓ all")
    if part == "A row of patches":  # the convolution is the matrix product, to the last digits
        page.get_by_role("button", name="Last step").click()
        expect(page.locator(".heading")).to_contain_text("maps.flatten(2).mT - tokens")
        expect(page.locator(".verdict")).to_contain_text("✓")

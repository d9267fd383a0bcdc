"""The page Attention in images in a real browser: clicks light windows, sliders redraw, links restore, phones hold it."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from seeing import at, choose, expect_drawn, expect_redrawn, overhang, picture, pixels, slide


def test_a_click_lights_another_window_and_the_link_restores_it(app, screenshot):
    page = app.open("/local_attention")
    expect(page.locator(".verdict")).to_contain_text("✓")
    seen = picture(page, "In this block")
    before = pixels(seen)
    page.mouse.click(*at(seen, 0.05, 0.05))
    after = expect_redrawn(seen, before)
    expect(page).to_have_url(re.compile("local_maps_row=1&local_maps_column=1"))
    expect(page.get_by_text("this patch would hear of 49 patches")).to_be_visible()
    later = pixels(picture(page, "After 2 blocks"))
    slide(page, "Blocks in a row", "ArrowRight")
    expect_redrawn(picture(page, "After 3 blocks"), later)
    expect_drawn(picture(page, "In this block"), after)
    url = page.url.removeprefix(app.server.url)
    page = app.open(url)
    expect_drawn(picture(page, "In this block"), after)
    expect(picture(page, "After 3 blocks")).to_be_visible()
    screenshot(page, "local-attention", widths=(1440,))


def test_another_window_has_another_mask_and_larger_photos_cost_more(app):
    page = app.open("/local_attention")
    expect(page.locator(".verdict")).to_contain_text("✓")
    before = pixels(picture(page, "3 Mask"))
    expect(page.get_by_text("Window 16 holds 4 parts of the photo.")).to_be_visible()
    slide(page, "Window", "ArrowLeft")
    expect(page.get_by_text("Window 15 holds 2 parts of the photo.")).to_be_visible()
    expect_redrawn(picture(page, "3 Mask"), before)
    slide(page, "Side of the photo, pixels", "ArrowRight")
    expect(page.get_by_text("280 × 280 pixels, stage 2:")).to_be_visible()


def test_heads_and_cells_can_be_clicked(app):
    page = app.open("/local_attention")
    expect(page.locator(".verdict")).to_contain_text("✓")
    head = picture(page, "Everywhere")
    before = pixels(head)
    page.mouse.click(*at(picture(page, "Attention kept"), 0.5, 0.9))
    expect_redrawn(head, before)
    expect(page).to_have_url(re.compile("local_layer=6"))
    cell = picture(page, "Without weights")
    before = pixels(cell)
    page.mouse.click(*at(cell, 0.1, 0.1))
    expect_redrawn(cell, before)
    expect(page).to_have_url(re.compile("local_cells_row=0&local_cells_column=0"))


def test_every_cell_of_the_steps_can_be_checked(app):
    page = app.open("/local_attention")
    for code in ("Moved windows", "Squeeze-and-excitation"):
        if code != "Moved windows":  # which is chosen from the start
            choose(page, code)
        for _ in range(3):
            expect(page.locator(".verdict")).to_contain_text("✓")
            page.get_by_role("button", name="Check every cell").click()
            expect(page.locator(".verdict")).to_contain_text(re.compile(r"✓ all [\d\s,]+ cells agree with torch"))
            page.get_by_role("button", name="Step forward").click()


def test_nothing_runs_over_the_edge_of_a_phone(app):
    page = app.open("/local_attention?local_code=Squeeze-and-excitation", width=400, height=900)
    expect(page.locator(".verdict")).to_contain_text("✓")
    over = overhang(page, ".katex-display")
    assert len(over) == 4
    assert max(over) <= 0, over

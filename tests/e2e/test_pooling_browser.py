"""The pooling page in a real browser: sliders, dots on the maxima, the stepper's ✓, clicks, and links that restore it."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from seeing import at, choose, expect_drawn, expect_redrawn, overhang, picture, pixels, slide


def test_sliders_pool_anew_and_the_link_restores_it(app, screenshot):
    page = app.open("/pooling")
    expect(page.locator(".verdict")).to_contain_text("✓")
    expect(page.get_by_text("A dot stands on each maximum: 256 of 1024 cells.")).to_be_visible()
    before = pixels(picture(page, "Max pooled"))
    slide(page, "Window", "ArrowRight", 2)
    slide(page, "Stride", "ArrowRight")
    expect(page.get_by_text("Torch rounds the size down: no window reaches the last row")).to_be_visible()
    after = expect_redrawn(picture(page, "Max pooled"), before)
    choose(page, "By hand")
    expect(page.locator(".counter")).to_have_text(re.compile("1?[0-9] / 17"))
    app.settle()
    first, start = page.locator(".counter").inner_text(), page.url
    page.get_by_role("button", name="Step forward").click()
    expect(page.locator(".counter")).not_to_have_text(first)
    expect(page).not_to_have_url(start)
    expect(page).to_have_url(re.compile("step="))
    expect(page).to_have_url(re.compile("pool_code="))
    counter, url = page.locator(".counter").inner_text(), page.url.removeprefix(app.server.url)
    page = app.open(url)
    expect(page.locator(".counter")).to_have_text(counter)
    expect(page.get_by_text("The largest of 16 numbers")).to_be_visible()
    expect_drawn(picture(page, "Max pooled"), after)
    screenshot(page, "pooling-by-hand", widths=(1440,))


def test_hovering_spells_out_the_arithmetic_and_average_pooling_has_no_dots(app):
    page = app.open("/pooling")
    expect(page.locator(".verdict")).to_contain_text("✓")
    with_dots = pixels(picture(page, "Map"))
    for kind, words in (("Max", "max("), ("Average", ") / 4 = "), ("Global average", ") / 1024 = ")):
        if kind != "Max":  # which is chosen from the start
            choose(page, kind)
        expect(page.locator(".readout")).to_contain_text(words)
        page.mouse.move(*at(page.locator(".outputs .tensor").first, 0.5, 0.5))
        expect(page.locator(".readout")).to_contain_text(words)
        expect(page.locator(".verdict")).to_contain_text("✓ torch has")
        if kind == "Max":
            expect_drawn(picture(page, "Map"), with_dots)
        else:
            expect_redrawn(picture(page, "Map"), with_dots)


def test_every_cell_of_every_step_of_the_convnet_can_be_checked(app):
    page = app.open("/pooling?pool_code=ConvNet")
    expect(page.locator(".counter")).to_have_text("1 / 8")
    for _ in range(8):
        page.get_by_role("button", name="Check every cell").click()
        expect(page.locator(".verdict")).to_contain_text(re.compile(r"✓ all [\d\s,]+ cells agree with torch"))
        page.get_by_role("button", name="Step forward").click()


def test_clicks_outline_windows_and_noise_and_shift_change_their_pictures(app):
    page = app.open("/pooling")
    expect(page.get_by_text("pooled cell [8, 8]")).to_be_visible()
    page.mouse.click(*at(picture(page, "Max pooled"), 0.5, 0.05))
    expect(page.get_by_text("pooled cell [0, ")).to_be_visible()
    app.settle()
    page.mouse.click(*at(picture(page, "Map"), 0.5, 0.94))
    expect(page.get_by_text("pooled cell [15, ")).to_be_visible()
    before = pixels(picture(page, "With noise"))
    slide(page, "Strength, %", "ArrowRight", 2)
    expect(page).to_have_url(re.compile("pool_strength=12"))
    expect_redrawn(picture(page, "With noise"), before)
    slide(page, "Shift, cells", "ArrowLeft")
    expect(page.get_by_text("0% of 1024 cells changed; on average by 0.000.")).to_be_visible()


def test_nothing_runs_over_the_edge_of_a_phone(app):
    page = app.open("/pooling?pool_window=3&pool_ceil=true", width=400, height=900)
    expect(page.locator(".verdict")).to_contain_text("✓")
    over = overhang(page, ".katex-display, table")
    assert len(over) == 3
    assert max(over) <= 0, over

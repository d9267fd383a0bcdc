"""The Segmentation page in Chromium: names under the pointer, the legend, clicks on pixels, switches on skip connections."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from seeing import at, expect_drawn, expect_redrawn, picture, pixels, runs_of, slide, wait_for_rest

from explorer.ui.pages import topics
from tests.bundled import needs_weights
from training.unet_camvid import CLASSES

pytestmark = [
    needs_weights("unet-camvid"),
    pytest.mark.skipif(
        "segmentation" not in {topic.file for topic in topics()}, reason="the page is not in the app yet"
    ),
]
ANY_CLASS = "|".join(CLASSES)


def classes_map(page: Page):
    return picture(page, "Classes", key="seg_pictures")


def legend(page: Page):
    return page.locator(".st-key-seg_classes button[data-variant=pills]")


def test_the_pointer_names_the_class_and_how_sure_the_network_is(app, screenshot):
    page = app.open("/segmentation")
    expect(page.locator(".verdict")).to_contain_text("✓")
    page.mouse.move(*at(classes_map(page), 0.5, 0.5))
    expect(classes_map(page).locator(".map-readout")).to_have_text(re.compile(rf"\[\d+, \d+\]\s+({ANY_CLASS}) 0\.\d+"))
    page.mouse.move(*at(picture(page, "Borders"), 0.5, 0.5))
    expect(picture(page, "Borders").locator(".map-readout")).to_have_text(re.compile(rf"\]\s+({ANY_CLASS}) "))
    screenshot(page, "segmentation", themes=("light", "dark"))


def test_opacity_and_legend_only_repaint_and_the_link_restores_them(app):
    page = app.open("/segmentation")
    before = pixels(classes_map(page))
    slide(page, "Opacity", "ArrowRight", 3)
    expect(page).to_have_url(re.compile(r"seg_opacity=0\.7"))
    stronger = expect_redrawn(classes_map(page), before)
    count = legend(page).count()
    assert count > 1
    runs = runs_of(page)
    legend(page).first.click()
    wait_for_rest(page, runs + 1)
    fewer = expect_redrawn(classes_map(page), stronger)
    expect(page).to_have_url(re.compile(rf"seg_hidden=({ANY_CLASS})"))
    expect(legend(page)).to_have_count(count)
    again = app.open(page.url.removeprefix(app.server.url))
    expect_drawn(classes_map(again), fewer)


def test_a_click_asks_another_pixel(app):
    page = app.open("/segmentation")
    wait_for_rest(page)
    told = page.get_by_text(re.compile(r"^Pixel \("))
    before, runs = told.inner_text(), runs_of(page)
    page.mouse.click(*at(classes_map(page), 0.52, 0.03))
    wait_for_rest(page, runs + 1)
    expect(told).not_to_have_text(before)
    expect(page).to_have_url(re.compile(r"seg_pixel=\d+\.\d+"))
    after = told.inner_text()
    again = app.open(page.url.removeprefix(app.server.url))
    expect(again.get_by_text(re.compile(r"^Pixel \("))).to_have_text(after)


def test_a_switch_cuts_a_skip_connection(app):
    page = app.open("/segmentation")
    expect(page.get_by_text("Above nothing is cut yet; here everything is.")).to_be_visible()
    whole = pixels(picture(page, "With all skips", key="seg_cut_maps"))
    runs = runs_of(page)
    page.get_by_text("Skip 0 →", exact=True).click()
    wait_for_rest(page, runs + 1)
    cut = picture(page, "Without skip 0", key="seg_cut_maps")
    expect(cut).to_be_visible()
    assert pixels(cut) != whole
    expect_drawn(picture(page, "With all skips", key="seg_cut_maps"), whole)
    expect(page.get_by_text(re.compile(r"^(< )?[\d.]+\u202f% of the pixels have another class"))).to_be_visible()
    expect(page).to_have_url(re.compile("seg_skip_0=false"))


def test_nothing_runs_over_the_edge_of_a_phone(app):
    page = app.open("/segmentation", width=400, height=900)
    expect(page.locator(".verdict")).to_contain_text("✓")
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= 400

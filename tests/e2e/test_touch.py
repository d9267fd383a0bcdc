"""The stepper and coloured text under a finger, on a screen as narrow as a phone's."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


@pytest.fixture
def context_options():
    return {"has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def test_tapping_a_cell_pins_its_arithmetic(app):
    page = app.open("/filters?kernel=Scharr", width=400, height=850)
    page.get_by_role("button", name="Step forward").scroll_into_view_if_needed()
    canvas = page.locator(".outputs canvas.grid-top").first
    area = canvas.bounding_box()
    page.touchscreen.tap(area["x"] + area["width"] * 0.5, area["y"] + area["height"] * 0.5)
    expect(page.locator(".pinned .verdict")).to_contain_text("✓ torch has")
    counter = page.locator(".counter").inner_text()
    page.get_by_role("button", name="Step forward").tap()
    expect(page.locator(".counter")).not_to_have_text(counter)
    expect(page.locator(".pinned")).to_have_count(0)


def test_tapping_a_character_tells_what_comes_next(app):
    page = app.open("/recurrent", width=400, height=850)
    box = page.locator(".coloured", has=page.locator(".coloured-title", has_text="Surprise"))
    box.locator("span[data-place='3']").tap()
    expect(box.locator(".coloured-readout")).to_contain_text(" 4 of ")
    expect(box.locator(".guesses-title")).to_contain_text('“"It ”')
    assert box.locator(".guess").count() == 8

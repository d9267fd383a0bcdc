"""The positional-encoding page in a real browser: clicks on the heatmap, the stepper, the training and its stop, a phone."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from seeing import at, expect_drawn, expect_redrawn, overhang, picture, pixels, slide


def test_a_click_on_the_heatmap_draws_another_wave_and_the_link_restores_it(app, screenshot):
    page = app.open("/positions")
    expect(page.get_by_text("Dimension 16 is a sine (i = 8).")).to_be_visible()
    page.mouse.click(*at(picture(page, "Positional encoding"), 0.5, 0.5))
    chosen = page.get_by_text(re.compile(r"^Dimension 6[345] is a (sine|cosine) \(i = 32|31\)"))
    expect(page).to_have_url(re.compile("pos_dimension=6[345]"))
    expect(page).to_have_url(re.compile("pos_at=2[345]"))
    app.settle()
    before = pixels(picture(page, "Dot product"))
    slide(page, "Base", "ArrowLeft")
    expect(page).to_have_url(re.compile("pos_base=1000(&|$)"))
    after = expect_redrawn(picture(page, "Dot product"), before)
    dimension = re.search("pos_dimension=([0-9]+)", page.url)
    assert dimension is not None
    page = app.open(page.url.removeprefix(app.server.url))
    expect(page.get_by_text(f"Dimension {dimension[1]} is a ")).to_be_visible()
    expect_drawn(picture(page, "Dot product"), after)
    assert chosen.count() <= 1
    screenshot(page, "positions-clicked", widths=(1440,))


def test_every_cell_of_the_encoding_and_of_the_rotation_can_be_checked(app):
    for code in ("The encoding", "The rotation"):
        page = app.open(f"/positions?pos_length=16&pos_width=8&pos_code={code.replace(' ', '+')}")
        expect(page.locator(".verdict")).to_contain_text("✓")
        page.get_by_role("button", name="First step").click()
        steps = int(page.locator(".counter").inner_text().split("/")[1])
        checked = 0
        for _ in range(steps):
            check = page.get_by_role("button", name="Check every cell")
            if check.is_enabled():  # a call that makes numbers from nothing, such as arange, has no arithmetic
                check.click()
                expect(page.locator(".verdict")).to_contain_text("✓ all")
                checked += 1
            page.get_by_role("button", name="Step forward").click()
        assert checked >= 7


def test_training_shows_how_far_it_is_and_can_be_stopped(app):
    page = app.open("/positions?pos_train_length=6&pos_updates=3000")
    expect(page.locator(".verdict")).to_contain_text("✓")
    before = pixels(picture(page, "Learned"))
    train, progress = page.get_by_role("button", name="Train all three"), page.get_by_test_id("stProgress")
    train.click()
    expect(progress).to_contain_text(re.compile("Update [0-9]+ of 3000: no positions [0-9]+%, learned [0-9]+%"))
    page.get_by_role("button", name="Stop training").click()
    expect(page.get_by_text(re.compile("^Stopped after [0-9]+ of 3000 updates."))).to_be_visible()
    expect(progress).to_have_count(0)
    expect_redrawn(picture(page, "Learned"), before)
    slide(page, "Updates", "Home")
    expect(page.get_by_text("Nothing is trained yet")).to_be_visible()
    app.settle()
    train.click()
    expect(page.get_by_text("After 100 updates: without positions")).to_be_visible(timeout=60_000)
    expect(page.get_by_text(re.compile("^Stopped after"))).to_have_count(0)


def test_without_positions_the_rows_of_equal_words_look_alike(app):
    page = app.open("/positions?pos_sentence=dog+and+dog")
    expect(page.get_by_text("“dog” comes as word 1 and again as word 3.")).to_be_visible()
    without = picture(page, "Without positions").locator("canvas.grid-top")
    without.focus()
    readout = picture(page, "Without positions").locator(".map-readout")
    seen = {}
    page.keyboard.press("ArrowRight")
    for row in range(3):
        seen[row] = readout.inner_text()
        page.keyboard.press("ArrowDown")
    assert seen[0].startswith("dog → dog")
    assert seen[1].startswith("and → dog")
    numbers = {row: float(told.split("=")[1]) for row, told in seen.items()}
    assert abs(numbers[0] - numbers[2]) < 1e-6 < abs(numbers[0] - numbers[1])


def test_nothing_runs_over_the_edge_of_a_phone(app):
    page = app.open("/positions", width=400, height=900)
    expect(page.locator(".verdict")).to_contain_text("✓")
    over = overhang(page, ".katex-display, table")
    assert len(over) == 3
    assert max(over) <= 0, over

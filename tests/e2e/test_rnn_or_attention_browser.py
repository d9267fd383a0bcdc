"""RNN or attention? in a real browser: it measures by itself, on demand with progress, stops, and keeps what it has.

How long anything takes decides nothing here.
"""

from __future__ import annotations

import csv
import re

from playwright.sync_api import Locator, Page, expect
from seeing import choose, slide, slider

QUICK = "?versus_longest=256&versus_width=16"
LONG = 60_000  # ms; for what waits for a measurement


def button(page: Page, key: str) -> Locator:
    """Streamlit keeps the element of the run before beside the new one, without a size."""
    return page.locator(f".st-key-{key} button:visible")


def wait_for_points(page: Page) -> None:
    """Until the page measures no more."""
    expect(page.get_by_test_id("stProgress")).to_contain_text("Measured on this computer just now", timeout=LONG)


def timings(page: Page) -> int:
    """How many the status names."""
    told = page.get_by_test_id("stProgress").inner_text()
    found = re.search(r"([\d\u202f]+) timings", told)
    assert found, told
    return int(found[1].replace("\u202f", ""))


def points(page: Page, key: str) -> int:
    """Markers in a chart, those of the legend left out."""
    return page.locator(f".st-key-{key} .js-plotly-plot:visible .scatterlayer .points path").count()


def test_it_opens_on_points_measured_just_now_and_keeps_them(app, screenshot, tmp_path):
    page = app.open(f"/rnn_or_attention{QUICK}")
    status = page.get_by_test_id("stProgress")
    wait_for_points(page)
    expect(status).to_contain_text("up to 256 words")
    app.settle()
    expect(page.get_by_text(re.compile("^At 256 words, forward and backward: RNN"))).to_be_visible()
    assert points(page, "versus_time") == points(page, "versus_memory") == 5 * 4  # layers × lengths
    expect(button(page, "versus_stop")).to_be_disabled()
    before = status.inner_text()
    page.get_by_text("Forward", exact=True).first.click()
    expect(page.get_by_text(re.compile("^At 256 words, forward: RNN"))).to_be_visible(timeout=LONG)
    app.settle()
    assert status.inner_text() == before  # nothing was measured anew
    page.get_by_text("What is measured, and the fits in numbers").click()
    with page.expect_download() as kept:
        page.get_by_role("button", name="Save the points (CSV)").click()
    kept.value.save_as(tmp_path / "points.csv")
    rows = list(csv.DictReader((tmp_path / "points.csv").open(encoding="utf-8")))
    assert len(rows) == 5 * 2 * 4
    assert all(float(row["median_s"]) > 0 and int(row["peak_bytes"]) > 0 for row in rows)
    screenshot(page, "rnn-or-attention-quick", widths=(1440, 400))


def test_measuring_shows_how_far_it_is_and_stopping_keeps_the_points(app):
    page = app.open("/rnn_or_attention?versus_longest=8192&versus_width=64")
    wait_for_points(page)
    app.settle()
    before, status = timings(page), page.get_by_test_id("stProgress")
    button(page, "versus_measure").click()
    expect(button(page, "versus_stop")).to_be_enabled(timeout=LONG)
    expect(button(page, "versus_measure")).to_be_disabled()
    expect(status).to_contain_text(re.compile(r"words: .*(timing \d|warming up)"))
    first = status.inner_text()
    expect(status).not_to_have_text(first, timeout=LONG)
    expect(status).to_contain_text("timing 9", timeout=LONG)  # of the first lengths, at least
    button(page, "versus_stop").click()
    expect(status).to_contain_text("Stopped, its points are kept", timeout=LONG)
    app.settle()
    kept = timings(page)
    assert kept > before
    expect(button(page, "versus_stop")).to_be_disabled()
    expect(button(page, "versus_measure")).to_be_enabled()
    # Other controls do not take the work up again.
    page.get_by_text("Forward", exact=True).first.click()
    expect(page.get_by_text(re.compile("^At .* words, forward: RNN"))).to_be_visible(timeout=LONG)
    app.settle()
    assert timings(page) == kept


def test_controls_can_be_moved_while_it_measures(app):
    page = app.open("/rnn_or_attention?versus_longest=8192&versus_width=64")
    wait_for_points(page)
    app.settle()
    button(page, "versus_measure").click()
    expect(button(page, "versus_stop")).to_be_enabled(timeout=LONG)
    page.get_by_test_id("stButtonGroup").get_by_text("LSTM", exact=True).click()
    expect(page.get_by_text("72 calls in 42 rounds.")).to_be_visible(timeout=LONG)
    expect(button(page, "versus_stop")).to_be_enabled()  # and it goes on
    button(page, "versus_stop").click()
    expect(page.get_by_test_id("stProgress")).to_contain_text("Stopped, its points are kept", timeout=LONG)


def test_readers_are_stepped_through_and_the_link_restores_the_state(app, screenshot):
    page = app.open(f"/rnn_or_attention{QUICK}")
    wait_for_points(page)
    expect(page.locator(".verdict")).to_contain_text("✓")
    expect(page.get_by_text("24 calls in 18 rounds.")).to_be_visible()
    expect(page.get_by_text("8 calls in 6 rounds.")).to_be_visible()
    choose(page, "Self-attention")
    expect(page).to_have_url(re.compile("versus_reader=Self-attention"))
    expect(page.locator(".st-key-versus_stepper_attention .verdict")).to_contain_text("✓")
    slide(page, "Words", "ArrowLeft")
    expect(page).to_have_url(re.compile("versus_words=20"))
    app.settle()
    url = page.url.removeprefix(app.server.url)
    page = app.open(url, theme="dark")
    expect(page.locator(".st-key-versus_stepper_attention .verdict")).to_contain_text("✓")
    expect(slider(page, "Words")).to_have_attribute("aria-valuetext", "20")
    screenshot(page, "rnn-or-attention-attention", themes=("dark",), widths=(1440,))

"""The page Many photos in Chromium: uploads with a bad one among them, the photo shown, and the ZIP file that is saved."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect
from seeing import picture, pixels, slide

from explorer.ui.pages import topics

pytestmark = pytest.mark.skipif(
    "many_photos" not in {topic.file for topic in topics()}, reason="the page is not in the app yet"
)
PHOTOS = Path(__file__).parents[2] / "explorer/photos"


def test_uploads_with_a_bad_one_become_a_table_and_a_zip_file(app, tmp_path, screenshot):
    bad = tmp_path / "broken.png"
    bad.write_bytes(b"no picture")
    page = app.open("/many_photos")
    expect(page.get_by_text("4 of 4 photos")).to_be_visible()
    page.locator("input[type=file]").set_input_files([PHOTOS / "coffee.jpg", bad, PHOTOS / "flower.jpg"])
    expect(page.get_by_text("3 of 3 photos", exact=True)).to_be_visible()
    expect(page.get_by_text("1 of 3 photos could not be used; their rows say why.")).to_be_visible()
    expect(picture(page, "coffee.jpg")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="All results (ZIP)").click()
    with zipfile.ZipFile(download.value.path()) as made:
        assert set(made.namelist()) == {"results.csv", "classes.csv", "pictures/coffee.png", "pictures/flower.png"}
        assert len(made.read("results.csv").decode().splitlines()) == 4
    screenshot(page, "many-photos", themes=("light", "dark"))


def test_the_slider_shows_another_photo_and_the_link_restores_it(app):
    page = app.open("/many_photos")
    before = pixels(picture(page, "coco_pizza.jpg"))
    slide(page, "Photo shown", "ArrowRight")
    assert pixels(picture(page, "coco_street_bus_cars.jpg")) != before
    expect(page).to_have_url(re.compile("many_shown=2"))
    again = app.open(page.url.removeprefix(app.server.url))
    expect(picture(again, "coco_street_bus_cars.jpg")).to_be_visible()


def test_nothing_runs_over_the_edge_of_a_phone(app):
    page = app.open("/many_photos", width=400, height=900)
    expect(page.locator(".verdict")).to_contain_text("✓")
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400

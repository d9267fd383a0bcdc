"""Every picture of the BERT page can be kept: the file is of the right kind and size, in the theme's colours, and not blank."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from explorer.palette import BACKGROUND, rgb
from pretrained import minilm

pytestmark = pytest.mark.skipif(minilm.find() is None, reason="requirements-models.txt is not installed")


def saved(page: Page, button: Locator, folder: Path) -> Path:
    with page.expect_download() as download:
        button.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def expect_picture(path: Path, theme: str, least: int) -> None:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert picture.shape[1] >= least, picture.shape
    if picture.shape[2] == 4:
        assert picture[..., 3].min() == 255  # nothing shines through
    unlike = np.abs(picture[..., :3].astype(int) - rgb(BACKGROUND[theme])[::-1]).max(-1) > 12
    assert 0.005 < unlike.mean() < 0.98


VIEWS = {
    "Lines": ("bert_lines", 1200),
    "All heads": ("bert_grid", 1000),
    "Neurons": ("bert_neurons", 2000),
    "Statistics": ("bert_statistic_map", 500),
    "Flow": ("bert_flow", 500),
    "Compare": ("bert_compare_maps", 500),
}


@pytest.mark.parametrize("view", VIEWS)
def test_the_picture_of_a_view(app, tmp_path, view):
    key, least = VIEWS[view]
    theme = "dark" if view in {"All heads", "Flow"} else "light"
    page = app.open(f"/bert?bert_view={view.replace(' ', '+')}", theme=theme)
    button = page.locator(f".st-key-{key}").get_by_role("button", name="PNG", exact=True)
    expect(button.first).to_be_attached()
    app.settle()
    for place in range(button.count()):
        expect_picture(saved(page, button.nth(place), tmp_path), theme, least)


def test_the_chart_and_the_lines_as_svg(app, tmp_path):
    page = app.open("/bert?bert_view=Statistics")
    chart = page.locator(".st-key-bert_statistic_chart")
    chart.locator(".main-svg").first.hover()
    path = saved(page, chart.locator("[data-title*='Download plot']"), tmp_path)
    root = ElementTree.parse(path).getroot()
    assert root.tag.endswith("svg")
    assert sum(1 for _ in root.iter("{http://www.w3.org/2000/svg}path")) > 10
    page.get_by_text("Lines", exact=True).first.click()
    svg = page.locator(".st-key-bert_lines").get_by_role("button", name="SVG", exact=True)
    expect(svg).to_be_visible()
    app.settle()
    root = ElementTree.parse(saved(page, svg, tmp_path)).getroot()
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("cat") == 2
    assert root.find("{http://www.w3.org/2000/svg}rect").attrib["fill"] == BACKGROUND["light"]

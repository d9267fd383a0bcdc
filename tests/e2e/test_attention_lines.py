"""The lines between words by themselves: isolate, hold, solo, threshold, zoom, pan, hundreds of words, files to keep."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from mounting import mount, show
from playwright.sync_api import Page, expect

from explorer.components.attention_lines import encode
from explorer.palette import BACKGROUND, HEADS, rgb

SVG = "{http://www.w3.org/2000/svg}"


def attention(heads: int, queries: int, keys: int) -> np.ndarray:
    scores = np.random.default_rng(0).normal(0, 2.5, (heads, queries, keys)).astype(np.float32)
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def words(name: str, count: int) -> list[str]:
    return [f"{name}{i}" for i in range(count)]


def draw(page: Page, weights: np.ndarray, *, theme: str = "light", width: int = 900, **options: object) -> None:
    _, queries, keys = weights.shape
    mount(page, "attention_lines", theme=theme, width=width)
    show(page, encode(weights, words("q", queries), words("k", keys), **options))


def expect_lines(page: Page, count: int) -> None:
    expect(page.locator(".picture")).to_have_attribute("data-lines", str(count))


def test_a_word_is_isolated_held_and_paired_with_its_exact_weight(page):
    weights = attention(3, 6, 9)  # more keys than queries
    draw(page, weights, heads=[1])
    queries, keys = page.locator(".words.query .word"), page.locator(".words.key .word")
    expect(queries).to_have_count(6)
    expect(keys).to_have_count(9)
    expect_lines(page, 54)
    keys.nth(8).hover()
    expect_lines(page, 6)
    expect(page.locator(".told")).to_contain_text("“k8” is looked at by")
    queries.nth(2).hover()
    expect_lines(page, 9)
    queries.nth(2).click()
    expect(queries.nth(2)).to_have_attribute("aria-pressed", "true")
    keys.nth(7).hover()
    expect(page.locator(".tip")).to_contain_text("q2 → k7")
    told = float(page.locator(".tip").inner_text().split(": ")[1])
    assert np.float32(told) == pytest.approx(weights[1, 2, 7], rel=1e-6)
    page.mouse.move(5, 5)
    expect_lines(page, 9)
    queries.nth(2).click()
    expect(page.locator(".word[aria-pressed=true]")).to_have_count(0)


def test_pointing_at_a_line_tells_its_exact_weight(page):
    weights = np.zeros((1, 2, 2), np.float32)
    weights[0] = [[0.12345678, 0.87654322], [0.0, 0.0]]
    draw(page, weights)
    box = page.locator(".sheets").bounding_box()
    assert box is not None
    page.mouse.move(
        box["x"] + 0.5 * box["width"], box["y"] + 26
    )  # half-way down, where the line from the first to the second is
    expect(page.locator(".tip")).to_have_text("q0 → k1\n0.8765432")
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 13)
    expect(page.locator(".tip")).to_have_text("q0 → k0\n0.1234568")
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 39)
    expect(page.locator(".tip")).to_be_hidden()


def test_heads_are_added_removed_and_soloed_and_weak_lines_hidden(page):
    weights = attention(3, 5, 5)
    draw(page, weights, heads=[0, 2], names=["one", "two", "three"])
    expect_lines(page, 50)
    heads = page.get_by_role("group", name="Heads").get_by_role("button")
    heads.nth(1).click()
    expect_lines(page, 75)
    heads.nth(2).dblclick()
    expect_lines(page, 25)
    assert [heads.nth(i).get_attribute("aria-pressed") for i in range(3)] == ["false", "false", "true"]
    page.get_by_label("Hide weights below").fill("0.2")
    expect_lines(page, int((weights[2] >= 0.2).sum()))
    heads.nth(2).click()
    expect(page.locator(".note")).to_have_text("No head is chosen: choose one above.")


def shown(page: Page, side: str = "query") -> list[int]:
    return page.evaluate(
        "s => [...root.querySelectorAll(`.words.${s} .word`)].map((w) => Number(w.dataset.place))", side
    )


def test_hundreds_of_words_zoom_and_pan(page):
    weights = attention(12, 512, 512)
    weights[0, 300] = 0
    weights[0, 300, 17] = 1
    draw(page, weights, heads=[0])
    expect(page.locator(".note")).to_contain_text("The strongest 2000 of")
    assert shown(page)[0] == 0
    assert len(shown(page)) < 40
    scroller = page.locator(".scroller")
    scroller.evaluate("s => { s.scrollTop = 290 * 26 }")
    expect(page.locator(".word[data-place='300'][data-side=query]")).to_be_visible()
    page.locator(".word[data-place='300'][data-side=query]").click()
    expect_lines(page, 1)
    box = scroller.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 360)  # a drag of 260 pixels is ten words
    page.mouse.up()
    page.wait_for_function("() => root.view.scroller.scrollTop === 280 * 26")
    for _ in range(12):
        page.get_by_role("button", name="Zoom out").click()
    page.wait_for_function("() => root.view.row * 512 <= root.view.seen + 1")
    places = shown(page)
    assert 20 < len(places) < 60
    assert 300 in places  # the held word is always named
    assert max(np.diff(places)) < 40
    page.keyboard.press("Escape")
    box = scroller.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] * 300.5 / 512)
    expect(page.locator(".told")).to_contain_text("“q300” looks at “k17” 1.")
    page.get_by_role("button", name="Reset zoom").click()
    page.wait_for_function("() => root.view.row === 26")
    page.mouse.move(box["x"] + 30, box["y"] + 100)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function("() => root.view.row > 40")


def test_keys_reach_every_word_and_zoom(page):
    draw(page, attention(1, 200, 200))
    page.locator(".words.query .word").first.focus()
    page.keyboard.press("End")
    expect(page.locator(".word[data-place='199'][data-side=query]")).to_be_focused()
    expect(page.locator(".told")).to_contain_text("“q199” looks at")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".word[data-place='199'][data-side=key]")).to_be_focused()
    page.keyboard.press("-")
    page.wait_for_function("() => root.view.row < 18")
    page.keyboard.press("0")
    page.wait_for_function("() => root.view.row === 26")


def saved(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_svg_has_the_lines_the_words_and_the_themes_colours(page, tmp_path, theme):
    weights = attention(2, 4, 6)
    draw(page, weights, theme=theme, heads=[0, 1])
    page.locator(".words.query .word").nth(1).click()
    path = saved(page, "SVG", tmp_path)
    assert path.name == "attention.svg"
    root = ElementTree.parse(path).getroot()
    assert root.find(f"{SVG}rect").attrib["fill"] == BACKGROUND[theme]
    paths = root.findall(f"{SVG}g/{SVG}path")
    assert len(paths) == 12
    assert {p.attrib["stroke"] for p in paths} == set(HEADS[theme][:2])
    texts = [text.text for text in root.findall(f"{SVG}text")]
    assert texts == ["From (query)", *words("q", 4), "To (key)", *words("k", 6), "Head 0", "Head 1"]
    assert all(float(text.attrib["font-size"]) >= 13 for text in root.findall(f"{SVG}text"))


@pytest.mark.parametrize("count", [5, 512])
def test_the_png_is_twice_as_sharp_and_shows_lines(page, tmp_path, count):
    draw(page, attention(1, count, count), theme="dark")
    picture = cv2.imread(str(saved(page, "PNG", tmp_path)))
    height, width = picture.shape[:2]
    assert width == 2 * (480 + 2 * 186)
    assert 2 * 26 * 5 < height <= 16000
    ground = np.array(rgb(BACKGROUND["dark"])[::-1])
    assert (picture[0, 0] == ground).all()
    middle = picture[:, width // 2 - 100 : width // 2 + 100]
    assert 0.02 < (np.abs(middle.astype(int) - ground).max(-1) > 12).mean() < 0.9


def test_the_csv_has_every_weight(page, tmp_path):
    weights = attention(2, 2, 3)
    draw(page, weights)
    lines = saved(page, "CSV", tmp_path).read_text().splitlines()
    assert lines[0] == ",query,key,Head 0,Head 1"
    assert [line.split(",")[0] for line in lines[1:]] == [f"q{q} → k{k}" for q in range(2) for k in range(3)]
    numbers = np.array([line.split(",")[3:] for line in lines[1:]], np.float32)
    np.testing.assert_array_equal(numbers.T.reshape(2, 2, 3), weights)


def test_words_are_text(page, tmp_path):
    mount(page, "attention_lines")
    show(page, encode(np.ones((1, 1, 1), np.float32), ["<b>x</b>"], ["<img src=x>"]))
    expect(page.locator(".words.query .word")).to_have_text("<b>x</b>")
    assert page.locator("b, img").count() == 0
    texts = [text.text for text in ElementTree.parse(saved(page, "SVG", tmp_path)).getroot().findall(f"{SVG}text")]
    assert "<img src=x>" in texts

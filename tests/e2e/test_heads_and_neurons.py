"""The grid of all heads and the table of neurons by themselves: zoom, pan, hundreds of tokens, and the files to keep."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mounting import mount, show
from playwright.sync_api import Page, expect

from explorer.components import attention_grid, neuron_view
from explorer.palette import BACKGROUND, rgb


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def show_heads(page: Page, tokens: int = 16, theme: str = "light", order: str = "layers") -> np.ndarray:
    random = np.random.default_rng(0)
    attention = softmax(random.normal(0, 2, (3, 4, tokens, tokens + 2)).astype(np.float32))  # other keys than queries
    statistic = random.random((3, 4)).astype(np.float32)
    mount(page, "attention_grid", theme=theme)
    show(
        page,
        attention_grid.encode(
            attention_grid.thumbnails(attention), selected=(1, 2), statistic=statistic, name="entropy", order=order
        ),
    )
    return statistic


def show_neurons(
    page: Page, queries: int, keys: int, theme: str = "light"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    q, k = (random.normal(0, 1, (count, 64)).astype(np.float32) for count in (queries, keys))
    weights = softmax(q @ k.T / 8)
    mount(page, "neuron_view", theme=theme, width=900)
    names = [f"q{i}" for i in range(queries)], [f"k{i}" for i in range(keys)]
    show(page, neuron_view.encode(q, k, weights, *names, scale=1 / 8))
    return q, k, weights


def saved(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def share_unlike_the_ground(picture: np.ndarray, theme: str) -> float:
    return float((np.abs(picture.astype(int) - rgb(BACKGROUND[theme])[::-1]).max(-1) > 12).mean())


def test_heads_are_pointed_at_and_chosen_where_they_are_seen_when_zoomed(page):
    statistic = show_heads(page)
    readout = page.locator(".readout")
    box = page.locator("canvas.over").bounding_box()
    assert box is not None
    corner = box["x"] + 60, box["y"] + 50
    page.mouse.move(*corner)
    expect(readout).to_have_text(f"layer 1, head 1: entropy {statistic[0, 0]:.3g}")
    for _ in range(2):
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("() => root.heads.view.scale > 2")
    page.mouse.move(*corner)
    expect(readout).not_to_contain_text("layer 1, head 1")  # the middle was enlarged
    page.mouse.down()
    page.mouse.move(corner[0] + 600, corner[1] + 700, steps=4)  # as far as the edge
    page.mouse.up()
    page.wait_for_function("() => root.heads.view.x === 0 && root.heads.view.y === 0")
    page.mouse.move(corner[0] + 40, corner[1] + 40)
    expect(readout).to_contain_text("layer 1, head 1")
    page.mouse.click(corner[0] + 40, corner[1] + 40)
    page.wait_for_function("() => states.picked?.layer === 0 && states.picked?.head === 0")
    page.locator("canvas.over").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.locator("canvas.over").press(key)
    expect(readout).to_contain_text("layer 3, head 2")
    page.wait_for_function("() => root.heads.view.y < -20")  # it was brought into view
    page.locator("canvas.over").press("0")
    page.wait_for_function("() => root.heads.view.scale === 1")


@pytest.mark.parametrize("order", ["layers", "statistic"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_heads_picture_and_numbers(page, tmp_path, theme, order):
    statistic = show_heads(page, 200, theme, order)
    size = page.evaluate("() => [root.heads.width, root.heads.height]")
    page.get_by_role("button", name="Zoom in").click()
    picture = cv2.imread(str(saved(page, "PNG", tmp_path)))
    assert list(picture.shape[1::-1]) == [2 * side for side in size]
    assert 0.1 < share_unlike_the_ground(picture, theme) < 0.95
    assert (picture[-1, -1] == rgb(BACKGROUND[theme])[::-1]).all()
    lines = saved(page, "CSV", tmp_path).read_text().splitlines()
    assert lines[0] == ",Head 1,Head 2,Head 3,Head 4"
    np.testing.assert_array_equal(np.array([line.split(",")[1:] for line in lines[1:]], np.float32), statistic)


def test_neurons_of_hundreds_of_keys(page):
    _, _, weights = show_neurons(page, 512, 512)
    expect(page.locator(".check")).to_contain_text("✓ equals the model's weights")
    rows = page.locator("td.weight .mono")
    assert rows.count() < 48
    page.get_by_label("Largest weight first").check()
    first = page.locator("tbody tr:has(td.weight) td.token").first
    expect(first).to_have_text(f"k{weights[0].argmax()}")
    page.locator(".scroll").evaluate("s => { s.scrollTop = s.scrollHeight }")
    expect(page.locator("tbody tr:has(td.weight) td.token").last).to_have_text(f"k{weights[0].argmin()}")
    page.locator(".tokens button").nth(3).click()
    expect(page.locator("tr.query td.token")).to_have_text("q: q3")
    expect(page.locator("tbody tr:has(td.weight) td.token").last).to_have_text(f"k{weights[3].argmin()}")
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function("() => root.neurons.high > 30")
    page.get_by_role("button", name="Reset zoom").click()
    page.wait_for_function("() => root.neurons.high === 24")


def test_a_number_of_a_strip_is_spelled_out(page):
    q, k, _ = show_neurons(page, 3, 5)
    strip = page.locator("tbody tr:has(td.weight)").nth(4).locator("canvas").nth(1)
    box = strip.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 10.5 / 64, box["y"] + 5)
    expect(page.locator(".foot")).to_contain_text("q[10] × k[10] = ")
    told = page.locator(".foot > .mono").inner_text()
    number = float(told.split("= ")[-1].replace("−", "-").replace("e-", "e-"))
    assert number == pytest.approx(float(q[0, 10] * k[4, 10]), rel=0.01)


@pytest.mark.parametrize(("keys", "theme"), [(7, "dark"), (512, "light")])
def test_the_neurons_picture_and_numbers(page, tmp_path, keys, theme):
    q, k, weights = show_neurons(page, 2, keys, theme)
    picture = cv2.imread(str(saved(page, "PNG", tmp_path)))
    height, width = picture.shape[:2]
    assert width == 2 * 1016
    assert 2 * (60 + 9 * keys) < height <= 16000
    assert 0.1 < share_unlike_the_ground(picture, theme) < 0.9
    lines = saved(page, "CSV", tmp_path).read_text().splitlines()
    assert re.match('^,"?Sum, q · k"?,× 0.1250?,Softmax$', lines[0]), lines[0]
    numbers = np.array([line.split(",")[1:] for line in lines[1:]], float)
    np.testing.assert_allclose(numbers, np.stack([q[0] @ k.T, q[0] @ k.T / 8, weights[0]], -1), rtol=1e-3, atol=1e-5)

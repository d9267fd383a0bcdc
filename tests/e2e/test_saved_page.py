"""The page that opens alone: choose a head, point at words and cells, zoom, hundreds of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from explorer.components.attention_page import attention_page


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(offline=True)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    yield page
    page.close()
    assert not problems, problems


def attention(*shape: int) -> np.ndarray:
    scores = np.random.default_rng(0).normal(0, 2, shape).astype(np.float32)
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def open_saved(page: Page, folder: Path, weights: np.ndarray, chosen: tuple[int, int] = (0, 0)) -> None:
    queries, keys = ([f"{name}{i}" for i in range(n)] for name, n in zip("qk", weights.shape[2:], strict=True))
    path = folder / "attention.html"
    path.write_text(attention_page(weights, queries, chosen, "A model", keys), encoding="utf-8")
    page.goto(path.as_uri())
    expect(page.locator("#lines .told")).to_contain_text("The strongest line")


def test_a_head_is_chosen_and_its_lines_and_matrix_are_seen(page, tmp_path):
    weights = attention(2, 3, 5, 7)
    open_saved(page, tmp_path, weights, (1, 2))
    expect(page.get_by_role("heading", name="Layer 2, head 3")).to_be_visible()
    grid = page.locator("#heads canvas.over")
    grid.focus()
    grid.press("ArrowUp")
    grid.press("ArrowLeft")
    grid.press("Enter")
    expect(page.get_by_role("heading", name="Layer 1, head 2")).to_be_visible()
    page.locator("#lines .words.query .word").nth(4).click()
    page.locator("#lines .words.key .word").nth(6).hover()
    tip = page.locator("#lines .tip")
    expect(tip).to_contain_text("q4 → k6")
    told = float(tip.inner_text().split(": ")[1].split(" ±")[0])
    assert told == pytest.approx(weights[0, 1, 4, 6], abs=1.3e-5)
    cells = page.locator("#matrix canvas.grid-top")
    cells.focus()
    cells.press("ArrowRight")
    cells.press("ArrowDown")
    readout = page.locator("#matrix .under .mono").last
    expect(readout).to_contain_text("q1 → k0: ")
    assert float(readout.inner_text().split(": ")[1].split(" ±")[0]) == pytest.approx(weights[0, 1, 1, 0], abs=1.3e-5)


def test_hundreds_of_tokens(page, tmp_path):
    weights = attention(2, 12, 512, 512)
    open_saved(page, tmp_path, weights)
    expect(page.locator("#kept")).to_contain_text("1/255")
    assert page.locator("#lines .word").count() < 100
    page.locator("#lines .words.query .word").nth(2).hover()
    expect(page.locator("#lines .told")).to_contain_text(f"“q2” looks at “k{weights[0, 0, 2].argmax()}”")
    page.locator("#lines").get_by_role("button", name="Zoom out").click()
    expect(page.locator("#lines .words.query .word").nth(36)).to_be_attached()
    cells = page.locator("#matrix canvas.grid-top")
    cells.focus()
    for _ in range(9):
        cells.press("+")
    cells.press("ArrowRight")
    expect(page.locator("#matrix .under .mono").last).to_contain_text("q0 → k0: ")

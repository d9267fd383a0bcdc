"""What browser tests do with the app's pages: wait until it rests, move sliders, find pictures and compare what is drawn."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as Late

PATIENCE = 30_000
"""How long a busy machine may take, in milliseconds."""

GRID_ROW = 35
"""Pixels of a row of a data editor, and of its heading."""

WATCH = """
window.runs = 0;
window.resting = null;
new MutationObserver((records) => {
    for (const { target } of records) {
        if (target.dataset.testScriptState === "notRunning") window.runs += 1;
    }
    window.resting = null;
}).observe(document, { subtree: true, attributeFilter: ["data-test-script-state"] });
"""
"""Goes with every page: counts the script's finished runs, and forgets when it came to rest."""

RESTS = """(runs) => {
    const state = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState;
    if (state !== "notRunning" || window.runs < runs) window.resting = null;
    else window.resting ??= performance.now();
    return window.resting !== null && performance.now() - window.resting > 250;
}"""

STILL = """async (canvas) => {
    let last = "", still = 0;
    for (let tries = 0; still < 4 && tries < 400; tries += 1) {
        const now = canvas.toDataURL();
        still = now === last ? still + 1 : 0;
        last = now;
        await new Promise((resolve) => setTimeout(resolve, 60));
    }
    return last;
}"""


def wait_for_rest(page: Page, runs: int = 0) -> None:
    """Wait until no script has run for a quarter of a second. runs: how many must have ended on this page by then."""
    page.wait_for_function(RESTS, arg=runs, timeout=PATIENCE, polling=50)


def runs_of(page: Page) -> int:
    """How many runs of the script have ended since the page was opened."""
    return page.evaluate("window.runs")


def slider(page: Page, name: str) -> Locator:
    """A slider, by its name."""
    return page.locator(f"input[type=range][aria-label='{name}']").first


def slide(page: Page, name: str, key: str, times: int = 1) -> None:
    """Press a key on a slider and wait until the page has followed, each time."""
    for _ in range(times):
        wait_for_rest(page)
        before = runs_of(page)
        slider(page, name).press(key)
        wait_for_rest(page, before + 1)


def choose(page: Page, label: str) -> None:
    """Click a choice of a segmented control and wait until the page has followed: until then old parts stand beside new."""
    wait_for_rest(page)
    before = runs_of(page)
    page.get_by_test_id("stButtonGroup").get_by_text(label, exact=True).click()
    wait_for_rest(page, before + 1)


def picture(page: Page, title: str, *, key: str | None = None, place: int = 0) -> Locator:
    """A map, by its title. key: of the component that it is in; place: among several of that title."""
    exact = page.locator(".map-title", has_text=re.compile(f"^{re.escape(title)}$"))
    within = "" if key is None else f".st-key-{key} "
    return page.locator(f"{within}.map", has=exact).nth(place)


def pixels(box: Locator, canvas: str = "grid-base") -> str:
    """What is drawn on a canvas, once it has stayed the same for a while."""
    place = box.locator(f"canvas.{canvas}")
    place.wait_for()
    return place.evaluate(STILL)


def expect_drawn(box: Locator, wanted: str, canvas: str = "grid-base") -> None:
    """Wait until this is drawn: what pixels() gave before."""
    _expect(box, wanted, canvas, same=True)


def expect_redrawn(box: Locator, before: str, canvas: str = "grid-base") -> str:
    """Wait until something else than before is drawn. → what is drawn now."""
    _expect(box, before, canvas, same=False)
    return pixels(box, canvas)


def _expect(box: Locator, drawn: str, canvas: str, *, same: bool) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while (box.locator(f"canvas.{canvas}").evaluate("c => c.toDataURL()") == drawn) != same:
        assert time.monotonic() < deadline, f"the picture {'became another' if same else 'did not change'}"
        box.page.wait_for_timeout(100)


def at(box: Locator, across: float, down: float) -> tuple[float, float]:
    """A place of a map in the window's pixels, as a share of its width and height; scrolled into view."""
    canvas = box.locator("canvas.grid-top")
    canvas.scroll_into_view_if_needed()
    expect(canvas).to_be_visible()
    area = canvas.bounding_box()
    assert area is not None
    return area["x"] + area["width"] * across, area["y"] + area["height"] * down


def overhang(page: Page, parts: str) -> list[int]:
    """By how many pixels the page, and the box around each of these parts (a CSS selector), would have to scroll sideways."""
    found: list[int] = page.evaluate(
        """(parts) => [document.querySelector("[data-testid=stMain]"),
            ...[...document.querySelectorAll(parts)].map((part) => part.parentElement)]
            .map((box) => box.scrollWidth - box.clientWidth)""",
        parts,
    )
    return found


def type_into_grid(grid: Locator, across: float, row: int, text: str) -> None:
    """Type into a cell of a data editor, by mouse and keys as a visitor does.

    across: a share of the grid's width; row: from 0.
    """
    page = grid.page
    wait_for_rest(page)
    editor = page.locator("#portal input.gdg-input")
    for _ in range(20):  # the grid may not be ready for the first
        grid.scroll_into_view_if_needed()
        area = grid.bounding_box()
        assert area is not None
        page.mouse.dblclick(area["x"] + area["width"] * across, area["y"] + GRID_ROW * (row + 1.5))
        try:
            editor.wait_for(timeout=1000)
            break
        except Late:
            continue
    editor.fill(text)
    expect(editor).to_have_value(text)
    editor.press("Enter")

"""A visitor in Chromium for a Streamlit server without a network; probe.js notes the times inside the page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

# The tests' modules import each other by their bare names, as pytest lets them.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "e2e"))

from tests.e2e.conftest import BROWSER_FLAGS, find_browser
from tests.e2e.running import Served as Served
from tests.e2e.running import serve as serve

PROBE = Path(__file__).with_name("probe.js")
WAIT_MS = 60_000
NO_BROWSER = "not measured: no Chromium or Chrome found"


@contextmanager
def chromium() -> Iterator[Browser | None]:
    """The browser that the tests use, or None where there is none."""
    path = find_browser()
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_FLAGS)
        yield browser
        browser.close()


def new_visitor(browser: Browser) -> Page:
    """An empty page of a fresh profile, with probe.js in all that it will open."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(WAIT_MS)
    context.add_init_script(path=PROBE)
    return context.new_page()


def open_page(page: Page, address: str) -> None:
    """Go there and wait until all is drawn."""
    page.goto(address)
    page.evaluate("probe.heading")
    settle(page)


def settle(page: Page) -> None:
    """Wait until no script runs."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def result(page: Page) -> Any:
    """What probe.await… was waiting for."""
    return page.evaluate("probe.result")

"""A real Chromium on the real app: one server and one browser for all tests, a fresh profile for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from running import ROOT, App, Server, Theme, running_app
from seeing import PATIENCE, WATCH

SCREENSHOTS = ROOT / "screenshots"

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
BROWSER_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
NO_BROWSER = (
    "The browser tests need Chromium or Chrome and found none. Install one (Debian: sudo apt-get install chromium, "
    "Fedora: sudo dnf install chromium, macOS: brew install --cask google-chrome) or name its path in CHROMIUM."
)
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The browser's cable is unplugged: nothing but this computer has an address.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

# How long a busy machine takes says nothing about the app; what never comes still fails.
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app as `streamlit run app.py` starts it, on a free port and without a network."""
    with running_app(tmp_path_factory.mktemp("server")) as running:
        yield running


def find_browser() -> str | None:
    """The path of an installed Chromium, Chrome or Edge; CHROMIUM in the environment goes first."""
    named = [os.environ.get("CHROMIUM"), *map(shutil.which, BROWSERS)]
    return next((path for path in (*named, *BROWSER_PATHS) if path and Path(path).exists()), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium. Without any the test is skipped, in CI (CI=true) it fails."""
    path = find_browser()
    if path is None:
        pytest.fail(NO_BROWSER) if os.environ.get("CI") else pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=BROWSER_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page, for a component without the app around it (mounting.py); an error in it fails the test."""
    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    page.close()
    assert not problems, problems


@pytest.fixture
def context_options() -> dict[str, Any]:
    """What a test's browser profile is made with; override it in a test module, as with {"has_touch": True}."""
    return {}


@pytest.fixture
def app(browser: Browser, server: Server, context_options: dict[str, Any]) -> Iterator[App]:
    """A fresh visitor. Requests to the outside, errors in the page and tracebacks in the server fail the test."""
    start = server.log.stat().st_size
    context = browser.new_context(**context_options)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(WATCH)
    visitor = App(context.new_page(), server)
    yield visitor
    if visitor.shows_error():
        visitor.problems.append("the page shows an error")
    context.close()
    printed = server.printed(start)
    if "Traceback" in printed:
        visitor.problems.append(f"the server printed:\n{printed}")
    assert not visitor.problems, "\n".join(visitor.problems)


class Screenshot(Protocol):
    """Keeps pictures of a page in screenshots/ as <name>-<theme>-<width>.png and returns their paths."""

    def __call__(
        self, page: Page, name: str, *, themes: Sequence[Theme] = ("light",), widths: Sequence[int] = (1440, 400)
    ) -> list[Path]: ...


@pytest.fixture
def screenshot() -> Screenshot:
    """Pictures for people to look at: the page as it is now, down to its end, in each theme and width asked for."""
    return _screenshot


def _screenshot(
    page: Page, name: str, *, themes: Sequence[Theme] = ("light",), widths: Sequence[int] = (1440, 400)
) -> list[Path]:
    SCREENSHOTS.mkdir(exist_ok=True)
    before = page.viewport_size
    paths = []
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 1000})
            _wait_until_still(page)
            # The page scrolls in a box of its own, so the window grows to the box's content.
            height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            page.set_viewport_size({"width": width, "height": min(max(int(height), 600), 12_000)})
            _wait_until_still(page)
            paths.append(SCREENSHOTS / f"{name}-{theme}-{width}.png")
            page.screenshot(path=paths[-1])
    if before is not None:
        page.set_viewport_size(before)
    return paths


def _wait_until_still(page: Page) -> None:
    """Wait until the fonts are there and the layout has kept its size for a quarter of a second."""
    page.evaluate(
        """async () => {
            await document.fonts.ready;
            const size = () => JSON.stringify([...document.querySelectorAll("[data-testid=stMain] *")]
                .map((element) => element.getBoundingClientRect().height));
            for (let still = 0, last = "", tries = 0; still < 5 && tries < 100; tries += 1) {
                await new Promise((resolve) => setTimeout(resolve, 50));
                const now = size();
                still = now === last ? still + 1 : 0;
                last = now;
            }
        }"""
    )

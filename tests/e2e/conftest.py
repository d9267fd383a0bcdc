"""A real Chromium on the real app: one server and one browser for all tests, a fresh profile for each."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from seeing import PATIENCE, WATCH, wait_for_rest

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "screenshots"
Theme = Literal["light", "dark"]

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
# And the server's: what asks for the outside is refused at once. Downloads of earlier days are out of its sight.
UNPLUGGED = "http://127.0.0.1:9"
START_LIMIT = 60

# How long a busy machine takes says nothing about the app; what never comes still fails.
expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Server:
    """The running app. url: without a trailing slash; log: everything it prints."""

    url: str
    log: Path

    def printed(self, since: int = 0) -> str:
        """The log from this byte on."""
        return self.log.read_bytes()[since:].decode(errors="replace")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app as `streamlit run app.py` starts it, on a free port and without a network."""
    with running_app(tmp_path_factory.mktemp("server")) as running:
        yield running


@contextmanager
def running_app(folder: Path, **changes: str) -> Iterator[Server]:
    """The app, while it runs; what it printed must hold no traceback. folder: for its log and its downloads.

    changes: of its environment, beyond that it is unplugged.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = Server(f"http://127.0.0.1:{port}", folder / "log.txt")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    environment = inherited | {
        "OMP_WAIT_POLICY": "PASSIVE",
        "XDG_CACHE_HOME": str(folder / "cache"),
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), UNPLUGGED),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
        **changes,
    }
    options = [f"--server.port={port}", "--server.headless=true", "--logger.enableRich=false"]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    with running.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_LIMIT
        while not _answers(f"{running.url}/_stcore/health"):
            assert process.poll() is None, f"the server ended at its start:\n{running.printed()}"
            assert time.monotonic() < deadline, f"no answer within {START_LIMIT} s:\n{running.printed()}"
            time.sleep(0.05)
        yield running
    finally:
        process.terminate()
        process.wait(10)
    assert "Traceback" not in running.printed(), running.printed()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return response.status == 200
    except OSError:
        return False


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
def context_options() -> dict[str, Any]:
    """What a test's browser profile is made with; override it in a test module, as with {"has_touch": True}."""
    return {}


@dataclass
class App:
    """A visitor's browser window on the running app, and what went wrong in it."""

    page: Page
    server: Server
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self._check_address(request.url))
        self.page.on("websocket", lambda socket: self._check_address(socket.url))
        self.page.on("pageerror", lambda error: self.problems.append(f"error in the page: {error}"))
        self.page.on("console", lambda message: self._check_console(message.type, message.text))
        self.page.on("crash", lambda _: self.problems.append("the page crashed"))

    def _check_address(self, url: str) -> None:
        own = (self.server.url, self.server.url.replace("http", "ws", 1), "data:", "blob:", "about:")
        if not url.startswith(own):
            self.problems.append(f"request to the outside: {url}")

    def _check_console(self, kind: str, text: str) -> None:
        # A deep link probes for a health address below itself and finds none; that is how Streamlit works.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.problems.append(f"error in the console: {text}")

    def open(self, path: str = "/", *, width: int = 1440, height: int = 1000, theme: Theme = "light") -> Page:
        """Go to a path such as "/filters?size=5", wait until it is drawn, and return the page."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=theme)
        self.page.goto(self.server.url + path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until no script runs any more. After a click or a key, first expect what it should bring about."""
        wait_for_rest(self.page)
        assert not self.shows_error(), f"the page shows an error:\n{self.server.printed()}"

    def shows_error(self) -> bool:
        """Whether Streamlit's own error box is on the page: an exception that nobody caught."""
        return self.page.get_by_test_id("stException").count() > 0


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

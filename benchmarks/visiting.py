"""A Streamlit server and a visitor in Chromium, without a network; probe.js notes the times inside the page."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

# The tests' modules import each other by their bare names, as pytest lets them.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "e2e"))

from tests.e2e.conftest import BROWSER_FLAGS, find_browser
from tests.e2e.running import ROOT, START_LIMIT, UNPLUGGED, answers

PROBE = Path(__file__).with_name("probe.js")
WAIT_MS = 60_000
NO_BROWSER = "not measured: no Chromium or Chrome found"


@dataclass(frozen=True)
class Served:
    """A running app: its address and the number of its process."""

    url: str
    process: int


@contextmanager
def serve(script: Path = ROOT / "app.py") -> Iterator[Served]:
    """`streamlit run script` in the script's folder, as soon as it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    environment |= {
        "OMP_WAIT_POLICY": "PASSIVE",
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), UNPLUGGED),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
    }
    command = [sys.executable, "-m", "streamlit", "run", script.name, f"--server.port={port}", "--server.headless=true"]
    silent = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=script.parent, env=environment, stdout=silent, stderr=silent)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_LIMIT
        while not answers(f"{url}/_stcore/health"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"`streamlit run {script}` did not start")
            time.sleep(0.01)
        yield Served(url, process.pid)
    finally:
        process.terminate()
        process.wait(10)


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

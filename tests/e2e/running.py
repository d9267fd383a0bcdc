"""The running app, and a visitor's window on it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page
from seeing import wait_for_rest

ROOT = Path(__file__).parents[2]
Theme = Literal["light", "dark"]

# What the server asks for outside is refused at once. Downloads of earlier days are out of its sight.
UNPLUGGED = "http://127.0.0.1:9"
START_LIMIT = 60


@dataclass(frozen=True)
class Server:
    """The running app. url: without a trailing slash; log: everything it prints."""

    url: str
    log: Path

    def printed(self, since: int = 0) -> str:
        """The log from this byte on."""
        return self.log.read_bytes()[since:].decode(errors="replace")


@dataclass(frozen=True)
class Served:
    """An app that answers. url: without a trailing slash; process: its number."""

    url: str
    process: int


@contextmanager
def serve(script: Path = ROOT / "app.py", log: Path | None = None, **changes: str) -> Iterator[Served]:
    """`streamlit run script` in the script's folder, unplugged, as soon as it answers.

    log: takes what it prints; changes: of its environment.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    environment = inherited | {
        "OMP_WAIT_POLICY": "PASSIVE",
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), UNPLUGGED),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
        **changes,
    }
    options = [f"--server.port={port}", "--server.headless=true", "--logger.enableRich=false"]
    command = [sys.executable, "-m", "streamlit", "run", script.name, *options]
    with (log or Path(os.devnull)).open("wb") as out:
        process = subprocess.Popen(command, cwd=script.parent, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        found = Served(f"http://127.0.0.1:{port}", process.pid)
        deadline = time.monotonic() + START_LIMIT
        while not answers(f"{found.url}/_stcore/health"):
            printed = log.read_text(errors="replace") if log else ""
            assert process.poll() is None, f"the server ended at its start:\n{printed}"
            assert time.monotonic() < deadline, f"no answer within {START_LIMIT} s:\n{printed}"
            time.sleep(0.01)
        yield found
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def running_app(folder: Path, **changes: str) -> Iterator[Server]:
    """The app, while it runs; what it printed must hold no traceback. folder: for its log and its downloads.

    changes: of its environment, beyond that it is unplugged.
    """
    log = folder / "log.txt"
    with serve(log=log, **({"XDG_CACHE_HOME": str(folder / "cache")} | changes)) as served:
        running = Server(served.url, log)
        yield running
    assert "Traceback" not in running.printed(), running.printed()


def answers(url: str) -> bool:
    """Whether a server is there and says that all is well."""
    try:
        with urllib.request.urlopen(url, timeout=1) as response:
            return response.status == 200
    except OSError:
        return False


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

"""From `streamlit run app.py` to what the visitor sees first, against a hello-world app, with fresh servers in turns."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.timing import median_ratio
from benchmarks.visiting import NO_BROWSER, ROOT, chromium, new_visitor, serve

ROUNDS = 5
HELLO = 'import streamlit as st\n\nst.title("Hello, world")\n'
SEEN = {"first contentful paint": "probe.painted", "the heading stands": "probe.heading"}


def run() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, goal)."""
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        if browser is None:
            return [("start → first paint", NO_BROWSER, "≤ 1.3")]
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO, encoding="utf-8")
        shutil.copytree(ROOT / ".streamlit", hello.parent / ".streamlit")  # the two differ in nothing but their script
        scripts = {"app": ROOT / "app.py", "hello": hello}
        for script in scripts.values():  # so that the files are in memory and compiled
            start(browser, script)
        seconds: dict[str, dict[str, list[float]]] = {seen: {name: [] for name in scripts} for seen in SEEN}
        for turn in range(ROUNDS):
            for name in sorted(scripts, reverse=bool(turn % 2)):
                for seen, took in start(browser, scripts[name]).items():
                    seconds[seen][name].append(took)
    return [
        (
            f"start → {seen}, Home ÷ hello world",
            f"{median_ratio(times, 'app', 'hello'):.2f} "
            f"({statistics.median(times['app']):.2f} s ÷ {statistics.median(times['hello']):.2f} s)",
            "≤ 1.3",
        )
        for seen, times in seconds.items()
    ]


def start(browser: Browser, script: Path) -> dict[str, float]:
    """Seconds from the start of a fresh server to each of SEEN, in a browser that opens the page once the server answers."""
    begun = time.time()
    with serve(script) as app:
        page = new_visitor(browser)
        page.goto(app.url, wait_until="commit")
        page.evaluate("probe.heading")
        origin = page.evaluate("performance.timeOrigin")
        took = {seen: (origin + page.evaluate(when)) / 1000 - begun for seen, when in SEEN.items()}
        page.context.close()
    return took


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")

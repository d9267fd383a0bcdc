"""Memory that the server takes at most while a visitor sees every page, and chooses every bundled model where one can."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote_plus

import psutil

from benchmarks.browser import SLIDERS
from benchmarks.visiting import NO_BROWSER, Served, chromium, new_visitor, open_page, serve
from pretrained import catalog
from pretrained.records import Model, Task

GOAL = "≤ 2.5 GB"
NAME = "memory of the server at most, every page opened, with every bundled model"
EVERY = 0.02  # seconds between two looks at the memory
SHOWN = 5  # pages named, those after which memory grew most
CHOICES: Mapping[Task, tuple[str, ...]] = {
    "classification": (
        "walkthrough?walk_model",
        "classification?model",
        "vit?vit_model",
        "local_attention?local_model",
        "many_photos?many_classifier",
    ),
    "detection": ("detection?detect_model", "many_photos?many_task=Boxes&many_detector"),
    "segmentation": ("segmentation?seg_model", "many_photos?many_task=Masks&many_segmenter"),
    "language": ("bert?bert_model", "bert_predicts?bert_model"),
}
"""Task → the pages on which one of its models is chosen, and the key of that control; other bundled models have no control."""
ELSEWHERE = {
    ("vit?vit_model", "resnet18-photos110"),
    ("local_attention?local_model", "resnet18-photos110"),
    ("walkthrough?walk_model", "vit-photos110"),
}
"""A page and a model of its task that it does not offer."""


def run() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, goal)."""
    with chromium() as browser:
        if browser is None:
            return [(NAME, NO_BROWSER, GOAL)]
        with serve() as app, watched(app) as seen:
            grown = []
            before = memory(app)
            for address, chosen in addresses():
                page = new_visitor(browser)
                open_page(page, f"{app.url}/{address}")
                if chosen:
                    page.locator(f"[data-testid=stSelectbox] input[value='{chosen}']").first.wait_for()
                page.context.close()
                after = memory(app)
                grown.append((after - before, address or "home"))
                print(f"  {address}: {after / 1e9:.2f} GB, at most {max(seen) / 1e9:.2f}", file=sys.stderr, flush=True)
                before = after
            most = ", ".join(f"{address} {more / 1e9:+.2f}" for more, address in sorted(grown, reverse=True)[:SHOWN])
            return [(NAME, f"{max(seen) / 1e9:.2f} GB, {before / 1e9:.2f} GB in the end (most by {most})", GOAL)]


def addresses() -> list[tuple[str, str]]:
    """All pages as they open, then those with a choice of models, once with each bundled one; and the name chosen, or ""."""
    pages = [slider.address.partition("?")[0] for slider in SLIDERS]
    chosen = [
        (f"{place}={quote_plus(model.name)}", model.name)
        for model in catalog.models(Model)
        if model.source in ("bundled", "package")
        for place in CHOICES.get(model.task, ())
        if (place, model.key) not in ELSEWHERE
    ]
    return [*((page, "") for page in ("", *pages)), *chosen]


def memory(app: Served) -> int:
    """Bytes of memory that the server has now."""
    return psutil.Process(app.process).memory_info().rss


@contextmanager
def watched(app: Served) -> Iterator[list[int]]:
    """What the server had, seen every few milliseconds from now on."""
    seen, ended = [memory(app)], threading.Event()

    def look() -> None:
        while not ended.is_set():
            seen.append(memory(app))
            time.sleep(EVERY)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")

"""Attention of 12 × 12 heads in the browser, ours beside bertviz 1.4.1's model_view and head_view (benchmarks/peers.py).

The same weights (softmax of random scores) go to both, at 32, 128 and 512 tokens. Ours are measured twice: as the page that
opens alone, the twin of bertviz's HTML file, and in a running app (benchmarks/attention_app.py). Measured are

- bytes: of the HTML file and the scripts that it loads; of the app, what came through its socket;
- Python: seconds to make the file, or to pack what the app sends (the grid of all heads and the lines of one layer);
- interactive: from the start of the navigation until the frame in which a token that is pointed at stands out. Of the views
  of all heads (model_view; ours, second figure) another head is chosen first, of whose lines that token is;
- memory: resident, of the page's process, and its JavaScript heap.

Each page gets a Chromium of its own. One that takes longer than LIMIT or more than MOST_MEMORY is given up, and the table
says so. Frames are those of the page alone while the pointer crosses the words of 512 tokens.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
from playwright.sync_api import Error, Page

from benchmarks import attention_app, peers
from benchmarks.visiting import NO_BROWSER, PROBE, chromium, serve

TOKENS = (32, 128, 512)
GOAL_TOKENS = 128
ROUNDS = {"ours": 3, "bertviz": 1}
LIMIT = 400.0
"""Seconds after which a page is given up."""
MOST_MEMORY = 8e9
"""Bytes that a page, or the Python that makes it, may take before it is."""
SCRIPT = Path(__file__).with_suffix(".js")
OURS = {"page alone": "alone", "app": "app"}
FPS_MOVES = 120


@dataclass(frozen=True)
class Opened:
    """How a page opened. milliseconds: until interactive, one for each step of attention.js, fewer where it was given up.

    memory, heap: bytes; failed: why it was given up, or empty; received: bytes through the app's socket.
    """

    milliseconds: tuple[float, ...]
    memory: float
    heap: float
    failed: str = ""
    received: float = 0


@dataclass(frozen=True)
class Measured:
    """One way to show one attention. seconds: of Python; size: bytes to the browser."""

    seconds: float
    size: float
    opened: Opened


def run() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, goal)."""
    with chromium() as browser:
        if browser is None:
            return [("attention of 12 × 12 heads", NO_BROWSER, "")]
    without = peers.missing()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scripts: dict[str, str] = {}
        if not without:
            try:
                scripts = peers.scripts(folder)
            except (subprocess.CalledProcessError, OSError) as error:
                without = f"npm could not fetch bertviz's scripts: {error}"
        with files(folder) as url, serve(Path(attention_app.__file__)) as app:
            for tokens in TOKENS:
                found = measure(tokens, folder, url, app.url, scripts)
                rows += table(tokens, found, without)
            rows += frames(f"{url}/alone-{TOKENS[-1]}.html")
    return rows


def measure(tokens: int, folder: Path, url: str, app: str, scripts: Mapping[str, str]) -> dict[str, Measured]:
    """Ours and, where there are scripts, bertviz's views, by name."""
    found = {}
    for name, kind in [*OURS.items(), *((view, view) for view in peers.VIEWS if scripts)]:
        path = folder / f"{kind}-{tokens}.html"
        print(f"  {tokens} tokens, {name} …", file=sys.stderr, flush=True)
        built = build(kind, tokens, path)
        if isinstance(built, str):
            found[name] = Measured(float("nan"), float("nan"), Opened((), float("nan"), float("nan"), built))
            continue
        address = f"{app}/?tokens={tokens}" if kind == "app" else f"{url}/{path.name}"
        rounds = ROUNDS["ours" if name in OURS else "bertviz"] if tokens < TOKENS[-1] or name in OURS else 1
        if kind == "app":
            open_page(address, kind, {})  # the app makes its weights, once
        opened = middle([open_page(address, kind, scripts if name in peers.VIEWS else {}) for _ in range(rounds)])
        size = built["size"] + (sum(map(len, scripts.values())) if name in peers.VIEWS else 0)
        found[name] = Measured(built["seconds"], opened.received if kind == "app" else size, opened)
        print(f"    {found[name]}", file=sys.stderr, flush=True)
        if name not in OURS:
            path.unlink()
    return found


def middle(opened: list[Opened]) -> Opened:
    """The one with the median time; one that was given up goes before all others."""
    failed = [one for one in opened if one.failed]
    return failed[0] if failed else sorted(opened, key=lambda one: one.milliseconds)[len(opened) // 2]


# ---- making the pages, each in a process of its own, so that none leaves its memory behind


def build(kind: str, tokens: int, path: Path) -> dict[str, float] | str:
    """{"seconds", "size"} of what `kind` sends, whose file is at path then; or why it was given up."""
    command = [sys.executable, "-m", "benchmarks.attention", kind, str(tokens), str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    start = time.monotonic()
    while process.poll() is None:
        late = time.monotonic() - start > LIMIT
        if late or psutil.Process(process.pid).memory_info().rss > MOST_MEMORY:
            process.kill()
            process.wait()
            limit = f"{LIMIT:.0f} s" if late else f"{MOST_MEMORY / 1e9:.0f} GB of memory"
            return f"Python needs more than {limit} to make it"
        time.sleep(0.2)
    answer = process.stdout.read() if process.stdout else ""
    return json.loads(answer.splitlines()[-1]) if process.returncode == 0 else "Python failed to make it"


def make(kind: str, tokens: int) -> tuple[float, bytes]:
    """Seconds to make it, after a first small one that loads what is needed, and what was made."""
    maker = {"alone": page_alone, "app": app_payload}.get(kind, partial(peers.page, kind))
    for count in (4, tokens):
        weights, words = attention_app.attention(count), attention_app.words(count)
        start = time.perf_counter()
        made: str | bytes = maker(weights, words)
        seconds = time.perf_counter() - start
    return seconds, made.encode() if isinstance(made, str) else made


def page_alone(weights: Any, words: list[str]) -> str:
    """Our HTML file."""
    from explorer.components.attention_page import attention_page

    return attention_page(weights, words, (0, 0), "random scores")


def app_payload(weights: Any, words: list[str]) -> bytes:
    """What the app packs for a view: all heads small, and one layer in full."""
    from explorer.attention_statistics import entropy
    from explorer.components import attention_grid, attention_lines

    images = attention_grid.thumbnails(weights, 0.5)
    statistic = entropy(weights).mean(-1)
    grid = attention_grid.encode(images, selected=(0, 0), statistic=statistic, name="entropy", limit=0.5)
    return grid + attention_lines.encode(weights[0], words, words, heads=[0])


# ---- opening them


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def files(folder: Path) -> Iterator[str]:
    """The URL of a server of the folder's files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def interactive(text: str) -> tuple[int, float] | None:
    """(step, milliseconds) of a line that attention.js wrote to the console; None for any other line."""
    found = re.fullmatch(r"interactive (\d+) ([\d.]+)", text)
    return (int(found[1]), float(found[2])) if found else None


def open_page(address: str, kind: str, scripts: Mapping[str, str]) -> Opened:
    """Open it in a fresh Chromium and wait until it answers."""
    steps = 2 if kind in OURS.values() else 1
    with chromium() as browser:
        if browser is None:
            raise RuntimeError(NO_BROWSER)
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.add_init_script(path=PROBE)
        page.add_init_script(path=SCRIPT)
        page.route(
            f"{peers.CDN}/**",
            lambda route: route.fulfill(body=scripts[route.request.url], content_type="text/javascript"),
        )
        times: dict[int, float] = {}
        problems: list[str] = []
        page.on("console", lambda message: times.update([found] if (found := interactive(message.text)) else []))
        page.on("pageerror", lambda error: problems.append(str(error).splitlines()[0]))
        page.on("crash", lambda _: problems.append("the page crashed"))
        start = time.monotonic()
        memory = 0.0
        failed = ""
        try:
            page.goto(f"{address}#measure={kind}", wait_until="commit")
            while len(times) < steps and not failed:
                page.wait_for_timeout(200)
                memory = max(memory, resident(page))
                if problems:
                    failed = problems[0]
                elif time.monotonic() - start > LIMIT:
                    failed = f"not within {LIMIT:.0f} s"
                elif memory > MOST_MEMORY:
                    failed = f"more than {MOST_MEMORY / 1e9:.0f} GB"
            if failed:
                return Opened(tuple(times.values()), memory, float("nan"), failed)
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
            received = page.evaluate("probe.bytes")
        except Error as error:
            return Opened(tuple(times.values()), memory, float("nan"), str(error).splitlines()[0])
        return Opened(tuple(times[i] for i in range(steps)), memory, metrics["JSHeapUsedSize"], "", received)


def resident(page: Page) -> float:
    """Bytes in memory of the largest of the browser's renderers."""
    browser = page.context.browser
    if browser is None:
        return 0.0
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    sizes = []
    for process in processes:
        try:
            if process["type"] == "renderer":
                sizes.append(psutil.Process(process["id"]).memory_info().rss)
        except psutil.Error:
            continue
    return float(max(sizes, default=0))


# ---- frames while pointing

FRAMES = """() => {
    window.gaps = [];
    let last = performance.now();
    const next = (now) => { gaps.push(now - last); last = now; requestAnimationFrame(next); };
    requestAnimationFrame(next);
}"""


def frames(address: str) -> list[tuple[str, str, str]]:
    """How many frames a second come while the pointer goes from word to word, of one head and of all twelve."""
    rows = []
    with chromium() as browser:
        if browser is None:
            return rows
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.goto(address)
        page.locator("#lines .told", has_text="strongest").wait_for()
        for heads in (1, 12):
            if heads > 1:
                for button in page.locator("#lines .head").all():
                    if button.get_attribute("aria-pressed") == "false":
                        button.click()
            for row in ("read", "far away"):
                if row == "far away":
                    for _ in range(9):
                        page.locator("#lines").get_by_role("button", name="Zoom out").click()
                page.locator("#lines .note").scroll_into_view_if_needed()
                box = page.locator("#lines .words.query").bounding_box()
                seen = page.locator("#lines .scroller").bounding_box()
                if box is None or seen is None:
                    raise RuntimeError("no words are shown")
                page.evaluate(FRAMES)
                for move in range(FPS_MOVES):
                    page.mouse.move(
                        seen["x"] + box["width"] / 2,
                        seen["y"] + seen["height"] * (move * 7 % FPS_MOVES + 0.5) / FPS_MOVES,
                    )
                gaps = page.evaluate("gaps.slice(2)")
                rate = 1000 / statistics.mean(gaps)
                where = "words large enough to read" if row == "read" else "all 512 words seen"
                rows.append(
                    (
                        f"pointing at words of 512 tokens, {heads} {'head' if heads == 1 else 'heads'}, {where}",
                        f"{rate:.0f} frames a second",
                        "≥ 30",
                    )
                )
            page.locator("#lines").get_by_role("button", name="Reset zoom").click()
    return rows


# ---- the table


def table(tokens: int, found: Mapping[str, Measured], without: str) -> list[tuple[str, str, str]]:
    """The rows of one length."""
    of: dict[str, tuple[Callable[[Measured], float], Callable[[float], str]]] = {
        "bytes to the browser": (lambda m: m.size, megabytes),
        "Python": (lambda m: m.seconds, seconds),
        "until interactive": (lambda m: last(m.opened), milliseconds),
        "memory of the page": (lambda m: m.opened.memory, megabytes),
        "JavaScript heap": (lambda m: m.opened.heap, megabytes),
    }
    goals = {"bytes to the browser": "≤ 0.06 of model_view", "until interactive": "≤ 0.2 of model_view"}
    return [
        (
            f"attention of 12 × 12 heads, {tokens} tokens: {what}",
            line(found, *how, without),
            goals.get(what, "") if tokens == GOAL_TOKENS else "",
        )
        for what, how in of.items()
    ]


def last(opened: Opened) -> float:
    """Milliseconds until all was interactive; NaN where it was given up."""
    return float("nan") if opened.failed else opened.milliseconds[-1]


def megabytes(size: float) -> str:
    """1234567 → "1.23 MB"."""
    return f"{size / 1e6:.3g} MB" if size < 1e9 else f"{size / 1e9:.3g} GB"


def seconds(took: float) -> str:
    """0.0123 → "0.012 s"."""
    return f"{took:.2g} s" if took < 1 else f"{took:.1f} s"


def milliseconds(took: float) -> str:
    """1234.5 → "1.2 s"."""
    return f"{took:.0f} ms" if took < 1000 else f"{took / 1000:.1f} s"


def line(
    found: Mapping[str, Measured], of: Callable[[Measured], float], say: Callable[[float], str], without: str
) -> str:
    """Each way's value, and ours over model_view's."""
    parts = []
    for name, one in found.items():
        value = of(one)
        known = value == value
        parts.append(f"{name} {say(value) if known else 'given up: ' + one.opened.failed}")
    peer = found.get("model_view")
    if peer is None:
        return f"{'; '.join(parts)} (bertviz not measured: {without})"
    ratios = [f"{name} {of(found[name]) / of(peer):.3f}" for name in OURS if of(peer) == of(peer) and of(peer)]
    return "; ".join(parts) + (f" → ÷ model_view: {', '.join(ratios)}" if ratios else "")


def main(kind: str, tokens: str, path: str) -> None:
    """In the process that `build` starts."""
    took, made = make(kind, int(tokens))
    Path(path).write_bytes(made)
    print(json.dumps({"seconds": took, "size": len(made)}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(*sys.argv[1:])
    else:
        for row in run():
            print(*row, sep=" | ")

"""What a visitor waits for in Chromium: another page, the picture after a slider moved, the arithmetic under the pointer."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Page

from benchmarks.timing import percentile
from benchmarks.visiting import NO_BROWSER, chromium, new_visitor, result, serve, settle

ROUNDS = 5
MOVES = 30
POINTS = 30
OPENINGS = 5
PICTURE_GOAL = "p95 ≤ 150 ms"
PARTS = ("asking", "server", "drawing", "bytes")
FRAME_GOAL = "p95 ≤ 16.7 ms"


@dataclass(frozen=True)
class Sight:
    """A page: its name in the sidebar, the key of its first maps, and of its stepper ("" where it has none)."""

    title: str
    picture: str
    stepper: str = ""


@dataclass(frozen=True)
class Slider:
    """A slider, the maps that it changes, and the address where it has many positions. box: the expander that it is in."""

    address: str
    name: str
    picture: str
    box: str = ""


HOME = Sight("Home", "card_filters")
SIGHTS = (
    HOME,
    Sight("Filters", "filter_maps", "filter_stepper"),
    Sight("Convolution", "conv_maps", "conv_stepper"),
    Sight("Pooling and layers", "pool_maps", "pool_stepper_line"),
    Sight("Image classification", "class_maps", "resnet_stepper"),
)
SLIDERS = (
    Slider("filters?kernel=Gaussian+blur", "Kernel size", "filter_maps"),
    Slider("convolution", "Stride", "conv_maps"),
    Slider("pooling", "Window", "pool_maps"),
    Slider("classification", "How dark the rest gets", "class_maps", "More"),
)


def run() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, goal)."""
    with chromium() as browser:
        if browser is None:
            return [("what a visitor waits for", NO_BROWSER, "")]
        with serve() as url:
            page = new_visitor(browser)
            page.goto(url)
            page.evaluate("probe.heading")
            settle(page)
            rows = switch_pages(page)
            for slider in SLIDERS:
                rows.append(move(page, url, slider))
            for sight in SIGHTS:
                if sight.stepper:
                    rows += step(page, sight)
            page.context.close()
    return rows


def spread(milliseconds: Sequence[float]) -> str:
    """The median and the value that one in twenty exceeds."""
    return f"p50 {percentile(list(milliseconds), 0.5):.0f} ms, p95 {percentile(list(milliseconds), 0.95):.0f} ms"


def visit(page: Page, sight: Sight) -> float:
    """Click on a page in the sidebar → milliseconds until its heading stands and its first maps are drawn."""
    settle(page)
    page.evaluate("key => { probe.awaitPage(key) }", sight.picture)
    page.get_by_test_id("stSidebarNavLink").get_by_text(sight.title, exact=True).click()
    return float(result(page))


def switch_pages(page: Page) -> list[tuple[str, str, str]]:
    """Every page in turn; the first round, in which libraries and models are loaded, does not count."""
    waits: dict[str, list[float]] = {sight.title: [] for sight in SIGHTS}
    for turn in range(ROUNDS + 1):
        for sight in (*SIGHTS[1:], HOME):
            wait = visit(page, sight)
            if turn:
                waits[sight.title].append(wait)
    return [(f"page switch → heading and picture: {title}", spread(took), "") for title, took in waits.items()]


def move(page: Page, url: str, slider: Slider) -> tuple[str, str, str]:
    """A slider goes up and down its range by the arrow keys."""
    page.goto(f"{url}/{slider.address}")
    page.evaluate("probe.heading")
    settle(page)
    if slider.box:
        page.get_by_text(slider.box, exact=True).click()
    control = page.locator(f"input[type=range][aria-label='{slider.name}']")
    control.wait_for(state="attached")
    waits = []
    key = "ArrowRight"
    for turn in range(MOVES + 2):
        least, value, most = control.evaluate("input => [input.min, input.value, input.max].map(Number)")
        key = "ArrowLeft" if value >= most else "ArrowRight" if value <= least else key
        control.focus()
        page.evaluate("key => { probe.awaitPicture(key) }", slider.picture)
        page.keyboard.press(key)
        wait = result(page)
        if turn > 1:
            waits.append(wait)
        settle(page)
    asked, answered, drawn, size = (statistics.median(wait[part] for wait in waits) for part in PARTS)
    split = f"asked after {asked:.0f}, answered after {answered:.0f} more, drawn after {drawn:.0f}; {size / 1e6:.1f} MB"
    name = f"slider → picture: {slider.address.partition('?')[0].capitalize()}, {slider.name}"
    return name, f"{spread([wait['all'] for wait in waits])} ({split})", PICTURE_GOAL


def step(page: Page, sight: Sight) -> list[tuple[str, str, str]]:
    """What the stepper weighs, how long it takes to open, and to answer the pointer."""
    visit(page, sight)
    settle(page)
    page.locator(f".st-key-{sight.stepper} .verdict").filter(has_text="✓").wait_for()
    opened = [page.evaluate("key => probe.openStepper(key)", sight.stepper) for _ in range(OPENINGS)]
    canvas = page.locator(f".st-key-{sight.stepper} .outputs canvas.grid-top").first
    canvas.scroll_into_view_if_needed()
    area = canvas.bounding_box()
    if area is None:
        raise RuntimeError(f"{sight.title}: the stepper shows no output")
    waits = []
    for turn in range(POINTS + 1):
        # To and fro across the middle, so that each move meets another cell.
        across, down = 0.3 + 0.4 * (turn % 2) + 0.1 * turn / POINTS, 0.3 + 0.4 * turn / POINTS
        page.evaluate("key => { probe.awaitReadout(key) }", sight.stepper)
        page.mouse.move(area["x"] + area["width"] * across, area["y"] + area["height"] * down)
        waits.append(result(page))
    waits = waits[1:]
    size = opened[0]["bytes"] / 1e6
    hover = (
        f"{spread([wait['work'] for wait in waits])}; shown in the next frame {sum(w['frames'] <= 1 for w in waits)}"
        f" times of {len(waits)}"
    )
    return [
        (f"stepper opens: {sight.title}, {size:.2f} MB", spread([one["all"] for one in opened]), ""),
        (f"hover → arithmetic: {sight.title}", hover, FRAME_GOAL),
    ]


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")

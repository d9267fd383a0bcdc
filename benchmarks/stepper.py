"""The stepper in Chromium: how much it is sent, how fast it opens, and how fast it answers the pointer."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks import encoder_page
from benchmarks.timing import compare, spread
from benchmarks.visiting import NO_BROWSER, chromium, new_visitor, open_page, result, serve

OPENINGS = 9
POINTS = 30
GOAL = "p95 ≤ 16.7 ms"
STEPPERS = {
    "filters": "filter_stepper",
    "convolution": "conv_stepper",
    "pooling": "pool_stepper_line",
    "walkthrough": "walk_stepper",
    "classification": "resnet_stepper",
    "architectures": "arch_steps_residual",
    "vit": "vit_stepper_patches",
    "local_attention": "local_stepper_windows",
    "vit_or_resnet": "vr_stepper",
    "detection": "detect_stepper",
    "segmentation": "seg_stepper",
    "many_photos": "many_stepper_classes",
    "recurrent": "rec_stepper_lstm_step",
    "positions": "pos_stepper_encoding",
    "attention": "attn_stepper_typed",
    "multihead": "heads_stepper_layer",
    "transformer": "tr_stepper",
    "rnn_or_attention": "versus_stepper_rnn",
    "bert": "bert_stepper_attention",
    "bert_predicts": "predict_stepper_word",
}


def run() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, goal)."""
    rows = []
    with chromium() as browser:
        if browser is None:
            return [("hover → arithmetic", NO_BROWSER, GOAL)]
        with serve() as app:
            for name, key in STEPPERS.items():
                page = new_visitor(browser)
                open_page(page, f"{app.url}/{name}")
                page.locator(f".st-key-{key} .verdict").filter(has_text="✓").wait_for()
                opened = [page.evaluate("key => probe.openStepper(key)", key) for _ in range(OPENINGS)]
                size = opened[0]["bytes"] / 1e6
                times = [one["all"] for one in opened]
                rows.append((f"stepper opens: {name.capitalize()}, {size:.2f} MB", spread(times), ""))
                rows.append((f"hover → arithmetic: {name.capitalize()}", point(page, key), GOAL))
                page.context.close()
        rows += deep_encoder(browser)
    return rows


def deep_encoder(browser: Browser) -> list[tuple[str, str, str]]:
    """A trace longer than any that a page opens on: on the server, and in the browser."""
    name = encoder_page.NAME
    count, size = len(encoder_page.steps().steps), len(encoder_page.payload()) / 1e6
    seconds = compare({"trace": encoder_page.steps, "both": encoder_page.payload}, OPENINGS)
    with serve(Path(encoder_page.__file__)) as app:
        page = new_visitor(browser)
        open_page(page, app.url)
        page.locator(f".st-key-{encoder_page.KEY} .verdict").filter(has_text="✓").wait_for()
        opened = [page.evaluate("key => probe.openStepper(key)", encoder_page.KEY)["all"] for _ in range(OPENINGS)]
        pointed = point(page, encoder_page.KEY)
        page.context.close()
    return [
        (f"stepper, server: {name}, {count} steps, traced", spread([1000 * s for s in seconds["trace"]]), ""),
        (
            f"stepper, server: {name}, traced and packed into {size:.2f} MB",
            spread([1000 * s for s in seconds["both"]]),
            "",
        ),
        (f"stepper opens: {name}, {count} steps, {size:.2f} MB", spread(opened), ""),
        (f"hover → arithmetic: {name}", pointed, GOAL),
    ]


def point(page: Page, key: str) -> str:
    """The pointer goes from cell to cell of the output: from its event until the frame with the arithmetic is painted."""
    canvas = page.locator(f".st-key-{key} .outputs canvas.grid-top").first
    canvas.scroll_into_view_if_needed()
    area = canvas.bounding_box()
    if area is None:
        raise RuntimeError(f"{key} shows no output")
    waits = []
    for turn in range(POINTS + 1):
        # To and fro across the middle, so that each move meets another cell.
        across, down = 0.3 + 0.4 * (turn % 2) + 0.1 * turn / POINTS, 0.3 + 0.4 * turn / POINTS
        page.evaluate("key => { probe.awaitReadout(key) }", key)
        page.mouse.move(area["x"] + area["width"] * across, area["y"] + area["height"] * down)
        waits.append(result(page))
    at_once = sum(wait["frames"] <= 1 for wait in waits[1:])
    return f"{spread([wait['work'] for wait in waits[1:]])}; {at_once} of {POINTS} in the very next frame"


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")

"""What a visitor waits for in Chromium: another page, and the picture after a slider moved."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from playwright.sync_api import Page

from benchmarks.timing import spread
from benchmarks.visiting import NO_BROWSER, chromium, new_visitor, open_page, result, serve, settle

ROUNDS = 5
MOVES = 30
PICTURE_GOAL = "p95 ≤ 150 ms"
PARTS = ("asking", "server", "drawing", "bytes")


@dataclass(frozen=True)
class Slider:
    """A slider, the maps that it changes, and the address where it has many positions. box: the expander that it is in."""

    address: str
    name: str
    picture: str
    box: str = ""


# Name in the sidebar → key of the page's first maps.
PICTURES = {
    "Filters": "filter_maps",
    "Convolution": "conv_maps",
    "Pooling and layers": "pool_maps",
    "CNN walk-through": "walk_maps",
    "Image classification": "class_maps",
    "Architectures": "arch_branches",
    "Vision Transformer": "vit_seen",
    "Attention in images": "local_maps",
    "ViT or ResNet?": "vr_maps",
    "Object detection": "detect_maps",
    "Segmentation": "seg_pictures",
    "Many photos": "many_maps",
    "Recurrent networks": "rec_unrolled",
    "Positional encoding": "pos_heatmap",
    "Attention": "attn_maps",
    "Multi-head attention": "heads_flow",
    "Transformer": "tr_diagram",
    "RNN or attention?": "versus_influence",
    "BERT": "bert_lines",
    "What BERT predicts": "predict_layers",
    "Home": "card_filters",
}
SLIDERS = (
    Slider("filters?kernel=Gaussian+blur", "Kernel size", "filter_maps"),
    Slider("convolution", "Stride", "conv_maps"),
    Slider("pooling", "Window", "pool_maps"),
    Slider("walkthrough", "Layer", "walk_maps"),
    Slider("classification", "How dark the rest gets", "class_maps", "More"),
    Slider("architectures", "Piece of your photo", "arch_branches"),
    Slider("vit", "Layer", "vit_attention"),
    Slider("local_attention", "Blocks in a row", "local_maps"),
    Slider("vit_or_resnet", "Patches along a side", "vr_maps"),
    Slider("detection", "Least score (confidence)", "detect_maps"),
    Slider("segmentation", "Opacity", "seg_pictures"),
    Slider("many_photos?many_task=Boxes", "Photo shown", "many_maps"),
    Slider("recurrent", "Hidden size", "rec_unrolled", "More"),
    Slider("positions", "Positions", "pos_heatmap"),
    Slider("attention", "Temperature", "attn_maps"),
    Slider("multihead?heads_width=12", "Heads", "heads_flow"),
    Slider("transformer", "Words written so far", "tr_diagram"),
    Slider("rnn_or_attention", "Words", "versus_influence"),
    Slider("bert", "Layer", "bert_lines"),
    Slider("bert_predicts?predict_question=Heads+switched+off", "Layer to change", "predict_change"),
)


def run() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, goal)."""
    with chromium() as browser:
        if browser is None:
            return [("page switch, slider → picture", NO_BROWSER, PICTURE_GOAL)]
        with serve() as app:
            page = new_visitor(browser)
            open_page(page, app.url)
            rows = [*switch_pages(page), *(move(page, app.url, slider) for slider in SLIDERS)]
            page.context.close()
    return rows


def switch_pages(page: Page) -> list[tuple[str, str, str]]:
    """Every page in turn by the sidebar; the first round, in which libraries and models are loaded, does not count."""
    waits: dict[str, list[float]] = {title: [] for title in PICTURES}
    for turn in range(ROUNDS + 1):
        for title, picture in PICTURES.items():
            settle(page)
            page.evaluate("key => { probe.awaitPage(key) }", picture)
            page.get_by_test_id("stSidebarNavLink").get_by_text(title, exact=True).click()
            wait = result(page)
            if turn:
                waits[title].append(wait)
    return [(f"page switch → heading and picture: {title}", spread(took), "") for title, took in waits.items()]


def move(page: Page, url: str, slider: Slider) -> tuple[str, str, str]:
    """A slider goes up and down its range by the arrow keys."""
    open_page(page, f"{url}/{slider.address}")
    if slider.box:
        page.get_by_text(slider.box, exact=True).first.click()
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


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")

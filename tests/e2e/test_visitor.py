"""What a visitor does: opens pages, uploads a photo, moves controls, steps, hovers, shares a link, keeps a picture."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from seeing import choose, type_into_grid

ROOT = Path(__file__).parents[2]
PAGES = [
    "",
    "filters",
    "convolution",
    "pooling",
    "walkthrough",
    "classification",
    "architectures",
    "vit",
    "local_attention",
    "vit_or_resnet",
    "detection",
    "segmentation",
    "many_photos",
    "recurrent",
    "positions",
    "multihead",
    "attention",
    "transformer",
    "rnn_or_attention",
    "bert",
    "bert_predicts",
]
PHOTO = ROOT / "explorer/photos/coffee.jpg"


def stepper(page: Page):
    return page.locator(".panes").locator("xpath=ancestor::div[contains(@class, 'root')]")


def hover_cell(page: Page, box, across: float = 0.5, down: float = 0.5) -> None:
    """Point at a place of a tensor's picture, as a share of its width and height."""
    canvas = box.locator("canvas.grid-top")
    canvas.scroll_into_view_if_needed()
    area = canvas.bounding_box()
    page.mouse.move(area["x"] + area["width"] * across, area["y"] + area["height"] * down)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_drawn_in_both_themes_and_widths(app, screenshot, name):
    page = app.open(f"/{name}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if name:
        expect(page.locator(".panes")).to_be_visible()
        expect(page.locator(".verdict")).to_contain_text("✓")
    else:
        expect(page.locator(".thumbnail canvas.grid-base").first).to_be_visible()
    screenshot(page, name or "home", themes=("light", "dark"))
    page.set_viewport_size({"width": 400, "height": 900})
    wide = page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth - main.clientWidth")
    assert wide <= 0, f"the page scrolls sideways by {wide} pixels at 400"


def test_home_leads_into_every_page(app):
    page = app.open("/")
    links = page.locator("[data-testid=stMain] a[data-testid=stPageLink-NavLink]")
    expect(links).to_have_count(len(PAGES) - 1)
    for place in range(len(PAGES) - 1):
        page = app.open("/")
        title = links.nth(place).inner_text().splitlines()[-1]
        links.nth(place).click()
        expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
        app.settle()


def test_home_fills_its_thumbnails_from_the_real_functions(app):
    page = app.open("/")
    pictures = page.locator(".thumbnail canvas.grid-base")
    expect(pictures).to_have_count(len(PAGES) - 1)
    page.wait_for_function(
        """() => [...document.querySelectorAll("[data-testid=stMain] *")].map((e) => e.shadowRoot).filter(Boolean)
            .map((root) => root.querySelector(".thumbnail canvas.grid-base")).filter(Boolean)
            .map((c) => c.getContext("2d").getImageData(c.width / 4, c.height / 4, c.width / 2, c.height / 2).data)
            .every((pixels) => new Set(pixels).size > 20)""",
        timeout=30_000,
    )


def test_scharr_on_an_uploaded_photo(app):
    page = app.open("/filters")
    page.get_by_role("radio", name="Upload").or_(page.get_by_text("Upload", exact=True)).first.click()
    page.locator("input[type=file]").set_input_files(PHOTO)
    expect(page.get_by_text("coffee.jpg · 600 × 400")).to_be_visible()
    app.settle()
    expect(page.locator(".map-title", has_text="Scharr")).to_be_visible()
    before = page.locator(".map canvas.grid-base").nth(1).evaluate("c => c.toDataURL()")
    page.get_by_text("Direction", exact=True).click()
    expect(page.locator(".map-title", has_text="direction")).to_be_visible()
    assert page.locator(".map canvas.grid-base").nth(1).evaluate("c => c.toDataURL()") != before
    page.get_by_role("link", name="Image classification").click()
    expect(page.get_by_role("heading", level=1, name="Image classification")).to_be_visible()
    expect(page.get_by_text("coffee.jpg · 600 × 400")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.png", b"", "empty"),
        ("text.jpg", b"just some text, no picture at all", "."),
        ("cut.jpg", PHOTO.read_bytes()[:900], "."),
        ("tiny.png", None, "1 × 1"),
    ],
)
def test_a_bad_photo_is_one_sentence_and_the_app_goes_on(app, name, content, sentence):
    if content is None:
        buffer = io.BytesIO()
        Image.new("RGB", (1, 1)).save(buffer, "PNG")
        content = buffer.getvalue()
    page = app.open("/filters")
    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_have_count(1)
    expect(alert).to_contain_text(sentence)
    assert "Error" not in alert.inner_text()
    expect(page.locator(".verdict")).to_contain_text("✓")


def test_stepping_and_hovering_ask_the_server_for_nothing(app):
    sent = []
    app.page.on("websocket", lambda socket: socket.on("framesent", lambda _: sent.append(1)))
    page = app.open("/filters?kernel=Sobel&answer=Size")
    expect(page.locator(".verdict")).to_contain_text("✓")
    app.settle()
    count = len(sent)
    page.get_by_role("button", name="First step").click()
    for _ in range(6):
        page.get_by_role("button", name="Step forward").click()
        hover_cell(page, page.locator(".outputs .tensor").first, 0.5, 0.5)
        expect(page.locator(".verdict")).to_contain_text(re.compile("✓ torch has"))
    assert len(sent) == count


def test_hovering_spells_out_the_arithmetic_of_a_convolution(app):
    page = app.open("/filters?kernel=Scharr&answer=x")
    expect(page.locator(".heading")).to_contain_text("F.conv2d(channels, weight)")
    seen = set()
    for across, down in [(0.35, 0.4), (0.5, 0.5), (0.62, 0.6)]:
        hover_cell(page, page.locator(".outputs .tensor").first, across, down)
        expect(page.locator(".cell-name")).to_contain_text("filtered[0, 0, ")
        expect(page.locator(".readout")).to_contain_text("·")
        expect(page.locator(".verdict")).to_contain_text("✓ torch has")
        seen.add(page.locator(".cell-name").inner_text())
    assert len(seen) == 3
    page.mouse.down()
    page.mouse.up()
    pinned = page.locator(".cell-name").inner_text()
    hover_cell(page, page.locator(".outputs .tensor").first, 0.35, 0.4)
    expect(page.locator(".cell-name")).to_have_text(pinned)
    page.keyboard.press("Tab")
    page.locator(".scrub").focus()
    page.keyboard.press("Escape")
    hover_cell(page, page.locator(".outputs .tensor").first, 0.36, 0.42)
    expect(page.locator(".cell-name")).not_to_have_text(pinned)


def test_every_cell_can_be_checked(app):
    page = app.open("/filters?kernel=Gaussian+blur")
    page.get_by_role("button", name="Check every cell").click()
    expect(page.locator(".verdict")).to_contain_text("✓ all 81 cells agree with torch")


def test_the_keyboard_alone(app):
    page = app.open("/filters")
    page.locator(".scrub").focus()
    page.keyboard.press("Home")
    expect(page.locator(".counter")).to_contain_text("1 /")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".counter")).to_contain_text("3 /")
    assert "step=3" in page.url
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    canvas = page.locator(".outputs canvas.grid-top").first
    canvas.focus()
    before = page.locator(".cell-name").inner_text()
    row, column = (int(n) for n in re.search(r"\[0, (\d+), (\d+)\]", before).groups())
    page.keyboard.press("ArrowLeft" if column else "ArrowRight")
    page.keyboard.press("ArrowUp" if row else "ArrowDown")
    moved = f"[0, {row - 1 if row else 1}, {column - 1 if column else 1}]"
    expect(page.locator(".cell-name")).to_contain_text(moved)
    page.keyboard.press("+")
    page.keyboard.press("0")
    assert canvas.get_attribute("aria-label")


def test_a_permalink_restores_controls_and_step(app):
    page = app.open("/filters")
    choose(page, "y")
    expect(page.locator(".map-title", has_text="Scharr y")).to_be_visible()
    app.settle()
    page.get_by_role("button", name="Step forward").click()
    expect(page).to_have_url(re.compile("step="))
    counter = page.locator(".counter").inner_text()
    url = page.url.removeprefix(app.server.url)
    assert "answer=y" in url
    page = app.open(url)
    expect(page.locator(".map-title", has_text="Scharr y")).to_be_visible()
    expect(page.locator(".counter")).to_have_text(counter)


def test_a_picture_and_its_numbers_can_be_kept(app, tmp_path):
    page = app.open("/filters?kernel=Sobel&answer=x")
    box = page.locator(".map").nth(1)
    box.hover()
    with page.expect_download() as picture:
        box.get_by_role("button", name="PNG").click()
    picture.value.save_as(tmp_path / "map.png")
    assert min(Image.open(tmp_path / "map.png").size) > 200
    with page.expect_download() as numbers:
        box.get_by_role("button", name="CSV").click()
    numbers.value.save_as(tmp_path / "map.csv")
    values = np.loadtxt(tmp_path / "map.csv", delimiter=",")
    assert values.min() < 0 < values.max()


def test_own_kernel_with_a_mistake_keeps_the_last_good_one(app):
    page = app.open("/filters?kernel=Your+own&own_kernel=1+2")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_have_count(1)
    expect(page.locator(".verdict")).to_contain_text("✓")


def test_classification_answers_and_steps_through_a_block(app):
    page = app.open("/classification?photo=cat_chelsea.jpg&part=layer1.0")
    expect(page.locator(".map-title", has_text="What speaks for")).to_be_visible()
    expect(page.locator(".expression")).to_contain_text("out + shortcut")
    page.get_by_role("button", name="First step").click()
    expect(page.locator(".heading")).to_contain_text("self.conv1(x)")
    hover_cell(page, page.locator(".outputs .tensor").first)
    expect(page.locator(".verdict")).to_contain_text("✓ torch has")


def test_an_official_model_without_a_network_is_one_sentence(app):
    page = app.open("/classification?model=ResNet-34")
    page.get_by_role("button", name="Download", exact=True).click()
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_have_count(1, timeout=30_000)
    assert "Error" not in alert.inner_text()
    expect(page.locator(".map-title", has_text="What speaks for")).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("✓")


def test_the_steps_can_be_kept_and_read_again(app, tmp_path):
    from explorer.trace import Trace

    page = app.open("/filters?kernel=Gaussian+blur")
    with page.expect_download() as kept:
        page.get_by_role("button", name="Save these steps").click()
    kept.value.save_as(tmp_path / "steps.npz")
    trace = Trace.load(tmp_path / "steps.npz")
    assert trace.steps[trace.first("conv2d")].expression == "F.conv2d(channels, weight)"


def test_a_number_typed_into_the_grid_changes_the_picture(app):
    page = app.open("/filters?kernel=Your+own&own_kernel=0+0+0;0+1+0;0+0+0")
    expect(page.locator(".verdict")).to_contain_text("✓")  # all is drawn, nothing moves any more
    type_into_grid(page.get_by_test_id("stDataFrame").first, 1 / 6, 0, "5")
    expect(page).to_have_url(re.compile(r"own_kernel=5[+%20]+0"))
    expect(page.locator(".map-title", has_text="Your kernel")).to_be_visible()


def test_formulas_and_charts_follow_a_change_of_theme(app):
    page = app.open("/filters", theme="light")
    symbol = page.locator(".katex-html [style*=color]").first
    light = symbol.evaluate("e => getComputedStyle(e).color")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "light => { const e = document.querySelector('.katex-html [style*=color]');"
        " return e && getComputedStyle(e).color !== light; }",
        arg=light,
    )
    app.settle()
    expect(page.locator(".verdict")).to_contain_text("✓")

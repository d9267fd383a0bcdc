"""The convolution page in a real browser: sliders, the stepper's ✓, clicks, and links that restore what was seen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from seeing import expect_drawn, picture, pixels, slide, slider


def unfold(page: Page, title: str) -> None:
    page.locator("summary", has_text=title).click()


def label_of(page: Page, title: str) -> str:
    return picture(page, title).locator(".grid-top").get_attribute("aria-label") or ""


def test_stride_drops_columns_and_the_link_restores_them(app) -> None:
    page = app.open("/convolution")
    expect(page.get_by_text("Nothing is dropped at the end. Set the stride to 2")).to_be_visible()
    assert "30 by 30 cells" in label_of(page, "Output")
    slide(page, "Stride", "ArrowRight")
    expect(page.get_by_text("never reaches the last 1 row and 1 column")).to_be_visible()
    app.settle()
    assert "conv_stride=2" in page.url
    assert "15 by 15 cells" in label_of(page, "Output")
    shown = pixels(picture(page, "Output"))
    page.reload()
    app.settle()
    expect(page.get_by_text("never reaches the last 1 row and 1 column")).to_be_visible()
    expect(picture(page, "Output")).to_be_visible()
    expect_drawn(picture(page, "Output"), shown)


def test_one_control_moves_the_bounds_of_another(app) -> None:
    page = app.open("/convolution?conv_input=Matrix&conv_kernel=Random+weights&conv_dilation=3")
    unfold(page, "Padding, size, dilation")
    dilation = slider(page, "Dilation")
    expect(dilation).to_have_attribute("aria-valuetext", "3")
    slide(page, "Kernel size", "ArrowRight", times=2)
    app.settle()
    expect(dilation).to_be_disabled()
    assert "conv_size=5" in page.url
    assert "conv_dilation" not in page.url
    expect(page.locator(".verdict")).to_contain_text("✓")


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("", "return F.conv2d("),
        ("conv_code=By+hand&conv_dilation=2&conv_padding=Same+size&conv_mode=Circular", "feature_map = products.sum("),
        ("conv_operation=Transposed&conv_stride=2", "return F.conv_transpose2d("),
        ("conv_operation=Transposed&conv_stride=2&conv_code=By+hand", "products = cell * kernels"),
        ("conv_input=Series", "return F.conv1d("),
        ("conv_code=Colour,+channel+by+channel", "red = F.conv2d("),
    ],
)
def test_every_number_of_the_step_is_explained(app, state: str, line: str) -> None:
    page = app.open(f"/convolution?{state}")
    expect(page.locator(".heading")).to_contain_text(line)
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("✓")
    output = page.locator(".outputs .grid-top").first
    output.scroll_into_view_if_needed()
    area = output.bounding_box()
    assert area is not None
    before = page.locator(".readout").inner_text()
    page.mouse.move(area["x"] + area["width"] / 2 + 9, area["y"] + area["height"] / 2 + 3)
    expect(page.locator(".readout")).not_to_have_text(before)
    expect(verdict).to_contain_text("✓")
    page.get_by_role("button", name="Check every cell").click()
    expect(verdict).to_contain_text(re.compile("✓ all .* cells agree with torch"))


def test_a_click_lays_the_kernel_on_a_cell(app) -> None:
    page = app.open("/convolution?conv_input=Matrix&conv_padding=Same+size")
    expect(page.get_by_text("output [3, 3]")).to_be_visible()
    canvas = picture(page, "Output").locator(".grid-top")
    canvas.scroll_into_view_if_needed()
    area = canvas.bounding_box()
    assert area is not None
    side = int(min(area["width"] / 7, area["height"] / 7, 64))
    middle = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.mouse.click(middle[0] + 2 * side, middle[1] - side)
    expect(page.get_by_text("output [2, 5]")).to_be_visible()
    app.settle()
    assert "conv_row=2" in page.url
    assert "conv_column=5" in page.url


def test_many_channels_fit_a_phone(app) -> None:
    page = app.open("/convolution?conv_inputs=3&conv_outputs=2&conv_stride=2&conv_padding=Own", width=400, height=900)
    expect(picture(page, "Output 1")).to_be_visible()
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth - main.clientWidth") <= 0

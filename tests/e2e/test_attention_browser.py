"""The attention page in a real browser: grids, masks by clicks, the decoder's steps, lines between words, the stepper."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from seeing import choose, expect_drawn, expect_redrawn, picture, pixels, slide, type_into_grid

from explorer.self_attention_views import SentenceSetup, draws

WORDS = tuple("The cat sat on the mat because it was tired".split())


def cell(page: Page, box: Locator, row: int, column: int, rows: int, columns: int) -> tuple[float, float]:
    """The middle of a cell of a labelled map, in the window's pixels, by trying places until the map names it."""
    canvas = box.locator("canvas.grid-top")
    canvas.scroll_into_view_if_needed()
    area = canvas.bounding_box()
    assert area is not None
    for y in np.arange(0.02, 1, 0.04):
        for x in np.arange(0.02, 1, 0.04):
            place = area["x"] + area["width"] * x, area["y"] + area["height"] * y
            page.mouse.move(*place)
            if box.locator(".map-readout").inner_text().startswith(f"q{'₁₂₃'[row]} → k{'₁₂₃'[column]}"):
                return place[0] + 12, place[1] + 12
    raise AssertionError(f"no cell [{row}, {column}] of {rows} × {columns}")


def type_cell(page: Page, grid: str, row: int, column: int, text: str) -> None:
    """Into one of the two columns of a grid."""
    expect(page.locator(".verdict")).to_contain_text("✓")
    type_into_grid(page.locator(f"[class*=st-key-attn_grid_{grid}]"), 0.3 if column == 0 else 0.75, row, text)


def check_every_step(page: Page, count: int) -> None:
    page.get_by_role("button", name="First step").click()
    for step in range(count):
        expect(page.locator(".counter")).to_have_text(f"{step + 1} / {count}")
        page.get_by_role("button", name="Check every cell").click()
        expect(page.locator(".verdict")).to_contain_text(
            re.compile(r"✓ (all [\d\s,]+ cells agree|the one cell agrees)")
        )
        page.get_by_role("button", name="Step forward").click()


def test_a_typed_number_flows_to_the_output_and_into_the_link(app):
    page = app.open("/attention")
    expect(page.get_by_text("Query q₂: softmax([0.00, 0.71]) = [0.330, 0.670]")).to_be_visible()
    before = pixels(picture(page, "Output αV", key="attn_maps"))
    type_cell(page, "query", 1, 1, "4")
    expect(page.get_by_text("Query q₂: softmax([0.00, 2.83]) = [0.056, 0.944]")).to_be_visible()
    type_cell(page, "value", 1, 0, "-3")
    expect(page.locator("code").get_by_text("value = torch.tensor([[1.0, 1.0], [-3.0, 0.0]])")).to_be_visible()
    expect(page).to_have_url(re.compile("attn_query=1\\+0%3B0\\+4"))
    after = expect_redrawn(picture(page, "Output αV", key="attn_maps"), before)
    page = app.open(page.url.removeprefix(app.server.url))
    expect(page.get_by_text("Query q₂: softmax([0.00, 2.83]) = [0.056, 0.944]")).to_be_visible()
    expect_drawn(picture(page, "Output αV", key="attn_maps"), after)


def test_an_emptied_cell_is_explained_and_the_last_good_numbers_stay(app):
    page = app.open("/attention")
    type_cell(page, "key", 0, 0, "")
    expect(page.get_by_text("Row 1, column 1 of K is empty: type a number there.")).to_be_visible()
    expect(page.get_by_text("Query q₂: softmax([0.00, 0.71])")).to_be_visible()
    type_cell(page, "key", 0, 0, "2")
    expect(page.get_by_text("is empty: type a number there.")).to_have_count(0)
    expect(page.get_by_text("key = torch.tensor([[2.0, 0.0], [1.0, 1.0]])")).to_be_visible()


def test_another_page_and_back_keeps_what_was_typed(app):
    page = app.open("/attention")
    type_cell(page, "query", 1, 1, "4")
    expect(page.get_by_text("softmax([0.00, 2.83])")).to_be_visible()
    page.get_by_test_id("stSidebarNavLink").get_by_text("Pooling and layers", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="Pooling")).to_be_visible()
    app.settle()
    page.get_by_test_id("stSidebarNavLink").get_by_text("Attention", exact=True).click()
    expect(page.get_by_text("softmax([0.00, 2.83])")).to_be_visible()
    type_cell(page, "query", 0, 1, "1")
    expect(page.get_by_text("query = torch.tensor([[1.0, 1.0], [0.0, 4.0]])")).to_be_visible()


def test_clicks_draw_a_mask_and_lift_it(app):
    page = app.open("/attention")
    scores = picture(page, "Scores", key="attn_maps")
    place = cell(page, scores, 0, 0, 2, 2)
    page.mouse.click(*place)
    expect(page.get_by_text("mask = torch.tensor([[False, True], [True, True]])")).to_be_visible()
    expect(page).to_have_url(re.compile("attn_drawn=01%3B11"))
    expect(page).to_have_url(re.compile("attn_mask=Drawn"))
    app.settle()
    page.mouse.click(*cell(page, scores, 0, 1, 2, 2))
    expect(page.get_by_text("q₁ may look nowhere: the softmax of nothing is 0 / 0")).to_be_visible()
    app.settle()
    masked = pixels(scores)
    page.mouse.click(*place)
    expect(page.get_by_text("mask = torch.tensor([[True, False], [True, True]])")).to_be_visible()
    app.settle()
    page.mouse.click(*place)
    expect(page.get_by_text("q₁ may look nowhere")).to_be_visible()
    app.settle()
    page.mouse.move(0, 0)
    expect_drawn(scores, masked)
    page = app.open(page.url.removeprefix(app.server.url))
    expect(page.get_by_text("mask = torch.tensor([[False, False], [True, True]])")).to_be_visible()


def test_temperature_and_score_change_the_weights(app):
    page = app.open("/attention?attn_mask=Causal&attn_score=Additive+(Bahdanau)")
    weights = picture(page, "Weights α", key="attn_maps")
    before = pixels(weights)
    slide(page, "Temperature", "ArrowLeft")
    expect(page).to_have_url(re.compile("attn_temperature=0.5"))
    expect_redrawn(weights, before)
    check_every_step(page, 12)


def test_the_decoder_walks_through_its_five_steps(app, screenshot):
    page = app.open("/attention?attn_step=2&attn_code=Decoder")
    prediction = picture(page, "5 Prediction", key="attn_decoder_maps")
    expect(prediction).to_contain_text("Still to come.")
    faded = pixels(prediction)
    slide(page, "Step of the decoder", "ArrowRight", 3)
    expect(page.get_by_text("The decoder would write “because”, with probability 0.285")).to_be_visible()
    expect(prediction).to_contain_text("From context and query.")
    expect_redrawn(prediction, faded)
    check_every_step(page, 8)
    screenshot(page, "attention-decoder", widths=(1440,))


def test_a_weight_set_by_hand_flows_to_the_output_and_a_second_code_keeps_its_own(app):
    page = app.open("/attention?step=5")
    expect(page.locator(".verdict")).to_contain_text("✓")
    output = page.locator(".outputs canvas.grid-top").first
    readout = page.locator(".readout")
    output.scroll_into_view_if_needed()
    output.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(readout).to_contain_text("weights[1, 0] (q₂ → k₁)")
    field = page.get_by_label("Set this value")
    expect(field).to_have_value(re.compile(r"0\.330"))
    field.fill("1")
    field.press("Enter")
    expect(page.get_by_text("1 number set by hand")).to_be_visible()
    expect(page).to_have_url(re.compile("step_edits="))
    app.settle()
    page.get_by_role("button", name="Step forward").click()
    expect(page.locator(".counter")).to_have_text("6 / 6")
    output.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(readout).to_contain_text("output[1, 0]")
    expect(readout).to_contain_text("= 1")
    page.get_by_role("radio", name="Original").click()
    expect(readout).to_contain_text("= 0.330")
    page.get_by_role("radio", name="Difference").click()
    expect(page.locator(".outputs")).to_contain_text("0.670")
    choose(page, "Decoder")
    expect(page.locator(".counter")).to_have_text("2 / 8")
    expect(page.get_by_text("1 number set by hand")).to_have_count(0)


def expect_lines(page: Page, count: int) -> None:
    expect(page.locator(".st-key-attn_lines .picture")).to_have_attribute("data-lines", str(count))


def test_lines_of_one_word_alone_with_its_exact_weights(app):
    page = app.open("/attention")
    words = page.locator(".words.query .word")
    note, readout = page.locator(".st-key-attn_lines .note"), page.locator(".st-key-attn_lines .told")
    expect(note).to_contain_text("The strongest 80 of 300 lines.")
    words.nth(7).hover()
    expect_lines(page, 3 * len(WORDS))
    weights = draws(SentenceSetup(WORDS), range(len(WORDS)), 3)
    most = int(weights[:, 7].mean(0).argmax())
    expect(readout).to_contain_text(f"“it” looks at “{WORDS[most]}” {weights[:, 7, most].mean():.3g}")
    words.nth(7).click()
    expect(page).to_have_url(re.compile("attn_word=q7"))
    page.locator(".words.key .word").nth(1).hover()
    expect(readout).to_contain_text("From “it” to “cat”")
    told = readout.inner_text()
    numbers = [float(number) for number in re.findall(r": ([\d.e−]+)", told.partition("”:")[2])]
    np.testing.assert_allclose(numbers, weights[:, 7, 1], rtol=1e-6)
    page.get_by_role("button", name="Draw 2").click()
    expect_lines(page, 2 * len(WORDS))
    page.get_by_label("Hide weights below").fill("0.3")
    expect_lines(page, int((weights[[0, 2], 7] >= 0.3).sum()))
    page = app.open(page.url.removeprefix(app.server.url))
    expect(page.locator(".words.query .word").nth(7)).to_have_attribute("aria-pressed", "true")
    expect_lines(page, 3 * len(WORDS))


def test_lines_by_keys(app):
    page = app.open("/attention")
    words = page.locator(".words.query .word")
    expect(words).to_have_count(len(WORDS))
    words.first.focus()
    page.keyboard.press("ArrowDown")
    expect(words.nth(1)).to_be_focused()
    expect_lines(page, 3 * len(WORDS))
    page.keyboard.press("Enter")
    expect(words.nth(1)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".words.key .word").nth(1)).to_be_focused()
    expect(page.locator(".st-key-attn_lines .told")).to_contain_text("From “cat” to “cat”")
    page.keyboard.press("Escape")
    expect(page.locator(".word[aria-pressed=true]")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("attn_word"))


def test_any_script_and_markup_are_words_and_the_order_counts_with_positions(app, screenshot):
    page = app.open("/attention?attn_order=Reversed")
    expect(page.get_by_text("without positions the output is only permuted")).to_be_visible()
    field = page.get_by_label("Your sentence")
    field.fill("고양이가 <b>매트</b> 위에 앉았다 🙂")
    field.press("Enter")
    expect(page.locator(".words.query .word").first).to_have_text("🙂")
    expect(page.locator(".words.key .word", has_text="고양이가")).to_be_visible()
    expect(page.locator(".words.key b")).to_have_count(0)
    page.get_by_text("Add positions", exact=True).click()
    expect(page.get_by_text("the output really changes")).to_be_visible()
    app.settle()
    screenshot(page, "attention-korean", themes=("light", "dark"), widths=(1440,))


class TestOnAPhone:
    @pytest.fixture
    def context_options(self):
        return {"has_touch": True, "is_mobile": True}

    def test_a_tap_holds_a_word_and_nothing_runs_over_the_edge(self, app):
        page = app.open("/attention?attn_mask=Padding&attn_padding=2", width=400, height=900)
        word = page.locator(".words.query .word").nth(7)
        word.scroll_into_view_if_needed()
        word.tap()
        expect(word).to_have_attribute("aria-pressed", "true")
        expect_lines(page, 3 * len(WORDS))
        page.locator(".words.key .word").nth(1).tap()
        expect(page.locator(".words.key .word").nth(1)).to_have_attribute("aria-pressed", "true")
        over = page.evaluate(
            """() => { const m = document.querySelector('[data-testid=stMain]');
                return [m.scrollWidth - m.clientWidth, ...[...document.querySelectorAll('.katex-display, table')]
                    .map((e) => e.parentElement.scrollWidth - e.parentElement.clientWidth)]; }"""
        )
        assert len(over) >= 4
        assert max(over) <= 0, over

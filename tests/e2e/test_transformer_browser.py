"""The Transformer page in a real browser: boxes that open, word by word, a training that is watched and stopped, a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from seeing import overhang, runs_of, slide, slider, wait_for_rest

TRAINING = 120_000  # milliseconds that a training may take on a busy machine


def open_box(page: Page, box: str) -> None:
    wait_for_rest(page)
    runs = runs_of(page)
    page.locator(f".block[data-id='{box}']").click()
    wait_for_rest(page, runs + 1)


def share(text: str) -> int:
    return int(re.search(r"(\d+)%", text)[1])


def test_every_box_opens_with_steps_whose_numbers_agree(app):
    page = app.open("/transformer")
    expect(page.locator(".verdict")).to_contain_text("✓")
    boxes = page.locator(".block.opens").evaluate_all("blocks => blocks.map((block) => block.dataset.id)")
    assert len(boxes) == 18
    for box, step in (
        ("source.embedding", "self.embedding(words) * math.sqrt(d_model)"),
        ("target.positions", "vectors + positions"),
        ("encoder.attention", "scores.softmax(dim=-1)"),
        ("encoder.norm1", "self.norm1(x + self.attend(x, mask))"),
        ("encoder.feed_forward", "self.linear2(hidden)"),
        ("decoder.masked", "scores.softmax(dim=-1)"),
        ("output", "self.output(x)"),
        ("softmax", "logits.softmax(dim=-1)"),
    ):
        open_box(page, box)
        expect(page.locator(".heading")).to_contain_text(step)
        expect(page.locator(".verdict")).to_contain_text("✓")
        page.get_by_role("button", name="Check every cell").click()
        expect(page.locator(".verdict")).to_contain_text(re.compile(r"✓ all [\d\s,]+ cells agree with torch"))
        app.settle()


def test_the_address_keeps_the_box_the_step_and_the_words(app):
    page = app.open("/transformer")
    expect(page.locator(".verdict")).to_contain_text("✓")
    slide(page, "Words written so far", "ArrowRight")
    expect(page.get_by_text("To write “ne” after “noir”")).to_be_visible()
    app.settle()
    open_box(page, "decoder.masked")
    expect(page.get_by_text("Masked self-attention · decoder, layer 2")).to_be_visible()
    app.settle()
    counter = page.locator(".counter").inner_text()
    page.get_by_role("button", name="Step back").click()
    expect(page.locator(".counter")).not_to_have_text(counter)
    expect(page).to_have_url(re.compile("step=16"))
    counter, url = page.locator(".counter").inner_text(), page.url.removeprefix(app.server.url)
    page = app.open(url)
    expect(page.locator(".counter")).to_have_text(counter)
    expect(page.get_by_text("Masked self-attention · decoder, layer 2")).to_be_visible()
    expect(page.get_by_text("To write “ne” after “noir”")).to_be_visible()
    open_box(page, "softmax")  # the step was that of another box
    expect(page.locator(".counter")).to_have_text("1 / 1")
    expect(page).not_to_have_url(re.compile("step="))


def test_the_keyboard_alone_opens_a_box(app):
    page = app.open("/transformer")
    expect(page.locator(".verdict")).to_contain_text("✓")
    page.locator(".block[aria-pressed=true]").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Feed-forward · decoder, layer 2")).to_be_visible()
    expect(page.locator(".heading")).to_contain_text("self.linear2(hidden)")


def test_a_word_is_written_with_every_press(app):
    page = app.open("/transformer?tr_written=0")
    written = []
    for _ in range(4):
        written.append(page.locator("[data-testid=stHtml] b").inner_text())
        slide(page, "Words written so far", "ArrowRight")
        expect(page.locator("[data-testid=stHtml] b")).not_to_have_text(written[-1])
        app.settle()
    assert written == ["le", "petit", "chat", "noir"]
    top = page.locator(".block[data-id='next.words'] .word.strong")
    expect(top).to_have_text(page.locator("[data-testid=stHtml] b").inner_text())


@pytest.mark.timeout(400)
def test_the_classifier_is_trained_in_view_stopped_and_gone_on_with(app, screenshot):
    page = app.open("/transformer")
    expect(page.locator(".verdict")).to_contain_text("✓")
    bar = page.locator(".st-key-tr_classifier_curve").locator("xpath=ancestor::*[.//*[@data-testid='stProgress']][1]")
    page.locator(".st-key-tr_classifier_train button").click()
    stop = page.locator(".st-key-tr_classifier_stop button")
    expect(page.get_by_text(re.compile(r"Update [1-9]\d* of 400"))).to_be_visible(timeout=TRAINING)
    # The rest of the page can be used meanwhile.
    slider(page, "Words written so far").press("ArrowRight")
    expect(page.get_by_text("To write “ne” after “noir”")).to_be_visible(timeout=TRAINING)
    stop.click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible(timeout=TRAINING)
    app.settle()
    reached = int(re.search(r"Update (\d+) of 400", bar.first.inner_text())[1])
    assert 0 < reached < 400
    expect(page.get_by_text(f"After {reached} updates")).to_be_visible()
    page.wait_for_timeout(1500)
    expect(page.get_by_text(f"Update {reached} of 400")).to_be_visible()  # it stands still
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("After 400 updates: positive, 100% sure")).to_be_visible(timeout=TRAINING)
    app.settle()
    assert share(page.get_by_text(re.compile("Update 400 of 400")).inner_text()) >= 97
    told = page.get_by_text("of the attention in layer 1; before training it was").inner_text()
    now, before = (int(n) for n in re.findall(r"(\d+)%", told))
    assert told.startswith("“friendly”")
    assert now > 40 > 25 > before
    page.get_by_label("A review").fill("the waiter was friendly but the food was bad")
    page.get_by_label("A review").press("Enter")
    expect(page.get_by_text("After 400 updates: negative, 100% sure")).to_be_visible(timeout=TRAINING)
    screenshot(page, "transformer-trained", widths=(1440,))


def test_nothing_runs_over_the_edge_of_a_phone(app):
    page = app.open("/transformer?tr_norm=In+front+%28pre-norm%29", width=400, height=900)
    expect(page.locator(".verdict")).to_contain_text("✓")
    over = overhang(page, ".katex-display, table")
    assert max(over) <= 0, over
    box = page.locator(".block[data-id='decoder.cross']").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 400

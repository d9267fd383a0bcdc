"""What BERT predicts in a real browser, on the bundled mini BERT: tokens clicked, steps that end at the guess, markup."""

from __future__ import annotations

import re
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import expect
from seeing import choose, expect_redrawn, picture, pixels, slide, wait_for_rest

from explorer.tokens import encode
from explorer.ui.language_models import load
from pretrained import catalog
from pretrained.reading import masked
from pretrained.records import LanguageRecord

MINI = catalog.get("mini-bert", LanguageRecord)
TEXT = "The cat sat on the mat because it was tired."
MARKUP = "<img src=x onerror=\"document.title='run'\"> <script>document.title='run'</script>"


def address(question: str = "A hidden word", **more: str) -> str:
    rest = "".join(f"&{key}={quote_plus(value)}" for key, value in more.items())
    return f"/bert_predicts?predict_question={quote_plus(question)}&bert_model={quote_plus(MINI.name)}{rest}"


def test_a_token_is_masked_by_a_click_and_the_steps_end_at_the_guess(app, screenshot):
    page = app.open(address())
    grown = picture(page, "Probability by layer", key="predict_layers")
    before = pixels(grown)
    wait_for_rest(page)
    page.get_by_test_id("stButtonGroup").get_by_text("sat", exact=True).click()
    expect(page).to_have_url(re.compile("predict_place=3"))
    expect(page.get_by_text("What stands there, “sat”")).to_be_visible()
    expect_redrawn(grown, before)
    reader = load("mini-bert")
    tokens = encode(reader.tokenizer, TEXT, limit=reader.limit)
    best = reader.guess(masked(reader, tokens, 3), 3, top=1)
    stepper = page.locator(".st-key-predict_stepper_word")
    stepper.get_by_role("button", name="Last").click()
    expect(stepper.locator(".verdict")).to_contain_text("✓")
    expect(stepper.locator(".outputs")).to_contain_text("probabilities")
    expect(page.locator(".js-plotly-plot").first).to_contain_text(best.pieces[0])
    screenshot(page, "bert-predicts-word", themes=("light", "dark"))


def test_the_address_opens_the_same_view(app):
    page = app.open(address(predict_place="4"))
    expect(page.get_by_text("What stands there, “on”")).to_be_visible()


@pytest.mark.parametrize("question", ["The next sentence", "One word, several contexts", "Heads switched off"])
def test_each_question_has_steps_that_are_right(app, screenshot, question):
    page = app.open(address(question))
    expect(page.locator(".panes")).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("✓")
    screenshot(page, f"bert-predicts-{question.split()[-1]}")


def test_another_layer_switched_off_changes_the_strip(app):
    page = app.open(address("Heads switched off"))
    strip = picture(page, "Change of each token's last vector", key="predict_change")
    before = pixels(strip)
    slide(page, "Layer to change", "ArrowLeft", times=2)
    expect_redrawn(strip, before)
    expect(page.get_by_text(re.compile("changes most: the cosine"))).to_be_visible()


@pytest.mark.parametrize("question", ["A hidden word", "The next sentence", "Heads switched off"])
def test_markup_that_is_typed_is_shown_and_never_run(app, question):
    page = app.open(address(question, bert_text=MARKUP, predict_second=MARKUP))
    expect(page.locator(".verdict")).to_contain_text("✓")
    expect(page.locator("[data-testid=stCode]").last).to_contain_text("<script>")
    choose(page, "One word, several contexts")
    assert page.title() != "run"
    assert page.locator("img[src=x]").count() == 0

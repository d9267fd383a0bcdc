"""The BERT page in a real browser: lines, the grid of heads, neurons, markup that stays text, the page that opens alone."""

from __future__ import annotations

import re
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from explorer.tokens import encode
from explorer.ui.language_models import load
from pretrained import minilm
from pretrained.reading import Reading

pytestmark = pytest.mark.skipif(minilm.find() is None, reason="requirements-models.txt is not installed")
TEXT = "The cat sat on the mat because it was tired."


def reading() -> Reading:
    model = load("all-minilm-l6-v2")
    return model.read(encode(model.tokenizer, TEXT, limit=model.limit))


def test_a_head_is_chosen_in_the_grid_and_seen_as_lines(app, screenshot):
    page = app.open("/bert?bert_view=All+heads")
    canvas = page.locator(".st-key-bert_grid canvas.over")
    expect(canvas).to_be_visible()
    screenshot(page, "bert-grid")
    canvas.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".st-key-bert_grid .readout")).to_have_text(re.compile("^layer 4, head 5: entropy "))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("bert_layer=4.*bert_head=5|bert_head=5.*bert_layer=4"))
    app.settle()
    page.get_by_text("Lines", exact=True).first.click()
    expect(page.locator(".st-key-bert_lines .words.query")).to_contain_text("cat")
    app.settle()
    np.testing.assert_equal(page.url.count("bert_head=5"), 1)
    screenshot(page, "bert-lines")


def numbers(view: Locator) -> list[float]:
    return [float(text.replace("−", "-")) for text in view.locator("td.weight .mono").all_inner_texts()]


def test_neurons_give_the_models_own_weights(app, screenshot):
    page = app.open("/bert?bert_view=Neurons&bert_layer=2&bert_head=10")
    view = page.locator(".st-key-bert_neurons")
    expect(view.locator(".check")).to_contain_text("✓ equals the model's weights")
    view.get_by_role("button", name="cat", exact=True).click()
    expect(view.locator("tr.query td.token")).to_have_text("q: cat")
    shown = numbers(view)
    np.testing.assert_allclose(shown, reading().attention[1, 9, 2], rtol=0.01, atol=1e-5)
    view.get_by_text("Largest weight first").click()
    assert numbers(view) == sorted(shown, reverse=True)
    screenshot(page, "bert-neurons")


def test_markup_that_is_typed_is_shown_and_never_run(app):
    text = "<img src=x onerror=\"document.title='run'\"> <script>document.title='run'</script>"
    for view in ("Lines", "All heads", "Neurons", "Statistics", "Flow", "Compare"):
        page = app.open(f"/bert?bert_text={quote(text)}&bert_view={quote(view)}")
        expect(page.locator(".panes")).to_be_visible()
        assert page.title() != "run"
        assert page.locator("img[src=x]").count() == 0


def test_the_saved_page_opens_alone(app, tmp_path):
    page = app.open("/bert?bert_layer=2&bert_head=10")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a page (HTML)").click()
    path = tmp_path / "attention.html"
    download.value.save_as(path)
    alone = page.context.new_page()
    errors: list[str] = []
    alone.on("pageerror", lambda error: errors.append(str(error)))
    alone.context.set_offline(True)
    alone.goto(path.as_uri())
    expect(alone.get_by_role("heading", name="Layer 2, head 10")).to_be_visible()
    weight = reading().attention[1, 9, 3, 2]
    words = alone.locator("#lines .words.query .word")
    expect(words).to_have_count(13)
    words.nth(3).click()
    alone.locator("#lines .words.key .word").nth(2).hover()
    expect(alone.locator("#lines .tip")).to_contain_text("sat → cat")
    told = float(alone.locator("#lines .tip").inner_text().split(": ")[1].split(" ±")[0])
    assert abs(told - weight) < 1e-5
    assert not errors
    alone.close()
    page.context.set_offline(False)


def test_five_hundred_and_twelve_tokens_stay_usable(app):
    text = "the quick brown fox jumps over the lazy dog and " * 60
    page = app.open("/bert?bert_view=All+heads")
    field = page.get_by_label("Your sentence")
    field.fill(text)
    field.press("Control+Enter")
    expect(page.get_by_text("reads at most 512 tokens")).to_be_visible(timeout=60_000)
    app.settle()
    canvas = page.locator(".st-key-bert_grid canvas.over")
    expect(canvas).to_be_visible()
    canvas.hover()
    expect(page.locator(".st-key-bert_grid .readout")).to_contain_text("layer")


def test_unplugged_is_one_sentence_and_the_picture_stays(app):
    page = app.open("/bert?bert_model=Another+model+of+the+Hugging+Face+hub")
    field = page.get_by_label("Its id on huggingface.co")
    field.fill("openai-community/gpt2")
    field.press("Enter")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("openai-community/gpt2")
    assert alert.inner_text().count(".") <= 2
    expect(page.get_by_text("Until then you see all-MiniLM-L6-v2.")).to_be_visible()
    expect(page.locator(".st-key-bert_lines .words.query")).to_contain_text("cat")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()

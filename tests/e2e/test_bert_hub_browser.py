"""Models of a hub on loopback in a real browser: asked for by id, downloaded, looked at; markup in tasks stays text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from running import App, Server, running_app
from seeing import choose, wait_for_rest

from pretrained import foreign_loading, minilm
from tests.unit.hubserver import serving_models
from tests.unit.tiny_models import save

pytestmark = pytest.mark.skipif(minilm.find() is None, reason="requirements-models.txt is not installed")
IMPORTING = 150_000  # ms; the first model of transformers waits until that is imported
OTHER = "Another model of the Hugging Face hub"
LABELS = {"id2label": {0: "BAD", 1: "GOOD"}, "label2id": {"BAD": 0, "GOOD": 1}}
MARKUP = "<img src=x onerror=\"document.title='run'\"> <script>document.title='run'</script> the cat sat on the mat"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Official architectures with random weights, as the hub has them."""
    folder = tmp_path_factory.mktemp("hub")
    save(folder / "owner/gpt2", "GPT2LMHeadModel")
    save(folder / "owner/bart", "BartForConditionalGeneration", max_position_embeddings=80)
    save(folder / "owner/judge", "DistilBertForSequenceClassification", **LABELS)
    save(folder / "owner/finder", "RobertaForQuestionAnswering", max_position_embeddings=258)
    return folder


@pytest.fixture(scope="module")
def server(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app, with that hub in place of huggingface.co."""
    folder = tmp_path_factory.mktemp("plugged")
    with (
        serving_models(hub) as address,
        running_app(folder, HF_ENDPOINT=address, HF_HOME=str(folder / "huggingface")) as running,
    ):
        yield running


def other_model(app: App, name: str, path: str = "/bert?bert_model=") -> Page:
    """Open the page on an id of the hub, and download it unless a test did so before."""
    page = app.open(f"{path}{quote_plus(OTHER)}")
    field = page.get_by_label("Its id on huggingface.co")
    field.fill(name)
    field.press("Enter")
    used = page.locator("[data-testid=stCode]").filter(has_text=f'"{name}"')
    offer = page.locator("p", has_text=f"{name}, of the kind")
    expect(used.or_(offer).first).to_be_visible(timeout=IMPORTING)
    if offer.count():
        page.get_by_role("button", name="Download", exact=True).click()
        expect(used).to_be_visible(timeout=IMPORTING)
    wait_for_rest(page)
    return page


def test_a_decoder_is_downloaded_and_looked_at(app, hub, screenshot):
    page = other_model(app, "owner/gpt2")
    expect(page.get_by_text("owner/gpt2 runs on the code of the library transformers")).to_be_visible()
    expect(page.get_by_text("which cannot be stepped into; choose a plain BERT")).to_be_visible()
    choose(page, "Neurons")
    view = page.locator(".st-key-bert_neurons")
    expect(view.locator(".check")).to_contain_text("✓ equals the model's weights")
    weights = [float(text.replace("−", "-")) for text in view.locator("td.weight .mono").all_inner_texts()]
    assert abs(sum(weights) - 1) < 0.01
    assert not np.any(weights[10:])  # token 9 sees those before it only
    screenshot(page, "bert-gpt2", widths=(1440,))


def test_cross_attention_has_a_text_on_each_side(app, hub, screenshot):
    page = other_model(app, "owner/bart")
    lines = page.locator(".st-key-bert_lines")
    expect(lines.locator(".words.key")).to_contain_text("because")
    expect(lines.locator(".words.query")).not_to_contain_text("because")
    choose(page, "Encoder")
    expect(lines.locator(".words.query")).to_contain_text("because")
    choose(page, "Written by the model")
    expect(page.get_by_label("What the decoder has so far")).to_have_count(0)
    choose(page, "Cross")
    wait_for_rest(page)
    expect(page.locator("[data-testid=stCode]").last).to_contain_text("reader.write(tokens)")
    screenshot(page, "bert-bart", widths=(1440, 400))
    assert foreign_loading.from_folder(hub / "owner/bart", "owner/bart").kind == "encoder-decoder"


@pytest.mark.parametrize(("task", "name", "fields"), [
    ("judging", "owner/judge", ["A text to judge"]),
    ("answering", "owner/finder", ["A question", "The text that answers"]),
])  # fmt: skip
def test_markup_in_a_task_stays_text(app, hub, screenshot, task, name, fields):
    words = {"judging": "Judge a text", "answering": "Answer a question"}
    address = "/bert_predicts?predict_question=A+task+it+was+tuned+for"
    page = other_model(app, name, f"{address}&predict_task={quote_plus(words[task])}&predict_model_{task}=")
    for label in fields:
        field = page.get_by_label(label, exact=True)
        field.fill(MARKUP)
        field.press("Control+Enter")
        wait_for_rest(page)
    expect(page.locator("[data-testid=stCode]").last).to_contain_text("<script>document.title='run'</script>")
    coloured = page.locator(".st-key-predict_coloured")
    expect(coloured).to_contain_text("<script>")
    if task == "answering":
        expect(page.locator("[data-testid=stHtml]").filter(has_text="<script>").first).to_be_visible()
        choose(page, "Attention")
        expect(page.locator(".st-key-predict_shares .map-title").first).to_have_text("To itself")
    assert page.title() != "run"
    assert page.locator("img[src=x]").count() == 0
    screenshot(page, f"bert-{task}", themes=("light", "dark"))


def test_an_unknown_id_is_one_sentence_and_the_picture_stays(app, hub):
    page = app.open(f"/bert?bert_model={quote_plus(OTHER)}")
    expect(page.locator(".st-key-bert_lines .words.query")).to_contain_text("because")
    field = page.get_by_label("Its id on huggingface.co")
    field.fill("owner/nothing")
    field.press("Enter")
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text(
        "There is no open model called owner/nothing on the hub; check the spelling on huggingface.co."
    )
    expect(page.locator(".st-key-bert_lines .words.query")).to_contain_text("because")

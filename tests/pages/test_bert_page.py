"""The BERT page: every view, hidden and merged tokens, pairs, heads off, any text that can be typed, no model at all."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from page_visits import expect_no_fault, run_code, visit
from streamlit.testing.v1 import AppTest

from explorer.tokens import encode
from explorer.ui.language_models import load
from pretrained import catalog, minilm

VIEWS = ["Lines", "All heads", "Neurons", "Statistics", "Flow", "Compare"]
pytestmark = pytest.mark.skipif(minilm.find() is None, reason="requirements-models.txt is not installed")


def open_page(**query: Any) -> AppTest:
    return visit("bert", timeout=120, **query)


def shown(app: AppTest) -> np.ndarray:
    return app.session_state["code_result"]


def code_computes(app: AppTest) -> np.ndarray:
    return run_code(app)["result"]


def captions(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view(view):
    app = open_page(bert_view=view, bert_layer="2", bert_head="9")
    expect_no_fault(app)
    model = load("all-minilm-l6-v2")
    tokens = encode(model.tokenizer, "The cat sat on the mat because it was tired.", limit=model.limit)
    np.testing.assert_allclose(shown(app), model.read(tokens).attention[1, 8], atol=1e-6)


TEXTS = [
    "고양이가 매트 위에 앉았다.",
    "قطة تجلس على السجادة",
    "👩‍👩‍👧 loves 🍕!",
    "<script>alert('x')</script> & <b>bold</b>",
    "a",
    "unbelievably " * 30,
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text(text):
    app = open_page(bert_text=text, bert_hide="true", bert_words="true")
    expect_no_fault(app)
    np.testing.assert_allclose(code_computes(app), shown(app), atol=1e-6)


@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
def test_nothing_to_read_is_said_and_the_last_text_stays(text):
    app = open_page()
    app.text_area(key="bert_text").set_value("Dogs bark.").run()
    good = shown(app)
    app.text_area(key="bert_text").set_value(text).run()
    assert not app.exception
    assert "type a few words" in app.error[0].value
    np.testing.assert_array_equal(shown(app), good)


def test_ten_thousand_words_are_cut_and_said():
    app = open_page()
    app.text_area(key="bert_text").set_value("word " * 10_000).run()
    expect_no_fault(app)
    assert shown(app).shape == (512, 512)
    assert "reads at most 512 tokens; the last 9490 are left out" in captions(app)


def test_a_pair():
    app = open_page(bert_paired="true", bert_pair="It slept.")
    expect_no_fault(app)
    model = load("all-minilm-l6-v2")
    tokens = encode(model.tokenizer, "The cat sat on the mat because it was tired.", "It slept.", limit=model.limit)
    assert shown(app).shape == (len(tokens), len(tokens))
    np.testing.assert_allclose(code_computes(app), shown(app), atol=1e-6)


def test_hidden_tokens_are_said_with_their_weight():
    app = open_page(bert_hide="true", bert_layer="3", bert_head="8")
    expect_no_fault(app)
    hidden = [caption.value for caption in app.caption if caption.value.startswith("Hidden: on average")]
    attention = shown(app)[1:-1]
    share = (attention[:, 0] + attention[:, -1]).mean()
    assert f"{share:.0%} of a word's weight" in hidden[0]


def test_a_click_in_the_grid_chooses_the_head():
    app = open_page(bert_view="All heads")
    app.session_state["bert_grid"] = {"picked": {"layer": 5, "head": 0, "count": 1}}
    app.run()
    expect_no_fault(app)
    assert (app.session_state["bert_layer"], app.session_state["bert_head"]) == (6, 1)


def test_without_any_model_the_page_says_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setattr(minilm, "PACKAGE", "no-such-package-anywhere")
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    app = open_page()
    expect_no_fault(app)
    assert "No language model is on this computer yet" in app.info[0].value
    assert [button.label for button in app.button if button.key == "download"] == ["Download"]


def test_the_snippet_quotes_what_was_typed():
    text = 'She said "hi" \\ and left'
    app = open_page(bert_text=text)
    expect_no_fault(app)
    assert json.dumps(text) in app.code[-1].value
    np.testing.assert_allclose(code_computes(app), shown(app), atol=1e-6)

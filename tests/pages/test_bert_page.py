"""The BERT page: every view, hidden and merged tokens, pairs, heads off, any text that can be typed, no model at all."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
import streamlit as st
from huggingface_hub import constants
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, run_code, visit
from streamlit.testing.v1 import AppTest

from explorer.tokens import encode
from explorer.ui.bert_export import as_npz
from explorer.ui.language_models import load
from pretrained import catalog, minilm
from tests.unit.tiny_models import change_config, save

SENTENCE = "The cat sat on the mat because it was tired."
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


def choose(app: AppTest, name: str) -> AppTest:
    """Type an id."""
    app.selectbox(key="bert_model").set_value("other").run()
    return app.text_input(key="bert_hub_id").set_value(name).run()


def fetch(app: AppTest) -> AppTest:
    app.button(key="download").click()
    return app.run()


def test_a_plain_bert_of_the_hub_runs_as_our_own_code(served):
    save(served / "owner/plain-b", "BertForMaskedLM")
    app = choose(open_page(), "https://huggingface.co/owner/plain-b")
    expect_no_fault(app)
    assert "owner/plain-b, of the kind bert, is not on this computer yet" in captions(app)
    assert "Until then you see all-MiniLM-L6-v2." in captions(app)
    app = fetch(app)
    expect_no_fault(app)
    assert "bert_stepper_attention" in app.session_state
    assert shown(app).shape[0] == shown(app).shape[1]
    expect_the_code_computes_what_is_shown(app)


@pytest.mark.parametrize(
    "model",
    [
        "GPT2LMHeadModel",
        "RobertaForMaskedLM",
        "DistilBertForMaskedLM",
        "GPT2ForSequenceClassification",
        "Gemma2ForCausalLM",
    ],
)
def test_other_models_of_the_hub_in_every_view(served, model):
    name = f"owner/{model.lower()}-b"
    sizes = {"max_position_embeddings": 130} if model.startswith("Roberta") else {}
    save(served / name, model, **sizes)
    app = fetch(choose(open_page(), name))
    expect_no_fault(app)
    assert f"{name} runs on the code of the library transformers" in captions(app)
    assert "cannot be stepped into; choose a plain BERT" in " ".join(element.value for element in app.markdown)
    assert "bert_stepper_attention" not in app.session_state
    for view in ("grid", "neurons", "statistics", "flow", "compare", "lines"):
        app.segmented_control(key="bert_view").set_value(view).run()
        expect_no_fault(app)
        if view == "neurons" and model.startswith("Gemma2"):
            assert "is not queries times keys alone" in app.info[0].value
        if view == "flow":
            assert "Weights by length need W_O" in captions(app)
    expect_the_code_computes_what_is_shown(app)
    if model.startswith("GPT2"):
        assert not np.triu(shown(app), 1).any()
    app.toggle(key="bert_paired").set_value(True).run()
    expect_no_fault(app)


@pytest.mark.parametrize("model", ["T5ForConditionalGeneration", "BartForConditionalGeneration"])
def test_encoder_decoder_and_cross_attention(served, model):
    name = f"owner/{model.lower()}-b"
    save(served / name, model, **({} if model.startswith("T5") else {"max_position_embeddings": 80}))
    app = fetch(choose(open_page(), name))
    expect_no_fault(app)
    reader = load(name)
    tokens = encode(reader.tokenizer, SENTENCE, limit=reader.limit)
    both = reader.read_both(tokens, reader.start_decoder("The cat sat on the mat"))
    for stack, reading in (("cross", both.cross), ("decoder", both.decoder), ("encoder", both.encoder)):
        app.segmented_control(key="bert_stack").set_value(stack).run()
        expect_no_fault(app)
        np.testing.assert_allclose(shown(app), reading.attention[1, 2], atol=1e-6)
        expect_the_code_computes_what_is_shown(app)
        for view in ("grid", "neurons", "statistics", "flow", "compare", "lines"):
            app.segmented_control(key="bert_view").set_value(view).run()
            expect_no_fault(app)
            if view == "statistics":
                offered = app.selectbox(key="bert_statistic").options
                assert ("Mean distance" in offered) == (stack != "cross")
            if view == "flow":
                assert ("no rollout from one text to another" in captions(app)) == (stack == "cross")
    app.segmented_control(key="bert_stack").set_value("cross").run()
    app.text_area(key="bert_written").set_value("a cat").run()
    expect_no_fault(app)
    good = shown(app)
    assert good.shape[1] == len(tokens)
    app.text_area(key="bert_written").set_value(" ").run()
    assert "type a few words" in app.error[0].value
    np.testing.assert_array_equal(shown(app), good)
    app.segmented_control(key="bert_written_by").set_value("own").run()
    expect_no_fault(app)
    assert shown(app).shape == (len(reader.write(tokens)), len(tokens))
    expect_the_code_computes_what_is_shown(app)


def refuse_mamba(folder):
    save(folder, "MambaForCausalLM")


def refuse_pickles(folder):
    save(folder, "BertForMaskedLM")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def refuse_code(folder):
    save(folder, "BertForMaskedLM")
    change_config(folder, model_type="odd", auto_map={"AutoConfig": "configuration_odd.OddConfig"})


def refuse_size(folder):
    save(folder, "GPT2LMHeadModel")
    change_config(folder, n_embd=24_576, n_layer=96, n_head=96)


def refuse_private(folder):
    save(folder, "BertForMaskedLM")


def refuse_nothing(folder):
    folder.rmdir() if folder.exists() else None


REFUSED = [
    ("owner/mamba-b", refuse_mamba, "has no attention"),
    ("owner/pickles-b", refuse_pickles, "only in a form that can hold program code (a pickle)"),
    ("owner/code-b", refuse_code, "comes with program code of its own, which is never run here"),
    ("owner/large-b", refuse_size, "GB of memory and"),
    ("owner/private-b", refuse_private, "There is no open model called owner/private-b on the hub"),
    ("owner/nothing-b", refuse_nothing, "There is no open model called owner/nothing-b on the hub"),
    ("no id at all!", refuse_nothing, "“no id at all!” is no model id"),
    ("<script>alert(1)</script>", refuse_nothing, "is no model id"),
]


@pytest.mark.parametrize(("name", "make", "sentence"), REFUSED, ids=[name for name, *_rest in REFUSED])
def test_what_cannot_be_used_is_one_sentence_and_the_last_good_model_stays(served, name, make, sentence):
    app = open_page(bert_text="Dogs bark.")
    good = shown(app)
    make(served / name if "/" in name and "<" not in name else served / "x")
    app = choose(app, name)
    assert not app.exception
    assert len(app.error) == 1
    assert sentence in app.error[0].value
    assert app.error[0].value.count(". ") == 0
    np.testing.assert_array_equal(shown(app), good)
    assert "Until then you see all-MiniLM-L6-v2." in captions(app)


def test_unplugged_is_said_once_and_can_be_tried_again(served, monkeypatch):
    save(served / "owner/later-b", "BertForMaskedLM")
    address = constants.ENDPOINT
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    app = choose(open_page(), "owner/later-b")
    assert not app.exception
    (error,) = app.error
    assert "owner/later-b" in error.value
    app.select_slider(key="bert_layer").set_value(1).run()
    assert [again.value for again in app.error] == [error.value]
    monkeypatch.setattr(constants, "ENDPOINT", address)
    app.button(key="hub_again_owner/later-b").click().run()
    expect_no_fault(app)
    expect_no_fault(fetch(app))


def test_an_id_in_the_field_changes_nothing_before_it_is_typed():
    app = open_page()
    good = shown(app)
    app.selectbox(key="bert_model").set_value("other").run()
    expect_no_fault(app)
    assert "Type an id, such as" in captions(app)
    np.testing.assert_array_equal(shown(app), good)


def test_the_mini_bert_is_the_second_choice_unplugged(mini_bert):
    app = open_page(bert_model="Mini BERT (bundled)")
    expect_no_fault(app)
    assert app.selectbox(key="bert_model").options[:2] == ["all-MiniLM-L6-v2", "Mini BERT (bundled)"]
    expect_the_code_computes_what_is_shown(app)
    app.segmented_control(key="bert_view").set_value("compare").run()
    app.segmented_control(key="bert_compare").set_value("model").run()
    expect_no_fault(app)
    assert "Whole words, as two models cut them" in captions(app)
    mini_bert.write_bytes(b"broken")
    app = open_page(bert_model="Mini BERT (bundled)")
    st.cache_resource.clear()
    app = open_page(bert_model="Mini BERT (bundled)")
    assert "comes with the explorer, is missing or damaged" in app.error[0].value
    assert "Until then you see all-MiniLM-L6-v2." in captions(app)


def test_the_numbers_are_saved_for_queries_and_keys():
    reader = load("all-minilm-l6-v2")
    reading = reader.read(encode(reader.tokenizer, "고양이 🙂", "cat", limit=reader.limit))
    with np.load(io.BytesIO(as_npz(reading))) as saved:
        np.testing.assert_array_equal(saved["attention"], reading.attention)
        np.testing.assert_array_equal(saved["hidden"], reading.hidden)
        queries, keys = (json.loads(saved[name].tobytes()) for name in ("queries", "keys"))
    assert queries == keys
    assert (queries["text"], queries["pair"]) == ("고양이 🙂", "cat")

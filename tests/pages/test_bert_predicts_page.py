"""What BERT predicts: each question on a small BERT of random weights, models of a hub on loopback, whatever can be typed."""

from __future__ import annotations

import numpy as np
import pytest
from page_visits import expect_no_fault, expect_the_code_computes_what_is_shown, visit
from streamlit.testing.v1 import AppTest

from explorer.language_views import cosine
from explorer.tokens import encode
from explorer.ui.language_models import load
from pretrained import catalog, finetuned, minilm
from pretrained.reading import masked
from tests.unit.tiny_models import save

SENTENCE = "The cat sat on the mat because it was tired."
QUESTIONS = ["A hidden word", "The next sentence", "One word, several contexts", "Heads switched off"]
MINI = "Mini BERT (bundled)"
OTHER = "Another model of the Hugging Face hub"
LABELS = {"id2label": {0: "BAD", 1: "GOOD"}, "label2id": {"BAD": 0, "GOOD": 1}}


def open_page(**query: str) -> AppTest:
    return visit("bert_predicts", timeout=120, **query)


def ask(question: str, **query: str) -> AppTest:
    return open_page(predict_question=question, bert_model=MINI, **query)


def texts(app: AppTest) -> str:
    said = [*app.caption, *app.text, *app.info, *app.markdown]
    return " ".join(element.value for element in said)


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_is_answered_and_its_code_computes_the_answer(mini_bert, question):
    app = ask(question)
    expect_no_fault(app)
    expect_the_code_computes_what_is_shown(app)
    assert (
        f"predict_stepper_{ {'A': 'word', 'T': 'next', 'O': 'contexts', 'H': 'off'}[question[0]] }" in app.session_state
    )


def test_a_masked_word(mini_bert):
    app = ask("A hidden word", predict_place="3")
    expect_no_fault(app)
    reader = load("mini-bert")
    tokens = encode(reader.tokenizer, SENTENCE, limit=reader.limit)
    guesses = reader.guess(masked(reader, tokens, 3), 3, top=50)
    np.testing.assert_allclose(app.session_state["code_result"], guesses.probabilities[:8], rtol=1e-5)
    rank = guesses.pieces.index("sat")
    said = f"What stands there, “sat”, is its guess number {rank + 1}, with {guesses.probabilities[rank]:.1%}."
    assert said in texts(app)
    assert "of 1,234 masked words it guessed 38%" in texts(app)


@pytest.mark.skipif(minilm.find() is None, reason="requirements-models.txt is not installed")
@pytest.mark.parametrize("question", ["A hidden word", "The next sentence", "Heads switched off"])
def test_where_the_model_has_no_head_the_mini_bert_answers_and_that_is_said(mini_bert, question):
    app = open_page(predict_question=question)
    expect_no_fault(app)
    assert f"all-MiniLM-L6-v2 has no head for this, so {MINI} answers." in texts(app)
    assert '"mini-bert"' in app.code[-1].value


def test_the_next_sentence(mini_bert):
    app = ask("The next sentence", predict_second="She was old.")
    expect_no_fault(app)
    reader = load("mini-bert")
    tokens = encode(reader.tokenizer, SENTENCE, "She was old.", limit=reader.limit)
    follows = reader.follows(reader.read(tokens))
    assert app.session_state["code_result"][0] == pytest.approx(follows, rel=1e-5)
    assert f"“She was old.” follows with a probability of {follows:.1%}." in texts(app)
    assert "of 4,321 pairs, half of which follow, it judged 75% rightly" in texts(app)
    app.text_area(key="predict_second").set_value("  ").run()
    assert [error.value for error in app.error] == ["The second sentence is empty; type a few words."]
    assert app.session_state["code_result"][0] == pytest.approx(follows, rel=1e-5)


def test_one_word_in_contexts(mini_bert):
    app = ask("One word, several contexts")
    expect_no_fault(app)
    assert app.selectbox(key=next(s.key for s in app.selectbox if s.label == "Word")).value == "bank"
    app.text_area(key="predict_context_0").set_value("Nothing here fits").run()
    expect_no_fault(app)
    assert "share no word" in app.info[0].value
    app.text_area(key="predict_context_0").set_value("   ").run()
    assert "type a few words" in app.error[0].value


def test_heads_switched_off(mini_bert):
    app = ask("Heads switched off", predict_off_layer="2")
    expect_no_fault(app)
    reader = load("mini-bert")
    tokens = encode(reader.tokenizer, SENTENCE, limit=reader.limit)
    head_mask = np.ones((4, 4), np.float32)
    head_mask[1, :3] = 0
    alike = cosine(reader.read(tokens).hidden[-1], reader.read(tokens, head_mask).hidden[-1])
    np.testing.assert_allclose(app.session_state["code_result"], 1 - alike, atol=1e-6)
    assert f"“{tokens.labels[alike.argmin()]}” changes most" in texts(app)
    app.toggle(key="predict_off_everywhere").set_value(True).run()
    expect_no_fault(app)
    expect_the_code_computes_what_is_shown(app)
    app.multiselect(key="predict_off_heads_4").set_value([]).run()
    expect_no_fault(app)
    np.testing.assert_allclose(app.session_state["code_result"], 0, atol=1e-6)


TEXTS = ["고양이가 잔다.", "قطة تجلس", "👩‍👩‍👧 🍕", "<script>alert(1)</script>", "a", "cat " * 3000]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("question", ["A hidden word", "The next sentence", "Heads switched off"])
def test_any_text(mini_bert, question, text):
    app = ask(question, bert_text=text)
    expect_no_fault(app)
    assert app.code[-1].value
    assert ("are left out" in texts(app)) == (len(text) > 1000)


@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
@pytest.mark.parametrize("question", ["A hidden word", "The next sentence", "Heads switched off"])
def test_nothing_to_read_is_said_and_the_last_text_stays(mini_bert, question, text):
    app = ask(question)
    app.text_area(key="bert_text").set_value("The king sat.").run()
    good = app.session_state["code_result"]
    app.text_area(key="bert_text").set_value(text).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "type a few words" in app.error[0].value
    np.testing.assert_array_equal(app.session_state["code_result"], good)


def test_without_any_model_the_page_says_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setattr(minilm, "PACKAGE", "no-such-package-anywhere")
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    app = open_page()
    expect_no_fault(app)
    assert "No language model is on this computer yet" in app.info[0].value


@pytest.mark.skipif(minilm.find() is None, reason="requirements-models.txt is not installed")
def test_without_the_mini_bert_the_page_opens_on_what_minilm_can_do(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    app = open_page()
    expect_no_fault(app)
    assert "predict_stepper_contexts" in app.session_state
    app.segmented_control(key="predict_question").set_value("word").run()
    expect_no_fault(app)
    assert "no other model on this computer has" in app.info[0].value


def fetch(app: AppTest) -> AppTest:
    app.button(key="download").click()
    return app.run()


@pytest.mark.parametrize(("model", "said"), [
    ("GPT2LMHeadModel", "asked for the next word instead of a masked one"),
    ("T5ForConditionalGeneration", "asked for the next word instead of a masked one"),
    ("BartForConditionalGeneration", "asked for the next word instead of a masked one"),
    ("RobertaForMaskedLM", "is shown for a plain BERT only"),
    ("DistilBertForMaskedLM", "is shown for a plain BERT only"),
])  # fmt: skip
def test_other_models_of_the_hub(served, mini_bert, model, said):
    name = f"owner/{model.lower()}"
    save(served / name, model, **({"max_position_embeddings": 130} if model.startswith("Rob") else {}))
    app = ask("A hidden word")
    app.selectbox(key="bert_model").set_value("other").run()
    app.text_input(key="bert_hub_id").set_value(name).run()
    expect_no_fault(app)
    app = fetch(app)
    expect_no_fault(app)
    assert said in texts(app)
    assert "cannot be stepped into" in texts(app)
    assert f'readers.load("{name}")' in app.code[-1].value
    expect_the_code_computes_what_is_shown(app)
    for question in ("contexts", "off", "next"):
        app.segmented_control(key="predict_question").set_value(question).run()
        expect_no_fault(app)
    assert f"{name} has no head for this, so {MINI} answers." in texts(app)


def tune(app: AppTest, task: str, name: str) -> AppTest:
    app.segmented_control(key="predict_task").set_value(task).run()
    app.selectbox(key=f"predict_model_{task}").set_value("other").run()
    return app.text_input(key=f"predict_hub_id_{task}").set_value(name).run()


def test_a_text_is_judged(served):
    save(served / "owner/judge-a", "DistilBertForSequenceClassification", **LABELS)
    app = open_page(predict_question="A task it was tuned for")
    expect_no_fault(app)
    assert "download one once" in app.info[0].value
    app = fetch(tune(app, "judging", "owner/judge-a"))
    expect_no_fault(app)
    app.text_area(key="predict_review").set_value("the cats sat").run()
    found = finetuned.classify(finetuned.classifier_from_hub("owner/judge-a"), "the cats sat")
    np.testing.assert_allclose(app.session_state["code_result"], found.probabilities, atol=1e-6)
    expect_the_code_computes_what_is_shown(app)
    good = app.session_state["code_result"]
    app.text_area(key="predict_review").set_value("  ").run()
    assert "type a few words" in app.error[0].value
    np.testing.assert_array_equal(app.session_state["code_result"], good)
    app.text_area(key="predict_review").set_value("cat " * 10_000).run()
    expect_no_fault(app)
    assert "reads at most 32 tokens; the last 9970 are left out" in texts(app)


def test_a_question_is_answered(served):
    save(served / "owner/finder-a", "DistilBertForQuestionAnswering")
    app = fetch(tune(open_page(predict_question="A task it was tuned for"), "answering", "owner/finder-a"))
    expect_no_fault(app)
    app.text_area(key="predict_asked").set_value("the cat ?").run()
    app.text_area(key="predict_context_text").set_value("the mat on the <b>cats</b> sat").run()
    found = finetuned.answer(finetuned.finder_from_hub("owner/finder-a"), "the cat ?", "the mat on the <b>cats</b> sat")
    np.testing.assert_allclose(app.session_state["code_result"], [found.starts, found.ends], atol=1e-6)
    assert f"The answer: “{found.text}”. Probability {found.score:.1%}" in texts(app)
    for view in ("end", "attention"):
        app.segmented_control(key="predict_answer_view").set_value(view).run()
        expect_no_fault(app)
    app.segmented_control(key="predict_answer_from").set_value("first").run()
    expect_no_fault(app)
    expect_the_code_computes_what_is_shown(app)


def test_a_model_that_was_not_tuned_for_the_task(served):
    save(served / "owner/plain-a", "DistilBertForMaskedLM")
    app = tune(open_page(predict_question="A task it was tuned for"), "judging", "owner/plain-a")
    app = fetch(app)
    assert not app.exception
    assert [error.value for error in app.error] == [
        "owner/plain-a is not trained for this task: the weights of its last layer are missing."
    ]
    save(served / "owner/t5-a", "T5ForConditionalGeneration")
    app = tune(app, "answering", "owner/t5-a")
    assert "does not do this task here" in app.error[0].value

"""Text classifiers and answer finders, against transformers' own outputs for the same random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.errors import UserError
from pretrained import LoadError, finetuned
from tests.unit.hubserver import Handler
from tests.unit.tiny_models import save

REVIEW = "The cats sat on the mat"
QUESTION, CONTEXT = "the cat ?", "the mat on the cats 🙂 sat"
LABELS = {"id2label": {0: "BAD", 1: "GOOD", 2: "NEITHER"}, "label2id": {"BAD": 0, "GOOD": 1, "NEITHER": 2}}


@pytest.fixture(scope="module", params=["DistilBertForSequenceClassification", "GPT2ForSequenceClassification"])
def judge(request, tmp_path_factory):
    """(the explorer's, transformers' own pipeline)."""
    folder = tmp_path_factory.mktemp("judge")
    save(folder, request.param, **LABELS, pad_token_id=0)
    model = finetuned.classifier_from_folder(folder, "tiny")
    return model, transformers.pipeline("text-classification", model=str(folder))


@pytest.fixture(scope="module", params=["DistilBertForQuestionAnswering", "RobertaForQuestionAnswering"])
def finder(request, tmp_path_factory):
    """(the explorer's, transformers' own model)."""
    folder = tmp_path_factory.mktemp("finder")
    reference = save(folder, request.param)
    return finetuned.finder_from_folder(folder, "tiny"), reference


def test_probabilities_are_those_of_transformers_pipeline(judge):
    model, pipeline = judge
    found, expected = finetuned.classify(model, REVIEW), pipeline(REVIEW, top_k=None)
    assert model.labels == ("BAD", "GOOD", "NEITHER")
    assert found.labels == tuple(score["label"] for score in expected)
    np.testing.assert_allclose(found.probabilities, [score["score"] for score in expected], atol=1e-6)
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-6)


def test_the_attention_is_that_of_the_same_run(judge):
    model, pipeline = judge
    found = finetuned.classify(model, REVIEW)
    inputs = pipeline.tokenizer(REVIEW, return_tensors="pt")
    reference = pipeline.model.base_model
    reference.set_attn_implementation("eager")
    with torch.no_grad():
        expected = reference(**inputs, output_attentions=True)
    np.testing.assert_allclose(found.reading.attention, torch.cat(expected.attentions), atol=1e-6)
    assert found.reading.has_parts
    classified = found.reading.hidden[-1, found.place]
    head = model.model.module
    with torch.no_grad():
        logits = (
            head.score(torch.from_numpy(classified))
            if hasattr(head, "score")
            else head.classifier(torch.relu(head.pre_classifier(torch.from_numpy(classified))))
        )
    np.testing.assert_allclose(np.sort(logits.softmax(-1)), np.sort(found.probabilities), atol=1e-6)


def test_several_labels_at_once_are_judged_apart(tmp_path):
    save(tmp_path, "DistilBertForSequenceClassification", **LABELS, problem_type="multi_label_classification")
    found = finetuned.classify(finetuned.classifier_from_folder(tmp_path, "tiny"), REVIEW)
    expected = transformers.pipeline("text-classification", model=str(tmp_path))(REVIEW, top_k=None)
    np.testing.assert_allclose(found.probabilities, [score["score"] for score in expected], atol=1e-6)


@pytest.mark.parametrize("text", ["", "  \n", "\u200b"])
def test_nothing_to_judge(judge, text):
    if text == "\u200b" and judge[0].model.kind == "decoder":
        pytest.skip("GPT-2 reads bytes, also of signs that nobody sees")
    with pytest.raises(UserError, match=r"is empty|no sign that this model can read"):
        finetuned.classify(judge[0], text)


def test_a_long_review_is_cut(judge):
    found = finetuned.classify(judge[0], "cat " * 1000)
    assert len(found.reading.tokens) == judge[0].model.limit == 32
    assert found.reading.tokens.cut > 900


def test_the_answer_is_the_likeliest_piece_of_the_context(finder):
    model, reference = finder
    found = finetuned.answer(model, QUESTION, CONTEXT)
    tokens = found.reading.tokens
    inputs = {"input_ids": torch.from_numpy(tokens.ids)[None]}
    with torch.no_grad():
        output = reference(**inputs, output_attentions=True)
    allowed = [0, *(i for i in range(len(tokens)) if tokens.segments[i] == 1 and not tokens.special[i])]
    starts, ends = (logits[0, allowed].softmax(0) for logits in (output.start_logits, output.end_logits))
    spans = {
        (allowed[i], allowed[j]): float(starts[i] * ends[j])
        for i in range(1, len(allowed))
        for j in range(i, min(len(allowed), i + finetuned.LONGEST_ANSWER))
    }
    best = max(spans, key=lambda span: spans[span])
    assert (found.first, found.last) == best
    assert found.score == pytest.approx(spans[best], abs=1e-6)
    assert found.nothing == pytest.approx(float(starts[0] * ends[0]), abs=1e-6)
    np.testing.assert_allclose(found.starts[allowed], starts, atol=1e-6)
    assert found.starts.sum() == pytest.approx(1, abs=1e-5)
    assert CONTEXT[found.start : found.end] == found.text != ""
    assert found.text.split() == CONTEXT[slice(tokens.spans[best[0], 0], tokens.spans[best[1], 1])].split()
    np.testing.assert_allclose(found.reading.attention, torch.cat(output.attentions), atol=1e-6)


def test_where_the_answer_looks(finder):
    found = finetuned.answer(finder[0], QUESTION, CONTEXT)
    reading, places = found.reading, range(found.first, found.last + 1)
    mean = finetuned.attention_from(reading, places)
    np.testing.assert_allclose(mean, reading.attention[:, :, list(places)].mean(2))
    shares = finetuned.shares(reading, places)
    assert list(shares) == ["answer", "question", "context", "special"]
    np.testing.assert_allclose(sum(shares.values()), 1, atol=1e-5)
    tokens = reading.tokens
    question = [i for i in range(len(tokens)) if not tokens.special[i] and tokens.segments[i] == 0]
    np.testing.assert_allclose(shares["question"], mean[:, :, question].sum(-1), atol=1e-6)
    np.testing.assert_allclose(shares["answer"], mean[:, :, list(places)].sum(-1), atol=1e-6)


@given(arrays(np.float32, 20, elements=st.floats(0, 1, width=32)), arrays(np.float32, 20, elements=st.floats(0, 1, width=32)),
       st.integers(1, 20))  # fmt: skip
def test_the_best_span_is_the_best_of_all(starts, ends, longest):
    first, last = finetuned.best_span(starts, ends, longest)
    assert 0 <= first <= last < first + longest
    assert starts[first] * ends[last] == max(
        starts[i] * ends[j] for i in range(20) for j in range(i, min(20, i + longest))
    )


@pytest.mark.parametrize(("question", "context", "which"), [("", "the cat", "first"), ("the cat", " ", "second")])
def test_nothing_to_answer(finder, question, context, which):
    with pytest.raises(UserError, match=f"The {which} sentence is empty"):
        finetuned.answer(finder[0], question, context)


def test_from_the_hub(served):
    save(served / "owner/judge", "DistilBertForSequenceClassification", **LABELS)
    save(served / "owner/finder", "RobertaForQuestionAnswering")
    assert finetuned.classify(finetuned.classifier_from_hub("owner/judge"), REVIEW).labels
    assert finetuned.answer(finetuned.finder_from_hub("owner/finder"), QUESTION, CONTEXT).text


@pytest.mark.parametrize("load", [finetuned.classifier_from_hub, finetuned.finder_from_hub])
def test_a_model_that_was_not_trained_for_it(served, load):
    save(served / "owner/bert", "BertForMaskedLM")
    with pytest.raises(LoadError, match="owner/bert is not trained for this task"):
        load("owner/bert")


def test_a_kind_that_cannot_do_it_is_refused_before_its_weights_are_fetched(served):
    save(served / "owner/t5", "T5ForConditionalGeneration")
    with pytest.raises(LoadError, match="owner/t5 is of a kind, t5, that does not do this task"):
        finetuned.finder_from_hub("owner/t5")
    assert not Handler.asked["model.safetensors"]


def test_pickled_weights_are_refused_here_too(served):
    model = save(served / "owner/old", "DistilBertForSequenceClassification")
    (served / "owner/old/model.safetensors").unlink()
    torch.save(model.state_dict(), served / "owner/old/pytorch_model.bin")
    with pytest.raises(LoadError, match="pickle"):
        finetuned.classifier_from_hub("owner/old")

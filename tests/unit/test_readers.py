"""One way to ask any model: our own BERT and transformers' models, by key or id, before and after the download."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.errors import UserError
from explorer.tokens import encode
from pretrained import LoadError, catalog, language, memory, readers
from pretrained.asking import OwnReader
from pretrained.reading import masked
from pretrained.records import LanguageRecord
from tests.unit.hubserver import Handler
from tests.unit.tiny_models import change_config, save

MINI = catalog.get("mini-bert", LanguageRecord)


def test_a_plain_bert_runs_as_the_explorers_own(served):
    reference = save(served / "owner/bert", "BertForPreTraining")
    described = readers.describe("owner/bert")
    size = (served / "owner/bert/model.safetensors").stat().st_size
    assert described == readers.Described("owner/bert", True, "bert", size)
    assert not Handler.asked["model.safetensors"]
    reader = readers.load("owner/bert")
    assert isinstance(reader, OwnReader)
    assert (reader.kind, reader.guesses, reader.judges_pairs, reader.switches_heads) == (
        "encoder",
        "masked",
        True,
        True,
    )
    tokens = encode(reader.tokenizer, "the cats sat", limit=reader.limit)
    hidden = masked(reader, tokens, 2)
    with torch.no_grad():
        logits = reference(input_ids=torch.from_numpy(hidden.ids)[None]).prediction_logits[0, 2]
    guesses = reader.guess(hidden, 2, top=3)
    np.testing.assert_allclose(guesses.probabilities, logits.softmax(0).sort().values.flip(0)[:3], atol=1e-6)
    layers = reader.guess_by_layer(reader.read(hidden), 2, top=3)
    assert len(layers) == 3
    np.testing.assert_allclose(layers[-1].probabilities, guesses.probabilities, atol=1e-6)
    off = np.zeros((2, 3), np.float32)
    assert np.abs(reader.guess(hidden, 2, top=3, head_mask=off).probabilities - guesses.probabilities).max() > 1e-4
    assert reader.output_weight(1).shape == (12, 12)
    for ask in (
        lambda: reader.read_both(tokens, tokens),
        lambda: reader.start_decoder("x"),
        lambda: reader.write(tokens),
    ):
        with pytest.raises(UserError, match="has no decoder"):
            ask()


@pytest.mark.parametrize(("model", "kind", "guesses", "switches"), [
    ("RobertaForMaskedLM", "encoder", "masked", True),
    ("GPT2LMHeadModel", "decoder", "next", True),
    ("T5ForConditionalGeneration", "encoder-decoder", "next", False),
    ("BartForConditionalGeneration", "encoder-decoder", "next", False),
])  # fmt: skip
def test_other_kinds_run_on_transformers(served, model, kind, guesses, switches):
    save(served / "owner/other", model)
    described = readers.describe("owner/other")
    assert not described.own
    assert described.kind == model[: len(described.kind)].lower()
    reader = readers.load("owner/other")
    assert reader.own is None
    assert (reader.kind, reader.guesses, reader.switches_heads, reader.judges_pairs) == (kind, guesses, switches, False)
    tokens = encode(reader.tokenizer, "The cat sat", limit=reader.limit)
    if kind == "encoder-decoder":
        written = reader.start_decoder("The cat")
        both = reader.read_both(tokens, written)
        assert both.cross.attention.shape[2:] == (len(written), len(tokens))
        assert reader.guess(tokens, len(written) - 1, written=written, top=3).probabilities.shape == (3,)
        assert len(reader.write(tokens)) > 1
        return
    reading = reader.read(tokens)
    asked = masked(reader, tokens, 1) if guesses == "masked" else tokens
    assert reader.guess(asked, 1, top=4).probabilities.shape == (4,)
    assert reader.guess_by_layer(reading, 1) == ()
    assert reader.output_weight(0) is None


def test_a_bert_that_is_not_plain_runs_on_transformers(served):
    save(served / "owner/bert", "BertForMaskedLM", hidden_act="relu")
    assert not readers.describe("owner/bert").own
    assert readers.load("owner/bert").own is None


@pytest.mark.parametrize("model", ["BertForMaskedLM", "GPT2LMHeadModel"])
def test_too_little_memory_is_said_before_the_download(served, monkeypatch, model):
    save(served / "owner/big", model)
    monkeypatch.setattr(memory, "available", lambda: 1000)
    with pytest.raises(LoadError, match=r"owner/big needs about 0\.0 GB of memory and 0\.0 GB are free"):
        readers.describe("owner/big")


@pytest.mark.parametrize("content", ["[]", "3", "{"])
def test_a_damaged_configuration(served, content):
    save(served / "owner/bert", "BertForMaskedLM")
    (served / "owner/bert/config.json").write_text(content)
    with pytest.raises(LoadError, match="configuration of owner/bert is damaged"):
        readers.describe("owner/bert")


def test_no_attention_no_such_model_no_id(served):
    save(served / "owner/mamba", "MambaForCausalLM")
    with pytest.raises(LoadError, match="has no attention"):
        readers.describe("owner/mamba")
    with pytest.raises(LoadError, match="no open model called owner/nothing"):
        readers.describe("owner/nothing")
    with pytest.raises(UserError, match="is no model id"):
        readers.load("no id at all!")


def test_the_mini_bert_without_its_file(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    with pytest.raises(LoadError, match=r"mini-bert\.\w+, which comes with the explorer, is missing"):
        readers.load("mini-bert")


def test_the_mini_bert():
    reader = readers.load("mini-bert")
    config = reader.own.module.bert.config
    assert (config.layers, config.heads, reader.guesses, reader.judges_pairs) == (
        MINI.layers,
        MINI.heads,
        "masked",
        True,
    )
    for text, place in (("He opened the door and went out.", 4), ("I do not know what you mean.", 4)):
        tokens = encode(reader.tokenizer, text, limit=reader.limit)
        assert tokens.pieces[place] in reader.guess(masked(reader, tokens, place), place, top=5).pieces
    pairs = [
        ("“Where is the boat?” said Tom.", "“I do not know,” said the captain, “but we must find it before night.”"),
        ("The king was very ill.", "He sent for his doctor, and the doctor told the king that he must die."),
        (
            "The ship was lost in the storm.",
            "The sailors were all drowned, and the waves threw the ship upon the rocks.",
        ),
        ("Alice looked at the rabbit.", "The rabbit took a watch out of its pocket, and Alice ran after it."),
    ]
    judged = np.array([
        [reader.follows(reader.read(encode(reader.tokenizer, first, second, limit=reader.limit))) for _, second in pairs]
        for first, _ in pairs
    ])  # fmt: skip
    others = ~np.eye(len(pairs), dtype=bool)
    assert judged.diagonal().mean() > judged[others].mean()


def test_the_steps_end_at_the_models_own_numbers(tmp_path):
    save(tmp_path, "BertForPreTraining")
    model = language.from_folder(tmp_path, "random")
    reader = OwnReader(model)
    tokens = encode(reader.tokenizer, "the cats", "sat on the mat", limit=reader.limit)
    reading, guesses = reader.read(tokens), reader.guess(tokens, 2, top=5)
    steps = language.trace_words(model, reading.hidden[-1, 2], guesses.ids)
    np.testing.assert_allclose(steps["probabilities"].output, guesses.probabilities, atol=1e-6)
    steps = language.trace_pair(model, reading.hidden[-1])
    assert float(steps["probabilities"].output[0, 0]) == pytest.approx(reader.follows(reading), abs=1e-6)
    head_mask = np.array([1, 0, 1], np.float32)
    steps = language.trace_layer(model, 1, reading.hidden[1], False, head_mask)
    assert not steps["joined"].output[0, :, 4:8].any()
    np.testing.assert_allclose(steps["weights"].output[0], reading.attention[1], atol=1e-5)


def test_what_is_no_head_is_refused(served):
    save(served / "owner/bert", "BertForMaskedLM")
    change_config(served / "owner/bert", num_hidden_layers=3)
    with pytest.raises(LoadError, match="do not fit"):
        readers.load("owner/bert")

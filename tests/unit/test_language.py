"""BERT checkpoints in the official format, with random weights, read by name; and the real MiniLM where it is installed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import BertWordPieceTokenizer

from explorer.models.bert import BertConfig
from explorer.tokens import encode
from pretrained import LoadError, language, minilm
from pretrained.reading import masked

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "##s", "mat"]
CONFIG = transformers.BertConfig(
    vocab_size=len(VOCABULARY),
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=16,
    max_position_embeddings=16,
    attn_implementation="eager",
)


def save(folder: Path, kind: str = "BertForPreTraining") -> transformers.PreTrainedModel:
    """An official architecture with random weights, as transformers saves it."""
    torch.manual_seed(0)
    model = getattr(transformers, kind)(CONFIG).eval()
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3)
    model.save_pretrained(folder)
    BertWordPieceTokenizer({piece: i for i, piece in enumerate(VOCABULARY)}).save(str(folder / "tokenizer.json"))
    return model


def rewrite(folder: Path, change) -> None:
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


def tokens_of(model: language.LanguageModel, text: str = "The cats sat", pair: str | None = "mat"):
    return encode(model.tokenizer, text, pair, limit=model.limit)


def test_both_heads_and_the_inside(tmp_path):
    reference = save(tmp_path)
    model = language.from_folder(tmp_path, "random")
    assert model.guesses_words
    assert model.judges_pairs
    assert model.limit == 16
    tokens = tokens_of(model)
    found = reference(
        input_ids=torch.from_numpy(tokens.ids)[None],
        token_type_ids=torch.from_numpy(tokens.segments)[None],
        output_attentions=True,
        output_hidden_states=True,
    )
    reading = language.read(model, tokens)
    np.testing.assert_allclose(reading.attention, torch.cat(found.attentions).detach(), atol=1e-5)
    np.testing.assert_allclose(reading.hidden, torch.cat(found.hidden_states).detach(), atol=1e-5)
    assert reading.query.shape == reading.key.shape == reading.value.shape == (2, 3, len(tokens), 4)
    assert reading.queries is reading.keys is tokens
    assert reading.bias is reading.bias_of(1, 2) is None
    assert reading.scale.tolist() == [0.5, 0.5]
    scores = reading.query @ reading.key.swapaxes(-1, -2) * reading.scale[:, None, None, None]
    np.testing.assert_allclose(torch.from_numpy(scores).softmax(-1), reading.attention, atol=1e-6)
    guesses = language.guess(model, reading.hidden[-1, 2], top=3)
    expected = found.prediction_logits[0, 2].softmax(0).topk(3)
    np.testing.assert_allclose(guesses.probabilities, expected.values.detach(), atol=1e-6)
    assert guesses.pieces == tuple(VOCABULARY[i] for i in expected.indices.tolist())
    follows = language.probability_that_it_follows(model, reading.pooled)
    assert follows == pytest.approx(found.seq_relationship_logits[0].softmax(0)[0].item(), abs=1e-6)


def test_a_head_that_is_off_changes_what_follows_it(tmp_path):
    save(tmp_path)
    model = language.from_folder(tmp_path, "random")
    tokens, head_mask = tokens_of(model), np.ones((2, 3), np.float32)
    head_mask[1, 0] = 0
    with_all, without = language.read(model, tokens), language.read(model, tokens, head_mask)
    np.testing.assert_array_equal(with_all.hidden[:2], without.hidden[:2])
    assert np.abs(with_all.hidden[2] - without.hidden[2]).max() > 0.01


def test_masking_hides_the_word(tmp_path):
    save(tmp_path)
    model = language.from_folder(tmp_path, "random")
    tokens = tokens_of(model)
    hidden = masked(model, tokens, 2)
    assert hidden.pieces[2] == "[MASK]"
    assert hidden.ids[2] == VOCABULARY.index("[MASK]")
    assert tokens.pieces[2] == "cat"
    assert (np.delete(hidden.ids, 2) == np.delete(tokens.ids, 2)).all()


def old_names(state):
    rename = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    renamed = {}
    for key, tensor in state.items():
        for new, old in rename.items():
            key = key.replace(new, old)
        renamed[key] = tensor
    return renamed | {"bert.embeddings.position_ids": torch.arange(16)[None]}


@pytest.mark.parametrize("change", [old_names, lambda state: {k: v.half() for k, v in state.items()}])
def test_other_ways_of_writing_the_same_checkpoint(tmp_path, change):
    save(tmp_path)
    expected = language.read(model := language.from_folder(tmp_path, "x"), tokens_of(model)).hidden
    rewrite(tmp_path, change)
    model = language.from_folder(tmp_path, "x")
    assert model.guesses_words
    np.testing.assert_allclose(language.read(model, tokens_of(model)).hidden, expected, atol=0.02)


@pytest.mark.parametrize(("kind", "words", "pairs"), [
    ("BertModel", False, False),
    ("BertForMaskedLM", True, False),
    ("BertForNextSentencePrediction", False, True),
])  # fmt: skip
def test_a_checkpoint_with_fewer_heads_says_so(tmp_path, kind, words, pairs):
    reference = save(tmp_path, kind)
    model = language.from_folder(tmp_path, kind)
    assert (model.guesses_words, model.judges_pairs) == (words, pairs)
    tokens = tokens_of(model)
    encoder = reference if kind == "BertModel" else reference.bert
    ids, types = torch.from_numpy(tokens.ids)[None], torch.from_numpy(tokens.segments)[None]
    hidden = encoder(input_ids=ids, token_type_ids=types).last_hidden_state[0].detach()
    np.testing.assert_allclose(language.read(model, tokens).hidden[-1], hidden, atol=1e-5)


def test_a_checkpoint_that_lacks_a_tensor(tmp_path):
    save(tmp_path)
    rewrite(tmp_path, lambda state: {k: v for k, v in state.items() if "layer.1.output.dense" not in k})
    with pytest.raises(LoadError, match=r"missing \(first: bert.encoder.layer.1.output.dense.weight\)"):
        language.from_folder(tmp_path, "random")


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"\x80\x04broken", b"{}"])
def test_damaged_files(tmp_path, file, content):
    save(tmp_path)
    (tmp_path / file).unlink()
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(LoadError):
        language.from_folder(tmp_path, "random")


@pytest.mark.parametrize("change", [
    {"model_type": "roberta"}, {"hidden_act": "relu"}, {"is_decoder": True}, {"position_embedding_type": "relative_key"},
])  # fmt: skip
def test_what_is_no_plain_bert_is_refused(tmp_path, change):
    save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(LoadError, match="not a plain BERT"):
        language.from_folder(tmp_path, "random")


def test_one_file_with_sizes_and_vocabulary(tmp_path):
    save(tmp_path)
    expected = language.read(model := language.from_folder(tmp_path, "x"), tokens_of(model))
    shared = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
    state = {k: v.clone() for k, v in model.module.state_dict().items() if k not in shared}
    config = BertConfig(len(VOCABULARY), 12, 2, 3, 16, 16)
    path = tmp_path / "mini.safetensors"
    save_file(state, path, metadata={"config": json.dumps(asdict(config)), "vocabulary": json.dumps(VOCABULARY)})
    model = language.from_bundled(path, "mini")
    reading = language.read(model, tokens_of(model))
    np.testing.assert_allclose(reading.hidden, expected.hidden, atol=1e-6)
    assert reading.tokens.pieces == expected.tokens.pieces
    assert model.guesses_words
    assert model.judges_pairs
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(LoadError, match="missing or damaged"):
        language.from_bundled(path, "mini")


needs_minilm = pytest.mark.skipif(minilm.find() is None, reason="requirements-models.txt is not installed")


@needs_minilm
def test_the_real_minilm_equals_transformers():
    folder = minilm.checked()
    model = language.from_folder(folder, "MiniLM")
    reference = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    text = "The cat sat on the mat because it was unbelievably tired."
    tokens, found = encode(model.tokenizer, text, limit=model.limit), tokenizer(text, return_tensors="pt")
    assert tokens.ids.tolist() == found.input_ids[0].tolist()
    with torch.no_grad():
        output = reference(**found, output_attentions=True)
    reading = language.read(model, tokens)
    np.testing.assert_allclose(reading.hidden[-1], output.last_hidden_state[0], atol=1e-5)
    np.testing.assert_allclose(reading.attention, torch.cat(output.attentions), atol=1e-5)


@needs_minilm
def test_a_changed_minilm_is_not_used(monkeypatch):
    monkeypatch.setitem(minilm.SHA256, "config.json", "0" * 64)
    with pytest.raises(LoadError, match=r"config\.json of all-MiniLM-L6-v2 is damaged"):
        minilm.checked()


def test_without_the_package_the_reader_is_told(monkeypatch):
    monkeypatch.setattr(minilm, "PACKAGE", "no-such-package-anywhere")
    assert minilm.find() is None
    with pytest.raises(LoadError, match="not installed here"):
        minilm.checked()

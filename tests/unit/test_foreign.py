"""Models that transformers runs, against transformers' own outputs for the same random weights."""

from __future__ import annotations

import threading
from functools import cache

import numpy as np
import pytest
import torch
import transformers

from explorer.errors import UserError
from explorer.tokens import encode
from pretrained import foreign, foreign_loading, observing, writing
from pretrained.reading import Attended, masked
from tests.unit.tiny_models import change_config, save

SENTENCE = "The cats sat 🙂 on"
ENCODERS = ("BertForMaskedLM", "ElectraForMaskedLM", "AlbertForMaskedLM", "DistilBertForMaskedLM", "RobertaForMaskedLM")
DECODERS = ("GPT2LMHeadModel", "LlamaForCausalLM", "GPTNeoXForCausalLM")
BOTH = ("T5ForConditionalGeneration", "BartForConditionalGeneration")
ATTENTION_ONLY = ("MPNetForMaskedLM", "Gemma2ForCausalLM")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a model of this computer asked the network"))


def loaded(folder, model: str, **changes):
    """(the explorer's, transformers' own) of the same files."""
    reference = save(folder, model, **changes)
    return foreign_loading.from_folder(folder, "tiny"), reference


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """As loaded, once for each architecture; for tests that change nothing."""
    return cache(lambda model: loaded(tmp_path_factory.mktemp(model), model))


def tokens_of(model: foreign.ForeignModel, text: str = SENTENCE):
    return encode(model.tokenizer, text, limit=model.limit)


def run(reference, tokens, written=None):
    inputs = {"input_ids": torch.from_numpy(tokens.ids)[None]}
    if written is not None:
        inputs["decoder_input_ids"] = torch.from_numpy(written.ids)[None]
    with torch.no_grad():
        return reference(**inputs, output_attentions=True, output_hidden_states=True)


def stacked(layers) -> np.ndarray:
    return torch.cat(layers).numpy()


def attention_of_parts(found: Attended) -> np.ndarray:
    """softmax(query·keyᵀ·scale + bias)."""
    scores = found.query @ found.key.swapaxes(-1, -2) * found.scale[:, None, None, None]
    return torch.from_numpy(scores if found.bias is None else scores + found.bias).softmax(-1).numpy()


@pytest.mark.parametrize("kind", [*ENCODERS, *DECODERS, *ATTENTION_ONLY])
def test_one_stack_equals_transformers(shared, kind):
    model, reference = shared(kind)
    tokens = tokens_of(model)
    reading, expected = foreign.read(model, tokens), run(reference, tokens)
    np.testing.assert_allclose(reading.attention, stacked(expected.attentions), atol=1e-6)
    np.testing.assert_allclose(reading.hidden, stacked(expected.hidden_states), atol=1e-5)
    assert model.kind == ("decoder" if "LM" in kind and "Masked" not in kind else "encoder")
    assert (model.guesses_words, model.guesses_next) == (model.kind == "encoder", model.kind == "decoder")
    place = len(tokens) - 2
    guesses = foreign.guess(model, tokens, place, top=4)
    probabilities, ids = expected.logits[0, place].softmax(0).topk(4)
    np.testing.assert_allclose(guesses.probabilities, probabilities, atol=1e-6)
    assert guesses.ids.tolist() == ids.tolist()
    assert len(guesses.pieces) == 4


@pytest.mark.parametrize("kind", ["BertForMaskedLM", "RobertaForMaskedLM", "GPT2LMHeadModel", *BOTH])
def test_tokens_are_those_of_transformers(tmp_path, kind):
    save(tmp_path, kind)
    model = foreign_loading.from_folder(tmp_path, "tiny")
    assert tokens_of(model).ids.tolist() == transformers.AutoTokenizer.from_pretrained(tmp_path)(SENTENCE).input_ids


@pytest.mark.parametrize("kind", [*ENCODERS, *DECODERS])
def test_queries_keys_scale_and_bias_make_the_attention(shared, kind):
    model, _ = shared(kind)
    assert model.has_parts
    reading = foreign.read(model, tokens_of(model))
    assert reading.query.shape == reading.key.shape == reading.value.shape
    np.testing.assert_allclose(attention_of_parts(reading), reading.attention, atol=1e-6)
    if model.kind == "encoder":
        assert reading.bias is None
    else:
        ahead = np.triu(np.ones(reading.attention.shape[2:], bool), 1)
        assert (reading.bias_of(1, 2) == np.where(ahead, -np.inf, 0)).all()
        assert not reading.attention[..., ahead].any()


def test_queries_and_keys_are_the_projections_of_the_layers_input(shared):
    """The same numbers by the layer's own weights, where nothing turns them afterwards."""
    model, reference = shared("GPT2LMHeadModel")
    reading = foreign.read(model, tokens_of(model))
    block, x = reference.transformer.h[1], torch.from_numpy(reading.hidden[1])
    with torch.no_grad():
        fused = block.attn.c_attn(block.ln_1(x))
    for found, expected in zip((reading.query, reading.key, reading.value), fused.split(12, dim=1), strict=True):
        np.testing.assert_allclose(found[1], expected.view(-1, 3, 4).transpose(0, 1), atol=1e-5)


def test_each_layer_may_have_its_own_scale(tmp_path):
    model, _ = loaded(tmp_path, "GPT2LMHeadModel", scale_attn_by_inverse_layer_idx=True, reorder_and_upcast_attn=True)
    reading = foreign.read(model, tokens_of(model))
    assert reading.scale.tolist() == [0.5, 0.25]
    np.testing.assert_allclose(attention_of_parts(reading), reading.attention, atol=1e-6)


@pytest.mark.parametrize("kind", ATTENTION_ONLY)
def test_attention_alone_where_the_parts_are_not_known(shared, kind):
    model, _ = shared(kind)
    reading = foreign.read(model, tokens_of(model))
    assert not model.has_parts
    assert not reading.has_parts
    assert reading.query is reading.key is reading.value is reading.scale is reading.bias is None
    np.testing.assert_allclose(reading.attention.sum(-1), 1, atol=1e-5)
    with pytest.raises(UserError, match="The heads of tiny cannot be switched off"):
        foreign.read(model, tokens_of(model), np.ones(reading.attention.shape[:2], np.float32))


@pytest.mark.parametrize("kind", BOTH)
def test_two_stacks_equal_transformers(shared, kind):
    model, reference = shared(kind)
    assert (model.kind, model.has_parts, model.guesses_next) == ("encoder-decoder", True, True)
    tokens, written = tokens_of(model), writing.typed(model, "the mat")
    found, expected = foreign.read_both(model, tokens, written), run(reference, tokens, written)
    for own, theirs in (
        (found.encoder, expected.encoder_attentions),
        (found.decoder, expected.decoder_attentions),
        (found.cross, expected.cross_attentions),
    ):
        np.testing.assert_allclose(own.attention, stacked(theirs), atol=1e-6)
        np.testing.assert_allclose(attention_of_parts(own), own.attention, atol=1e-6)
    np.testing.assert_allclose(found.encoder.hidden, stacked(expected.encoder_hidden_states), atol=1e-5)
    np.testing.assert_allclose(found.decoder.hidden, stacked(expected.decoder_hidden_states), atol=1e-5)
    assert found.cross.attention.shape[2:] == (len(written), len(tokens))
    assert (found.cross.queries, found.cross.keys) == (written, tokens)
    assert found.encoder.queries is found.encoder.keys is tokens
    guesses = foreign.guess(model, tokens, len(written) - 1, written=written, top=3)
    np.testing.assert_allclose(guesses.probabilities, expected.logits[0, -1].softmax(0).topk(3).values, atol=1e-6)


def test_what_t5_learned_of_distances_is_its_bias(shared):
    model, reference = shared("T5ForConditionalGeneration")
    tokens = tokens_of(model)
    found = foreign.read_both(model, tokens, writing.typed(model, "the"))
    with torch.no_grad():
        learned = reference.encoder.block[0].layer[0].SelfAttention.compute_bias(len(tokens), len(tokens))
    assert found.encoder.scale.tolist() == [1, 1]
    np.testing.assert_allclose(found.encoder.bias, learned, atol=1e-6)
    assert found.encoder.bias.shape == (1, 3, len(tokens), len(tokens))
    assert np.isneginf(found.decoder.bias[0, :, 0, 1:]).all()
    assert found.cross.bias is None


def test_a_head_that_is_off_gives_nothing_to_its_layer(tmp_path):
    model, reference = loaded(tmp_path, "GPT2LMHeadModel")
    tokens, head_mask = tokens_of(model), np.ones((2, 3), np.float32)
    head_mask[1, 2] = 0
    with torch.no_grad():
        reference.transformer.h[1].attn.c_proj.weight[8:12] = 0  # the rows that the head's values meet
    expected = run(reference, tokens)
    reading = foreign.read(model, tokens, head_mask)
    np.testing.assert_allclose(reading.hidden, stacked(expected.hidden_states), atol=1e-5)
    guesses = foreign.guess(model, tokens, 3, top=2, head_mask=head_mask)
    np.testing.assert_allclose(guesses.probabilities, expected.logits[0, 3].softmax(0).topk(2).values, atol=1e-6)
    assert np.abs(foreign.read(model, tokens).hidden[2] - reading.hidden[2]).max() > 0.01


def test_a_masked_word(shared):
    model, reference = shared("RobertaForMaskedLM")
    hidden = masked(model, tokens_of(model), 2)
    assert hidden.pieces[2] == "<mask>"
    assert hidden.ids[2] == model.mask == 4
    expected = run(reference, hidden).logits[0, 2].softmax(0).topk(3)
    guesses = foreign.guess(model, hidden, 2, top=3)
    np.testing.assert_allclose(guesses.probabilities, expected.values, atol=1e-6)


def test_a_model_that_knows_no_mask(shared):
    model, _ = shared("LlamaForCausalLM")
    with pytest.raises(UserError, match=r"tiny knows no \[MASK\]"):
        masked(model, tokens_of(model), 0)


@pytest.mark.parametrize(("kind", "limit"), [
    ("RobertaForMaskedLM", 32),  # positions 0 and 1 are never used
    ("GPT2LMHeadModel", 32),
    ("T5ForConditionalGeneration", 512),
    ("BartForConditionalGeneration", 32),
])  # fmt: skip
def test_ten_thousand_words_are_cut_at_the_models_limit(shared, kind, limit):
    model, _ = shared(kind)
    tokens = tokens_of(model, "cat " * 10_000)
    assert len(tokens) == model.limit == limit
    assert tokens.cut > 9_000
    if model.kind == "encoder-decoder":
        written = writing.typed(model, "cat")
        assert foreign.read_both(model, tokens, written).cross.attention.shape[3] == limit
    else:
        assert foreign.read(model, tokens).attention.shape == (2, 3, limit, limit)


def test_a_deep_model_reads_fewer_tokens(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign_loading, "MOST_BYTES", 4 * 6 * 20**2)  # two layers of three heads
    model, _ = loaded(tmp_path, "T5ForConditionalGeneration")
    assert model.limit == 20


@pytest.mark.parametrize("kind", ["GPT2LMHeadModel", "T5ForConditionalGeneration", "RobertaForMaskedLM"])
def test_every_piece_of_an_emoji_is_shown_as_the_emoji(shared, kind):
    model, _ = shared(kind)
    tokens = tokens_of(model, "cat 🙂")
    assert "🙂" in tokens.labels
    assert not any("ð" in label or "Ġ" in label or "▁" in label for label in tokens.labels)
    if kind == "GPT2LMHeadModel":
        assert tokens.labels == ("cat", "␣", "🙂", "🙂", "🙂", "🙂")


def test_tokens_for_people():
    vocabulary = {"cat": 0, "Ġcat": 1, "ðŁ": 2, "Ċ": 3}
    tokenizer = foreign.Tokenizer(transformers.GPT2Tokenizer(vocab=vocabulary, merges=[]).backend_tokenizer.model)
    tokenizer.decoder = transformers.GPT2Tokenizer(vocab=vocabulary, merges=[]).backend_tokenizer.decoder
    assert [foreign.readable(tokenizer, i) for i in range(4)] == ["cat", "␣cat", "<0xF0><0x9F>", "⏎"]


def test_a_token_without_a_vector_is_named(tmp_path):
    model, _ = loaded(tmp_path, "GPT2LMHeadModel")
    model.tokenizer.add_tokens([f"zebra{i}" for i in range(20)])
    with pytest.raises(UserError, match="tiny has no vector for “zebra19”"):
        foreign.read(model, tokens_of(model, "cat zebra19"))


def test_what_runs_out_of_memory_is_said_and_leaves_nothing_behind(shared, monkeypatch):
    model, _ = shared("BertForMaskedLM")
    tokens = tokens_of(model)
    expected = foreign.read(model, tokens)

    def fails(*_args, **_options):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr(type(model.module.base_model), "forward", fails)
        with pytest.raises(UserError, match="not enough memory for tiny to read this text"):
            foreign.read(model, tokens)
    assert observing._watch.get() is None
    np.testing.assert_array_equal(foreign.read(model, tokens).query, expected.query)


def test_sessions_share_a_model_and_do_not_see_each_other(shared):
    model, _ = shared("DistilBertForMaskedLM")
    texts = ["the cat", "the cats sat on the mat ?", "mat"]
    alone = [foreign.read(model, tokens_of(model, text)) for text in texts]
    hooks = sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in model.module.modules())
    wrong: list[str] = []

    def session(number: int) -> None:
        head_mask = np.zeros((2, 3), np.float32) if number == 0 else None
        for _ in range(20):
            found = foreign.read(model, tokens_of(model, texts[number]), head_mask)
            if head_mask is None and not np.array_equal(found.query, alone[number].query):
                wrong.append(texts[number])

    threads = [threading.Thread(target=session, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert hooks == sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in model.module.modules())


def test_a_config_that_asks_for_attention_itself(tmp_path):
    save(tmp_path, "RobertaForMaskedLM")
    change_config(tmp_path, output_attentions=True, output_hidden_states=True)
    model = foreign_loading.from_folder(tmp_path, "tiny")
    assert foreign.read(model, tokens_of(model)).has_parts


@pytest.mark.parametrize(("kind", "words", "following"), [
    ("DistilBertModel", False, False),
    ("DistilBertForSequenceClassification", False, False),
    ("GPT2Model", False, True),  # its head is its embedding
    ("GPT2ForSequenceClassification", False, False),
])  # fmt: skip
def test_a_checkpoint_without_the_head_does_not_guess(shared, kind, words, following):
    model, reference = shared(kind)
    assert (model.guesses_words, model.guesses_next) == (words, following)
    tokens = tokens_of(model)
    np.testing.assert_allclose(
        foreign.read(model, tokens).attention, stacked(run(reference.base_model, tokens).attentions), atol=1e-6
    )

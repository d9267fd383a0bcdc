"""The plain BERT against transformers' on the same random state dict."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.models.bert import Bert, BertConfig, BertForPreTraining
from explorer.models.similarity import cosine

CLOSE = {"rtol": 0, "atol": 1e-5}

configs = st.builds(
    lambda heads, width, layers, intermediate, eps: BertConfig(
        50, heads * width, layers, heads, intermediate, 24, 2, eps
    ),
    st.integers(1, 4),
    st.integers(1, 8),
    st.integers(1, 3),
    st.integers(1, 32),
    st.sampled_from((1e-12, 1e-5)),
)


def reference_config(config: BertConfig) -> transformers.BertConfig:
    return transformers.BertConfig(
        vocab_size=config.vocabulary,
        hidden_size=config.hidden,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=config.intermediate,
        max_position_embeddings=config.positions,
        type_vocab_size=config.types,
        layer_norm_eps=config.eps,
        attn_implementation="eager",
    )


def randomised(module: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Every parameter random, so that no two that are swapped could give the same result."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    return module.eval()


def inputs(batch: int, length: int, padded: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(0, 50, (batch, length), generator=generator)
    types = torch.randint(0, 2, (batch, length), generator=generator)
    keep = torch.ones(batch, length, dtype=torch.bool)
    keep[-1, length - padded :] = False
    return tokens, types, keep


@settings(max_examples=25, deadline=None)
@given(config=configs, batch=st.integers(1, 3), length=st.integers(1, 24), seed=st.integers(0, 99), data=st.data())
@torch.no_grad()
def test_bert_model(config, batch, length, seed, data):
    padded = data.draw(st.integers(0, length - 1))
    reference = randomised(transformers.BertModel(reference_config(config)), seed)
    ours = Bert(config).eval()
    ours.load_state_dict(reference.state_dict())
    tokens, types, keep = inputs(batch, length, padded, seed)
    theirs = reference(
        input_ids=tokens,
        token_type_ids=types,
        attention_mask=keep.long(),
        output_attentions=True,
        output_hidden_states=True,
    )
    output = ours(tokens, types, keep)
    torch.testing.assert_close(output.last, theirs.last_hidden_state, **CLOSE)
    torch.testing.assert_close(output.pooled, theirs.pooler_output, **CLOSE)
    assert len(output.hidden) == len(theirs.hidden_states) == config.layers + 1
    for hidden, other in zip(output.hidden, theirs.hidden_states, strict=True):
        torch.testing.assert_close(hidden, other, **CLOSE)
    for parts, weights in zip(output.attention, theirs.attentions, strict=True):
        torch.testing.assert_close(parts.weights, weights, **CLOSE)
        torch.testing.assert_close(parts.weights.sum(-1), torch.ones(batch, config.heads, length), **CLOSE)


@settings(max_examples=15, deadline=None)
@given(config=configs, length=st.integers(1, 24), seed=st.integers(0, 99))
@torch.no_grad()
def test_masked_words(config, length, seed):
    reference = randomised(transformers.BertForMaskedLM(reference_config(config)), seed)
    ours = BertForPreTraining(config).eval()
    unused = {"bert.pooler.dense", "cls.seq_relationship"}
    found = ours.load_state_dict(reference.state_dict(), strict=False)
    assert {name.rpartition(".")[0] for name in found.missing_keys} == unused
    assert not found.unexpected_keys
    tokens, types, keep = inputs(2, length, 0, seed)
    logits = reference(input_ids=tokens, token_type_ids=types, attention_mask=keep.long()).logits
    torch.testing.assert_close(ours.masked_words(ours(tokens, types, keep).last), logits, **CLOSE)


@settings(max_examples=15, deadline=None)
@given(config=configs, length=st.integers(1, 24), seed=st.integers(0, 99))
@torch.no_grad()
def test_next_sentence(config, length, seed):
    reference = randomised(transformers.BertForNextSentencePrediction(reference_config(config)), seed)
    ours = BertForPreTraining(config).eval()
    found = ours.load_state_dict(reference.state_dict(), strict=False)
    assert all(name.startswith("cls.predictions.") for name in found.missing_keys)
    assert not found.unexpected_keys
    tokens, types, keep = inputs(2, length, 0, seed)
    logits = reference(input_ids=tokens, token_type_ids=types, attention_mask=keep.long()).logits
    torch.testing.assert_close(ours.next_sentence(ours(tokens, types, keep).pooled), logits, **CLOSE)


@torch.no_grad()
def test_a_head_that_is_switched_off_is_one_whose_values_are_zero():
    config = BertConfig(50, 12, 2, 3, 16, 24)
    model = randomised(Bert(config), 0)
    tokens, types, keep = inputs(1, 7, 0, 0)
    head_mask = torch.ones(2, 3)
    head_mask[1, 2] = 0
    switched_off = model(tokens, types, keep, head_mask)
    value = model.encoder.layer[1].attention.self.value
    value.weight[8:], value.bias[8:] = 0, 0  # head 2 of 3, width 4
    torch.testing.assert_close(switched_off.last, model(tokens, types, keep).last, **CLOSE)


@torch.no_grad()
def test_padding_changes_nothing():
    model = randomised(Bert(BertConfig(50, 12, 2, 3, 16, 24)), 0)
    tokens, types, keep = inputs(1, 9, 4, 1)
    padded = model(tokens, types, keep).last[:, :5]
    torch.testing.assert_close(padded, model(tokens[:, :5], types[:, :5]).last, **CLOSE)


@pytest.mark.parametrize("length", [25, 100])
def test_an_input_beyond_the_last_position_is_refused(length):
    model = Bert(BertConfig(50, 12, 1, 3, 16, 24))
    with pytest.raises(IndexError):
        model(torch.zeros(1, length, dtype=torch.int64))


def test_the_official_sizes():
    with torch.device("meta"):
        model = BertForPreTraining(BertConfig())
        reference = transformers.BertForPreTraining(transformers.BertConfig())
    assert {n: p.shape for n, p in model.named_parameters()} == {n: p.shape for n, p in reference.named_parameters()}
    assert np.isclose(sum(p.numel() for p in model.bert.parameters()) / 1e6, 109.5, atol=0.05)


@torch.no_grad()
@pytest.mark.parametrize("seed", [0, 1])
def test_a_few_words_have_the_probabilities_of_the_whole_vocabulary(seed):
    model = randomised(BertForPreTraining(BertConfig(50, 12, 1, 3, 16, 24)), seed)
    x, words = torch.randn(12), torch.tensor([3, 40, 7])
    head, logits = model.cls.predictions, model.masked_words(x)
    found = head.among(x, head.decoder.weight[words], head.bias[words], logits.logsumexp(-1))
    torch.testing.assert_close(found, logits.softmax(-1)[words], **CLOSE)


@torch.no_grad()
def test_the_judgement_of_a_pair_is_the_softmax_of_its_head():
    model = randomised(BertForPreTraining(BertConfig(50, 12, 1, 3, 16, 24)), 0)
    tokens, types, keep = inputs(2, 7, 0, 0)
    output = model(tokens, types, keep)
    torch.testing.assert_close(model.judge(output.last), model.next_sentence(output.pooled).softmax(-1), **CLOSE)
    torch.testing.assert_close(model.judge(output.last[:, :1]), model.judge(output.last), **CLOSE)


@given(
    arrays(np.float32, 7, elements=st.floats(-9, 9, width=32)),
    arrays(np.float32, 7, elements=st.floats(1, 9, width=32)),
)
def test_cosine(a, b):
    first, second = torch.from_numpy(a), torch.from_numpy(b)
    if np.linalg.norm(a) > 1e-3:
        torch.testing.assert_close(cosine(first, second), torch.cosine_similarity(first, second, 0), **CLOSE)

"""Translator and classifier against the same models put together from torch.nn, on the same weights."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.models.attention import causal_mask
from explorer.models.positions import sinusoid_positions
from explorer.models.sequence_transformers import TransformerClassifier, Translator
from explorer.models.transformer import TransformerConfig

CLOSE = {"rtol": 0, "atol": 1e-5}
CONFIGS = [
    TransformerConfig(d_model=12, heads=3, d_ff=20, layers=2, pre_norm=pre_norm, activation=activation)
    for pre_norm in (False, True)
    for activation in ("relu", "gelu")
]


def options(config: TransformerConfig) -> dict:
    return {"activation": config.activation, "batch_first": True, "norm_first": config.pre_norm, "dropout": 0.0}


def embed(table: nn.Module, words: torch.Tensor) -> torch.Tensor:
    d_model = table.weight.shape[1]
    return nn.functional.embedding(words, table.weight) * math.sqrt(d_model) + sinusoid_positions(
        words.shape[1], d_model
    )


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@settings(max_examples=10)
@given(B=st.integers(1, 3), S=st.integers(1, 6), T=st.integers(1, 6))
def test_translator_equals_torch(config, B, S, T):
    torch.manual_seed(S + 7 * T)
    ours = Translator(9, 11, config)
    stack = nn.Transformer(config.d_model, config.heads, config.layers, config.layers, config.d_ff, **options(config))
    stack.load_state_dict(ours.transformer.state_dict())
    source, target = torch.randint(9, (B, S)), torch.randint(11, (B, T))
    hidden = stack(
        embed(ours.source_vectors.embedding, source),
        embed(ours.target_vectors.embedding, target),
        tgt_mask=~causal_mask(T),
    )
    torch.testing.assert_close(ours(source, target), ours.output(hidden), **CLOSE)
    torch.testing.assert_close(ours.probabilities(source, target).sum(-1), torch.ones(B, T))


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_greedy_is_the_likeliest_word_again_and_again(config):
    torch.manual_seed(1)
    model = Translator(9, 11, config).eval()
    source, target = torch.randint(9, (3, 5)), torch.full((3, 1), 1)
    expected = target
    for _ in range(6):
        expected = torch.cat([expected, model(source, expected)[:, -1:].argmax(-1)], dim=1)
    assert torch.equal(model.greedy(source, target, end=-1, most=7), expected)
    ended = int(expected[0, 3])  # a word that the first sentence has is <end> now
    alone = model.greedy(source[:1], target[:1], end=ended, most=7)
    assert alone[0].tolist() == expected[0, : expected[0].tolist().index(ended) + 1].tolist()


def test_what_fills_up_changes_nothing():
    torch.manual_seed(2)
    model = Translator(9, 11, CONFIGS[0]).eval()
    source, target = torch.randint(1, 9, (1, 4)), torch.randint(11, (1, 3))
    padded = torch.cat([source, torch.zeros(1, 3, dtype=torch.int64)], dim=1)
    real = (padded != 0)[:, None, None]
    torch.testing.assert_close(model(padded, target, real), model(source, target), **CLOSE)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
@settings(max_examples=10)
@given(B=st.integers(1, 3), T=st.integers(2, 6))
def test_classifier_equals_torch(config, B, T):
    torch.manual_seed(T)
    ours = TransformerClassifier(9, 2, config)
    layer = nn.TransformerEncoderLayer(config.d_model, config.heads, config.d_ff, **options(config))
    stack = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
    stack.load_state_dict(ours.encoder.state_dict())
    words = torch.randint(9, (B, T))
    real = torch.arange(T) < torch.randint(1, T + 1, (B, 1))
    hidden = stack(embed(ours.vectors.embedding, words), src_key_padding_mask=~real)
    means = torch.stack([row[keep].mean(0) for row, keep in zip(hidden, real, strict=True)])
    torch.testing.assert_close(ours(words, real), ours.output(means), **CLOSE)
    everything = stack(embed(ours.vectors.embedding, words)).mean(1)
    torch.testing.assert_close(ours(words), ours.output(everything), **CLOSE)

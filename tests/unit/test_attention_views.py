"""What the attention page computes: typed tables, masks, entropy, saturation, the decoder, and sentences in any order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.attention_views import (
    CURVE,
    SCORES,
    Setup,
    Tables,
    additive_score,
    against_temperature,
    against_width,
    compare,
    fit_mask,
    make_mask,
    masking,
    pay_attention,
    steps,
)
from explorer.components.attention_lines import Locked, attention_lines
from explorer.decoder_views import END, decode, decoder_steps, vocabulary
from explorer.errors import UserError
from explorer.models.scoring import cosine, dot_product, scaled_dot_product
from explorer.plots import attention as plots
from explorer.self_attention_views import (
    SentenceSetup,
    draws,
    limits,
    order_of,
    permute,
    sentence_steps,
)

WORDS = tuple("The cat sat on the mat because it was tired".split())
EXAMPLE = Tables(
    np.array([[1, 0], [0, 1]], np.float32),
    np.array([[1, 0], [1, 1]], np.float32),
    np.array([[1, 1], [0, 0]], np.float32),
)
EVERYWHERE = np.ones((2, 2), bool)
sizes = st.integers(1, 6)


def random_tables(T: int, S: int, d_k: int, d_v: int, seed: int) -> Tables:
    rng = np.random.default_rng(seed)
    return Tables(*(rng.standard_normal(shape).astype(np.float32) for shape in ((T, d_k), (S, d_k), (S, d_v))))


# ---- typed tables


def test_the_example_of_the_notes():
    result = pay_attention(EXAMPLE, Setup("scaled", EVERYWHERE))
    np.testing.assert_allclose(result.scores, np.array([[1, 1], [0, 1]]) / np.sqrt(2), rtol=1e-6)
    share = 1 / (1 + np.exp(1 / np.sqrt(2)))
    np.testing.assert_allclose(result.weights, [[0.5, 0.5], [share, 1 - share]], rtol=1e-6)
    np.testing.assert_allclose(result.output, [[0.5, 0.5], [share, share]], rtol=1e-6)


@settings(max_examples=60)
@given(T=sizes, S=sizes, d_k=sizes, d_v=sizes, seed=st.integers(0, 999), score=st.sampled_from(SCORES),
       temperature=st.sampled_from((0.2, 1.0, 5.0)), causal=st.booleans())  # fmt: skip
def test_typed_attention_is_torchs(T, S, d_k, d_v, seed, score, temperature, causal):
    tables = random_tables(T, S, d_k, d_v, seed)
    mask = make_mask("causal" if causal else "none", (T, S))
    result = pay_attention(tables, Setup(score, mask, temperature, seed))
    query, key, value = tables.tensors
    function = {"dot": dot_product, "scaled": scaled_dot_product, "cosine": cosine}.get(
        score, additive_score(d_k, seed)
    )
    weights = (function(query, key) / temperature).masked_fill(~torch.from_numpy(mask), -torch.inf).softmax(-1).detach()
    np.testing.assert_allclose(result.weights, weights, atol=1e-6)
    np.testing.assert_allclose(result.output, weights @ value, atol=1e-5)
    if score == "dot":
        reference = F.scaled_dot_product_attention(query, key, value, torch.from_numpy(mask), scale=1 / temperature)
        np.testing.assert_allclose(result.output, reference, rtol=1e-5, atol=1e-5)
    p = result.weights.astype(np.float64)
    bits = -(p * np.log2(np.where(p > 0, p, 1))).sum(1)
    np.testing.assert_allclose(result.entropy, bits, atol=1e-5)
    assert (result.entropy <= result.most + 1e-5).all()
    assert (np.isnan(result.share) == (mask.sum(1) == 1)).all()


def test_widths_and_rows_must_fit():
    two, three = np.zeros((2, 2), np.float32), np.zeros((3, 3), np.float32)
    with pytest.raises(UserError, match="A query has 2 numbers and a key 3"):
        Tables(two, three, three)
    with pytest.raises(UserError, match="There are 2 keys and 3 values"):
        Tables(two, two, three)


def test_a_query_that_may_look_nowhere_is_nan_and_has_no_choice():
    mask = np.array([[False, False], [True, False]])
    result = pay_attention(EXAMPLE, Setup("scaled", mask))
    assert np.isnan(result.weights[0]).all()
    assert np.isnan(result.output[0]).all()
    assert np.isneginf(result.masked[0]).all()
    np.testing.assert_array_equal(result.weights[1], [1, 0])
    assert (result.entropy[1], result.most[1]) == (0, 0)
    assert np.isnan(result.share).all()


def test_every_score_is_compared():
    results = compare(EXAMPLE, Setup("dot", EVERYWHERE, 2.0, 3))
    assert list(results) == list(SCORES)
    for name, result in results.items():
        np.testing.assert_array_equal(result.weights, pay_attention(EXAMPLE, Setup(name, EVERYWHERE, 2.0, 3)).weights)
    np.testing.assert_allclose(results["dot"].scores, results["scaled"].scores * np.sqrt(2), rtol=1e-6)


def test_the_additive_weights_follow_from_the_seed():
    first, again, other = (additive_score(3, seed).w_query for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("kind", "padding", "expected"),
    [
        ("none", 1, [[1, 1, 1], [1, 1, 1]]),
        ("causal", 1, [[1, 0, 0], [1, 1, 0]]),
        ("padding", 0, [[1, 1, 1], [1, 1, 1]]),
        ("padding", 2, [[1, 0, 0], [1, 0, 0]]),
        ("padding", 3, [[0, 0, 0], [0, 0, 0]]),
        ("drawn", 1, [[0, 1, 1], [1, 1, 1]]),
    ],
)
def test_masks(kind, padding, expected):
    drawn = np.array([[False, True]])
    np.testing.assert_array_equal(make_mask(kind, (2, 3), padding, drawn), np.array(expected, bool))


def test_a_mask_at_another_size_lets_look_at_what_is_new():
    mask = np.array([[True, False], [False, True]])
    np.testing.assert_array_equal(fit_mask(mask, (1, 3)), [[True, False, True]])
    np.testing.assert_array_equal(fit_mask(mask, (3, 1)), [[True], [False], [True]])


@pytest.mark.parametrize("score", SCORES)
def test_steps_compute_what_is_shown_and_an_edit_flows_on(score):
    setup = Setup(score, make_mask("causal", (2, 2)), 0.5)
    walk = steps(EXAMPLE, setup)
    np.testing.assert_array_equal(walk["output"].output, pay_attention(EXAMPLE, setup).output)
    place = walk["weights"].index
    edited = steps(EXAMPLE, setup, {place: torch.tensor([[0.0, 1.0], [0.0, 1.0]])})
    assert edited.steps[place].edited
    np.testing.assert_array_equal(edited["output"].output, EXAMPLE.value[[1, 1]])


# ---- saturation and masking


def test_temperature_goes_from_one_key_to_all():
    weights = against_temperature(np.array([0.0, 1.0, -np.inf], np.float32))
    assert weights.shape == (len(CURVE), 3)
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
    assert weights[0, 1] > 0.999
    np.testing.assert_allclose(weights[-1, :2], 0.5, atol=0.02)
    assert (np.diff(weights[:, 1]) <= 1e-6).all()
    assert (weights[:, 2] == 0).all()


def test_a_wide_dot_product_saturates_the_softmax_unless_it_is_scaled():
    found = against_width((4, 64, 256))
    np.testing.assert_allclose(found.spread, np.sqrt(found.widths), rtol=0.1)
    assert found.plain_share[-1] < 0.1
    assert (found.scaled_share > 0.75).all()
    assert found.plain_slope[-1] < 0.06 < 0.15 < found.scaled_slope[-1]


@settings(max_examples=30)
@given(scores=st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=5), temperature=st.sampled_from((0.5, 1.0)))
def test_infinity_and_a_large_number_differ_only_where_everything_is_masked(scores, temperature):
    row = np.array(scores, np.float32)
    found = masking(row, temperature)
    assert np.isnan(found.all_infinite).all()
    np.testing.assert_allclose(found.all_finite, 1 / len(row), rtol=1e-6)
    assert (found.fused == 0).all()
    assert found.half == -np.inf
    if len(row) == 1:
        assert found.one_infinite is None
        assert found.one_finite is None
    else:
        expected = torch.from_numpy(row[:-1] / np.float32(temperature)).softmax(0)
        np.testing.assert_allclose(found.one_infinite, [*expected, 0], atol=1e-6)
        np.testing.assert_array_equal(found.one_infinite, found.one_finite)


def test_curves_hold_what_was_measured():
    weights = against_temperature(np.array([0.0, 1.0], np.float32))
    figure = plots.against_temperature(CURVE, weights, ("k₁", "k₂"), 2.0, "light")
    assert [line.name for line in figure.data] == ["k₁", "k₂"]
    np.testing.assert_array_equal(figure.data[1].y, weights[:, 1])
    assert figure.layout.shapes[0].x0 == 2.0
    widths = against_width((1, 2))
    figure = plots.against_width(widths.widths, {"a": widths.plain_share}, "dark")
    np.testing.assert_array_equal(figure.data[0].y, widths.plain_share)


# ---- the decoder


def test_the_decoder_chooses_from_the_sentences_words_and_the_end():
    assert vocabulary(WORDS) == ("The", "cat", "sat", "on", "mat", "because", "it", "was", "tired", END)
    run = decode(WORDS)
    assert run.encoder_states.shape == (len(WORDS), len(run.decoder_state))
    assert len(run.probabilities) == len(run.vocabulary)
    np.testing.assert_allclose(run.scores, run.encoder_states @ run.decoder_state, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.context, run.weights @ run.encoder_states, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose([run.weights.sum(), run.probabilities.sum()], 1, rtol=1e-5)


def test_the_decoder_follows_its_seed_and_its_words():
    first, again, other, words = decode(WORDS), decode(WORDS), decode(WORDS, 1), decode(("a",))
    np.testing.assert_array_equal(first.probabilities, again.probabilities)
    assert not np.array_equal(first.weights, other.weights)
    np.testing.assert_array_equal(words.weights, [1])


def test_the_decoders_steps_are_few_and_edits_flow_to_the_prediction():
    walk = decoder_steps(WORDS)
    assert len(walk.steps) == 8
    np.testing.assert_array_equal(walk["probabilities"].output, decode(WORDS).probabilities)
    uniform = torch.full((len(WORDS),), 1 / len(WORDS))
    edited = decoder_steps(WORDS, 0, {walk["weights"].index: uniform})
    np.testing.assert_allclose(edited["context"].output, decode(WORDS).encoder_states.mean(0), atol=1e-6)
    assert not torch.equal(edited["probabilities"].output, walk["probabilities"].output)


# ---- sentences


def test_orders():
    assert order_of(4, "typed") == [0, 1, 2, 3]
    assert order_of(4, "reversed") == [3, 2, 1, 0]
    assert order_of(1, "shuffled") == [0]
    shuffles = [order_of(5, "shuffled", n) for n in range(20)]
    assert all(sorted(order) == [0, 1, 2, 3, 4] != order for order in shuffles)
    assert len({tuple(order) for order in shuffles}) > 5
    assert order_of(5, "shuffled", 3) == shuffles[3]


@settings(max_examples=25)
@given(length=st.integers(2, 10), shuffle=st.integers(0, 99), seed=st.integers(0, 9))
def test_without_positions_another_order_only_permutes_the_output(length, shuffle, seed):
    setup = SentenceSetup(WORDS[:length], seed=seed)
    order = order_of(length, "shuffled", shuffle)
    change = permute(setup, order)
    assert change.largest < 1e-5
    np.testing.assert_allclose(change.output - change.moved, change.difference, atol=1e-6)
    assert permute(dataclasses.replace(setup, positions=True), order).largest > 1e-3


def test_a_causal_mask_also_tells_the_order():
    assert permute(SentenceSetup(WORDS, causal=True), order_of(len(WORDS), "reversed")).largest > 0.01


def test_draws_differ_and_their_rows_sum_to_one():
    weights = draws(SentenceSetup(WORDS, causal=True), range(len(WORDS)), 3)
    assert weights.shape == (3, len(WORDS), len(WORDS))
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    assert (np.triu(weights[0], 1) == 0).all()
    assert not np.array_equal(weights[0], weights[1])


def test_the_sentences_steps_are_those_of_its_first_draw():
    setup, order = SentenceSetup(WORDS, positions=True), order_of(len(WORDS), "reversed")
    walk = sentence_steps(setup, order)
    np.testing.assert_array_equal(walk["weights"].output, draws(setup, order, 1)[0])
    np.testing.assert_allclose(walk["output"].output, permute(setup, order).output, atol=1e-6)


@pytest.mark.parametrize("words", [WORDS, ("고양이가", "잔다"), ("a", "b", "c")])
def test_the_three_limits_and_their_cures(words):
    found = limits(SentenceSetup(words))
    assert found.order[0] < 1e-5 < 1e-3 < found.order[1]
    assert found.linear[0] < 1e-6 < 1e-3 < found.linear[1]
    assert found.future[1] == 0 < found.future[0] < 1


# ---- lines


def test_lines_want_a_word_for_each_row_and_column():
    with pytest.raises(ValueError, match="do not fit 2 queries and 1 keys"):
        attention_lines(np.ones((1, 2, 2), np.float32), ("a", "b"), ("a",), key="lines")
    assert Locked.read({"side": "key", "place": 3}) == Locked("key", 3)
    assert Locked.read(None) is None

"""Statistics of heads, against values worked out by hand and against the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.attention_statistics import (
    OF_PLACES,
    STATISTICS,
    entropy,
    groups,
    head_statistics,
    merge,
    norm_weighted,
    without,
)


def attention(seed: int, layers: int = 2, heads: int = 3, length: int = 5) -> np.ndarray:
    scores = np.random.default_rng(seed).standard_normal((layers, heads, length, length)) * 2
    weights = np.exp(scores)
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def test_entropy():
    weights = np.array([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4])
    np.testing.assert_allclose(entropy(weights), [0, 1, 2])


def test_heads_that_look_at_one_place():
    previous, following, same, first = np.eye(4, k=-1), np.eye(4, k=1), np.eye(4), np.zeros((4, 4))
    first[:, 0] = 1
    special, punctuation = np.array([True, False, False, True]), np.array([False, False, True, False])
    found = head_statistics(np.stack([previous, following, same, first])[None], special, punctuation)
    np.testing.assert_allclose(found.previous[0], [0.75, 0, 0, 0.25])
    np.testing.assert_allclose(found.next[0], [0, 0.75, 0, 0])
    np.testing.assert_allclose(found.same[0], [0, 0, 1, 0.25])
    np.testing.assert_allclose(found.first[0], [0.25, 0, 0.25, 1])
    np.testing.assert_allclose(found.separator[0], [0, 0.25, 0.25, 0])
    np.testing.assert_allclose(found.punctuation[0], [0.25, 0.25, 0.25, 0])
    np.testing.assert_allclose(found.distance[0], [0.75, 0.75, 0, 1.5])
    np.testing.assert_allclose(found.entropy[0], 0)


@given(st.integers(0, 99))
def test_shares_are_sums_of_weights(seed):
    weights = attention(seed)
    found = head_statistics(weights, np.array([True, False, False, False, True]), np.zeros(5, bool))
    np.testing.assert_allclose(found.first, weights[..., 0].mean(-1), rtol=1e-5)
    np.testing.assert_allclose(found.separator, weights[..., 4].mean(-1), rtol=1e-5)
    assert (found.punctuation == 0).all()
    assert (found.entropy <= np.log2(5) + 1e-5).all()


def test_without_special_tokens_nothing_is_first():
    found = head_statistics(attention(0), np.zeros(5, bool), np.zeros(5, bool))
    assert (found.first == 0).all()
    assert (found.separator == 0).all()


@settings(deadline=None)
@given(st.integers(0, 99))
def test_norm_weighted_is_the_length_of_each_contribution(seed):
    rng = np.random.default_rng(seed)
    weights, value = attention(seed)[0], rng.standard_normal((3, 5, 4)).astype(np.float32)
    output_weight = rng.standard_normal((7, 12)).astype(np.float32)
    found = norm_weighted(weights, value, output_weight)
    for head in range(3):
        added = weights[head][..., None] * (
            value[head] @ output_weight[:, 4 * head : 4 * head + 4].T
        )  # (T, S, d_model)
        np.testing.assert_allclose(found[head], np.linalg.norm(added, axis=-1), rtol=1e-4)


def test_without():
    weights = attention(1)
    hidden = np.array([True, False, False, False, True])
    plain, whole = without(weights, hidden, renormalise=False), without(weights, hidden, renormalise=True)
    np.testing.assert_array_equal(plain, weights[..., 1:4, 1:4])
    np.testing.assert_allclose(whole.sum(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(whole / whole[..., :1], plain / plain[..., :1], rtol=1e-5)


def test_without_leaves_a_row_empty_that_had_everything_on_hidden_tokens():
    weights = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert without(weights, np.array([True, False]), renormalise=True).tolist() == [[0.0]]


def test_merge():
    weights = attention(2)
    group = groups(np.array([-1, 0, 0, 1, -1]))
    assert group.tolist() == [0, 1, 1, 2, 3]
    merged = merge(weights, group)
    assert merged.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(merged.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(merged[..., 0, 1], weights[..., 0, 1:3].sum(-1), rtol=1e-6)
    np.testing.assert_allclose(merged[..., 1, 2], weights[..., 1:3, 3].mean(-1), rtol=1e-6)


@pytest.mark.parametrize(
    ("words", "expected"), [([-1, -1, 0, -1], [0, 1, 2, 3]), ([0, 0, 0], [0, 0, 0]), ([0, 1, 2], [0, 1, 2])]
)
def test_groups(words, expected):
    assert groups(np.array(words)).tolist() == expected


def test_between_two_texts_no_places_are_compared():
    weights = np.random.default_rng(0).dirichlet(np.ones(5), (2, 3, 4)).astype(np.float32)
    special, punctuation = np.array([1, 0, 0, 0, 1], bool), np.array([0, 0, 1, 0, 0], bool)
    found = head_statistics(weights, special, punctuation, one_text=False)
    for name in STATISTICS:
        assert np.isnan(getattr(found, name)).all() == (name in OF_PLACES), name
    np.testing.assert_allclose(found.first, weights[..., 0].mean(-1), rtol=1e-6)
    np.testing.assert_allclose(found.separator, weights[..., 4].mean(-1), rtol=1e-6)
    np.testing.assert_allclose(found.punctuation, weights[..., 2].mean(-1), rtol=1e-6)

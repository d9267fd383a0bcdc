from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.multihead_views import (
    add_heads,
    attend,
    head_counts,
    head_distance,
    measure_costs,
    parameters,
    seeded_attention,
    switch_off,
)
from explorer.words import random_vectors

WORDS = "The cat sat because it was tired".split()


@pytest.mark.parametrize(
    ("d_model", "counts"),
    [(4, (1, 2, 4)), (6, (1, 2, 3, 6)), (12, (1, 2, 3, 4, 6, 12)), (16, (1, 2, 4, 8)), (24, (1, 2, 3, 4, 6, 8, 12))],
)
def test_heads_are_divisors(d_model, counts):
    assert head_counts(d_model) == counts


def test_the_weights_are_the_same_for_any_number_of_heads():
    layers = [seeded_attention(12, heads, seed=3) for heads in head_counts(12)]
    for layer in layers[1:]:
        for mine, first in zip(layer.parameters(), layers[0].parameters(), strict=True):
            assert torch.equal(mine, first)
    assert not torch.equal(seeded_attention(12, 3, seed=4).in_proj_weight, layers[0].in_proj_weight)
    runs = [attend(random_vectors(WORDS, 12), layer) for layer in layers]
    for run in runs[1:]:
        np.testing.assert_array_equal(run.query, runs[0].query)
        assert not np.allclose(run.output, runs[0].output)


def test_a_run_is_taken_apart():
    run = attend(random_vectors(WORDS, 6), seeded_attention(6, 3))
    assert (run.d_head, run.weights.shape, run.heads.shape) == (2, (3, 7, 7), (3, 7, 2))
    np.testing.assert_allclose(run.weights.sum(-1), 1, rtol=1e-6)
    for head in range(3):
        columns = slice(2 * head, 2 * head + 2)
        scores = run.query[:, columns] @ run.key[:, columns].T / np.sqrt(2)
        expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        np.testing.assert_allclose(run.weights[head], expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(run.heads[head], run.weights[head] @ run.value[:, columns], rtol=1e-4, atol=1e-5)


def test_with_a_causal_mask_nobody_looks_ahead():
    run = attend(random_vectors(WORDS, 6), seeded_attention(6, 3), causal=True)
    assert (run.weights[:, ~np.tri(7, dtype=bool)] == 0).all()
    np.testing.assert_allclose(run.weights[:, 0, 0], 1)
    np.testing.assert_allclose(run.weights.sum(-1), 1, rtol=1e-6)


def test_a_head_switched_off_takes_its_own_term_of_the_sum_with_it():
    attention = seeded_attention(6, 3)
    run = attend(random_vectors(WORDS, 6), attention)
    parts = add_heads(run).parts
    without = switch_off(run, attention, {0, 2})
    np.testing.assert_allclose(without.difference, -parts[0] - parts[2], atol=1e-6)
    np.testing.assert_allclose(without.change, np.linalg.norm(parts[0] + parts[2], axis=1), rtol=1e-4)
    np.testing.assert_allclose(without.share, without.change / np.linalg.norm(run.output, axis=1), rtol=1e-5)
    edited = [step for step in without.steps.steps if step.edited]
    assert [step.target for step in edited] == ["output"]
    assert (edited[0].output[0, [0, 2]] == 0).all()
    np.testing.assert_array_equal(edited[0].output[0, 1].numpy(), run.heads[1])


def test_with_all_heads_off_the_bias_is_left_and_with_none_off_nothing_changes():
    attention = seeded_attention(6, 3)
    run = attend(random_vectors(WORDS, 6), attention)
    np.testing.assert_allclose(switch_off(run, attention, {0, 1, 2}).output, np.tile(run.b_out, (7, 1)), atol=1e-7)
    none = switch_off(run, attention, set())
    assert not none.change.any()
    assert not any(step.edited for step in none.steps.steps)


def test_the_distance_of_heads():
    alike, apart = np.eye(4), np.roll(np.eye(4), 1, axis=1)
    assert head_distance(np.stack([alike])) == 0
    assert head_distance(np.stack([alike, alike])) == 0
    assert head_distance(np.stack([alike, apart])) == 1
    assert head_distance(np.stack([alike, np.full((4, 4), 0.25)])) == pytest.approx(0.75)


def test_costs():
    costs = measure_costs(16, 8, (1, 4))
    assert [(c.heads, c.d_head, c.weights) for c in costs] == [(1, 16, 64), (4, 4, 256)]
    assert {c.macs for c in costs} == {4 * 8 * 16 * 16 + 2 * 8 * 8 * 16}
    assert all(0 < c.milliseconds < 10_000 for c in costs)
    assert parameters(512) == 1_050_624

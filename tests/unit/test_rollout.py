"""Rollout against a loop written out number by number, and what must hold for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.rollout import fused, rollout


def attention(seed: int, layers: int = 3, heads: int = 2, length: int = 6) -> np.ndarray:
    weights = np.exp(np.random.default_rng(seed).standard_normal((layers, heads, length, length)) * 2)
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def by_hand(weights: np.ndarray, fuse: str, residual: float, discard: float) -> np.ndarray:
    """The same, one number at a time."""
    layers, heads, length, _ = weights.shape
    choose = {"mean": lambda values: sum(values) / len(values), "max": max, "min": min}[fuse]
    flow = [[float(i == j) for j in range(length)] for i in range(length)]
    for layer in range(layers):
        step = []
        for i in range(length):
            row = [choose([float(weights[layer, head, i, j]) for head in range(heads)]) for j in range(length)]
            for j in sorted(range(length), key=row.__getitem__)[: int(discard * length)]:
                row[j] = 0.0
            total = sum(row)
            step.append([residual * (i == j) + (1 - residual) * row[j] / total for j in range(length)])
        flow = [[sum(step[i][k] * flow[k][j] for k in range(length)) for j in range(length)] for i in range(length)]
    return np.array(flow)


@settings(deadline=None)
@given(
    st.integers(0, 99), st.sampled_from(["mean", "max", "min"]), st.floats(0, 1), st.sampled_from([0.0, 0.2, 0.5, 0.9])
)
def test_rollout_is_what_a_loop_gives_and_its_rows_sum_to_1(seed, fuse, residual, discard):
    weights = attention(seed)
    flows = rollout(weights, fuse=fuse, residual=residual, discard=discard)
    assert flows.dtype == np.float32
    np.testing.assert_allclose(flows[-1], by_hand(weights, fuse, residual, discard), atol=1e-5)
    np.testing.assert_allclose(flows.sum(-1), 1, atol=1e-5)
    assert (flows >= 0).all()


@given(st.integers(0, 99))
def test_as_the_paper_has_it_rollout_is_a_product_over_the_layers(seed):
    weights = attention(seed)
    mixed = [(layer.mean(0) + np.eye(6)) / 2 for layer in weights]
    flows = rollout(weights)
    np.testing.assert_allclose(flows[0], mixed[0], atol=1e-6)
    np.testing.assert_allclose(flows[2], mixed[2] @ mixed[1] @ mixed[0], atol=1e-6)


def test_all_residual_leaves_every_token_where_it_is():
    np.testing.assert_array_equal(rollout(attention(0), residual=1)[-1], np.eye(6))


def test_without_a_residual_one_layer_is_its_mean_attention():
    weights = attention(0, layers=1)
    np.testing.assert_allclose(rollout(weights, residual=0)[0], weights[0].mean(0), atol=1e-6)


def test_the_weakest_are_discarded_and_the_rest_scaled_up():
    row = np.array([[[0.1, 0.2, 0.3, 0.4]] * 4], np.float32)
    np.testing.assert_allclose(fused(row, discard=0.5)[0], [0, 0, 3 / 7, 4 / 7], rtol=1e-6)
    np.testing.assert_allclose(fused(row, discard=0.75)[0], [0, 0, 0, 1])
    assert row[0, 0, 0] == pytest.approx(0.1)  # what was given is left as it was


def test_a_row_in_which_every_key_is_ignored_by_some_head_keeps_to_itself():
    apart = np.stack([np.eye(2), np.eye(2)[::-1]]).astype(np.float32)
    np.testing.assert_array_equal(fused(apart, "min"), np.eye(2))

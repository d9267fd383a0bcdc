"""The laws that are fitted to costs: known ones are found again, and the right one is called the better."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer.cost_fits import FEWEST, Fit, crossing, fit, laws, slope

LENGTHS = (32, 64, 128, 256, 512, 1024, 2048)
coefficients = st.floats(1e-6, 1e3)


@given(a=coefficients, b=coefficients, power=st.sampled_from((1, 2)))
def test_a_known_law_is_found_again(a, b, power):
    costs = Fit(power, a, b, 0.0).at(np.array(LENGTHS))
    found = fit(LENGTHS, costs, power)
    np.testing.assert_allclose(found.at(np.array(LENGTHS)), costs, rtol=1e-6)
    assert found.b == pytest.approx(b, rel=1e-4)
    assert found.error < 1e-6


@given(a=coefficients, b=coefficients, power=st.sampled_from((1, 2)), seed=st.integers(0, 100))
def test_the_right_law_is_better_through_noisy_points(a, b, power, seed):
    costs = Fit(power, a, b, 0.0).at(np.array(LENGTHS))
    assume(costs[-1] > 20 * costs[0])  # else a hides what grows
    noise = np.exp(0.05 * np.random.default_rng(seed).standard_normal(len(LENGTHS)))
    found = laws(LENGTHS, costs * noise)
    assert found.better.power == power
    assert found.better.error <= found.worse.error


def test_a_flat_cost_tells_no_laws_apart():
    found = laws(LENGTHS, [5.0] * len(LENGTHS))
    assert (found.linear.a, found.linear.b) == (pytest.approx(5), pytest.approx(0, abs=1e-12))
    assert found.slope == pytest.approx(0, abs=1e-12)
    assert not laws(LENGTHS, [5.0, 5.1, 4.9, 5.0, 5.1, 4.9, 5.0]).clear


def test_linear_at_first_and_square_in_the_end():
    """Attention as it is: with the short lengths alone the points favour n."""
    costs = [1 + 0.02 * n + 2e-5 * n**2 for n in LENGTHS]
    assert laws(LENGTHS[:4], costs[:4]).better.power == 1
    assert laws(LENGTHS, costs).slope > laws(LENGTHS[:4], costs[:4]).slope + 0.4


@given(costs=st.lists(st.floats(0.01, 100), min_size=FEWEST, max_size=7), power=st.sampled_from((1, 2)))
def test_no_fit_is_negative_and_none_is_worse_than_a_constant(costs, power):
    found = fit(LENGTHS[: len(costs)], costs, power)
    assert found.a >= 0
    assert found.b >= 0
    y = np.array(costs)
    constant = (1 / y).sum() / (1 / y**2).sum()
    assert found.error <= np.sqrt(np.mean((constant / y - 1) ** 2)) + 1e-9


@given(costs=st.lists(st.floats(0.01, 100), min_size=FEWEST, max_size=7), power=st.sampled_from((1, 2)))
def test_no_other_allowed_numbers_fit_better(costs, power):
    lengths = np.array(LENGTHS[: len(costs)])
    found = fit(lengths, costs, power)
    for a in found.a * np.array([0, 0.9, 1, 1.1]) + np.array([0, 0, 0, 0.01]):
        for b in found.b * np.array([0, 0.9, 1, 1.1]):
            error = np.sqrt(np.mean((Fit(power, a, b, 0).at(lengths) / np.array(costs) - 1) ** 2))
            assert found.error <= error + 1e-9


def test_the_slope_is_that_of_the_last_points():
    assert slope(LENGTHS, [n**1.5 for n in LENGTHS]) == pytest.approx(1.5)
    assert slope(LENGTHS, [1.0] * 4 + [1.0, 4.0, 16.0]) == pytest.approx(2)


def test_scaling_changes_the_unit_and_no_error():
    found = laws(LENGTHS, [0.5 + 0.1 * n for n in LENGTHS])
    scaled = found.scaled(1000)
    np.testing.assert_allclose(scaled.linear.at(100), 1000 * found.linear.at(100))
    assert scaled.square.error == found.square.error


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1, 2, 4, 8], [0.5, 1, 4.0, 32], 128),  # equal at 128, and more from there on
        ([1, 2, 4, 8], [0.25, 1, 4 * 4, 32], 64 * 2 ** (1 / 3)),
        ([1, 2, 4, 8], [2, 3, 5, 9], None),  # more from the start
        ([1, 2, 4, 8], [2, 3, 5, 7], None),  # less in the end
        ([1, 2, 4, 8], [0.5, 1, 2, 4], None),
    ],
)
def test_crossing(first, second, expected):
    assert crossing(LENGTHS[:4], first, second) == (None if expected is None else pytest.approx(expected))


def test_few_points_get_no_fit():
    assert laws(LENGTHS[:3], [1, 2, 4]) is None

"""Sample series, typed ones, and their common scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from explorer.errors import UserError
from explorer.series import SAMPLES, number_labels, parse_series, sample, standardise


@pytest.mark.parametrize("kind", SAMPLES)
def test_samples_have_their_length_and_two_decimals(kind):
    values = sample(kind, 20)
    assert values.shape == (20,)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, np.round(values, 2), atol=1e-6)


def test_what_the_samples_are():
    np.testing.assert_allclose(sample("sine", 9), [0, 0.71, 1, 0.71, 0, -0.71, -1, -0.71, 0], atol=1e-6)
    assert sample("steps", 9).tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0]
    np.testing.assert_allclose(np.diff(sample("trend", 12)), 0.1, atol=1e-6)
    assert not np.array_equal(sample("noise", 8, seed=0), sample("noise", 8, seed=1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 2 3", [1, 2, 3]),
        ("1, 2; 3\n4", [1, 2, 3, 4]),
        ("−1 0.5 1/4", [-1, 0.5, 0.25]),
        ("  7  ", [7]),
    ],
)
def test_typed_series(text, expected):
    values = parse_series(text, 24)
    assert values.dtype == np.float32
    assert values.tolist() == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no numbers"),
        (" \n ;", "no numbers"),
        ("1 two 3", "“two”"),
        ("1 nan", "“nan”"),
        ("1e9", "“1e9”"),
        ("1 2 3 4 5", "There are 5 numbers: use 4 at most."),
    ],
)
def test_what_cannot_be_read_is_said(text, words):
    with pytest.raises(UserError, match=words.replace(".", r"\.")):
        parse_series(text, 4)


@given(values=arrays.arrays(np.float32, st.integers(1, 30), elements=st.floats(-1e6, 1e6, width=32)))
def test_standardised(values):
    out = standardise(values)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert abs(float(out.mean())) <= 1e-3
    assert float(out.std()) == pytest.approx(1, abs=1e-3) or (out == 0).all()


def test_equal_numbers_become_zeros():
    assert standardise(np.full(5, 3.3, np.float32)).tolist() == [0] * 5


def test_labels_have_real_minus_signs():
    assert number_labels(np.array([-0.71, 0, 12], np.float32)) == ("−0.71", "0", "12")

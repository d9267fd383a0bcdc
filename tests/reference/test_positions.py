"""Sinusoids against the formula in float64, and the rotation that shifts a position."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.models.positions import shift_positions, shift_rotations, sinusoid_positions
from explorer.position_views import distances, dot_products, shift, wave, wavelengths

LONGEST = 128
bases = st.sampled_from([10.0, 100.0, 1000.0, 10_000.0, 100_000.0]) | st.floats(2, 1e6)
even = st.integers(1, 64).map(lambda pairs: 2 * pairs)


def formula(length: int, d_model: int, base: float) -> np.ndarray:
    """PE(pos, 2i) = sin(pos / base^(2i/d)), PE(pos, 2i+1) = cos(…), number by number in float64."""
    table = np.empty((length, d_model))
    for position in range(length):
        for dimension in range(d_model):
            angle = position / base ** (2 * (dimension // 2) / d_model)
            table[position, dimension] = math.cos(angle) if dimension % 2 else math.sin(angle)
    return table


@given(length=st.integers(1, LONGEST), d_model=st.integers(1, 32), base=bases)
def test_the_table_is_the_formula(length, d_model, base):
    table = sinusoid_positions(length, d_model, base)
    assert table.shape == (length, d_model)
    assert table.dtype == torch.float32
    # An angle up to 128 is known in float32 to 128 · 2⁻²⁴ ≈ 8e-6, and a sine to as much.
    np.testing.assert_allclose(table.numpy(), formula(length, d_model, base), atol=3e-5)
    short = slice(0, 16)
    np.testing.assert_allclose(table.numpy()[short], formula(length, d_model, base)[short], atol=5e-6)


@given(length=st.integers(2, LONGEST), d_model=even, base=bases, data=st.data())
def test_turning_each_pair_shifts_every_position(length, d_model, base, data):
    offset = data.draw(st.integers(-(length - 1), length - 1))
    table = sinusoid_positions(length, d_model, base)
    shifted = shift_positions(table, offset, base)
    here, there = (slice(0, length - offset), slice(offset, None)) if offset >= 0 else (
        slice(-offset, None), slice(0, length + offset))  # fmt: skip
    torch.testing.assert_close(shifted[here], table[there], rtol=0, atol=4e-5)


@given(d_model=even, base=bases, first=st.integers(-50, 50), second=st.integers(-50, 50))
def test_shifts_are_rotations_that_add_up(d_model, base, first, second):
    one, two = shift_rotations(d_model, first, base), shift_rotations(d_model, second, base)
    torch.testing.assert_close(one @ one.mT, torch.eye(2).expand_as(one), rtol=0, atol=1e-6)
    torch.testing.assert_close(torch.linalg.det(one), torch.ones(d_model // 2), rtol=0, atol=1e-6)
    torch.testing.assert_close(one @ two, shift_rotations(d_model, first + second, base), rtol=0, atol=3e-5)


@given(length=st.integers(2, 64), d_model=even, base=bases)
def test_dot_product_and_distance_depend_on_the_offset_alone(length, d_model, base):
    table = sinusoid_positions(length, d_model, base).numpy()
    offsets = np.arange(length)
    # sin a sin b + cos a cos b = cos(a − b), for each frequency
    expected = np.cos(2 * np.pi * offsets[:, None] / wavelengths(d_model, base)).sum(1)
    dots, apart = dot_products(table), distances(table)
    np.testing.assert_allclose(dots.mean, expected, atol=d_model * 1e-5)
    assert dots.spread.max() < d_model * 2e-5
    squared = np.maximum(d_model - 2 * expected, 0)  # ‖p − q‖² = d/2 + d/2 − 2 p·q
    np.testing.assert_allclose(apart.mean**2, squared, atol=d_model * 1e-4)
    np.testing.assert_allclose(np.diagonal(dots.pairs), d_model / 2, rtol=1e-5)


@pytest.mark.parametrize(("d_model", "base"), [(64, 10_000.0), (512, 10_000.0), (8, 100.0)])
def test_waves_repeat_after_their_wavelength(d_model, base):
    longest = 2 * np.pi * base ** ((d_model - 2) / d_model)
    np.testing.assert_allclose(wavelengths(d_model, base)[[0, -1]], [2 * np.pi, longest])
    for dimension in (0, 1, d_model // 2, d_model - 1):
        drawn = wave(40, d_model, base, dimension)
        assert drawn.wavelength == wavelengths(d_model, base)[dimension // 2]
        np.testing.assert_allclose(drawn.values[::8], formula(40, d_model, base)[:, dimension], atol=1e-9)


@given(length=st.integers(2, LONGEST), d_model=even, base=bases, data=st.data())
def test_a_shift_shown_is_the_one_of_the_formula(length, d_model, base, data):
    position = data.draw(st.integers(0, length - 2))
    offset = data.draw(st.integers(1, length - 1 - position))
    pair = data.draw(st.integers(0, d_model // 2 - 1))
    shown = shift(length, d_model, base, pair, position, offset)
    np.testing.assert_allclose(shown.angle, offset / base ** (2 * pair / d_model), rtol=1e-9)
    np.testing.assert_allclose(shown.turned, shown.rotation @ shown.before, atol=1e-6)
    np.testing.assert_allclose(shown.turned, shown.after, atol=4e-5)
    assert shown.difference < 4e-5

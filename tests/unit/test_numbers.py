"""Numbers as text."""

from __future__ import annotations

import pytest

from explorer.numbers import grouped, number, power


@pytest.mark.parametrize(("value", "text"), [(0.12345, "0.123"), (-0.5, "−0.500"), (-0.0001, "0.000"), (12, "12.000")])
def test_numbers_have_a_minus_sign_and_no_negative_zero(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(7, "7"), (4194304, "4\u202f194\u202f304")])
def test_thousands_stand_apart(value: int, text: str) -> None:
    assert grouped(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0421, "0.042"),
        (0.5, "0.50"),
        (3.14, "3.1"),
        (9.99, "10"),
        (12.3, "12"),
        (1234, "1200"),
        (12345, "1.2·10⁴"),
        (3.24e-12, "3.2·10⁻¹²"),
        (-1e-5, "−1.0·10⁻⁵"),
        (1e300, "1.0·10³⁰⁰"),
    ],
)
def test_powers_of_ten(value: float, text: str) -> None:
    assert power(value) == text

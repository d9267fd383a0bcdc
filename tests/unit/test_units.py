from __future__ import annotations

import pytest

from explorer.units import bytes_text, seconds_text, three


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ns"),
        (2.5e-9, "2.50 ns"),
        (8.54e-5, "85.4 µs"),
        (0.00266, "2.66 ms"),
        (0.9999, "1.00 s"),
        (99.96, "100 s"),
        (119, "119 s"),
        (121, "2.02 min"),
        (100_000, "27.8 h"),
        (86400 * 1234.5, "1\u202f230 days"),
    ],
)
def test_seconds(seconds, text):
    assert seconds_text(seconds) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (12, "12.0 B"),
        (999.7, "1.00 kB"),
        (3_948_800, "3.95 MB"),
        (4e10, "40.0 GB"),
        (4e15, "4\u202f000 TB"),
    ],
)
def test_bytes(size, text):
    assert bytes_text(size) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.012345, "0.0123"), (-4.5, "−4.50"), (78_949, "78\u202f900")])
def test_three_digits(value, text):
    assert three(value) == text

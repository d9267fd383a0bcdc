"""Numbers as text, the way a printed book has them: a real minus sign, thousands apart, powers of ten."""

from __future__ import annotations

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 3) -> str:
    """With so many decimals, and without a negative zero."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}".replace("-", "−")


def grouped(value: int) -> str:
    """4194304 → 4 194 304, with narrow spaces that do not break."""
    return f"{value:,}".replace(",", "\u202f")


def power(value: float) -> str:
    """Two significant digits: 0.042, 3.1, 120, and beyond 0.001 or 10 000 a power of ten, 3.2·10⁻¹²."""
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e4:
        digits = f"{value:#.2g}" if abs(value) < 10 else f"{float(f'{value:.2g}'):.0f}"
        return digits.rstrip(".").replace("-", "−")
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(SUPERSCRIPT)}".replace("-", "−")

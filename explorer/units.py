"""Times and sizes as text: three significant digits, and the unit that suits them; no line breaks between the two."""

from __future__ import annotations

import math

from explorer.text import _


def seconds_text(seconds: float) -> str:
    """0.00266 → 2.66 ms; from nanoseconds to days."""
    units = ((86400.0, _("days")), (3600.0, _("h")), (60.0, _("min")))
    for size, unit in units:
        if seconds >= 2 * size:
            return f"{three(seconds / size)}\u00a0{unit}"
    return _with_unit(seconds, ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")))


def bytes_text(size: float) -> str:
    """3948800 → 3.95 MB; a kB is 1000 bytes."""
    return _with_unit(size, ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")))


def three(value: float) -> str:
    """Three significant digits, no power of ten, thousands apart: 0.0123, 4.56, 78 900."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.2e}")
    digits = 2 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(digits, 0)}f}".replace(",", "\u202f").replace("-", "−")


def _with_unit(value: float, units: tuple[tuple[float, str], ...]) -> str:
    if value == 0:
        return f"0\u00a0{units[-1][1]}"
    # 999.7 kB would be rounded to 1000 kB.
    size, unit = next(((size, unit) for size, unit in units if value >= 0.9995 * size), units[-1])
    return f"{three(value / size)}\u00a0{unit}"

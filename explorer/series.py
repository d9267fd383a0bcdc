"""Short series of numbers: samples to choose from, typed ones, and the same on a common scale. Float32 (T,)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from explorer.errors import UserError
from explorer.tables import parse_table
from explorer.text import _

Sample = Literal["sine", "steps", "noise", "trend"]
SAMPLES: tuple[Sample, ...] = ("sine", "steps", "noise", "trend")
PERIOD = 8
"""Places after which the sine repeats; the steps go up and down after half of it."""


def sample(kind: Sample, length: int, seed: int = 0) -> np.ndarray:
    """A series of this kind, two decimals. seed: of the noise, which is standard normal."""
    place = np.arange(length)
    if kind == "noise":
        values = np.random.default_rng(seed).standard_normal(length)
    else:
        values = {
            "sine": np.sin(2 * np.pi * place / PERIOD),
            "steps": place // (PERIOD // 2) % 2,
            "trend": place / 10,
        }[kind]
    return (np.round(values, 2) + 0.0).astype(np.float32)


def parse_series(text: str, most: int) -> np.ndarray:
    """Typed numbers, parted by blanks, commas, semicolons or lines. Raises UserError, also for more than `most`."""
    row = " ".join(text.replace(";", " ").split())
    values = parse_table(row, rows=(1, 1), columns=(1, len(row) + 1))[0, 0]
    if len(values) > most:
        message = _("There are {found} numbers: use {most} at most.")
        raise UserError(message.format(found=len(values), most=most))
    return values


def standardise(values: np.ndarray) -> np.ndarray:
    """(values − mean) / standard deviation; zeros where all values are equal."""
    wide = values.astype(np.float64)
    spread = wide.std()
    centred = wide - wide.mean()
    return (centred / spread if spread > 1e-12 * np.abs(wide).max(initial=1.0) else np.zeros_like(centred)).astype(
        np.float32
    )


def number_labels(values: np.ndarray) -> tuple[str, ...]:
    """The numbers as short text, with real minus signs."""
    return tuple(f"{value:.4g}".replace("-", "−") for value in values)

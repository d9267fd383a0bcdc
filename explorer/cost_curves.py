"""Measured points as curves over the length, their laws, and what two layers cost beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.cost_fits import Laws, crossing, laws
from explorer.cost_measure import Pass, Point, Spot
from explorer.sequence_layers import KEYS, Key

What = Literal["time", "memory"]


@dataclass(frozen=True, eq=False)
class Curve:
    """One layer. lengths: int (k,), rising; values: seconds (medians) or bytes, (k,); low, high: their quartiles, (k,)."""

    lengths: np.ndarray
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    laws: Laws | None

    def at(self, length: int) -> float:
        """The value at a measured length."""
        return float(self.values[self.lengths == length][0])

    @property
    def signature(self) -> tuple[bytes, ...]:
        """Equal for equal points."""
        return tuple(part.tobytes() for part in (self.lengths, self.values, self.low, self.high))

    @property
    def last_growth(self) -> float:
        """By what the value grew over the last doubling of the length; nan with one point."""
        return float(self.values[-1] / self.values[-2]) if len(self.values) > 1 else float("nan")


@dataclass(frozen=True)
class Comparison:
    """Two layers at the longest length that both have. ratio: second ÷ first. crossing: from where on second costs more."""

    length: int
    first: float
    second: float
    crossing: float | None

    @property
    def ratio(self) -> float:
        """How many times as much the second costs."""
        return self.second / self.first


def curves(points: Mapping[Spot, Point], passing: Pass, what: What, longest: int) -> dict[Key, Curve]:
    """A curve for each layer that has points, up to the longest length; the laws go through these points only."""
    made = {}
    for key in KEYS:
        mine = [p for (layer, kind, n), p in sorted(points.items()) if (layer, kind) == (key, passing) and n <= longest]
        mine = [point for point in mine if point.seconds]
        if not mine:
            continue
        lengths = np.array([point.length for point in mine])
        if what == "time":
            values = np.array([point.median for point in mine])
            low, high = np.array([point.quartiles for point in mine]).T
        else:
            values = low = high = np.array([float(point.peak) for point in mine])
        made[key] = Curve(lengths, values, low, high, laws(lengths.tolist(), values.tolist()))
    return made


def compare(made: Mapping[Key, Curve], first: Key, second: Key) -> Comparison | None:
    """Two layers where both were measured; None if that is nowhere."""
    if first not in made or second not in made:
        return None
    common = np.intersect1d(made[first].lengths, made[second].lengths)
    if not len(common):
        return None
    one, other = ([made[key].at(n) for n in common] for key in (first, second))
    return Comparison(int(common[-1]), one[-1], other[-1], crossing(common.tolist(), one, other))

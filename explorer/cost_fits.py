"""Which law measured costs follow: a + b·n or a + b·n², by least squares; and how a layer compares with another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

FEWEST = 4
"""Points; two numbers go through any two points."""
CLEAR = 1.5
"""One law is called better if the other's error is so many times as large."""


@dataclass(frozen=True)
class Fit:
    """a + b·n^power, a and b ≥ 0. error: root mean square of the relative errors, 0.1 for 10 %."""

    power: int
    a: float
    b: float
    error: float

    def at(self, n: np.ndarray | float) -> np.ndarray:
        """The cost at these lengths."""
        return self.a + self.b * np.asarray(n, float) ** self.power

    def scaled(self, factor: float) -> Fit:
        """The same fit in another unit."""
        return replace(self, a=factor * self.a, b=factor * self.b)


@dataclass(frozen=True)
class Laws:
    """Both fits through one layer's points. slope: of the costs against the length on log–log scales, at the long end."""

    linear: Fit
    square: Fit
    slope: float

    @property
    def better(self) -> Fit:
        """The one with the smaller error."""
        return min(self.linear, self.square, key=lambda fit: fit.error)

    @property
    def worse(self) -> Fit:
        """The other one."""
        return self.square if self.better is self.linear else self.linear

    @property
    def clear(self) -> bool:
        """Whether the points tell the laws apart."""
        return self.worse.error > CLEAR * self.better.error

    def scaled(self, factor: float) -> Laws:
        """The same laws in another unit."""
        return replace(self, linear=self.linear.scaled(factor), square=self.square.scaled(factor))


def fit(lengths: Sequence[int], costs: Sequence[float], power: int) -> Fit:
    """Least squares of the relative errors, so that each length counts alike; neither a nor b falls below 0.

    costs: > 0. A negative a would mean that no work takes less than no time.
    """
    x = np.asarray(lengths, float) ** power
    y = np.asarray(costs, float)
    scale = x.max()
    design = np.stack([np.ones_like(x), x / scale], axis=1) / y[:, None]
    # With two numbers the best of the allowed is the free optimum, or the best with one of them 0.
    free = np.linalg.lstsq(design, np.ones_like(y))[0]
    alone = design.sum(axis=0) / (design**2).sum(axis=0)
    candidates = [free, np.array([0.0, alone[1]]), np.array([alone[0], 0.0])]
    errors = [float(np.sqrt(np.mean((design @ c - 1) ** 2))) if (c >= 0).all() else np.inf for c in candidates]
    best = int(np.argmin(errors))
    a, b = candidates[best]
    return Fit(power, float(a), float(b / scale), errors[best])


def slope(lengths: Sequence[int], costs: Sequence[float], points: int = 3) -> float:
    """d log(cost) / d log(length) over the longest `points` lengths: 1 where costs double with the length, 2 where they
    grow fourfold.
    """
    x, y = np.log(np.asarray(lengths[-points:], float)), np.log(np.asarray(costs[-points:], float))
    return float(np.polyfit(x, y, 1)[0])


def laws(lengths: Sequence[int], costs: Sequence[float]) -> Laws | None:
    """Both fits; None through fewer points than FEWEST."""
    if len(lengths) < FEWEST:
        return None
    return Laws(fit(lengths, costs, 1), fit(lengths, costs, 2), slope(lengths, costs))


def crossing(lengths: Sequence[int], first: Sequence[float], second: Sequence[float]) -> float | None:
    """The length from which on `second` costs more than `first`, between two measured ones; None where it never does so.

    On log–log scales, in a straight line between the last points on either side.
    """
    gap = np.log(np.asarray(second, float)) - np.log(np.asarray(first, float))
    if gap[-1] <= 0 or (gap > 0).all():
        return None
    last = int(np.flatnonzero(gap <= 0)[-1])
    share = -gap[last] / (gap[last + 1] - gap[last])
    x = np.log(np.asarray(lengths, float))
    return float(np.exp(x[last] + share * (x[last + 1] - x[last])))

"""Several classifiers' answers to one photo beside each other: what they agree on, by the names of their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np


@dataclass(frozen=True, eq=False)
class Answer:
    """One classifier's. name: for the visitor; labels: of its classes; probabilities: float32 (classes,), sum 1."""

    name: str
    labels: tuple[str, ...]
    probabilities: np.ndarray

    @cached_property
    def by_name(self) -> dict[str, float]:
        """Class name as compared → probability. Of several classes of one name (ImageNet has two cranes), the sum."""
        found: dict[str, float] = {}
        for label, probability in zip(self.labels, self.probabilities.tolist(), strict=True):
            found[plain(label)] = found.get(plain(label), 0.0) + probability
        return found

    def best(self, top: int) -> tuple[str, ...]:
        """The `top` most likely names, as compared, best first."""
        return tuple(sorted(self.by_name, key=self.by_name.__getitem__, reverse=True)[:top])


@dataclass(frozen=True)
class Row:
    """One class. probabilities: of each answer, None where that one does not know the class.

    ranks: from 1, None where the class is not among that one's best.
    """

    label: str
    probabilities: tuple[float | None, ...]
    ranks: tuple[int | None, ...]

    @property
    def shared(self) -> bool:
        """Whether several have it among their best."""
        return sum(rank is not None for rank in self.ranks) > 1


@dataclass(frozen=True)
class Pair:
    """Two answers, by their places. overlap: how many of the `top` best names both have.

    distance: total variation ½ Σ_c |p_c − q_c|, 0–1, None where they do not know the same classes; common: names both know.
    """

    first: int
    second: int
    overlap: int
    common: int
    distance: float | None


@dataclass(frozen=True)
class Agreement:
    """rows: every class that is among somebody's best, the likeliest first; pairs: each two answers."""

    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]

    @property
    def same_best(self) -> bool:
        """Whether all give one class the most."""
        return any(all(rank == 1 for rank in row.ranks) for row in self.rows)

    @property
    def shared(self) -> tuple[str, ...]:
        """Names that several have among their best."""
        return tuple(row.label for row in self.rows if row.shared)


def plain(label: str) -> str:
    """A class name as it is compared: "Sea_Horse" and "sea horse" are one."""
    return " ".join(label.replace("_", " ").casefold().split())


def compare(answers: Sequence[Answer], top: int) -> Agreement:
    """At least one answer; top: how many of each one's classes count as its best."""
    best = [answer.best(top) for answer in answers]
    spelled = {plain(label): label for answer in reversed(answers) for label in answer.labels}
    rows = []
    for name in dict.fromkeys(name for names in best for name in names):
        probabilities = tuple(answer.by_name.get(name) for answer in answers)
        ranks = tuple(names.index(name) + 1 if name in names else None for names in best)
        rows.append(Row(spelled[name], probabilities, ranks))
    rows.sort(key=lambda row: -sum(p or 0.0 for p in row.probabilities))
    pairs = [
        Pair(i, j, len({*best[i]} & {*best[j]}), len(answers[i].by_name.keys() & answers[j].by_name), _distance(
            answers[i], answers[j]))
        for i, j in combinations(range(len(answers)), 2)
    ]  # fmt: skip
    return Agreement(tuple(rows), tuple(pairs))


def _distance(first: Answer, second: Answer) -> float | None:
    """Total variation distance, where both know the same classes."""
    p, q = first.by_name, second.by_name
    if p.keys() != q.keys():
        return None
    return sum(abs(p[name] - q[name]) for name in p) / 2

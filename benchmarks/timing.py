"""Timing of things side by side: in turns and in random order, so that a busy moment hits all alike."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def compare(tasks: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 2) -> dict[str, list[float]]:
    """Seconds of every run: name → `rounds` values. Every round runs each task once, in random order."""
    shuffle = random.Random(0).shuffle
    for task in tasks.values():
        for _ in range(warm_up):
            task()
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        names = list(tasks)
        shuffle(names)
        for name in names:
            start = time.perf_counter()
            tasks[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def median_ratio(seconds: Mapping[str, list[float]], name: str, peer: str) -> float:
    """Median over the rounds of (time of name ÷ time of peer in the same round)."""
    return statistics.median(a / b for a, b in zip(seconds[name], seconds[peer], strict=True))


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of them lies, 0–1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def spread(milliseconds: Sequence[float]) -> str:
    """The median and the value that one in twenty exceeds."""
    half, most = (percentile(list(milliseconds), share) for share in (0.5, 0.95))
    return f"p50 {half:.0f} ms, p95 {most:.0f} ms"

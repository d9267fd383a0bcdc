"""What layers that read a sequence cost, measured on this machine: seconds and peak bytes against the length.

    for progress in measure(Setup(), QUICK):
        print(progress.share, progress.point)

Every length is warmed up, then timed in rounds: in each round every layer has its turn, another one first each time, so that
a busy moment of the machine hits all alike. A point keeps all its samples. What was measured before is not measured again.
"""

from __future__ import annotations

import csv
import gc
import io
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from explorer.live_memory import available_bytes, peak_bytes
from explorer.sequence_layers import Key, Layer, Setup, make_layers

Pass = Literal["forward", "training"]
PASSES: tuple[Pass, ...] = ("forward", "training")
"""training: forward and backward, with the gradients of the weights and of the input."""

LENGTHS = (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
FEWEST, PATIENCE = 4, 20.0
"""So many lengths are measured even if they take longer than planned, up to so many seconds: a fit needs them."""
SAMPLE_SECONDS = 0.002
"""Calls that are shorter are repeated until a sample takes this long, and divided."""
LEAST_MEMORY, MOST_MEMORY = 64 * 2**20, 768 * 2**20

Spot = tuple[Key, Pass, int]
"""Layer, pass, length."""


@dataclass(frozen=True)
class Plan:
    """How much is measured. lengths: rising; repeats: samples a point. seconds: no further length is begun if it would end
    after them. point_seconds: a layer stops before a point that would take longer. memory: as memory_budget(), bytes.
    """

    lengths: tuple[int, ...]
    repeats: int
    seconds: float
    point_seconds: float
    memory: int = 512 * 2**20


@dataclass(frozen=True)
class Point:
    """One layer at one length. seconds: a sample each, of one call; peak: bytes, beyond weights and input.

    ready: seconds until the first sample, with the warm-up and the run that measures the peak.
    """

    layer: Key
    passing: Pass
    length: int
    peak: int
    seconds: tuple[float, ...] = ()
    ready: float = 0.0

    @property
    def median(self) -> float:
        """Seconds."""
        return float(np.median(self.seconds))

    @property
    def quartiles(self) -> tuple[float, float]:
        """Seconds; a half of the samples lies between them."""
        low, high = np.quantile(self.seconds, (0.25, 0.75))
        return float(low), float(high)


@dataclass(frozen=True)
class Cut:
    """A layer is not measured from this length on. foreseen: seconds for "time" and "total", bytes for "memory"."""

    layer: Key
    length: int
    reason: Literal["time", "memory", "total"]
    foreseen: float


@dataclass(frozen=True)
class Progress:
    """After each sample and each cut, and when a layer is ready. share: 0–1 of the plan; point: what has a sample more."""

    share: float
    length: int
    layer: Key
    point: Point | None = None
    cut: Cut | None = None


def memory_budget() -> int:
    """Bytes that a measurement may use: a quarter of what this machine has left, within bounds."""
    left = available_bytes()
    return MOST_MEMORY // 2 if left is None else min(max(left // 4, LEAST_MEMORY), MOST_MEMORY)


def quick_plan(longest: int) -> Plan:
    """What a visitor can wait for when the page opens."""
    return Plan(tuple(n for n in LENGTHS if n <= min(longest, 1024)), 3, 3.0, 1.0, memory_budget())


def full_plan(longest: int) -> Plan:
    """What a visitor asks for and can stop."""
    return Plan(tuple(n for n in LENGTHS if n <= longest), 9, 120.0, 10.0, memory_budget())


def measure(
    setup: Setup, plan: Plan, had: Mapping[Spot, Point] | None = None, spent: float = 0.0
) -> Generator[Progress]:
    """Measure what `had` lacks of the plan, shortest lengths first. Close the generator to stop: between two samples.

    spent: seconds that the plan has taken so far.
    """
    points: dict[Spot, Point] = dict(had or {})
    layers = make_layers(setup)
    _start_profiler()
    began = time.perf_counter()
    total = sum(plan.lengths)
    for place, length in enumerate(plan.lengths):
        before = sum(plan.lengths[:place])
        for cut in _cuts(layers, points, plan, place, spent + time.perf_counter() - began):
            del layers[cut.layer]
            yield Progress(before / total, length, cut.layer, cut=cut)
        if not layers:
            return
        runs = {(key, passing): _Run(layer, length, passing) for key, layer in layers.items() for passing in PASSES}
        missing = {spot: plan.repeats - _samples(points, (*spot, length)) for spot in runs}
        runs = {spot: run for spot, run in runs.items() if missing[spot] > 0}
        rounds = max((missing[spot] for spot in runs), default=0)
        for spot, run in runs.items():
            start = time.perf_counter()
            run.warm_up()
            known = points.get((*spot, length))
            peak = peak_bytes(run, run.outside) if known is None else known.peak
            run.count_calls()
            if known is None:
                points[*spot, length] = Point(*spot, length, peak, ready=time.perf_counter() - start)
            yield Progress(before / total, length, spot[0])
        for turn in range(rounds):
            order = list(runs)
            first = turn * len(PASSES) % len(order)
            for done, spot in enumerate(order[first:] + order[:first]):
                if missing[spot] > turn:
                    point = points[*spot, length]
                    point = points[*spot, length] = replace(point, seconds=(*point.seconds, runs[spot].sample()))
                    within = (turn + (done + 1) / len(order)) / rounds
                    yield Progress((before + length * within) / total, length, spot[0], point)


def to_csv(setup: Setup, points: Mapping[Spot, Point]) -> str:
    """A line for each point: what was measured, and how."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    names = "code equal d_model layer pass length repeats median_s quartile1_s quartile3_s peak_bytes threads torch"
    table.writerow(names.split())
    for (layer, passing, length), p in sorted(points.items()):
        if p.seconds:
            times = (f"{seconds:.9f}" for seconds in (p.median, *p.quartiles))
            table.writerow([setup.code, setup.equal, setup.width, layer, passing, length, len(p.seconds), *times, p.peak,
                            torch.get_num_threads(), torch.__version__])  # fmt: skip
    return text.getvalue()


def threads() -> int:
    """How many threads torch computes a call with."""
    return torch.get_num_threads()


class _Run:
    """One layer over one sequence, ready to be called again and again. It leaves nothing behind."""

    def __init__(self, layer: Layer, length: int, passing: Pass):
        self.layer = layer
        self.passing = passing
        self.x = layer.words(length).requires_grad_(passing == "training")
        self.weights = list(layer.module.parameters())
        self.above: Tensor | None = None
        self.calls = 1
        self.first = 0.0  # seconds of the first call

    @property
    def outside(self) -> list[Tensor]:
        """What there is before the run."""
        return [self.x, *self.weights, *([] if self.above is None else [self.above])]

    def warm_up(self) -> None:
        """The first call sets much up that later ones find ready."""
        if self.passing == "training":  # the gradient that would come from the layer above
            with torch.no_grad():
                self.above = torch.randn_like(self.layer.call(self.x))
        start = time.perf_counter()
        self()
        self.first = time.perf_counter() - start

    def count_calls(self) -> None:
        """So many calls make a sample that is long enough for the clock."""
        if self.first > 10 * SAMPLE_SECONDS:
            return
        start = time.perf_counter()
        self()
        self.calls = max(1, round(SAMPLE_SECONDS / max(time.perf_counter() - start, 1e-7)))

    def __call__(self) -> None:
        if self.passing == "forward":
            with torch.no_grad():
                self.layer.call(self.x)
        else:
            self.layer.call(self.x).backward(self.above)
            for tensor in (self.x, *self.weights):
                tensor.grad = None

    def sample(self) -> float:
        """Seconds of one call, the mean over self.calls."""
        with _uncollected():
            start = time.perf_counter()
            for _ in range(self.calls):
                self()
            return (time.perf_counter() - start) / self.calls


@contextmanager
def _uncollected() -> Iterator[None]:
    """Python's garbage collector would add its pauses to whichever layer has its turn."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _samples(points: Mapping[Spot, Point], spot: Spot) -> int:
    return len(points[spot].seconds) if spot in points else 0


@cache
def _start_profiler() -> None:
    """Its first use takes a second, which is no part of what is measured."""
    peak_bytes(lambda: torch.ones(1) + 1)


def _cuts(layers: Iterable[Key], points: Mapping[Spot, Point], plan: Plan, place: int, elapsed: float) -> list[Cut]:
    """The layers that go no further than this length, from what they took at the ones before."""
    if place == 0:
        return []
    length = plan.lengths[place]
    enough = place >= FEWEST or elapsed > PATIENCE
    cuts, needed = [], {}
    lacking = [key for key in layers if any(_samples(points, (key, p, length)) < plan.repeats for p in PASSES)]
    for key in lacking:
        known = [[points[key, passing, n] for n in plan.lengths[max(place - 2, 0) : place]] for passing in PASSES]
        needed[key] = sum(_grown(run, length, lambda p: p.ready + p.median * plan.repeats) for run in known)
        peak = max(_grown(run, length, lambda p: p.peak) for run in known)
        if peak > plan.memory:
            cuts.append(Cut(key, length, "memory", peak))
        elif needed[key] > plan.point_seconds and enough:
            cuts.append(Cut(key, length, "time", needed[key]))
    going = [key for key in needed if key not in {cut.layer for cut in cuts}]
    together = sum(needed[key] for key in going)
    if elapsed + together > plan.seconds and enough:
        cuts += [Cut(key, length, "total", together) for key in going]
    return cuts


def _grown(points: Sequence[Point], length: int, value: Callable[[Point], float]) -> float:
    """A value at a greater length. It grows on as it did, at least in proportion to the length, at most to its square."""
    last = points[-1]
    growth = 1.0
    if len(points) > 1 and value(points[-2]) > 0:
        growth = float(np.log(value(last) / value(points[-2])) / np.log(last.length / points[-2].length))
    return value(last) * (length / last.length) ** min(max(growth, 1.0), 2.0)

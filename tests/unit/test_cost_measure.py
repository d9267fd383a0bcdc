"""Measuring: what a point holds, that it can be stopped and goes on, and where it ends by itself. No time is asserted."""

from __future__ import annotations

import csv
import io
from contextlib import closing
from dataclasses import replace
from itertools import islice

import pytest
import torch

from explorer import cost_measure
from explorer.cost_curves import compare, curves
from explorer.cost_measure import (
    LEAST_MEMORY,
    MOST_MEMORY,
    PASSES,
    Plan,
    Point,
    full_plan,
    measure,
    memory_budget,
    quick_plan,
    to_csv,
)
from explorer.numbers import grouped
from explorer.plots.costs import costs
from explorer.sequence_layers import KEYS, Setup
from explorer.ui import rnn_or_attention_pictures as show
from explorer.ui import rnn_or_attention_tables as tables
from explorer.ui import rnn_or_attention_texts as tell

SMALL = Setup(4)
PLAN = Plan((4, 8), repeats=2, seconds=60, point_seconds=60)


def run(plan: Plan, had: dict | None = None, setup: Setup = SMALL):
    """All points, all cuts and every share that was reported."""
    points, cuts, shares = dict(had or {}), {}, []
    for progress in measure(setup, plan, points):
        shares.append(progress.share)
        if progress.point is not None:
            point = progress.point
            points[point.layer, point.passing, point.length] = point
        if progress.cut is not None:
            cuts[progress.cut.layer] = progress.cut
    return points, cuts, shares


@pytest.fixture(scope="module")
def measured():
    return run(Plan((4, 8, 16, 32), repeats=3, seconds=60, point_seconds=60))


def test_every_layer_has_its_samples_at_every_length(measured):
    points, cuts, shares = measured
    assert set(points) == {(key, passing, n) for key in KEYS for passing in PASSES for n in (4, 8, 16, 32)}
    for point in points.values():
        assert len(point.seconds) == 3
        assert all(seconds > 0 for seconds in point.seconds)
        low, high = point.quartiles
        assert min(point.seconds) <= low <= point.median <= high <= max(point.seconds)
        assert point.peak > 0
        assert point.ready > 0
    assert cuts == {}
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_peak_is_that_of_known_tensors(measured):
    points, _, _ = measured
    # The plain forward RNN holds the states of all steps at the end, and their stack: 2 · n · d numbers of 4 bytes.
    plain, _, _ = run(Plan((8,), 1, 60, 60), setup=Setup(4, "plain"))
    assert 2 * 8 * 4 * 4 <= plain["rnn", "forward", 8].peak <= 3 * 8 * 4 * 4
    for key in KEYS:  # training keeps more than a forward pass alone
        assert points[key, "training", 32].peak > points[key, "forward", 32].peak
    assert points["attention", "training", 32].peak > 2 * 4 * 32 * 32  # scores and weights, at least


def test_each_round_begins_with_another_layer():
    order = [
        p.layer for p in measure(SMALL, Plan((4,), 3, 60, 60)) if p.point is not None and p.point.passing == "forward"
    ]
    first = [order[k] for k in range(0, len(order), len(KEYS))]
    assert len(set(first)) == 3


def test_a_stopped_measurement_keeps_its_points_and_goes_on():
    points = {}
    with closing(measure(SMALL, PLAN)) as running:
        for progress in islice(running, 25):
            if progress.point is not None:
                points[progress.point.layer, progress.point.passing, progress.length] = progress.point
    assert 0 < len(points) < 2 * len(KEYS) * len(PASSES)
    later, _, _ = run(PLAN, points)
    assert len(later) == 2 * len(KEYS) * len(PASSES)
    for spot, point in points.items():
        assert later[spot].seconds[: len(point.seconds)] == point.seconds
        assert later[spot].peak == point.peak
    assert all(len(point.seconds) == 2 for point in later.values())


def test_what_is_complete_is_not_measured_again():
    points, _, _ = run(PLAN)
    again, _, _ = run(PLAN, points)
    assert again == points
    more, _, _ = run(replace(PLAN, repeats=3), points)
    assert {spot: point.seconds[:2] for spot, point in more.items()} == {s: p.seconds for s, p in points.items()}


def test_stopping_between_two_timings_leaves_nothing_behind():
    gradients = torch.is_grad_enabled()
    running = measure(SMALL, PLAN)
    next(running)
    running.close()
    assert torch.is_grad_enabled() == gradients
    assert cost_measure.gc.isenabled()


@pytest.mark.parametrize(
    ("change", "reason", "last"),
    [({"memory": 1}, "memory", 4), ({"point_seconds": 0}, "time", 32), ({"seconds": 0}, "total", 32)],
)
def test_it_ends_where_too_much_is_foreseen_and_says_why(change, reason, last):
    plan = replace(Plan((4, 8, 16, 32, 64), repeats=1, seconds=60, point_seconds=60), **change)
    points, cuts, _ = run(plan)
    assert max(length for _, _, length in points) == last
    assert set(cuts) == set(KEYS)
    for cut in cuts.values():
        assert cut.reason == reason
        assert cut.length == 2 * last
        assert cut.foreseen > 0


def test_on_a_machine_that_takes_far_too_long_it_ends_sooner(monkeypatch):
    monkeypatch.setattr(cost_measure, "PATIENCE", 0.0)
    points, cuts, _ = run(Plan((4, 8, 16), repeats=1, seconds=0, point_seconds=60))
    assert {n for _, _, n in points} == {4}
    assert {cut.reason for cut in cuts.values()} == {"total"}


def test_cost_is_foreseen_between_n_and_n_squared():
    points = {}
    for length, peak in ((4, 100), (8, 400)):
        points["attention", "forward", length] = Point("attention", "forward", length, peak, (1.0,))
        points["attention", "training", length] = Point("attention", "training", length, peak, (1.0,))
    plan = Plan((4, 8, 16), 1, 60, 60, memory=1599)
    (cut,) = cost_measure._cuts(["attention"], points, plan, 2, 0.0)
    assert (cut.reason, cut.foreseen) == ("memory", pytest.approx(1600))
    assert cost_measure._cuts(["attention"], points, replace(plan, memory=1601), 2, 0.0) == []


def test_points_that_are_there_already_are_not_cut():
    points, _, _ = run(Plan((4, 8, 16, 32, 64), 1, 60, 60))
    again, cuts, _ = run(Plan((4, 8, 16, 32, 64), 1, 0, 0, memory=1), points)
    assert (again, cuts) == (points, {})


def test_the_budget_follows_from_the_memory_that_is_free(monkeypatch):
    for left, budget in ((None, MOST_MEMORY // 2), (0, LEAST_MEMORY), (4 * 2**28, 2**28), (2**50, MOST_MEMORY)):
        monkeypatch.setattr(cost_measure, "available_bytes", lambda left=left: left)
        assert memory_budget() == budget
        assert full_plan(256).memory == budget
    assert MOST_MEMORY < 1e9


def test_the_quick_plan_is_the_shorter():
    assert quick_plan(8192).lengths[-1] == 1024
    assert quick_plan(256).lengths[-1] == full_plan(256).lengths[-1] == 256
    assert full_plan(8192).lengths[-1] == 8192
    assert quick_plan(8192).repeats < full_plan(8192).repeats


def test_the_csv_holds_every_point(measured):
    points, _, _ = measured
    rows = list(csv.DictReader(io.StringIO(to_csv(SMALL, points))))
    assert len(rows) == len(points)
    for row in rows:
        point = points[row["layer"], row["pass"], int(row["length"])]
        assert float(row["median_s"]) == pytest.approx(point.median, abs=1e-9)
        assert int(row["peak_bytes"]) == point.peak
        assert int(row["threads"]) == torch.get_num_threads()
        assert (row["code"], int(row["d_model"])) == ("library", 4)


def made_points(cost: dict) -> dict:
    """Points with known costs. cost: layer → what it costs at a length, seconds and bytes alike."""
    return {
        (key, passing, n): Point(key, passing, n, round(1e6 * of(n)), (of(n), of(n), of(n)))
        for key, of in cost.items()
        for passing in PASSES
        for n in (32, 64, 128, 256, 512)
    }


def test_curves_and_comparison_of_known_costs():
    points = made_points({"rnn": lambda n: 0.01 * n, "attention": lambda n: 0.0001 * n**2})
    made = curves(points, "forward", "time", 256)
    assert made["rnn"].lengths.tolist() == [32, 64, 128, 256]
    assert made["attention"].at(64) == pytest.approx(0.0001 * 64**2)
    assert (made["rnn"].laws.better.power, made["attention"].laws.better.power) == (1, 2)
    pair = compare(made, "rnn", "attention")
    assert (pair.length, pair.ratio, pair.crossing) == (256, pytest.approx(2.56), pytest.approx(100, rel=1e-6))
    assert compare(made, "rnn", "lstm") is None
    assert curves({}, "forward", "time", 256) == {}


@pytest.mark.parametrize(
    ("attention", "words"),
    [
        (lambda n: 0.02 * n, "Attention takes 2.00 times as long."),
        (lambda n: 0.004 * n, "The RNN takes 2.50 times as long."),
        (lambda n: 0.0102 * n, "Both take about as long."),
        (lambda n: 0.0001 * n**2, "From about 100 words on attention takes longer."),
    ],
)
def test_the_finding_says_which_is_slower(attention, words):
    made = curves(made_points({"rnn": lambda n: 0.01 * n, "attention": attention}), "forward", "time", 512)
    assert words in tell.cost_finding(made, "time", "forward")


def test_the_finding_on_laws_is_honest():
    def said(cost) -> str:
        return tell.law_finding(curves(made_points({"attention": cost}), "forward", "time", 512), "time")

    assert "slope is 2.0." in said(lambda n: 1e-4 * n**2)
    assert "The square does not rule yet" in said(lambda n: 1 + 0.01 * n)
    points = made_points({"attention": lambda n: 1 + 0.01 * n})
    points = {
        spot: replace(point, seconds=(point.median, 3 * point.median, 9 * point.median))
        for spot, point in points.items()
    }
    assert "busy with other things" in tell.law_finding(curves(points, "forward", "time", 512), "time")


def test_tables_hold_the_numbers_of_the_run():
    made = curves(made_points({"rnn": lambda n: 0.001 * n, "attention": lambda n: 1e-5 * n**2}), "forward", "time", 512)
    table = tables.fits_table(made, "time")
    assert "| 0 ns + 1.00 ms · n | 0% |" in table.replace("\u00a0", " ")
    assert table.splitlines()[2].split("|")[7].strip() == "a + b·n"
    assert table.splitlines()[3].split("|")[7].strip() == "a + b·n²"
    outlook = tables.outlook_table(made, made, 100_000)
    assert "**100\u00a0s**" in outlook  # 0.001 · 100 000
    assert "**27.8\u00a0h**" in outlook  # 1e-5 · 100 000²


def test_the_chart_draws_points_bars_and_laws():
    points = made_points({"rnn": lambda n: 0.01 * n, "attention": lambda n: 0.0001 * n**2})
    made = curves(points, "forward", "time", 512)
    for both, lines in ((True, 4), (False, 2)):
        figure = show.cost_figure(made, "time", "Forward", "light", both=both, span=512)
        dots = [one for one in figure.data if one.mode == "markers"]
        assert [one.name for one in dots] == ["RNN", "Attention"]
        assert dots[0].y.tolist() == pytest.approx([320, 640, 1280, 2560, 5120])  # ms
        drawn = [one for one in figure.data if one.mode == "lines" and one.x[0] is not None]
        assert len(drawn) == lines
    assert figure.layout.xaxis.ticktext[-1] == grouped(512)
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert costs([], "dark", "Time", "ms", both=True, span=512).data == ()

from __future__ import annotations

import ast
import os
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks import browser, filters, stepper, timing
from benchmarks.timing import compare, median_ratio, percentile, spread
from explorer.ui.pages import topics

FOLDER = Path(timing.__file__).parent


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.95, 7.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([3.0, 1.0, 2.0], 0.0, 1.0),
        ([3.0, 1.0, 2.0], 1.0, 3.0),
        (list(range(101)), 0.95, 95),
        (list(range(30)), 0.95, 28),
    ],
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_a_percentile_was_measured_and_parts_the_values(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    places = len(values) - 1
    assert sum(value < found for value in values) <= round(share * places) <= sum(v <= found for v in values) - 1


@pytest.mark.parametrize(
    ("ours", "peer", "expected"),
    [
        ([2.0], [4.0], 0.5),
        ([1.0, 10.0, 3.0], [1.0, 5.0, 1.0], 2.0),
        # A busy moment hits one round of both: ratios 2, 2 and 0.5, whereas the medians alone would say 1.
        ([2.0, 20.0, 10.0], [1.0, 10.0, 20.0], 2.0),
    ],
)
def test_median_ratio_pairs_the_rounds(ours: list[float], peer: list[float], expected: float) -> None:
    assert median_ratio({"ours": ours, "peer": peer}, "ours", "peer") == expected


def test_median_ratio_needs_as_many_rounds_of_both() -> None:
    with pytest.raises(ValueError, match="longer"):
        median_ratio({"ours": [1.0], "peer": [1.0, 2.0]}, "ours", "peer")


def test_compare_times_each_task_once_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    now, ran = [0.0], []
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def task(name: str, seconds: float) -> None:
        ran.append(name)
        now[0] += seconds

    tasks = {"fast": lambda: task("fast", 1.0), "slow": lambda: task("slow", 4.0)}
    assert compare(tasks, rounds=20, warm_up=3) == {"fast": [1.0] * 20, "slow": [4.0] * 20}
    assert ran[:6] == ["fast"] * 3 + ["slow"] * 3
    rounds = [tuple(ran[start : start + 2]) for start in range(6, len(ran), 2)]
    assert len(rounds) == 20
    assert set(rounds) == {("fast", "slow"), ("slow", "fast")}


def test_every_module_that_measures_is_listed() -> None:
    measuring = {
        path.stem
        for path in FOLDER.glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "run"
    }
    assert set(command.BENCHMARKS) == measuring
    assert len(command.BENCHMARKS) == len(measuring)


def test_every_page_is_measured() -> None:
    files = {topic.file for topic in topics()}
    assert set(browser.PICTURES) == {"Home", *(topic.title for topic in topics())}
    assert {slider.address.partition("?")[0] for slider in browser.SLIDERS} == files
    assert set(stepper.STEPPERS) == files


def test_a_table_of_what_was_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The named ones in their order; torch's profiler has been silenced before a benchmark is imported."""
    monkeypatch.setenv("KINETO_LOG_LEVEL", "")
    monkeypatch.delenv("KINETO_LOG_LEVEL")
    asked = []

    def load(name: str) -> SimpleNamespace:
        asked.append((name, os.environ["KINETO_LOG_LEVEL"]))
        return SimpleNamespace(run=lambda: [(name, "1.00", "≤ 2")])

    monkeypatch.setattr(command, "importlib", SimpleNamespace(import_module=load))
    command.main(["tracing", "filters"])
    assert asked == [("benchmarks.tracing", "6"), ("benchmarks.filters", "6")]
    machine, empty, *table = capsys.readouterr().out.splitlines()
    assert machine.startswith(f"{os.cpu_count()} CPUs, ")
    assert all(name in machine for name in ("Python 3.", "torch ", "streamlit "))
    assert empty == ""
    assert table == [
        "| What | Measured | Goal |",
        "| --- | --- | --- |",
        "| benchmarks.tracing | 1.00 | ≤ 2 |",
        "| benchmarks.filters | 1.00 | ≤ 2 |",
    ]


def test_an_unknown_name_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["filter"])
    assert ended.value.code == 2
    assert "there is no filter; choose from first_paint, browser" in capsys.readouterr().err


def test_a_real_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "ROUNDS", 3)
    monkeypatch.setattr(filters, "SIDE", 32)
    rows = filters.run()
    assert len(rows) == len(filters.KERNELS)
    assert all(float(measured.split()[0]) > 0 for _, measured, _ in rows)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([10.4], "p50 10 ms, p95 10 ms"), (range(101), "p50 50 ms, p95 95 ms"), ([90, 10, 20], "p50 20 ms, p95 90 ms")],
)
def test_spread(values: Sequence[float], expected: str) -> None:
    assert spread(values) == expected


def test_classification_beside_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from benchmarks import classification

    monkeypatch.setattr(classification, "ROUNDS", 1)
    before = torch.get_num_threads()
    with classification.threads(1):
        rows = [*classification.answers("1 thread"), *classification.cams("1 thread")]
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    assert [goal for *_, goal in rows] == ["≤ 1.05", "≤ 1.05", "≤ 1.0; > 0.999", ""]
    assert float(rows[2][1].rpartition(" ")[2]) > 0.999
    ours, theirs = classification.FAMILIES["AlexNet"][:2]
    x = torch.randn(1, 3, classification.SIDE, classification.SIDE)
    torch.testing.assert_close(*(classification.forward(one, x) for one in classification.twins(ours(), theirs())))

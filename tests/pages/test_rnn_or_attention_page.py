"""RNN or attention?: what is measured is shown and kept, it can be stopped, and every number on the page is that of the run.

No test looks at how long anything takes. The texts are the shortest that the controls allow.
"""

from __future__ import annotations

import csv
import io
import re
import threading
from itertools import islice
from typing import Any

import numpy as np
import pytest
import streamlit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page_visits import visit
from streamlit.testing.v1 import AppTest

from explorer.cost_measure import PASSES, full_plan, measure, to_csv
from explorer.numbers import grouped
from explorer.sequence_layers import KEYS, Setup
from explorer.ui import rnn_or_attention_run as run
from explorer.units import bytes_text, seconds_text

SHORT = {"versus_longest": 256, "versus_width": 16}
STATES = {
    "versus_pass": st.sampled_from(("Forward", "Forward and backward")),
    "versus_longest": st.sampled_from((256, 1024, 8192, 300)),
    "versus_width": st.sampled_from((16, 256)),
    "versus_code": st.sampled_from(("torch.nn’s", "The plain code")),
    "versus_equal": st.sampled_from(("Width", "Parameters")),
    "versus_both": st.booleans(),
    "versus_words": st.integers(4, 32),
    "versus_reader": st.sampled_from(("RNN", "LSTM", "1-D convolution", "Self-attention")),
}


def open_page(held: dict | None = None, **query: Any) -> AppTest:
    """The page. held: what this visitor has measured already."""
    return visit("rnn_or_attention", timeout=120, state=None if held is None else {run.HELD: held}, **query)


def check(app: AppTest) -> None:
    assert not app.exception, app.exception[0].message
    assert [error.value for error in app.error] == []


def kept(app: AppTest, setup: Setup) -> run.Held:
    return app.session_state[run.HELD][setup]


def texts(app: AppTest) -> str:
    return "\n".join([*(one.value for one in app.markdown), *(one.value for one in app.caption)])


def test_a_run_that_outlives_its_stopping_keeps_nothing_more(monkeypatch):
    """Streamlit starts the next run of a page before it has ended the one at work."""
    setup, known = Setup(width=16), run.Held()
    monkeypatch.setattr(run, "held", lambda setup: known)
    taken = []

    def measured(*args: Any) -> Any:
        for progress in measure(*args):
            if progress.point is not None:
                taken.append(progress.point)
                known.stopped = len(taken) == 4
            yield progress

    monkeypatch.setattr(run, "measure", measured)
    run.go_on(run.Job(setup, "quick", 256), streamlit.progress(0.0))
    assert len(taken) == 4
    assert sum(len(point.seconds) for point in known.points.values()) == 3
    assert known.stopped
    assert known.finished is None


@pytest.fixture(scope="module")
def app() -> AppTest:
    app = open_page(**SHORT)
    check(app)
    return app


def test_the_page_opens_on_points_that_were_measured_in_this_process(app):
    known = kept(app, Setup(16))
    lengths = {n for _, _, n in known.points}
    assert lengths == {32, 64, 128, 256}
    assert set(known.points) == {(key, passing, n) for key in KEYS for passing in PASSES for n in lengths}
    assert known.finished is not None
    assert app.session_state[run.JOB] is None
    assert not app.button(key="versus_measure").disabled
    assert app.button(key="versus_stop").disabled


def test_the_sentences_and_the_table_have_the_numbers_of_the_run(app):
    points, said = kept(app, Setup(16)).points, texts(app)
    for key in ("rnn", "attention"):
        assert seconds_text(points[key, "training", 256].median) in said
        assert seconds_text(points[key, "forward", 256].median) in said
        assert bytes_text(points[key, "training", 256].peak) in said
    table = next(one.value for one in app.markdown if "**Parallel**" in one.value)
    assert f"3·n calls wait for one another: {3 * 256} at 256 words." in table
    assert f"{grouped(2 * 16 * 256)} numbers at 256 words" in table
    theory = next(one.value for one in app.markdown if "O(n²·d)" in one.value)
    for cell in ("| 3·n |", "| 7·n |", "| 2·n + 5 |", "| n − 1 |", "| ⌈log₂ n⌉ |"):
        assert cell in theory


def test_forward_alone_shows_other_points():
    app = open_page(**SHORT, versus_pass="Forward")
    check(app)
    points = kept(app, Setup(16)).points
    finding = next(one.value for one in app.markdown if one.value.startswith("At 256 words, forward: RNN"))
    assert seconds_text(points["rnn", "forward", 256].median) in finding
    assert "forward and backward: RNN" not in texts(app)


def test_measure_adds_to_what_is_there_and_measuring_again_begins_anew():
    app = open_page(**SHORT)
    before = dict(kept(app, Setup(16)).points)
    assert "press Measure for more" in texts(app)
    app.button(key="versus_measure").click().run()
    check(app)
    after = kept(app, Setup(16)).points
    repeats = full_plan(256).repeats
    for spot, point in before.items():
        assert after[spot].seconds[: len(point.seconds)] == point.seconds
        assert len(after[spot].seconds) == repeats
    assert "press Measure for more" not in texts(app)
    app.button(key="versus_measure").click().run()
    check(app)
    again = kept(app, Setup(16)).points
    assert all(again[spot].seconds[:3] != point.seconds[:3] for spot, point in after.items())
    assert all(len(point.seconds) == repeats for point in again.values())


def part_of_a_run(samples: int) -> dict:
    """What a visitor has who stopped after so many reports."""
    known = run.Held(stopped=True)
    for progress in islice(measure(Setup(16), full_plan(256)), samples):
        if progress.point is not None:
            known.points[progress.point.layer, progress.point.passing, progress.length] = progress.point
    return {Setup(16): known}


def test_a_stopped_run_keeps_its_points_and_is_not_taken_up_by_itself():
    held = part_of_a_run(130)
    points = dict(held[Setup(16)].points)
    assert {n for _, _, n in points} == {32, 64}
    app = open_page(held, **SHORT)
    check(app)
    assert kept(app, Setup(16)).points == points
    longest = max(n for n in (32, 64) if {("rnn", "training", n), ("attention", "training", n)} <= set(points))
    assert any(seconds_text(points["rnn", "training", longest].median) in one.value for one in app.markdown)
    assert "needs four lengths" in texts(app)  # for the fits
    app.button(key="versus_measure").click().run()
    check(app)
    after = kept(app, Setup(16))
    assert {n for _, _, n in after.points} == {32, 64, 128, 256}
    assert not after.stopped
    for spot, point in points.items():
        assert after.points[spot].seconds[: len(point.seconds)] == point.seconds


def test_stop_ends_a_job_and_leaves_its_points(monkeypatch):
    session: dict = {run.HELD: part_of_a_run(40)}
    monkeypatch.setattr(run.st, "session_state", session)
    setup, points = Setup(16), dict(session[run.HELD][Setup(16)].points)
    assert run.current_job(setup, 256) is None  # a visitor who stopped is left in peace
    run._start(setup, 256, again=False)
    assert run.current_job(setup, 256) == run.Job(setup, "full", 256)
    run._stop(setup)
    assert run.current_job(setup, 256) is None
    assert session[run.HELD][setup].points == points
    assert run.status(session[run.HELD][setup]).startswith("Stopped, its points are kept")
    assert run.current_job(Setup(32), 256) == run.Job(Setup(32), "quick", 256)  # nothing is known of it yet
    run._start(setup, 256, again=True)
    assert session[run.HELD][setup].points == {}


def test_two_visitors_do_not_measure_at_once(monkeypatch):
    lock, measured = run.one_at_a_time(), []
    real = run.measure
    monkeypatch.setattr(run, "measure", lambda *args: measured.append(lock.locked()) or real(*args))
    lock.acquire()  # as if another visitor were at it
    threading.Timer(1.0, lambda: (measured.append("released"), lock.release())).start()
    app = open_page(**SHORT)
    check(app)
    assert measured[0] == "released"
    assert all(measured[1:])
    assert kept(app, Setup(16)).points
    assert not lock.locked()


def test_a_page_without_any_point_says_so():
    app = open_page({Setup(16): run.Held(stopped=True)}, **SHORT)
    check(app)
    assert "The points appear here as they are measured." in texts(app)
    assert "not measured" in texts(app)
    assert kept(app, Setup(16)).points == {}


def test_each_setup_has_points_of_its_own_and_they_come_back(app):
    library = dict(kept(app, Setup(16)).points)
    app.segmented_control(key="versus_code").set_value("plain").run()
    check(app)
    plain = kept(app, Setup(16, "plain")).points
    assert {key for key, _, _ in plain} == {"rnn", "lstm", "conv", "attention"}
    app.segmented_control(key="versus_equal").set_value("parameters").run()
    check(app)
    assert kept(app, Setup(16, "plain", "parameters")).points
    app.segmented_control(key="versus_equal").set_value("width").run()
    app.segmented_control(key="versus_code").set_value("library").run()
    assert kept(app, Setup(16)).points == library  # nothing was measured again


def test_a_shorter_text_fits_the_shorter_lengths_only():
    app = open_page(versus_longest=512, versus_width=16)
    check(app)
    app.select_slider(key="versus_longest").set_value(256).run()
    check(app)
    table = next(one.value for one in app.markdown if "a + b·n²" in one.value and "32–" in one.value)
    assert f"32–{grouped(256)}" in table
    assert "–512" not in table


def test_the_points_can_be_kept_as_csv(app):
    points = kept(app, Setup(16)).points
    rows = list(csv.DictReader(io.StringIO(to_csv(Setup(16), points))))
    assert len(rows) == len(points)
    assert {row["layer"] for row in rows} == set(KEYS)


def test_the_code_counts_what_the_charts_show(app, capsys):
    names: dict[str, Any] = {}
    exec(compile(app.code[0].value, "snippet", "exec"), names)
    shown = app.session_state["code_result"]
    np.testing.assert_array_equal(names["result"], shown)
    np.testing.assert_array_equal(shown, [[3 * n, 6, 3 * n, 3] for n in (4, 8, 16, 32, 64)])
    printed = capsys.readouterr().out
    assert re.search(r"attention training +256 words +[\d.]+ ms +\d+ bytes", printed)


@pytest.mark.parametrize("reader", ["rnn", "lstm", "conv", "attention"])
def test_every_reader_can_be_stepped_through(app, reader):
    app.segmented_control(key="versus_reader").set_value(reader).run()
    check(app)


@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(state=st.fixed_dictionaries({}, optional=STATES))
def test_any_state_of_the_url_opens(state):
    app = open_page({}, **state)
    check(app)


def test_a_state_of_the_url_is_restored():
    app = open_page(versus_longest=512, versus_width=32, versus_code="The plain code", versus_equal="Parameters",
                    versus_words=12, versus_reader="LSTM", versus_both=False, versus_text=100_000)  # fmt: skip
    check(app)
    state = app.session_state
    assert (state["versus_longest"], state["versus_width"], state["versus_words"]) == (512, 32, 12)
    assert (state["versus_code"], state["versus_equal"], state["versus_reader"]) == ("plain", "parameters", "lstm")
    assert state["versus_both"] is False
    assert state["versus_text"] == 100_000

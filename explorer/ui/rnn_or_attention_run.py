"""Measuring for the page “RNN or attention?”: what this visitor has measured, the buttons, and the work itself.

The page is drawn first, with the points there are; then, at the end of the script, some lengths are measured and it is drawn
again. So everything on the page can be used meanwhile, and whatever ends the work, its points stay.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.cost_measure import Cut, Plan, Point, Progress, Spot, full_plan, measure, quick_plan, threads
from explorer.numbers import grouped
from explorer.sequence_layers import Key, Setup
from explorer.text import _
from explorer.ui.measuring import one_at_a_time
from explorer.ui.rnn_or_attention_texts import NAMES, PASSES
from explorer.units import bytes_text, seconds_text

HELD, JOB = "versus_held", "versus_job"
SLICE = 2.0
"""Seconds after which the page is drawn again, once the length at hand is done."""
EVERY = 0.2
"""Seconds between two steps of the bar; drawing it takes a processor too."""


@dataclass
class Held:
    """What a visitor has measured of one setup.

    finished: the plan that came to its end; spent: seconds, so far; progress: what the bar showed last.
    """

    points: dict[Spot, Point] = field(default_factory=dict)
    cuts: dict[Key, Cut] = field(default_factory=dict)
    finished: Plan | None = None
    stopped: bool = False
    spent: float = 0.0
    progress: tuple[float, str] = (0.0, "")

    def covers(self, plan: Plan) -> bool:
        """Whether nothing of this plan is left to do."""
        done = self.finished
        return done is not None and done.repeats >= plan.repeats and done.lengths[-1] >= plan.lengths[-1]


@dataclass(frozen=True)
class Job:
    """What is being measured."""

    setup: Setup
    kind: Literal["quick", "full"]
    longest: int

    @property
    def plan(self) -> Plan:
        """With the memory that is free now."""
        return quick_plan(self.longest) if self.kind == "quick" else full_plan(self.longest)


def held(setup: Setup) -> Held:
    """What has been measured of this setup in this session."""
    everything: dict[Setup, Held] = st.session_state.setdefault(HELD, {})
    return everything.setdefault(setup, Held())


def current_job(setup: Setup, longest: int) -> Job | None:
    """What is to be measured: what was asked for, and where nothing was measured yet, a quick run."""
    job: Job | None = st.session_state.get(JOB)
    if job is not None and job.setup == setup:
        job = replace(job, longest=longest)
    else:
        known = held(setup)
        job = Job(setup, "quick", longest) if known.finished is None and not known.stopped else None
    st.session_state[JOB] = job
    return job


def buttons(setup: Setup, longest: int, job: Job | None) -> DeltaGenerator:
    """Measure and Stop, and the bar that says how far it is or what has been measured. → the bar."""
    known, plan = held(setup), full_plan(longest)
    # Both stand there all the time: what came and went would stay on the page, grey, until the work is done.
    measure_box, stop_box = st.columns([3, 2], gap="small")
    measure_box.button(
        _("Measure"),
        key="versus_measure",
        type="primary",
        icon=":material/timer:",
        on_click=_start,
        args=(setup, longest, known.covers(plan)),
        disabled=job is not None,
        width="stretch",
        help=_(
            "Up to {n} words, {k} timings of each layer at each length. It shows how far it is, and can be stopped."
        ).format(n=grouped(longest), k=plan.repeats),
    )
    stop_box.button(_("Stop"), key="versus_stop", on_click=_stop, args=(setup,), disabled=job is None, width="stretch")
    share, text = known.progress
    return st.progress(share, text or _("Warming up …")) if job else st.progress(share, status(known))


def status(known: Held) -> str:
    """What has been measured so far, in a sentence or two."""
    timed = [point for point in known.points.values() if point.seconds]
    if not timed:
        return _("Nothing is measured yet.")
    longest, samples = max(point.length for point in timed), sum(len(point.seconds) for point in timed)
    text = _("Stopped, its points are kept: up to {n} words, {k} timings.") if known.stopped else (
        _("Measured on this computer just now: up to {n} words, {k} timings.")
    )  # fmt: skip
    return text.format(n=grouped(longest), k=grouped(samples))


def cut_text(known: Held, longest: int) -> str:
    """Where layers end before the longest length, and why; "" where none does."""
    sentences = []
    for cut in known.cuts.values():
        if cut.length <= longest and cut.reason != "total":
            value = bytes_text(cut.foreseen) if cut.reason == "memory" else seconds_text(cut.foreseen)
            sentences.append(_CUT[cut.reason].format(name=NAMES[cut.layer], n=grouped(cut.length), value=value))
    ends = [cut.length for cut in known.cuts.values() if cut.reason == "total" and cut.length <= longest]
    if ends:
        sentences.append(_("This run ends before {n} words, to be done in time.").format(n=grouped(min(ends))))
    done = known.finished
    if done is not None and done.repeats < full_plan(longest).repeats:
        sentences.append(_("So far this was a quick run: press Measure for more."))
    return " ".join(sentences)


_CUT = {
    "memory": _("{name} ends before {n} words: there it would hold about {value}, more than is set aside for it."),
    "time": _("{name} ends before {n} words: to measure it there would take about {value}."),
}


def go_on(job: Job, bar: DeltaGenerator) -> None:
    """Measure a part of what the job wants, and have the page drawn again. Any click ends it between two timings."""
    known, lock = held(job.setup), one_at_a_time()
    while not lock.acquire(timeout=EVERY):
        bar.progress(0.0, _("Someone else is measuring on this computer; you are next."))
    began = shown = time.monotonic()
    first: int | None = None
    try:
        with closing(measure(job.setup, job.plan, known.points, known.spent)) as running:
            for progress in running:
                if known.stopped:  # by a run of the page that began before Streamlit has ended this one
                    break
                first = first or progress.length
                now = time.monotonic()
                if progress.length > first and now - began > SLICE:
                    break
                if progress.point is not None:
                    point = progress.point
                    known.points[point.layer, point.passing, point.length] = point
                    known.cuts.pop(point.layer, None)
                if progress.cut is not None:
                    known.cuts[progress.cut.layer] = progress.cut
                if now - shown > EVERY:
                    shown = now
                    known.progress = (min(progress.share, 1.0), progress_text(progress))
                    bar.progress(*known.progress)
            else:
                known.finished, known.stopped, known.progress = job.plan, False, (1.0, "")
                st.session_state[JOB] = None
    finally:
        known.spent += time.monotonic() - began
        lock.release()
    st.rerun()


def progress_text(progress: Progress) -> str:
    """What is being measured now."""
    name, n = NAMES[progress.layer], grouped(progress.length)
    if progress.point is None:
        return _("{n} words: warming up {name}").format(n=n, name=name)
    text = _("{n} words: {name}, {passing}, timing {k}")
    return text.format(n=n, name=name, passing=PASSES[progress.point.passing].lower(), k=len(progress.point.seconds))


def circumstances() -> str:
    """Under which conditions the times were taken."""
    n = threads()
    many = _("torch computes with {n} threads") if n > 1 else _("torch computes with one thread")
    return many.format(n=n)


def _start(setup: Setup, longest: int, again: bool) -> None:
    everything: dict[Setup, Held] = st.session_state[HELD]
    known = everything[setup]
    if again:
        known = everything[setup] = Held()
    known.stopped, known.spent, known.progress = False, 0.0, (0.0, "")
    known.cuts.clear()
    st.session_state[JOB] = Job(setup, "full", longest)


def _stop(setup: Setup) -> None:
    held(setup).stopped = True
    st.session_state[JOB] = None

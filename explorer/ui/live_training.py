"""A training that runs in the page: a button, the loss as it falls, a stop, and the model so far, which nothing takes away.

It goes on in slices, each a run of this part of the page alone. A click anywhere else comes in between two slices.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import palette
from explorer.live_training import Progress
from explorer.numbers import number
from explorer.plots.training import training_curve
from explorer.text import _
from explorer.ui import page

SLICE = 0.4
"""Seconds of training between two pictures of the curve."""
EVERY = 0.1
"""Seconds between two slices."""


@dataclass
class Job:
    """A training that was begun. identity: what is trained; reports: the training itself; seconds: spent so far.

    busy: held while an update is made. After a click, a new run of the page begins while the one before may still be at it.
    """

    identity: Hashable
    reports: Iterator[Progress]
    running: bool = True
    seconds: float = 0.0
    busy: Lock = field(default_factory=Lock)


@dataclass(frozen=True, eq=False)
class Curve:
    """losses: (n,), of updates 1 … n; checked: (m,), the updates after which accuracy, (m,), 0–1, was measured."""

    losses: np.ndarray
    checked: np.ndarray
    accuracy: np.ndarray


@dataclass(frozen=True)
class Plan:
    """What can be trained. identity: its settings; begin: starts it; chance: the loss of blind guessing.

    baselines: name → share right, of simpler methods. steps: updates in all. recorded: the curve to show until something is
    trained, that of weights which are there already.
    """

    identity: Hashable
    begin: Callable[[], Iterator[Progress]]
    chance: float
    baselines: Mapping[str, float]
    steps: int
    recorded: Curve | None = None


def latest(key: str, identity: Hashable) -> Progress | None:
    """What this visitor's training of these settings has reached, finished or not; None if it was never begun."""
    return st.session_state.get(f"{key}_held", {}).get(identity)


def live_training(key: str, plan: Plan) -> None:
    """Buttons, progress and curve. What was reached is what `latest` gives from the next run of the page on."""
    job: Job | None = st.session_state.get(f"{key}_job")
    running = job is not None and job.running and job.identity == plan.identity
    st.session_state[f"{key}_whole"] = True
    st.fragment(_panel, run_every=EVERY if running else None)(key, plan, running)


def _panel(key: str, plan: Plan, awake: bool) -> None:
    """awake: whether it was running when the page ran last, which has this part run again and again."""
    job: Job | None = st.session_state.get(f"{key}_job")
    mine = job is not None and job.identity == plan.identity
    whole = st.session_state.pop(f"{key}_whole", False)
    progress = latest(key, plan.identity)
    running = mine and job is not None and job.running
    if awake and not running and not whole:  # it came to its end in a run that a click has cut off
        st.rerun()
    if running:
        if st.button(_("Stop"), key=f"{key}_stop", icon=":material/stop:"):
            assert job is not None  # noqa: S101 — running says so
            job.running = False
            st.rerun()
    else:
        paused = mine and progress is not None and not progress.done
        text = _("Go on") if paused else _("Train again") if progress is not None else _("Train")
        if st.button(text, key=f"{key}_train", type="primary", icon=":material/play_arrow:"):
            _start(key, plan, job if paused else None)
            st.rerun()
    bar = st.progress(
        0.0 if progress is None else progress.step / progress.steps, _status(progress, job if mine else None)
    )
    _curve(key, plan, progress)
    if running and not whole:  # the rest of the page comes first
        assert job is not None  # noqa: S101 — running says so
        _go_on(key, job, bar)


def _start(key: str, plan: Plan, paused: Job | None) -> None:
    if paused is not None:
        paused.running = True
    else:
        st.session_state[f"{key}_job"] = Job(plan.identity, plan.begin())


def _go_on(key: str, job: Job, bar: Any) -> None:
    """Train for a slice, but for one report at least."""
    held: dict[Hashable, Progress] = st.session_state.setdefault(f"{key}_held", {})
    began = time.monotonic()
    while True:
        started = time.monotonic()
        if not job.busy.acquire(timeout=1.0):
            return
        try:
            if not job.running:
                return
            progress = held[job.identity] = next(job.reports)
            job.running = not progress.done
            job.seconds += time.monotonic() - started
        finally:
            job.busy.release()
        if progress.done:
            st.rerun()
        # Showing it lets a click of the visitor in.
        bar.progress(progress.step / progress.steps, _status(progress, job))
        if time.monotonic() - began >= SLICE:
            return


def _status(progress: Progress | None, job: Job | None) -> str:
    """How far it is, in a line."""
    if progress is None:
        return _("Nothing is trained yet in this visit.") if job is None else _("Training begins.")
    text = _("Update {step} of {steps}: {right:.0%} of held-out sentences right")
    text = text.format(step=progress.step, steps=progress.steps, right=float(progress.accuracy[-1]))
    return text if job is None else text + _(", {seconds} s").format(seconds=number(job.seconds, 1))


@st.cache_resource(show_spinner=False, max_entries=64)
def _figure(name: str, theme: palette.Theme, _shown: Curve, _plan: Plan) -> go.Figure:
    """Nobody changes it. name: no other curve has it."""
    parts = _shown.losses, _shown.checked, _shown.accuracy
    return training_curve(*parts, _plan.steps, _plan.chance, _plan.baselines, theme)


def _curve(key: str, plan: Plan, progress: Progress | None) -> None:
    curve = plan.recorded
    if progress is not None:
        curve = Curve(progress.losses, progress.checked, progress.accuracy)
    shown = curve or Curve(np.zeros(0), np.zeros(0), np.zeros(0))
    name = repr((key, plan.identity, len(shown.losses), len(shown.checked)))
    figure = _figure(name, page.theme(), shown, plan)
    finding = _("No curve yet: press Train.") if curve is None else curve_finding(curve)
    if curve is not None and progress is None:
        finding = f"{_('The curve of the weights that come with the explorer.')} {finding}"
    page.chart(figure, key=f"{key}_curve", alt=finding)
    st.caption(finding)


def curve_finding(curve: Curve) -> str:
    """What the curve says."""
    before, after = float(curve.accuracy[0]), float(curve.accuracy[-1])
    if len(curve.losses) == 0:
        return _("Before the first update, {right:.0%} of the held-out sentences are right.").format(right=before)
    text = _(
        "The loss went from {first} to {last}; of the held-out sentences {before:.0%} were right before, {after:.0%} after."
    )
    first, last = (number(float(loss), 2) for loss in (curve.losses[0], curve.losses[-1]))
    return text.format(first=first, last=last, before=before, after=after)

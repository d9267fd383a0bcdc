"""Work on many photos in slices, each a run of the page, so that what is done shows and a click can stop it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from threading import Lock

import streamlit as st

from explorer.batches import Outcome
from explorer.text import _

SLICE = 0.7
"""Seconds of work between two runs of the page."""
JOB = "many_job"


@dataclass
class Job:
    """identity: which photos and model; going: the work; outcomes: so far, of `total`.

    busy: held while a photo is looked at. After a click, a new run of the page begins while the one before may still be at it.
    """

    identity: Hashable
    going: Iterator[Outcome]
    total: int
    outcomes: list[Outcome] = field(default_factory=list)
    stopped: bool = False
    busy: Lock = field(default_factory=Lock)

    @property
    def done(self) -> bool:
        """Whether every photo has its outcome."""
        return len(self.outcomes) == self.total


def job_of(identity: Hashable, total: int, begin: Callable[[], Iterator[Outcome]]) -> Job:
    """The visitor's work on these photos by this model: what was begun, or a new one."""
    job: Job | None = st.session_state.get(JOB)
    if job is None or job.identity != identity:
        job = st.session_state[JOB] = Job(identity, begin(), total)
    return job


def progress(job: Job) -> None:
    """How far it is, and a button to stop it or to go on."""
    text = _("{done} of {total} photos").format(done=len(job.outcomes), total=job.total)
    st.progress(len(job.outcomes) / max(job.total, 1), text)
    going = not job.done and not job.stopped
    label, icon = (_("Stop"), ":material/stop:") if going or job.done else (_("Go on"), ":material/play_arrow:")
    st.button(label, icon=icon, key="many_stop", disabled=job.done, on_click=_turn, args=(job,))


def _turn(job: Job) -> None:
    job.stopped = not job.stopped


def go_on(job: Job) -> None:
    """A slice of the work, one photo at least; then the page runs again. The last thing on a page."""
    if job.done or job.stopped:
        return
    began = time.monotonic()
    while True:
        if not job.busy.acquire(timeout=1.0):
            break
        try:
            if job.done or job.stopped:
                break
            job.outcomes.append(next(job.going))
        finally:
            job.busy.release()
        if job.done or time.monotonic() - began >= SLICE:
            break
    st.rerun()

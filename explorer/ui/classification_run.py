"""Work that asks a network many times: how far it is, a way to stop, and what is done is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from explorer.text import _
from explorer.units import seconds_text

Found = TypeVar("Found")
Counted = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Marks the function that is asked many times."""

RESULTS, PARTS, ASKED, PAUSED = "class_results", "class_parts", "class_asked", "class_paused"
KEPT = 24
"""Results of this visit."""
LONG = 5.0
"""Seconds still to go from which on it waits to be asked for, and can be stopped."""
TRIED = 1.0
"""Seconds after which it is known how long it takes."""
NOTICEABLE = 0.3
"""Seconds after which it is shown how far it is."""


@dataclass(frozen=True)
class Work:
    """place: where on the page, one word; identity: what it depends on; calls: how often the network is asked.

    doing: what is done, for the visitor.
    """

    place: str
    identity: Hashable
    calls: int
    doing: str


class _TooLongError(Exception):
    """It would take long, and nobody has asked for it. Holds the seconds that are left."""

    def __init__(self, left: float):
        super().__init__(left)
        self.left = left


def slowly(work: Work, compute: Callable[[Counted], Found], *, again: bool = False) -> Found | None:
    """What compute(counted) gives; None where that takes long and the visitor has not asked for it yet.

    again: whether the same was asked for further up in this run of the page; what is not there then is not computed here.

    compute must call the function that it marks as counted(function) in the same order each time, so that after an
    interruption the answers that are known already can be handed out again.
    """
    state = st.session_state
    results: dict[Hashable, Any] = state.setdefault(RESULTS, {})
    if work.identity in results:
        return results[work.identity]
    if again:
        return None
    asked = state.get(ASKED) == work.identity
    paused: dict[Hashable, float] = state.setdefault(PAUSED, {})
    known = _known(work)
    if not asked and work.identity in paused:
        _offer(work, paused[work.identity])
        return None
    if asked:
        st.button(_("Stop"), key=f"class_stop_{work.place}", icon=":material/stop:", on_click=_stop)
    try:
        result = compute(_counted(work, known, asked))
    except _TooLongError as error:
        paused[work.identity] = error.left
        _offer(work, error.left)
        return None
    while len(results) >= KEPT:
        results.pop(next(iter(results)))
    results[work.identity] = result
    state[PARTS].pop(work.place, None)
    paused.pop(work.identity, None)
    if asked:
        _stop()
        st.rerun()
    return result


def _offer(work: Work, left: float) -> None:
    text = _("{doing} takes about {time} more on this computer.")
    st.caption(text.format(doing=work.doing, time=seconds_text(left)))
    st.button(
        _("Go on"), key=f"class_start_{work.place}", icon=":material/play_arrow:", on_click=_ask, args=(work.identity,)
    )


def _known(work: Work) -> dict[int, Any]:
    """Number of the call → its answer, as far as an interrupted run came; of the last work at this place only."""
    parts: dict[str, tuple[Hashable, dict[int, Any]]] = st.session_state.setdefault(PARTS, {})
    if work.place not in parts or parts[work.place][0] != work.identity:
        parts[work.place] = (work.identity, {})
    return parts[work.place][1]


def _counted(work: Work, known: dict[int, Any], asked: bool) -> Counted:
    began = time.monotonic()
    new: list[float] = []  # when the answers that are asked for now came
    number = 0
    bar: Any = None
    here = st.container()

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal bar, number
            if number not in known:
                known[number] = function(*arguments)
                new.append(time.monotonic())
            found = known[number]
            number += 1
            left = _seconds_left(new, work.calls - number)
            if not asked and left > LONG and new[-1] - began > TRIED:
                if bar is not None:
                    bar.empty()
                raise _TooLongError(left)
            if bar is None and time.monotonic() - began > NOTICEABLE and number < work.calls:
                bar = here.progress(0.0)
            if bar is not None:
                share = min(number / work.calls, 1.0)
                # Showing it lets a click of the visitor in.
                bar.progress(share, f"{work.doing}: {share:.0%}")
                if number >= work.calls:
                    bar.empty()
            return found

        return call

    return mark


def _seconds_left(answered: list[float], calls: int) -> float:
    """By the time between answers; the first, in which libraries warm up, does not count."""
    return (answered[-1] - answered[0]) / (len(answered) - 1) * calls if len(answered) > 1 else 0.0


def _ask(identity: Hashable) -> None:
    st.session_state[ASKED] = identity


def _stop() -> None:
    st.session_state[ASKED] = None

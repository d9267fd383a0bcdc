"""At scale on the Vision Transformer page: one layer, timed for more and more tokens; it can be stopped."""

from __future__ import annotations

import streamlit as st

from explorer.models.vit import VisionTransformer
from explorer.numbers import grouped
from explorer.plots.vit import time_against_tokens
from explorer.text import _
from explorer.ui import page
from explorer.ui.measuring import one_at_a_time
from explorer.units import seconds_text, three
from explorer.vit_cost import layer_macs
from explorer.vit_timing import LayerTime, time_layer, token_counts

JOB, HELD = "vit_job", "vit_times"


def measured(key: str) -> dict[int, LayerTime]:
    """What this visitor has measured of this model, by the number of tokens."""
    held: dict[str, dict[int, LayerTime]] = st.session_state.setdefault(HELD, {})
    return held.setdefault(key, {})


def at_scale(key: str, network: VisionTransformer) -> None:
    """Buttons, the curve, and what it says."""
    page.at_scale(_("A finer grid has more tokens. Most of a layer grows with their number n, attention with n²: which wins, "
                    "and when? Measure one layer of this network on your computer."))  # fmt: skip
    counts = token_counts(network)
    own = network.config.side**2 + network.config.extra
    controls, picture = page.play()
    with controls:
        missing = [n for n in counts if n not in measured(key)]
        running = st.session_state.get(JOB) == key and bool(missing)
        measure_box, stop_box = st.columns([3, 2], gap="small")
        measure_box.button(_("Measure"), key="vit_measure", type="primary", icon=":material/timer:", on_click=_start,
                           args=(key,), disabled=running, width="stretch")  # fmt: skip
        stop_box.button(_("Stop"), key="vit_stop", on_click=_stop, disabled=not running, width="stretch")
        if running:
            told = _("Measuring {n} tokens …").format(n=grouped(missing[0]))
            st.progress(1 - len(missing) / len(counts), told)
        st.caption(_("The line is counted: multiply–adds of one layer, in multiples of those for the {n} tokens of this "
                     "network. Time is shown in multiples of its own time for {n} tokens.").format(n=grouped(own)))  # fmt: skip
    times = measured(key)
    macs = {n: layer_macs(network.config, n) for n in counts}
    finding = _finding(times, macs, own)
    with picture:
        seconds = {n: one.median for n, one in times.items()}
        page.chart(time_against_tokens(macs, seconds, own, page.theme()), key="vit_times_chart", alt=finding)
        st.markdown(finding)


def _finding(times: dict[int, LayerTime], macs: dict[int, int], own: int) -> str:
    most = max(macs)
    text = _("{most} tokens are {more} times as many as {own}, and take {macs} times the multiply–adds")
    told = text.format(most=grouped(most), own=grouped(own), more=three(most / own), macs=three(macs[most] / macs[own]))
    if most in times and own in times:
        text = _(" and {times} times the time: {long} instead of {short}.")
        ratio = times[most].median / times[own].median
        return told + text.format(times=three(ratio), long=seconds_text(times[most].median),
                                  short=seconds_text(times[own].median))  # fmt: skip
    return told + ". " + _("Press Measure to see the time.")


def go_on(key: str, network: VisionTransformer) -> None:
    """Measure one number of tokens that is still missing, and have the page drawn again. Call it last."""
    missing = [n for n in token_counts(network) if n not in measured(key)]
    if st.session_state.get(JOB) != key or not missing:
        st.session_state.pop(JOB, None)
        return
    with one_at_a_time():
        measured(key)[missing[0]] = time_layer(network, missing[0])
    st.rerun()


def _start(key: str) -> None:
    measured(key).clear()
    st.session_state[JOB] = key


def _stop() -> None:
    st.session_state.pop(JOB, None)

"""Measuring networks for the page “Architectures”: one after the other, and the page can be used and stopped meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.architectures import NETWORKS
from explorer.network_cost import Cost, network_cost
from explorer.text import _
from explorer.ui.measuring import one_at_a_time

JOB, HELD = "arch_job", "arch_costs"


def costs() -> dict[str, Cost]:
    """What this visitor has measured, by the network's key."""
    held: dict[str, Cost] = st.session_state.setdefault(HELD, {})
    return held


def buttons(keys: Sequence[str]) -> None:
    """Measure and Stop, and how far it is."""
    missing = [key for key in keys if key not in costs()]
    running = st.session_state.get(JOB, False) and bool(missing)
    measure_box, stop_box = st.columns([3, 2], gap="small")
    measure_box.button(_("Measure"), key="arch_measure", type="primary", icon=":material/timer:", on_click=_start,
                       args=(tuple(keys),), disabled=running, width="stretch",
                       help=_("Time and memory of one photo in each network, on this computer."))  # fmt: skip
    stop_box.button(_("Stop"), key="arch_stop", on_click=_stop, disabled=not running, width="stretch")
    if running:
        name = NETWORKS[missing[0]].name
        st.progress(1 - len(missing) / len(keys), _("Measuring {name} …").format(name=name))


def go_on(keys: Sequence[str]) -> None:
    """Measure one network that is still missing, and have the page drawn again. Call it last."""
    missing = [key for key in keys if key not in costs()]
    if not (st.session_state.get(JOB, False) and missing):
        st.session_state[JOB] = False
        return
    with one_at_a_time():
        costs()[missing[0]] = network_cost(missing[0])
    st.rerun()


def _start(keys: Sequence[str]) -> None:
    for key in keys:
        costs().pop(key, None)
    st.session_state[JOB] = True


def _stop() -> None:
    st.session_state[JOB] = False

"""The part of the positional-encoding page that trains: a button, progress with a stop, and what came of it."""

from __future__ import annotations

import streamlit as st

from explorer.components.maps import maps
from explorer.plots.positions import accuracy_by_place
from explorer.position_training import WORDS, Report, train
from explorer.text import _
from explorer.ui import page
from explorer.ui import positions_pictures as show
from explorer.ui.bounded import bounded

LENGTHS = range(6, 17, 2)
UPDATES = (100, 300, 1000, 3000)
HELD = "pos_report"
"""(length, updates, seed) and the Report of this visitor's last training, also of one that was stopped."""


@st.cache_data(show_spinner=False, max_entries=32)
def untrained(length: int, seed: int) -> Report:
    """The three models before their first update."""
    return next(train(length, seed))


def training() -> None:
    """Controls, the training where it is asked for, and the pictures of the state it has reached."""
    controls, picture = page.play()
    with controls:
        length = bounded(_("Words in a training sentence"), LENGTHS, 12, key="pos_train_length")
        updates = bounded(_("Updates"), UPDATES, 300, key="pos_updates")
        seed = bounded(_("Seed of the training"), range(10), 0, key="pos_train_seed")
        if st.button(_("Train all three"), key="pos_train", type="primary", icon=":material/play_arrow:"):
            _train(length, updates, seed)
    setting, report = st.session_state.get(HELD, (None, None))
    if setting != (length, updates, seed):
        report = untrained(length, seed)
    with controls:
        if 0 < report.step < updates:
            st.caption(_("Stopped after {step} of {all} updates.").format(step=report.step, all=updates))
    with picture:
        finding = show.training_finding(report)
        figure = accuracy_by_place(report.accuracy, show.KINDS, length, 1 / len(WORDS), page.theme())
        page.chart(figure, key="pos_accuracy", alt=finding)
        st.caption(finding)
    maps(show.training_maps(report), key="pos_trained_maps", columns=3, height=300)
    maps(show.table_maps(report), key="pos_tables", columns=2, height=300)


def _train(length: int, updates: int, seed: int) -> None:
    """Train with a bar that says how far; pressing the stop button ends this run, and what was reached is kept."""
    shown = st.empty()
    with shown.container():
        st.button(_("Stop training"), key="pos_stop", icon=":material/stop:")
        bar = st.progress(0.0, _("Training begins."))
    for report in train(length, seed, updates):
        st.session_state[HELD] = (length, updates, seed), report
        text = _("Update {step} of {all}: {right} named right")
        right = ", ".join(f"{show.KINDS[kind].lower()} {share:.0%}" for kind, share in report.trained.items())
        bar.progress(report.step / updates, text.format(step=report.step, all=updates, right=right))
    shown.empty()

"""The part of a page that steps through a trace: the stepper, and the trace to keep."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.components.stepper import stepper, wanted_edits
from explorer.components.stepper.payload import encode
from explorer.edits import Edited, Rerun, edits_as_text, edits_from_text, read_edits, run_edited, write_edits
from explorer.errors import UserError
from explorer.text import _
from explorer.trace import Trace

Labels = Mapping[str, Mapping[str, Sequence[str]]]
"""Name in the source → {"rows": texts, "columns": texts}: what the last two dims of that tensor stand for."""


def show_steps(
    trace: Trace,
    *,
    key: str,
    roles: Mapping[str, str],
    start: int = 0,
    url: str = "step",
    labels: Labels | None = None,
    rerun: Rerun | None = None,
    subject: str = "",
) -> None:
    """The stepper on this trace, and a button to keep it as NPZ.

    roles: name in the source → palette role. start: the step to open on where the URL names none. url: the
    query parameter that keeps the step; a second stepper on a page needs another. labels: the words beside rows and
    columns of tensors; a step without a name goes by its expression. Labels that are not as many as the tensor's rows or
    columns are not shown. rerun: runs the same code with steps' outputs replaced ({step: tensor} → Trace); where it is given,
    the visitor can set cells of outputs by hand and sees what follows; the edits are in the URL as <url>_edits. subject: what
    the trace is of; with another one the stepper goes to its start, with the same one it keeps the step.
    """
    words = {name: {side: list(texts) for side, texts in sides.items()} for name, sides in (labels or {}).items()}
    options: dict[str, Any] = {"roles": dict(roles), "labels": words, "url": url, "start": start, "subject": subject}
    if rerun is None:
        stepper(encode(trace, options), key=key)
    else:
        edited = _run_edited(trace, rerun, key, url)
        options |= {"edit": True, "edits": write_edits(edited.edits), "edits_text": edits_as_text(edited.edits)}
        original = trace if edited.edits else None
        trace = edited.trace
        stepper(encode(trace, options, original=original, given=edited.given), key=key)
    st.download_button(
        _("Save these steps (NPZ)"),
        lambda: _as_npz(trace),
        file_name=f"{trace.name.split('.')[0]}-steps.npz",
        mime="application/octet-stream",
        icon=":material/download:",
        type="tertiary",
        key=f"{key}_save",
        help=_("All tensors and the source lines; read it with explorer.trace.Trace.load."),
    )


def _run_edited(trace: Trace, rerun: Rerun, key: str, url: str) -> Edited:
    """The trace with the edits that the stepper asks for, that it had when it was last seen, or that the address names."""
    wanted, state = wanted_edits(key), st.session_state
    last, opened = f"{key} last edits", f"{url}_edits opened"
    named = "" if opened in state else st.query_params.get(f"{url}_edits", "")
    state[opened] = True  # later the address names the edits of whichever stepper was seen last
    try:
        edits = read_edits(wanted) if wanted is not None else state.get(last) or edits_from_text(named)
    except UserError as error:
        st.error(str(error), icon=":material/edit_off:")
        edits = state.get(last, ())
    edited = run_edited(trace, edits, rerun)
    for problem in edited.problems:
        st.error(problem, icon=":material/edit_off:")
    if edited.left_out == 1:
        st.info(_("One of your edits fits no step any more and is left out."), icon=":material/edit_off:")
    elif edited.left_out:
        text = _("{count} of your edits fit no step any more and are left out.")
        st.info(text.format(count=edited.left_out), icon=":material/edit_off:")
    state[last] = edited.edits
    return edited


def _as_npz(trace: Trace) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.npz"
        trace.save(path)
        return path.read_bytes()

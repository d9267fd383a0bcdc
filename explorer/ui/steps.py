"""The part of a page that steps through a trace: the stepper, and the trace to keep."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from explorer.components.stepper import stepper
from explorer.components.stepper.payload import encode
from explorer.text import _
from explorer.trace import Trace

Labels = Mapping[str, Mapping[str, Sequence[str]]]
"""Name in the source → {"rows": texts, "columns": texts}: what the last two dims of that tensor stand for."""


def show_steps(
    trace: Trace, *, key: str, roles: Mapping[str, str], start: int = 0, url: str = "step", labels: Labels | None = None
) -> None:
    """The stepper on this trace, and a button to keep it as NPZ.

    roles: name in the source → palette role. start: the step to open on where the URL names none. url: the
    query parameter that keeps the step; a second stepper on a page needs another. labels: the words beside rows and
    columns of tensors; a step without a name goes by its expression. Labels that are not as many as the tensor's rows or
    columns are not shown.
    """
    words = {name: {side: list(texts) for side, texts in sides.items()} for name, sides in (labels or {}).items()}
    options = {"roles": dict(roles), "labels": words, "url": url, "start": start}
    stepper(encode(trace, options), key=key)
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


def _as_npz(trace: Trace) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.npz"
        trace.save(path)
        return path.read_bytes()

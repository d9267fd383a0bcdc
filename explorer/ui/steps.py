"""The part of a page that steps through a trace: the stepper, and the trace to keep."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from explorer.components.stepper import stepper
from explorer.components.stepper.payload import encode
from explorer.text import _
from explorer.trace import Trace


def show_steps(trace: Trace, *, key: str, roles: Mapping[str, str], start: int = 0, url: str = "step") -> None:
    """The stepper on this trace, and a button to keep it as NPZ.

    roles: name in the source → palette role. start: the step to open on where the URL names none. url: the
    query parameter that keeps the step; a second stepper on a page needs another.
    """
    stepper(encode(trace, {"roles": dict(roles), "url": url, "start": start}), key=key)
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

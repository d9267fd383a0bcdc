"""The stepper: any trace, line by line, with the arithmetic behind every number."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.components.component import component

_mount = component("stepper", "transport.css")


def stepper(payload: bytes, *, key: str) -> None:
    """Show a trace. payload: what `explorer.components.stepper.payload.encode` made of it.

    With options={"edit": True, "edits": […], "edits_text": "…"} too, cells can be set: what the visitor wants set comes back as
    the component's state, {"edits": […]} (see explorer.edits), and "edits" is what holds now.

    Encode with options={"roles": {"q": "query", …}, "labels": {"weights": {"rows": […], "columns": […]}, …}, "url": "step",
    "start": 0, "subject": ""}: the palette role of each name in the source, what the last two dims of a named tensor stand for,
    the query parameter that keeps the step (none if empty), the step it opens on, and what the trace is of: with another
    subject than before it goes to its start.
    """
    _mount(key=key, data=payload, default={"edits": None}, on_edits_change=lambda: None)


def wanted_edits(key: str) -> list[dict[str, Any]] | None:
    """The edits of the stepper with this key, as the browser sent them; None where it has sent none yet."""
    return (st.session_state.get(key) or {}).get("edits")

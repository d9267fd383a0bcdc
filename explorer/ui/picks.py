"""Clicks on pictures: each is acted on once, and before the controls that it moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.components.maps import Picked


def fresh_pick(key: str) -> Picked | None:
    """The cell that was clicked in these maps, in the run after the click only; asked before the maps are mounted."""
    return Picked.read(fresh_state(key))


def fresh_state(key: str) -> Mapping[str, Any] | None:
    """The same for any component that sends its clicks as "picked": what it sent."""
    picked = (st.session_state.get(key) or {}).get("picked")
    fresh = picked is not None and picked != st.session_state.get(f"{key} seen")
    st.session_state[f"{key} seen"] = picked
    return picked if fresh else None

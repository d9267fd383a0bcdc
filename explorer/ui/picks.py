"""Clicks on maps: each is acted on once, and before the controls that it moves."""

from __future__ import annotations

import streamlit as st

from explorer.components.maps import Picked


def fresh_pick(key: str) -> Picked | None:
    """The cell that was clicked in these maps, in the run after the click only; asked before the maps are mounted."""
    picked = Picked.read((st.session_state.get(key) or {}).get("picked"))
    fresh = picked is not None and picked != st.session_state.get(f"{key} seen")
    st.session_state[f"{key} seen"] = picked
    return picked if fresh else None

"""Measuring on this computer, which only one visitor can do at a time."""

from __future__ import annotations

from threading import Lock

import streamlit as st


@st.cache_resource(show_spinner=False)
def one_at_a_time() -> Lock:
    """For all pages and all visitors of this server: two measurements at once would measure each other."""
    return Lock()

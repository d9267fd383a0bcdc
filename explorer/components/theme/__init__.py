"""Runs the page again when the visitor changes between light and dark, so that formulas and charts change too."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer.components.bundle import bundle

_mount = st.components.v2.component(
    "explorer.theme", html="<span></span>", js=bundle(Path(__file__).parents[1], "theme/theme.js")
)


def follow_theme(drawn: str) -> None:
    """drawn: the theme that this run drew, "light" or "dark"."""
    _mount(key="follow_theme", data={"drawn": drawn}, height=1, on_changed_change=lambda: None)

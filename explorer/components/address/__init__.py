"""Keeps values in the page's address that no bound widget keeps: Streamlit writes st.query_params one run late."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_mount = st.components.v2.component(
    "explorer.address", html="<span></span>", js=(Path(__file__).parent / "address.js").read_text(encoding="utf-8")
)


def keep_in_address(parameters: dict[str, str], *, key: str) -> None:
    """Set these query parameters. Read them with st.query_params when the page opens."""
    _mount(key=key, data=parameters, height=1)

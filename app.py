"""Entry point: `streamlit run app.py`. It only names the router, so that deep links find every page."""

import os
from pathlib import Path

import streamlit as st

# Idle torch threads sleep instead of spinning, so that several visitors do not slow each other down; before torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

app = st.App(Path(__file__).parent / "explorer" / "ui" / "router.py")

"""Entry point: `streamlit run app.py`. It only names the router, so that deep links find every page."""

from pathlib import Path

import streamlit as st

app = st.App(Path(__file__).parent / "explorer" / "ui" / "router.py")

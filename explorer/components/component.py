"""A component is a folder <name> with <name>.js and <name>.css, which import and follow what is in shared/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.components.bundle import bundle
from explorer.components.style import stylesheet

COMPONENTS = Path(__file__).parent


def component(name: str, *styles: str) -> Callable[..., Any]:
    """What mounts the component; called once, at import. styles: stylesheets of shared/ that it needs beside base.css."""
    shared = [f"shared/{style}" for style in ("base.css", *styles)]
    return st.components.v2.component(
        f"explorer.{name}",
        html='<div class="root"></div>',
        css=stylesheet(COMPONENTS, *shared, f"{name}/{name}.css"),
        js=bundle(COMPONENTS, f"{name}/{name}.js"),
    )

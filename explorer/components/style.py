"""The stylesheet of a component: the palette's variables for both themes, then its own rules."""

from __future__ import annotations

from pathlib import Path

from explorer.palette import css_variables


def stylesheet(folder: Path, *names: str) -> str:
    """CSS text. The component's root carries data-theme, set by shared/colour.js from the page's real background."""
    palette = f".root{{{css_variables('light')}}}\n.root[data-theme=dark]{{{css_variables('dark')}}}\n"
    return palette + "\n".join((folder / name).read_text(encoding="utf-8") for name in names)

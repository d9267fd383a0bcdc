"""The anatomy that every page shares: header, play, step through, at scale, code, sources; always in this order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer import palette
from explorer.text import _, markdown

if TYPE_CHECKING:
    import plotly.graph_objects as go

STYLE = Path(__file__).parent / "static" / "page.css"


def style() -> str:
    """The app's own rules for the whole page, in the theme that the visitor sees now."""
    return f"<style>:root{{{palette.css_variables(theme())}}}{STYLE.read_text(encoding='utf-8')}</style>"


def theme() -> palette.Theme:
    """The theme that the visitor sees now."""
    return cast(palette.Theme, "dark" if st.context.theme.type == "dark" else "light")


def tex(role: str, symbol: str) -> str:
    """A LaTeX symbol, or a name from the source, in the colour that its role has in the pictures and in the source."""
    body = rf"\text{{{symbol.replace('_', ' ')}}}" if symbol.isidentifier() and len(symbol) > 1 else symbol
    return rf"\textcolor{{{palette.role(role, theme())}}}{{{body}}}"


def header(title: str, summary: str, formula: str = "", more: str = "") -> None:
    """What the page is about. summary: two or three sentences. formula: LaTeX. more: name of a long text, folded away."""
    st.title(title, anchor=False)
    st.markdown(summary)
    if formula:
        st.latex(formula)
    if more:
        with st.expander(_("Read more"), icon=":material/menu_book:"):
            st.markdown(markdown(more))


def play() -> tuple[DeltaGenerator, DeltaGenerator]:
    """(controls, picture): a narrow column for the controls and a wide one for the live picture."""
    controls, picture = st.columns([4, 11], gap="medium")
    return controls, picture


def section(title: str, hint: str = "") -> None:
    """A heading of the anatomy, with one sentence on what to try."""
    st.header(title, anchor=False, divider=False)
    if hint:
        st.markdown(hint)


def step_through(hint: str = "") -> None:
    """Heads the stepper."""
    section(
        _("Step through"),
        hint or _("Step with the arrow keys. Point at a number on the right: the numbers it was made from light up."),
    )


def at_scale(hint: str = "") -> None:
    """Heads the part with the visitor's own photo or sentence through a real model."""
    section(_("At scale"), hint)


def chart(figure: go.Figure, *, key: str, alt: str) -> None:
    """A plotly figure in the app's own colours, to be kept as SVG from its tool bar. alt: the finding, in words."""
    name = key.replace("_", "-")
    config = {"displaylogo": False, "toImageButtonOptions": {"format": "svg", "filename": name}}
    st.plotly_chart(figure, key=key, theme=None, alt=alt, config=config)


def code(text: str, result: Any) -> None:
    """A runnable snippet. It must leave in `result` just what the page shows; the tests run it and compare."""
    section(_("Code"), _("These lines compute what you see above. Run them in the project's folder."))
    st.code(text.strip() + "\n", language="python")
    st.session_state["code_result"] = result


def sources(items: Sequence[tuple[str, str]]) -> None:
    """Papers and reference documentation: (title, URL), the last thing on a page."""
    section(_("Sources"))
    st.markdown("\n".join(f"- [{title}]({url})" for title, url in items))

"""The main script of the app: page settings, navigation, and the last net for errors. No heavy imports here."""

import logging
from pathlib import Path

import streamlit as st

from explorer.components.theme import follow_theme
from explorer.errors import UserError
from explorer.text import _
from explorer.ui import page
from explorer.ui.collector import spare_libraries
from explorer.ui.pages import PAGES, chapters

st.set_page_config(
    page_title=_("Deep Learning Explorer"),
    page_icon=str(Path(__file__).parent / "static/icon.svg"),
    layout="wide",
    # With an entry of its own the menu appears, and with it the choice between light and dark.
    menu_items={"About": _("The code you read is the code that ran, and every number explains itself.")},
)
st.html(page.style())
navigation = st.navigation(
    {"": [st.Page(PAGES / "home.py", title=_("Home"), icon=":material/home:", default=True)]}
    | {
        chapter: [st.Page(topic.path, title=topic.title, icon=topic.icon) for topic in group]
        for chapter, group in chapters().items()
    }
)
try:
    navigation.run()
except UserError as error:
    st.error(str(error), icon=":material/info:")
except Exception:
    logging.getLogger("explorer").exception("page %s failed", navigation.title)
    st.error(
        _(
            "Something on this page failed, and it is our fault; change a setting or reload the page, and please report it."
        ),
        icon=":material/error:",
    )
follow_theme(page.theme())
spare_libraries()

"""Home: what there is, one card a page."""

import streamlit as st

from explorer.text import _
from explorer.ui.cards import cards

st.title(_("Deep Learning Explorer"), anchor=False)
st.markdown(
    _(
        "See how neural networks compute. Give it your own photo, move a control, step through the very lines of PyTorch "
        "that ran, and point at any number to read the arithmetic behind it."
    )
)
st.caption(_("The code you read is the code that ran, and every number explains itself."))
cards()

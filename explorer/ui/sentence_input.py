"""A typed sentence, in words. What cannot be used is said in one sentence, and the last good sentence stays."""

from __future__ import annotations

import streamlit as st

from explorer.text import _
from explorer.words import Sentence, sentence

MOST_TYPED = 5000  # characters


def sentence_input(
    default: str,
    *,
    key: str,
    most: int = 24,
    least: int = 1,
    label: str = "",
    help: str | None = None,  # noqa: A002
) -> Sentence:
    """The text field, kept in the URL, and the sentence that it stands at, at least `least` and at most `most` words.

    default: what the page opens on.
    """
    typed = st.text_input(
        label or _("Your sentence"), default, key=key, max_chars=MOST_TYPED, bind="query-params", help=help
    )
    words = sentence(typed, most)
    if len(words.words) < least:
        words = sentence(st.session_state.get(f"{key} good", default), most)
        needed = _("There is no word in it") if least == 1 else _("Fewer than {n} words are in it").format(n=least)
        st.error(f"{needed}; " + _("type a sentence. Until then you see “{text}”.").format(text=words.text))
    else:
        st.session_state[f"{key} good"] = typed
    if words.cut:
        st.caption(_("The first {n} words are used, {cut} more are left out.").format(n=most, cut=words.cut))
    return words

"""The BERT page's word in two sentences: its vectors start alike and part where the contexts do."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.language_views import cosine_by_layer, words_of
from explorer.plots.language import by_layer
from explorer.text import _
from explorer.tokens import encode
from explorer.ui import page
from explorer.ui.language_models import reading_of
from pretrained.language import LanguageModel

FIRST = "She sat on the bank of the river and watched the boats."
SECOND = "He took his money to the bank and came home rich."
THIRD = "The bank of the river was green and full of flowers."


def show_word_in_contexts(model: LanguageModel) -> None:
    """The same word in several sentences: cosine of its vectors, layer by layer."""
    controls, picture = page.play()
    with controls:
        texts = [
            st.text_input(label, default, key=f"bert_context_{n}", max_chars=2000, bind="query-params").strip()
            or default
            for n, (label, default) in enumerate(
                ((_("A sentence"), FIRST), (_("A second one"), SECOND), (_("A third one"), THIRD))
            )
        ]
    readings = [reading_of(model, encode(model.tokenizer, text, limit=model.limit)) for text in texts]
    words = [words_of(reading.tokens) for reading in readings]
    folded = [{word.casefold(): places for word, places in found.items()} for found in words]
    common = [
        word
        for word in folded[0]
        if any(word in other for other in folded[1:]) and any(character.isalpha() for character in word)
    ]
    if not common:
        with picture:
            st.info(_("These sentences share no word; give two of them the same one."), icon=":material/info:")
        return
    start = common.index("bank") if "bank" in common else 0
    with controls:
        word = st.selectbox(_("Word"), common, index=start, key=f"bert_context_word_{'|'.join(common)}")
    pairs = [(a, b) for a in range(3) for b in range(a + 1, 3) if word in folded[a] and word in folded[b]]
    curves = {
        _("sentences {a} and {b}").format(a=a + 1, b=b + 1): cosine_by_layer(
            readings[a].hidden, folded[a][word], readings[b].hidden, folded[b][word]
        )
        for a, b in pairs
    }
    ends = {name: float(curve[-1]) for name, curve in curves.items()}
    finding = _("After the last layer: ") + ", ".join(f"{name} {value:.2f}" for name, value in ends.items()) + "."
    with picture:
        lowest = min(0.0, *(float(np.min(curve)) for curve in curves.values()))
        figure = by_layer(
            curves, _("Cosine of the vectors of “{word}”").format(word=word), page.theme(), (lowest, 1.02)
        )
        page.chart(figure, key="bert_context_chart", alt=finding)
        told = _("At layer 0 the vectors differ only by the word's place. Word2Vec would give 1 everywhere: one vector for "
                 "each word, whatever stands around it.")  # fmt: skip
        st.caption(f"{finding} {told}")

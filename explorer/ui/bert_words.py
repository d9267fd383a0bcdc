"""One word in several sentences: its vectors start alike and part where the contexts do."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.errors import UserError
from explorer.language_views import cosine_by_layer, words_of
from explorer.plots.language import by_layer
from explorer.text import _
from explorer.tokens import encode
from explorer.ui import page
from explorer.ui.bert_asked import Asked
from explorer.ui.bert_code import quoted
from explorer.ui.bert_texts import MOST_TYPED, WRITTEN, say_what_is_cut
from explorer.ui.language_models import Chosen, both_of, reading_of
from pretrained import language
from pretrained.reading import Reading

FIRST = "She sat on the bank of the river and watched the boats."
SECOND = "He took his money to the bank and came home rich."
THIRD = "The bank of the river was green and full of flowers."
ROLES = {"a": "input", "b": "key", "products": "hidden", "dot": "hidden", "similarity": "output"}


def show_word_in_contexts(controls: DeltaGenerator, picture: DeltaGenerator, chosen: Chosen, _text: str) -> Asked:
    """The same word in several sentences: cosine of its vectors, layer by layer."""
    reader = chosen.reader
    with controls:
        fields = ((_("A sentence"), FIRST), (_("A second one"), SECOND), (_("A third one"), THIRD))
        readings = [_read(chosen, number, label, default) for number, (label, default) in enumerate(fields)]
    words = [{word.casefold(): places for word, places in words_of(reading.tokens).items()} for reading in readings]
    common = [word for word in words[0] if any(word in other for other in words[1:]) and any(map(str.isalnum, word))]
    if not common:
        with picture:
            st.info(_("These sentences share no word; give two of them the same one."), icon=":material/info:")
        return Asked(why_not=_("No two vectors are compared, so there is nothing to step through."))
    start = common.index("bank") if "bank" in common else 0
    with controls:
        word = st.selectbox(_("Word"), common, index=start, key=f"predict_word_{'|'.join(common)}"[:300])
    pairs = [(a, b) for a, b in combinations(range(3), 2) if word in words[a] and word in words[b]]
    curves = {
        _("sentences {a} and {b}").format(a=a + 1, b=b + 1): cosine_by_layer(
            readings[a].hidden, words[a][word], readings[b].hidden, words[b][word]
        )
        for a, b in pairs
    }
    finding = _("After the last layer: ") + ", ".join(f"{name} {curve[-1]:.2f}" for name, curve in curves.items()) + "."
    with picture:
        lowest = min(0.0, *(float(np.min(curve)) for curve in curves.values()))
        title = _("Cosine of the vectors of “{word}”").format(word=word)
        page.chart(by_layer(curves, title, page.theme(), (lowest, 1.02)), key="predict_contexts", alt=finding)
        st.caption(finding + " " + _("At layer 0 the vectors differ only by the word's place. Word2Vec would give 1 "
                                     "everywhere: one vector for each word, whatever stands around it."))  # fmt: skip
    a, b = pairs[0]
    (places_a, places_b) = words[a][word], words[b][word]
    first, second = (readings[n].hidden[-1, list(words[n][word])].mean(0) for n in (a, b))
    how = "reader.read(tokens)"
    if reader.kind == "encoder-decoder":
        how = f"reader.read_both(tokens, reader.start_decoder({quoted(WRITTEN)})).encoder"
    code = f"""
from explorer.language_views import cosine_by_layer
from explorer.tokens import encode
from pretrained import readers
reader = readers.load({quoted(chosen.key)})
hidden = []
for text in [{quoted(readings[a].tokens.text)}, {quoted(readings[b].tokens.text)}]:
    tokens = encode(reader.tokenizer, text, limit=reader.limit)
    hidden.append({how}.hidden)
result = cosine_by_layer(hidden[0], {places_a}, hidden[1], {places_b})  # of “{word}”, after each layer"""
    return Asked(code, next(iter(curves.values())), steps=lambda: language.trace_cosine(first, second), roles=ROLES)


def _read(chosen: Chosen, number: int, label: str, default: str) -> Reading:
    """What a sentence is made into; of what cannot be read, one sentence, and the last good one instead."""
    reader, last = chosen.reader, f"predict_good_context_{number}"
    typed = st.text_area(
        label, default, key=f"predict_context_{number}", max_chars=MOST_TYPED, height=80, bind="query-params"
    )
    for attempt, text in enumerate((typed, st.session_state.get(last, default), default)):
        try:
            tokens = encode(reader.tokenizer, text, limit=reader.limit)
            if reader.kind == "encoder-decoder":
                reading = both_of(reader, tokens, reader.start_decoder(WRITTEN)).encoder
            else:
                reading = reading_of(reader, tokens)
        except UserError as error:
            if attempt == 0:
                st.error(str(error), icon=":material/edit_off:")
            continue
        st.session_state[last] = text
        say_what_is_cut(reader, tokens)
        return reading
    return st.stop()

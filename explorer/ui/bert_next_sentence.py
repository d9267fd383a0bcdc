"""Does the second sentence follow the first? What a BERT says of the visitor's second sentence, and of two others."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.plots.bars import probabilities
from explorer.text import _
from explorer.tokens import encode
from explorer.ui import page
from explorer.ui.bert_asked import Asked, answering, say_measured
from explorer.ui.bert_code import quoted, tokens_code
from explorer.ui.bert_texts import MOST_TYPED, Texts, read_typed, say_what_is_cut
from explorer.ui.language_models import Chosen, reading_of
from pretrained import language

SECOND = "He was very hungry."
OTHERS = ("The king was angry and sent for his soldiers.", "Two men are standing near a stove.")
ROLES = {
    "x": "input",
    "pooled": "hidden",
    "logits": "hidden",
    "probabilities": "output",
    "self.dense": "weight",
    "self.cls.seq_relationship": "weight",
}
MOST_DRAWN = 60  # characters of a sentence beside its bar


def show_next_sentence(controls: DeltaGenerator, picture: DeltaGenerator, chosen: Chosen, text: str) -> Asked:
    """Three second sentences, the visitor's first."""
    with controls:
        second = st.text_area(_("The sentence after it"), SECOND, key="predict_second", max_chars=MOST_TYPED, height=80,
                              bind="query-params")  # fmt: skip
        answerer = answering(chosen, "judges_pairs")
        if answerer is None:
            return Asked(why_not=_("Nothing is judged here, so there is nothing to step through."))
        reader = answerer.reader
        if not second.strip():
            st.error(_("The second sentence is empty; type a few words."), icon=":material/edit_off:")
            second = st.session_state.get("predict_good_second", SECOND)
        st.session_state["predict_good_second"] = second
        first = read_typed(reader, text, second)
    tokens = first.tokens
    candidates = list(dict.fromkeys([tokens.pair or SECOND, *OTHERS]))
    read = [encode(reader.tokenizer, tokens.text, one, limit=reader.limit) for one in candidates]
    found = np.array([reader.follows(reading_of(reader, one)) for one in read])
    labels = [one if len(one) <= MOST_DRAWN else one[:MOST_DRAWN] + " …" for one in candidates]
    with picture:
        finding = _("“{second}” follows with a probability of {p:.1%}.").format(second=labels[0], p=found[0])
        page.chart(probabilities(labels, found, page.theme(), 0), key="predict_next_bars", alt=finding)
        st.text(finding)
        st.caption(_("The head was trained to tell the sentence that came next in a text from one of another text, so it "
                     "judges topic more than logic."))  # fmt: skip
        say_measured(answerer, "judges_pairs")
        for one in read[1:]:
            if one.cut and not tokens.cut:
                say_what_is_cut(reader, one)
    model = reader.own
    code = (
        tokens_code(answerer.key, Texts(tokens))
        + f"""
others = [encode(reader.tokenizer, {quoted(tokens.text)}, one, limit=reader.limit) for one in {quoted(candidates[1:])}]
result = [reader.follows(reader.read(one)) for one in [tokens, *others]]  # P(the second sentence follows the first)"""
    )
    if model is None:
        return Asked(code, found)
    answers = (_("follows"), _("does not"))
    return Asked(
        code,
        found,
        steps=lambda: language.trace_pair(model, reading_of(reader, tokens).hidden[-1]),
        roles=ROLES,
        labels={"logits": {"columns": answers}, "probabilities": {"columns": answers}},
    )

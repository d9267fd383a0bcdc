"""Heads switched off, and what that changes: the guesses for a word, and the vector of each token."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.components.maps import Map, maps
from explorer.language_views import cosine
from explorer.plots.bars import probabilities
from explorer.text import _
from explorer.tokens import Tokens
from explorer.ui import page
from explorer.ui.bert_asked import Asked, answering, can_guess_somewhere, choose_place
from explorer.ui.bert_code import tokens_code
from explorer.ui.bert_texts import Texts, read_typed
from explorer.ui.bert_views import ATTENTION_ROLES, STEPPED, labels_that_fit
from explorer.ui.bounded import bounded
from explorer.ui.language_models import Chosen, guesses_of, reading_of
from pretrained import language
from pretrained.asking import Reader
from pretrained.reading import masked

TOP = 5
ROLES = ATTENTION_ROLES | {"head_mask": "mask"}


def show_heads_off(controls: DeltaGenerator, picture: DeltaGenerator, chosen: Chosen, text: str) -> Asked:
    """Switch heads off and see what changes: the guesses for a word, or the vectors where no model here guesses."""
    with controls:
        answerer = _who(chosen)
        if answerer is None:
            return Asked(why_not=_("No head was switched off, so there is nothing to step through."))
        reader = answerer.reader
        tokens = read_typed(reader, text).tokens
        layers, heads = reading_of(reader, tokens).attention.shape[:2]
        layer = bounded(_("Layer to change"), range(1, layers + 1), layers, key="predict_off_layer")
        off = st.multiselect(_("Heads switched off"), range(1, heads + 1), default=[1, 2, 3][:heads],
                             key=f"predict_off_heads_{heads}", bind="query-params")  # fmt: skip
        with st.expander(_("More")):
            everywhere = st.toggle(_("In every layer"), key="predict_off_everywhere", bind="query-params")
    head_mask = np.ones((layers, heads), np.float32)
    changed_layers: slice | int = slice(None) if everywhere else layer - 1
    head_mask[changed_layers, [head - 1 for head in off]] = 0
    with picture:
        if reader.guesses != "nothing":
            _guesses(reader, tokens, head_mask)
        else:
            st.caption(_("{name} guesses no words, so you see its vectors only.").format(name=reader.name))
        result = _change(reader, tokens, head_mask)
        st.caption(_("A head that is off still attends, but its output is set to 0 before W_O."))
    places = ":" if everywhere else str(layer - 1)
    code = (
        tokens_code(answerer.key, Texts(tokens))
        + f"""
import numpy as np
from explorer.language_views import cosine
head_mask = np.ones(({layers}, {heads}), np.float32)
head_mask[{places}, {[head - 1 for head in off]}] = 0
whole, without = reader.read(tokens).hidden[-1], reader.read(tokens, head_mask).hidden[-1]
result = 1 - cosine(whole, without)  # how much each token's last vector changes"""
    )
    model = reader.own
    if model is None:
        return Asked(code, result)
    words = tokens.labels[:STEPPED]
    x = reading_of(reader, tokens, head_mask).hidden[layer - 1][:STEPPED]
    sides = {name: {"rows": words} for name in ("x", "query", "key", "value", "mixed", "joined")}
    return Asked(
        code,
        result,
        steps=lambda: language.trace_layer(model, layer - 1, x, False, head_mask[layer - 1]),
        part=layer,
        roles=ROLES,
        labels=sides | {name: {"rows": words, "columns": words} for name in ("scores", "weights")},
    )


def _who(chosen: Chosen) -> Chosen | None:
    """A model whose heads can be switched off, best one that also guesses words."""
    reader = chosen.reader
    if not reader.switches_heads:
        st.info(_("The heads of {name} cannot be switched off here; choose a model with one stack whose attention can be "
                  "observed.").format(name=reader.name), icon=":material/info:")  # fmt: skip
        return None
    if reader.guesses == "nothing" and not can_guess_somewhere():
        return chosen
    return answering(chosen, "guesses_words")


def _guesses(reader: Reader, tokens: Tokens, head_mask: np.ndarray) -> None:
    if reader.guesses == "masked":
        place = choose_place(tokens, _("Click a token to mask it"), start=2)
        asked = masked(reader, tokens, place)
        what = _("“{word}” masked").format(word=tokens.labels[place])
    else:
        place = choose_place(tokens, _("Click a token: what would come after it?"), start=len(tokens) - 1,
                             key="predict_after")  # fmt: skip
        asked, what = tokens, _("after “{word}”").format(word=tokens.labels[place])
    whole = guesses_of(reader, asked, place, TOP)
    without = guesses_of(reader, asked, place, TOP, head_mask=head_mask)
    left, right = st.columns(2, gap="medium")
    for column, name, guesses, title in (
        (left, "on", whole, _("All heads on")),
        (right, "off", without, _("With these heads off")),
    ):
        with column:
            st.text(f"{title}, {what}")
            figure = probabilities(list(guesses.pieces), guesses.probabilities, page.theme(), 0)
            page.chart(figure, key=f"predict_heads_{name}", alt=f"{title}: {guesses.pieces[0]}")


def _change(reader: Reader, tokens: Tokens, head_mask: np.ndarray) -> np.ndarray:
    """A strip: how much each token's last vector changes, (T,), which is also the result."""
    alike = cosine(reading_of(reader, tokens).hidden[-1], reading_of(reader, tokens, head_mask).hidden[-1])
    worst = int(alike.argmin())
    strip = Map((1 - alike)[None], _("Change of each token's last vector"), "", role="output", signed=False,
                columns=labels_that_fit(tokens.labels))  # fmt: skip
    maps([strip], key="predict_change", columns=1, height=110)
    st.text(_("“{word}” changes most: the cosine between its vectors with and without is {cosine:.3f}. Shown is 1 − cosine.")
            .format(word=tokens.labels[worst], cosine=alike[worst]))  # fmt: skip
    return 1 - alike

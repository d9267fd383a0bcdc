"""The BERT page's predictions: a masked word, by layer too; the next sentence; what heads that are switched off change."""

from __future__ import annotations

from typing import cast

import numpy as np
import streamlit as st

from explorer.components.address import keep_in_address
from explorer.components.maps import Map, maps
from explorer.language_views import cosine, label_of
from explorer.plots.bars import probabilities
from explorer.plots.language import by_layer
from explorer.text import _
from explorer.tokens import Tokens, encode
from explorer.ui import page
from explorer.ui.bert_views import labels_that_fit
from explorer.ui.bounded import bounded
from explorer.ui.language_models import reading_of
from pretrained import language
from pretrained.language import LanguageModel
from pretrained.reading import Guesses, Reading, masked

TOP = 8


def choose_place(tokens: Tokens, start: int) -> int:
    """A token, by clicking it: a row of buttons. → its place."""
    words = [place for place in range(len(tokens)) if not tokens.special[place]]
    texts = {place: label_of(tokens, (place,)) for place in words}
    asked = st.query_params.get("bert_masked", "")
    first = int(asked) if asked.isdigit() and int(asked) in texts else start if start in texts else words[-1]
    place = st.pills(_("Click a token to mask it"), words, default=first, format_func=texts.__getitem__, required=True,
                     key=f"bert_mask_place_{tokens.text}")  # fmt: skip
    keep_in_address({"bert_masked": str(place)}, key="bert_masked_address")
    return place


def show_masked_word(model: LanguageModel, tokens: Tokens) -> None:
    """Mask a token: what the model would put there, and how sure it gets from layer to layer."""
    controls, picture = page.play()
    with controls:
        place = choose_place(tokens, start=2)
    reading = reading_of(model, masked(model, tokens, place))
    guesses = [language.guess(model, hidden[place], top=50) for hidden in reading.hidden]
    last = guesses[-1]
    hidden_word = tokens.pieces[place]
    place_of = {piece: i for i, piece in enumerate(last.pieces)}
    with controls:
        if hidden_word in place_of:
            rank = place_of[hidden_word]
            text = _("The hidden “{word}” is its guess number {rank}, with {p:.1%}.")
            st.markdown(text.format(word=hidden_word, rank=rank + 1, p=last.probabilities[rank]))
        else:
            st.markdown(_("The hidden “{word}” is not among its 50 likeliest.").format(word=hidden_word))
        st.caption(_("{name} sees the sentence with [MASK] in that place, nothing else.").format(name=model.name))
    with picture:
        left, right = st.columns(2, gap="medium")
        finding = _("Likeliest: “{word}”, {p:.1%}.").format(word=last.pieces[0], p=last.probabilities[0])
        with left:
            figure = probabilities(list(last.pieces[:TOP]), last.probabilities[:TOP], page.theme(),
                                   place_of.get(hidden_word))  # fmt: skip
            page.chart(figure, key="bert_mask_bars", alt=finding)
        with right:
            followed = list(last.pieces[:4])
            curves = {piece: np.array([_probability(g, piece) for g in guesses]) for piece in followed}
            figure = by_layer(curves, _("Probability"), page.theme(), (0, 1.02))
            page.chart(figure, key="bert_mask_layers", alt=finding)
        st.caption(_("Right: the same masked-word head, put on what each layer gives. It was trained on the last layer only, "
                     "so the early ones are guesses in a language that it does not speak yet. Words outside a layer's 50 "
                     "likeliest are drawn at 0."))  # fmt: skip


def _probability(guesses: Guesses, piece: str) -> float:
    return next((float(p) for g, p in zip(guesses.pieces, guesses.probabilities, strict=True) if g == piece), 0.0)


def show_next_sentence(model: LanguageModel, text: str) -> None:
    """Does the second sentence follow the first? Three seconds beside the visitor's."""
    controls, picture = page.play()
    with controls:
        second = st.text_input(_("The sentence after it"), _("He was very hungry."), key="bert_second",
                               max_chars=2000, bind="query-params")  # fmt: skip
    others = (_("The king was angry and sent for his soldiers."), _("Two men are standing near a stove."))
    candidates = list(dict.fromkeys([second.strip() or _("He was very hungry."), *others]))
    found = []
    for candidate in candidates:
        tokens = encode(model.tokenizer, text, candidate, limit=model.limit)
        pooled = cast(np.ndarray, reading_of(model, tokens).pooled)
        found.append(language.probability_that_it_follows(model, pooled))
    with picture:
        finding = _("“{second}” follows with a probability of {p:.1%}.").format(second=candidates[0], p=found[0])
        page.chart(probabilities(candidates, np.array(found), page.theme(), 0), key="bert_next_bars", alt=finding)
        st.caption(finding + " " + _("The head was trained to tell the sentence that came next in a book from one of another "
                                     "chapter, so it judges topic more than logic."))  # fmt: skip


def show_heads_off(model: LanguageModel, tokens: Tokens, reading: Reading) -> None:
    """Switch heads off and see what changes: the guesses for the masked word, or the vectors where there is no head."""
    layers, heads = reading.attention.shape[:2]
    controls, picture = page.play()
    with controls:
        layer = bounded(_("Layer to change"), range(1, layers + 1), layers, key="bert_off_layer")
        off = st.multiselect(_("Heads switched off"), range(1, heads + 1), default=[1, 2, 3][:heads], key="bert_off_heads",
                             bind="query-params")  # fmt: skip
        everywhere = st.toggle(_("In every layer"), key="bert_off_everywhere", bind="query-params")
        st.caption(_("A head that is off still attends, but its output is set to 0 before W_O."))
    head_mask = np.ones((layers, heads), np.float32)
    head_mask[slice(None) if everywhere else layer - 1, [head - 1 for head in off]] = 0
    changed = reading_of(model, tokens, head_mask)
    with picture:
        alike = cosine(reading.hidden[-1], changed.hidden[-1])
        worst = int(alike.argmin())
        finding = _("“{word}” changes most: the cosine between its vectors with and without is {cosine:.3f}.").format(
            word=tokens.labels[worst], cosine=alike[worst])  # fmt: skip
        if model.guesses_words:
            place = int(np.flatnonzero(~tokens.special)[min(1, (~tokens.special).sum() - 1)])
            hidden = masked(model, tokens, place)
            whole = language.guess(model, reading_of(model, hidden).hidden[-1][place], TOP)
            without = language.guess(model, reading_of(model, hidden, head_mask).hidden[-1][place], TOP)
            left, right = st.columns(2, gap="medium")
            for column, guesses, title in (
                (left, whole, _("All heads on")),
                (right, without, _("With these heads off")),
            ):
                with column:
                    st.markdown(f"**{title}**: " + _("“{word}” masked").format(word=tokens.labels[place]))
                    figure = probabilities(list(guesses.pieces[:5]), guesses.probabilities[:5], page.theme(), 0)
                    page.chart(figure, key=f"bert_off_{title}", alt=f"{title}: {guesses.pieces[0]}")
        strip = Map((1 - alike)[None], _("Change of each token's last vector"), "", role="output",
                    columns=labels_that_fit(tokens.labels))  # fmt: skip
        maps([strip], key="bert_off_change", columns=1, height=110)
        st.caption(finding + " " + _("Shown is 1 − cosine."))

"""The BERT page's predictions: a masked word, by layer too; the next sentence; what heads that are switched off change."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.address import keep_in_address
from explorer.components.maps import Map, maps
from explorer.plots.bars import probabilities
from explorer.plots.language import by_layer
from explorer.text import _
from explorer.tokens import Tokens, encode
from explorer.ui import page
from explorer.ui.bert_views import MOST_LABELLED
from explorer.ui.bounded import bounded
from pretrained import language
from pretrained.language import LanguageModel
from pretrained.reading import Guesses, Reading, masked

TOP = 8


def choose_place(tokens: Tokens, start: int) -> int:
    """A token, by clicking it: a row of buttons. → its place."""
    words = [place for place in range(len(tokens)) if not tokens.special[place]]
    texts = dict(zip(words, _labels(tokens, words), strict=True))
    asked = st.query_params.get("bert_masked", "")
    first = int(asked) if asked.isdigit() and int(asked) in texts else start if start in texts else words[-1]
    place = st.pills(_("Click a token to mask it"), words, default=first, format_func=texts.__getitem__, required=True,
                     key=f"bert_mask_place_{tokens.text}")  # fmt: skip
    keep_in_address({"bert_masked": str(place)}, key="bert_masked_address")
    return place


def _labels(tokens: Tokens, places: list[int]) -> list[str]:
    return [f"##{tokens.labels[p]}" if tokens.continues[p] else tokens.labels[p] for p in places]


@st.cache_data(max_entries=32, show_spinner=False)
def _guessed(name: str, text: str, pair: str | None, place: int, _model: LanguageModel) -> list[Guesses]:
    """The guesses after each layer, the embeddings first."""
    tokens = encode(_model.tokenizer, text, pair, limit=_model.limit)
    reading = language.read(_model, masked(_model, tokens, place))
    return [language.guess(_model, hidden[place], top=50) for hidden in reading.hidden]


def show_masked_word(model: LanguageModel, tokens: Tokens) -> None:
    """Mask a token: what the model would put there, and how sure it gets from layer to layer."""
    controls, picture = page.play()
    with controls:
        place = choose_place(tokens, start=2)
    guesses = _guessed(model.name, tokens.text, tokens.pair, place, model)
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
    candidates = {second.strip() or _("He was very hungry."): True}
    for other in (_("The king was angry and sent for his soldiers."), _("Two men are standing near a stove.")):
        candidates.setdefault(other, False)
    found = []
    for candidate in candidates:
        tokens = encode(model.tokenizer, text, candidate, limit=model.limit)
        found.append(language.probability_that_it_follows(model, _pooled(model.name, text, candidate, model, tokens)))
    with picture:
        finding = _("“{second}” follows with a probability of {p:.1%}.").format(
            second=next(iter(candidates)), p=found[0]
        )
        page.chart(probabilities(list(candidates), np.array(found), page.theme(), 0), key="bert_next_bars", alt=finding)
        st.caption(finding + " " + _("The head was trained to tell the sentence that came next in a book from one of another "
                                     "chapter, so it judges topic more than logic."))  # fmt: skip


@st.cache_data(max_entries=32, show_spinner=False)
def _pooled(name: str, text: str, pair: str, _model: LanguageModel, _tokens: Tokens) -> np.ndarray:
    return language.run(_model, _tokens).pooled[0].numpy()


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
    changed = language.read(model, tokens, head_mask)
    with picture:
        before, after = reading.hidden[-1], changed.hidden[-1]
        cosine = (before * after).sum(-1) / (np.linalg.norm(before, axis=-1) * np.linalg.norm(after, axis=-1))
        worst = int(cosine.argmin())
        finding = _("“{word}” changes most: the cosine between its vectors with and without is {cosine:.3f}.").format(
            word=tokens.labels[worst], cosine=cosine[worst])  # fmt: skip
        if model.guesses_words:
            place = int(np.flatnonzero(~tokens.special)[min(1, (~tokens.special).sum() - 1)])
            hidden = masked(model, tokens, place)
            whole = language.guess(model, language.read(model, hidden).hidden[-1][place], TOP)
            without = language.guess(model, language.read(model, hidden, head_mask).hidden[-1][place], TOP)
            left, right = st.columns(2, gap="medium")
            for column, guesses, title in (
                (left, whole, _("All heads on")),
                (right, without, _("With these heads off")),
            ):
                with column:
                    st.markdown(f"**{title}**: " + _("“{word}” masked").format(word=tokens.labels[place]))
                    figure = probabilities(list(guesses.pieces[:5]), guesses.probabilities[:5], page.theme(), 0)
                    page.chart(figure, key=f"bert_off_{title}", alt=f"{title}: {guesses.pieces[0]}")
        strip = Map((1 - cosine)[None], _("Change of each token's last vector"), "", role="output",
                    columns=tokens.labels if len(tokens) <= MOST_LABELLED else ())  # fmt: skip
        maps([strip], key="bert_off_change", columns=1, height=110)
        st.caption(finding + " " + _("Shown is 1 − cosine."))

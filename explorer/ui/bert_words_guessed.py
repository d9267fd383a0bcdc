"""What a model would say: the word behind a mask, layer by layer, or the word that comes next."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.components.maps import Map, maps
from explorer.plots.bars import probabilities
from explorer.text import _
from explorer.ui import page
from explorer.ui.bert_asked import Asked, answering, choose_place, rank_of, say_measured
from explorer.ui.bert_code import tokens_code
from explorer.ui.bert_texts import Texts, read_typed
from explorer.ui.language_models import Chosen, guesses_of, reading_of
from pretrained import language
from pretrained.reading import Guesses, masked

TOP = 8
KEPT = 50
ROLES = {
    "x": "input",
    "fitting": "hidden",
    "embeddings": "weight",
    "self.dense": "weight",
    "logits": "hidden",
    "probabilities": "output",
}


def show_word(controls: DeltaGenerator, picture: DeltaGenerator, chosen: Chosen, text: str) -> Asked:
    """A masked word; of a model that writes on, the next one."""
    with controls:
        answerer = answering(chosen, "guesses_words")
        if answerer is None:
            return Asked(why_not=_("Nothing is guessed here, so there is nothing to step through."))
        texts = read_typed(answerer.reader, text)
    if answerer.reader.guesses == "next":
        return _show_next(controls, picture, answerer, texts)
    return _show_masked(controls, picture, answerer, texts)


def _show_masked(controls: DeltaGenerator, picture: DeltaGenerator, chosen: Chosen, texts: Texts) -> Asked:
    reader, tokens = chosen.reader, texts.tokens
    with controls:
        place = choose_place(tokens, _("Click a token to mask it"), start=2)
    hidden = masked(reader, tokens, place)
    layers = _by_layer(reader.name, tuple(hidden.ids.tolist()), tokens.text, place, chosen, hidden)
    last = layers[-1] if layers else guesses_of(reader, hidden, place, KEPT)
    with controls:
        _say_rank(last, int(tokens.ids[place]), tokens.pieces[place])
        st.caption(_("{name} sees the sentence with {mask} in that place, nothing else.").format(
            name=reader.name, mask=hidden.pieces[place]))  # fmt: skip
        say_measured(chosen, "guesses_words")
    with picture:
        _draw(chosen, last, rank_of(int(tokens.ids[place]), last.ids))
        if layers:
            words = last.pieces[:TOP]
            grown = np.array([[_probability(one, token) for one in layers] for token in last.ids[:TOP]])
            names = [_("embeddings"), *(str(n) for n in range(1, len(layers)))]
            caption = _(
                "The same masked-word head, put on what each layer gives. It was trained on the last layer only, so the early "
                "ones are guesses in a language that it does not speak yet. Words outside a layer's {n} likeliest are at 0."
            ).format(n=KEPT)
            maps([Map(grown, _("Probability by layer"), caption, signed=False, rows=words, columns=tuple(names))],
                 key="predict_layers", columns=1, height=260)  # fmt: skip
        else:
            st.caption(
                _(
                    "How the guess grows from layer to layer is shown for a plain BERT only, whose head is known by its parts."
                )
            )
    code = (
        tokens_code(chosen.key, texts)
        + f"""
from pretrained.reading import masked
hidden = masked(reader, tokens, {place})  # [MASK] in that place
result = reader.guess(hidden, {place}, top={TOP}).probabilities  # of the likeliest words"""
    )
    model = reader.own
    if model is None:
        return Asked(code, last.probabilities[:TOP])
    words = last.pieces[:TOP]
    return Asked(
        code,
        last.probabilities[:TOP],
        steps=lambda: language.trace_words(model, reading_of(reader, hidden).hidden[-1, place], last.ids[:TOP]),
        roles=ROLES,
        labels={"embeddings": {"rows": words}, "logits": {"columns": words}, "probabilities": {"columns": words}},
    )


def _show_next(controls: DeltaGenerator, picture: DeltaGenerator, chosen: Chosen, texts: Texts) -> Asked:
    reader = chosen.reader
    tokens = texts.tokens if texts.written is None else texts.written
    with controls:
        place = choose_place(tokens, _("Click a token: what would come after it?"), start=len(tokens) - 1,
                             key="predict_after")  # fmt: skip
    found = guesses_of(reader, texts.tokens, place, KEPT, texts.written)
    follower = int(tokens.ids[place + 1]) if place + 1 < len(tokens) else None
    with controls:
        if follower is not None:
            _say_rank(found, follower, tokens.labels[place + 1])
        st.caption(_("{name} sees what stands up to there, and nothing after it.").format(name=reader.name))
    with picture:
        _draw(chosen, found, None if follower is None else rank_of(follower, found.ids))
        st.caption(_("It was trained to write on, so it is asked for the next word instead of a masked one."))
    written = "" if texts.written is None else ", written=written"
    code = (
        tokens_code(chosen.key, texts)
        + f"""
result = reader.guess(tokens, {place}{written}, top={TOP}).probabilities  # of the likeliest tokens to come next"""
    )
    return Asked(code, found.probabilities[:TOP])


def _say_rank(guesses: Guesses, token: int, word: str) -> None:
    rank = rank_of(token, guesses.ids)
    if rank is None:
        st.text(_("What stands there, “{word}”, is not among its {n} likeliest.").format(word=word, n=len(guesses.ids)))
        return
    st.text(_("What stands there, “{word}”, is its guess number {rank}, with {p:.1%}.").format(
        word=word, rank=rank + 1, p=guesses.probabilities[rank]))  # fmt: skip


def _finding(guesses: Guesses) -> str:
    return _("Likeliest: “{word}”, {p:.1%}.").format(word=guesses.pieces[0], p=guesses.probabilities[0])


def _draw(chosen: Chosen, guesses: Guesses, marked: int | None) -> None:
    figure = probabilities(list(guesses.pieces[:TOP]), guesses.probabilities[:TOP], page.theme(), marked)
    page.chart(figure, key="predict_bars", alt=_finding(guesses))


@st.cache_resource(max_entries=16, show_spinner=False)
def _by_layer(
    name: str, ids: tuple[int, ...], text: str, place: int, _chosen: Chosen, _hidden: language.Tokens
) -> tuple[Guesses, ...]:
    reader = _chosen.reader
    return () if reader.own is None else reader.guess_by_layer(reading_of(reader, _hidden), place, KEPT)


def _probability(guesses: Guesses, token: int) -> float:
    rank = rank_of(token, guesses.ids)
    return 0.0 if rank is None else float(guesses.probabilities[rank])

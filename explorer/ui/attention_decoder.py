"""The attention page's decoder: one word predicted in five steps, as a row of pictures that a slider walks through."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.decoder_views import START, Decoding, decode
from explorer.numbers import number
from explorer.text import _
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.sentence_input import sentence_input

DEFAULT = "The cat sat on the mat because it was tired"
MOST_WORDS, MOST_TERMS = 12, 6


def decoder_section() -> tuple[tuple[str, ...], int]:
    """Controls, pictures and what the chosen step did. → the words, and the seed of the weights."""
    st.subheader(_("In a decoder: five steps to one word"), anchor=False)
    st.markdown(_("An encoder RNN has read a sentence; a decoder RNN begins to write. Instead of one fixed vector for the "
                  "whole sentence, it looks back at the encoder's state at every word. **The words' vectors and all weights "
                  "are random**, so whom the decoder looks at and what it predicts means nothing. How it is computed is "
                  "real."))  # fmt: skip
    left, middle, right = st.columns([5, 3, 3], gap="medium")
    with left:
        typed = sentence_input(DEFAULT, key="attn_encoder_sentence", most=MOST_WORDS, label=_("What the encoder reads"))
    with middle:
        step = bounded(_("Step of the decoder"), range(1, 6), 5, key="attn_step")
    with right:
        seed = bounded(_("Seed of the random model"), range(10), 0, key="attn_decoder_seed")
    run = decode(typed.labels, seed)
    maps(decoder_maps(run, step), key="attn_decoder_maps", columns=6, height=300, size="small")
    st.markdown(step_text(run, step))
    return typed.labels, seed


def decoder_maps(run: Decoding, step: int) -> list[Map]:
    """All five steps; those that are still to come are faded."""
    words = run.words
    made = [
        (1, Map(run.encoder_states, _("1 Encoder states"), _("The values, a row for each word."), role="value", rows=words)),
        (1, Map(run.decoder_state[:, None], _("1 Decoder state"), _("The query."), role="query")),
        (2, Map(run.scores[:, None], _("2 Scores"), _("Dot products."), role="hidden", rows=words)),
        (3, Map(run.weights[:, None], _("3 Weights"), _("Softmax: they sum to 1."), role="hidden", limit=1.0, signed=False,
                rows=words)),
        (4, Map(run.context[:, None], _("4 Context"), _("The weighted sum of the values."), role="value")),
        (5, Map(run.probabilities[:, None], _("5 Prediction"), _("From context and query."), limit=1.0, signed=False,
                rows=run.vocabulary)),
    ]  # fmt: skip
    return [picture if number <= step else _to_come(picture) for number, picture in made]


def _to_come(picture: Map) -> Map:
    fields = {name: getattr(picture, name) for name in ("values", "title", "role", "limit", "signed", "rows")}
    return Map(**fields, caption=_("Still to come."), dropped=(picture.values.shape[0], picture.values.shape[1]))


def step_text(run: Decoding, step: int) -> str:
    """Markdown: what this step does, with its numbers."""
    top = int(run.weights.argmax())
    word, state = run.words[top], run.encoder_states[top]
    if step == 1:
        text = _("**Step 1.** The encoder's {n} states, {width} numbers each, are the **values**; they are the keys too. The "
                 "decoder has read {start}, and its state is the **query**: ({query}).")  # fmt: skip
        query = ", ".join(number(x, 2) for x in run.decoder_state)
        return text.format(n=len(run.words), width=len(state), start=START.join("``"), query=query)
    if step == 2:
        text = _("**Step 2.** A **score** for each word: the dot product of its state and the query. The largest is that of "
                 "“{word}”:")  # fmt: skip
        return text.format(word=word) + _display(state, run.decoder_state, run.scores[top])
    if step == 3:
        text = _(
            "**Step 3.** The **softmax** makes positive weights of the scores, which sum to 1. “{word}” gets the most:"
        )
        total = float(np.exp(run.scores).sum())
        power = rf"\frac{{e^{{{_tex(run.scores[top])}}}}}{{{_tex(total)}}} = {_tex(run.weights[top], 3)}"
        return text.format(word=word) + f"\n\n$$\n{power}\n$$"
    if step == 4:
        text = _("**Step 4.** The **context** is the sum of the states, each times its weight. Its first number:")
        return text + _display(run.weights, run.encoder_states[:, 0], run.context[0])
    best = int(run.probabilities.argmax())
    text = _("**Step 5.** Context and query side by side go through a layer with tanh, then through one with an output for "
             "each word, then a softmax. The decoder would write “{word}”, with probability {probability}; with a trained "
             "model that would be a translation.")  # fmt: skip
    combine = rf"\tanh(W_c\,[{page.tex('value', 'context')}; {page.tex('query', 'query')}])"
    combined = ", ".join(_tex(x) for x in run.combined)
    formulas = rf"{combine} = ({combined}) \\ {page.tex('output', 'p')} = \mathrm{{softmax}}(W_o {combine})"
    told = text.format(word=run.vocabulary[best], probability=number(run.probabilities[best]))
    return f"{told}\n\n$$\n\\begin{{gathered}} {formulas} \\end{{gathered}}\n$$"


def _display(a: np.ndarray, b: np.ndarray, total: float) -> str:
    """a · b term by term, the first few, as a formula of its own line."""
    terms = [rf"{_signed(x)} \cdot {_signed(y)}" for x, y in zip(a[:MOST_TERMS], b, strict=False)]
    rest = [r"\dots"] if len(a) > MOST_TERMS else []
    return f"\n\n$$\n{' + '.join(terms + rest)} = {_tex(total, 3)}\n$$"


def _tex(value: float, digits: int = 2) -> str:
    return number(float(value), digits).replace("−", "-")


def _signed(value: float) -> str:
    text = _tex(value)
    return f"({text})" if text.startswith("-") else text

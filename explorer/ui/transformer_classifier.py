"""The part of the Transformer page that trains a classifier of reviews in view of the visitor: attention before and after."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.models.sequence_transformers import TransformerClassifier
from explorer.numbers import grouped
from explorer.review_training import (
    CONFIG,
    STEPS,
    Baselines,
    Verdict,
    baselines,
    judge,
    received,
    train_classifier,
    untrained,
)
from explorer.reviews import VERDICTS, WORDS
from explorer.text import _
from explorer.transformer_parameters import count
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.live_training import Plan, latest, live_training
from explorer.ui.sentence_input import sentence_input

KEY = "tr_classifier"
MOST_WORDS = 16
DEFAULT = "the food was bad but the waiter was friendly"


@st.cache_data(show_spinner=False)
def _baselines() -> Baselines:
    return baselines()


@st.cache_resource(show_spinner=False, max_entries=16)
def _untrained(seed: int) -> TransformerClassifier:
    return untrained(seed)


@st.cache_resource(show_spinner=False, max_entries=32)
def _judged(seed: int, step: int, words: tuple[str, ...], _model: TransformerClassifier) -> Verdict:
    """seed, step: of the training that gave the model."""
    return judge(_model, words)


def classifier_section() -> tuple[tuple[str, ...], Verdict]:
    """Controls, training and pictures; gives the typed words, and the verdict of the model as it is now, with its steps."""
    controls, picture = page.play()
    with controls:
        words = sentence_input(DEFAULT, key="tr_review", most=MOST_WORDS, label=_("A review")).labels
        unknown = [word for word in words if word.lower() not in WORDS]
        if unknown:
            named = ", ".join(f"“{word}”" for word in dict.fromkeys(unknown))
            st.caption(_("Not among its {n} words, and read as <unk>: {named}.").format(n=len(WORDS) - 2, named=named))
        layer = bounded(_("Layer shown"), range(1, CONFIG.layers + 1), 1, key="tr_review_layer") - 1
        with st.expander(_("More")):
            seed = bounded(_("Seed of the training"), range(10), 0, key="tr_review_seed")
            st.markdown(_("**Words it knows:** {words}").format(words=", ".join(WORDS[2:])))
        simple = _baselines()
        st.markdown(_baseline_text(simple))
    simpler = {_("word counts"): simple.bag, _("always one verdict"): simple.majority}
    with picture:
        plan = Plan(("reviews", seed), lambda: train_classifier(seed), math.log(2), simpler, STEPS)
        live_training(KEY, plan)
    progress = latest(KEY, plan.identity)
    start = _untrained(seed)
    step = 0 if progress is None else progress.step
    now = start if progress is None else cast(TransformerClassifier, progress.model)
    before, after = _judged(seed, 0, words, start), _judged(seed, step, words, now)
    left, right = st.columns(2, gap="medium")
    for column, found, name, text in (
        (left, before, "before", _("Before training")),
        (right, after, "after", _("After {n} updates").format(n=step)),
    ):
        with column:
            st.markdown(f"**{text}**: {_verdict(found)}")
            maps(_attention(words, found, layer), key=f"tr_{name}", columns=2, height=330)
    maps([_received(words, before, after, layer)], key="tr_received", columns=1, height=170)
    st.caption(_finding(words, before, after, layer) if step else _("Train it, and compare: nothing is learned yet."))
    st.caption(_("In the maps, a row is a word that looks, a column one that is looked at; rows sum to 1. Attention is not an "
                 "explanation: it says what was read from where, not why the verdict came out as it did."))  # fmt: skip
    return words, after


def _baseline_text(simple: Baselines) -> str:
    text = _("The classifier: embed × √d, positions, an encoder of {layers} layers, the mean over the words, one linear layer; "
             "{parameters} parameters. “not” turns a word round, and after “but” counts what follows, so the order decides. "
             "Counting words (logistic regression) gets {bag:.0%} of the held-out reviews right, always the same verdict "
             "{majority:.0%}.")  # fmt: skip
    parameters = grouped(count(_untrained(0)))
    return text.format(layers=CONFIG.layers, parameters=parameters, bag=simple.bag, majority=simple.majority)


def _verdict(found: Verdict) -> str:
    """The likelier verdict and its probability."""
    positive = found.positive >= 0.5
    names = {VERDICTS[0]: _("negative"), VERDICTS[1]: _("positive")}
    share = found.positive if positive else 1 - found.positive
    return _("{verdict}, {share:.0%} sure").format(verdict=names[VERDICTS[int(positive)]], share=share)


def _attention(words: tuple[str, ...], found: Verdict, layer: int) -> list[Map]:
    return [
        Map(head, _("Head {n}").format(n=place + 1), limit=1.0, signed=False, rows=words, columns=words, head=place)
        for place, head in enumerate(found.attention[layer])
    ]


def _received(words: tuple[str, ...], before: Verdict, after: Verdict, layer: int) -> Map:
    values = np.stack([received(found.attention[layer]) for found in (before, after)])
    told = _("How much of all attention each word gets, mean over its heads and all words that look; a row sums to 1.")
    rows = (_("before"), _("after"))
    return Map(
        values, _("Who is looked at, in layer {n}").format(n=layer + 1), told, signed=False, rows=rows, columns=words
    )


def _finding(words: tuple[str, ...], before: Verdict, after: Verdict, layer: int) -> str:
    """Which word gets most attention now, and what it got before."""
    then, now = (received(found.attention[layer]) for found in (before, after))
    most = int(now.argmax())
    text = _("“{word}” gets {now:.0%} of the attention in layer {n}; before training it was {then:.0%}. Put the two halves the "
             "other way round: where does the attention go?")  # fmt: skip
    return text.format(word=words[most], now=float(now[most]), then=float(then[most]), n=layer + 1)

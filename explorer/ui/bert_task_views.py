"""What the pages show of tasks: the classes of a text, the answer in its text, and where these look."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.components.coloured_text import coloured_text
from explorer.components.maps import Map, maps
from explorer.language_views import by_character
from explorer.plots.bars import probabilities
from explorer.text import _
from explorer.ui import page
from explorer.ui.bert_asked import Asked
from explorer.ui.bert_code import quoted
from explorer.ui.bounded import bounded
from explorer.ui.picks import fresh_pick
from pretrained.reading import Reading

if TYPE_CHECKING:
    from pretrained.finetuned import Answer, Classification

MOST_CLASSES = 10  # drawn
AROUND = 400  # characters before and after the answer


def show_judged(
    controls: DeltaGenerator, picture: DeltaGenerator, repository: str, text: str, found: Classification
) -> Asked:
    """The classes of a text, and where the token looks that they are read from."""
    with controls:
        layer, head = _choose_head(found.reading)
    with picture:
        labels, shares = list(found.labels[:MOST_CLASSES]), found.probabilities[:MOST_CLASSES]
        finding = _("{label}: {p:.1%}.").format(label=labels[0], p=shares[0])
        page.chart(probabilities(labels, shares, page.theme(), 0), key="predict_classes", alt=finding)
        if len(found.labels) > MOST_CLASSES:
            st.caption(_("The likeliest {n} of {all} classes.").format(n=MOST_CLASSES, all=len(found.labels)))
        weights = found.reading.attention[layer, head, found.place]
        asking = found.reading.tokens.labels[found.place]
        _attention(found.reading, weights, 0, asking, (layer, head))
    code = f"""
from pretrained import finetuned
classifier = finetuned.classifier_from_hub({quoted(repository)})
found = finetuned.classify(classifier, {quoted(text)})
result = found.probabilities  # of {len(found.labels)} classes, likeliest first"""
    return Asked(code, found.probabilities)


def show_answered(
    controls: DeltaGenerator, picture: DeltaGenerator, repository: str, typed: tuple[str, ...], found: Answer
) -> Asked:
    """The answer in its text, how likely each token begins or ends it, and where it looks."""
    from pretrained import finetuned

    reading = found.reading
    views = {"start": _("Start"), "end": _("End"), "attention": _("Attention")}
    with picture:
        _mark(reading, found)
        view = st.segmented_control(_("Colours of the text"), list(views), default="start", required=True, wrap=True,
                                    format_func=views.__getitem__, key="predict_answer_view",
                                    bind="query-params")  # fmt: skip
        if view != "attention":
            values = found.starts if view == "start" else found.ends
            place = found.first if view == "start" else found.last
            which = _("first") if view == "start" else _("last")
            caption = _("The probability of each token to be the answer's {which}: “{word}” has {p:.1%}.").format(
                which=which, word=reading.tokens.labels[place], p=values[place])  # fmt: skip
            _coloured(reading, values, 1, views[view], caption)
        else:
            _attention_of_answer(controls, found, finetuned.attention_from, finetuned.shares)
    code = f"""
import numpy as np
from pretrained import finetuned
finder = finetuned.finder_from_hub({quoted(repository)})
found = finetuned.answer(finder, {quoted(typed[0])}, {quoted(typed[1])})
print(found.text, found.score)
result = np.stack([found.starts, found.ends])  # of each token, to be the answer's first and its last"""
    return Asked(code, np.stack([found.starts, found.ends]))


def _mark(reading: Reading, found: Answer) -> None:
    """The answer, and where it stands in the text."""
    context = reading.tokens.pair or ""
    begin, finish = max(0, found.start - AROUND), min(len(context), found.end + AROUND)
    parts = (context[begin : found.start], context[found.start : found.end], context[found.end : finish])
    before, answer, after = map(html.escape, parts)
    before, after = "… " * (begin > 0) + before, after + " …" * (finish < len(context))
    st.html(
        f'<p dir="auto" style="white-space: pre-wrap; overflow-wrap: anywhere">{before}'
        '<mark style="background: none; color: var(--role-output); font-weight: 700; border-bottom: 3px solid '
        f'var(--role-output)">{answer}</mark>{after}</p>'
    )
    told = _(
        "The answer: “{text}”. Probability {p:.1%}: its first token's, {start:.1%}, times its last one's, {end:.1%}."
    )
    st.text(told.format(text=found.text, p=found.score, start=found.starts[found.first], end=found.ends[found.last]))
    st.caption(_("That the text has no answer gets {p:.1%}; only models that were trained to say so mean it.").format(
        p=found.nothing))  # fmt: skip


def _attention_of_answer(controls: DeltaGenerator, found: Answer, attention_from: Any, shares: Any) -> None:
    reading, tokens = found.reading, found.reading.tokens
    sources = {"answer": _("From the answer"), "first": _("From {token}").format(token=tokens.labels[0])}
    with controls:
        layer, head = _choose_head(reading)
        source = st.segmented_control(_("Attention"), list(sources), default="answer", required=True, wrap=True,
                                      format_func=sources.__getitem__, key="predict_answer_from",
                                      bind="query-params")  # fmt: skip
    places = range(found.first, found.last + 1) if source == "answer" else range(1)
    weights = attention_from(reading, places)[layer, head]
    asking = _("the answer") if source == "answer" else tokens.labels[0]
    _attention(reading, weights, 1, asking, (layer, head))
    names = {"answer": _("To itself"), "question": _("To the question"), "context": _("To the rest of the text"),
             "special": _("To special tokens")}  # fmt: skip
    layers, heads = reading.attention.shape[:2]
    sides: dict[str, Any] = {
        "rows": tuple(str(n + 1) for n in range(layers)),
        "columns": tuple(str(n + 1) for n in range(heads)),
    }
    spread = shares(reading, places)
    maps([Map(spread[name], title, limit=1.0, marks=np.array([[layer, head]]), **sides) for name, title in names.items()],
         key="predict_shares", columns=4, height=220, pick=True, size="small")  # fmt: skip
    st.caption(_("Where each head's attention goes: rows are layers, columns heads; the four add up to 1. Click a head to "
                 "choose it."))  # fmt: skip


def _choose_head(reading: Reading) -> tuple[int, int]:
    """Layer and head, from 0; a click in the shares moves them."""
    layers, heads = reading.attention.shape[:2]
    picked = fresh_pick("predict_shares")
    if picked is not None and picked.row < layers and picked.column < heads:
        st.session_state["predict_layer"], st.session_state["predict_head"] = picked.row + 1, picked.column + 1
    layer = bounded(_("Layer"), range(1, layers + 1), layers, key="predict_layer")
    head = bounded(_("Head"), range(1, heads + 1), 1, key="predict_head")
    return layer - 1, head - 1


def _attention(reading: Reading, weights: np.ndarray, sentence: int, asking: str, place: tuple[int, int]) -> None:
    """The attention over one of the two texts; weights: (T,)."""
    tokens = reading.tokens
    inside = (tokens.segments == sentence) & ~tokens.special
    caption = _("Layer {layer}, head {head}: where {asking} looks. {inside:.0%} of the attention goes to this text, "
                "{special:.0%} to special tokens. Attention is not an explanation.").format(
        layer=place[0] + 1, head=place[1] + 1, asking=asking, inside=weights[inside].sum(),
        special=weights[tokens.special].sum())  # fmt: skip
    _coloured(reading, weights, sentence, _("Attention"), caption)


def _coloured(reading: Reading, values: np.ndarray, sentence: int, title: str, caption: str) -> None:
    text, coloured = by_character(reading.tokens, values, sentence)
    limit = float(np.nanmax(coloured)) if np.isfinite(coloured).any() else 1.0
    coloured_text(text, coloured, key="predict_coloured", title=title, caption=caption, limit=limit or 1.0)

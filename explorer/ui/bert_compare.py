"""The BERT page's comparison: two sentences, or two models, head by head, and the difference where both have equal tokens."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.errors import UserError
from explorer.language_views import Shown, difference
from explorer.text import _
from explorer.tokens import encode
from explorer.ui.bert_texts import MOST_TYPED, Texts, attended, say_what_is_cut
from explorer.ui.bert_views import Wish, labels_that_fit
from explorer.ui.bounded import bounded
from explorer.ui.language_models import Chosen, here, load, name_of
from pretrained.reading import CrossReading, Reading

OTHER_SENTENCE = "The cat sat on the mat because it was warm."


def show_comparison(chosen: Chosen, texts: Texts, found: Reading | CrossReading, wish: Wish) -> None:
    """The chosen head beside the same head on another sentence, or beside any head of another model."""
    others = [key for key in here() if key != chosen.key] if texts.written is None else []
    kinds = (
        {"sentence": _("Another sentence"), "model": _("Another model")}
        if others
        else {"sentence": _("Another sentence")}
    )
    kind = st.segmented_control(_("Compare with"), list(kinds), default="sentence", required=True,
                                format_func=kinds.__getitem__, key="bert_compare", bind="query-params")  # fmt: skip
    try:
        if kind == "sentence":
            _with_sentence(chosen, texts, found, wish)
        else:
            _with_model(chosen, texts, found, wish, others)
    except UserError as error:
        st.error(str(error), icon=":material/edit_off:")


def _with_sentence(chosen: Chosen, texts: Texts, found: Reading | CrossReading, wish: Wish) -> None:
    text = texts.tokens.text
    default = text.replace("tired", "warm") if "tired" in text and len(text) < 200 else OTHER_SENTENCE
    typed = st.text_input(_("The other sentence"), default, key="bert_compare_text", max_chars=MOST_TYPED,
                          bind="query-params")  # fmt: skip
    reader = chosen.reader
    tokens = encode(reader.tokenizer, typed.strip() or default, limit=reader.limit)
    say_what_is_cut(reader, tokens)
    second = attended(chosen, Texts(tokens, texts.written), wish.stack)
    titles = (_("This sentence"), _("The other"))
    _draw(wish.shown(found), wish.shown(second), titles, wish, (wish.layer, wish.head))


def _with_model(chosen: Chosen, texts: Texts, found: Reading | CrossReading, wish: Wish, others: list[str]) -> None:
    names = {key: name_of(key) for key in others}
    left, middle, right = st.columns(3, gap="medium")
    with left:
        key = st.selectbox(_("The other model"), others, format_func=names.__getitem__, key="bert_compare_model",
                           bind="query-params")  # fmt: skip
    with st.spinner(_("Loading {name} …").format(name=names[key]), show_time=True):
        other = Chosen(key, load(key))
    tokens = encode(other.reader.tokenizer, texts.tokens.text, texts.tokens.pair, limit=other.reader.limit)
    say_what_is_cut(other.reader, tokens)
    second = attended(other, Texts(tokens), wish.stack)
    layers, heads = second.attention.shape[:2]
    with middle:
        layer = bounded(_("Its layer"), range(1, layers + 1), wish.layer + 1, key="bert_compare_layer") - 1
    with right:
        head = bounded(_("Its head"), range(1, heads + 1), wish.head + 1, key="bert_compare_head") - 1
    # Two models cut words differently; whole words are what they share.
    sides = (wish.shown(found, whole_words=True), wish.shown(second, whole_words=True))
    _draw(*sides, (chosen.reader.name, other.reader.name), wish, (layer, head))
    st.caption(_("Whole words, as two models cut them into different pieces."))


def _draw(a: Shown, b: Shown, titles: tuple[str, str], wish: Wish, place: tuple[int, int]) -> None:
    """Both heads, and their difference where they are between equally many. place: layer and head of the second."""
    first, second = a.attention[wish.layer, wish.head], b.attention[place]
    pictures = [_map(first, a, titles[0], wish.layer, wish.head), _map(second, b, titles[1], *place)]
    same = first.shape == second.shape
    if same and first.size:
        changed = difference(first, second)
        row, column = np.unravel_index(np.abs(changed).argmax(), changed.shape)
        pictures.append(Map(changed, _("Difference"), _("First minus second."), signed=True,
                            rows=labels_that_fit(a.rows.labels), columns=labels_that_fit(a.columns.labels)))  # fmt: skip
        told = _("The largest difference: from “{row}” to “{column}”, {value:+.2f}.").format(
            row=a.rows.labels[row], column=a.columns.labels[column], value=changed[row, column]).replace("-", "−")  # fmt: skip
    else:
        told = _(
            "The first has {a} rows and {b} columns, the second {c} and {d}, so there is no difference cell by cell."
        )
        told = told.format(a=len(a.rows), b=len(a.columns), c=len(b.rows), d=len(b.columns))
    maps(pictures, key="bert_compare_maps", columns=len(pictures), height=360)
    st.caption(told)


def _map(attention: np.ndarray, seen: Shown, title: str, layer: int, head: int) -> Map:
    caption = _("Layer {layer}, head {head}.").format(layer=layer + 1, head=head + 1)
    return Map(attention, title, caption, share="attention",
               rows=labels_that_fit(seen.rows.labels), columns=labels_that_fit(seen.columns.labels))  # fmt: skip

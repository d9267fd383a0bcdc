"""The BERT page's comparison: two sentences, or two models, head by head, and the difference where both have equal tokens."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.maps import Map, maps
from explorer.language_views import Shown, difference, shown
from explorer.text import _
from explorer.tokens import encode
from explorer.ui import page
from explorer.ui.bert_views import Wish, labels_that_fit
from explorer.ui.bounded import bounded
from explorer.ui.language_models import load, reading_of, records
from pretrained.language import LanguageModel
from pretrained.reading import Reading


def show_comparison(model: LanguageModel, reading: Reading, wish: Wish, others: list[str]) -> None:
    """The chosen head beside the same head on another sentence, or beside any head of another model.

    others: keys of the other models that are on this computer; one is loaded only once it is chosen.
    """
    controls, picture = page.play()
    with controls:
        kinds = {"sentence": _("Another sentence"), "model": _("Another model")}
        kind = "sentence"
        if others:
            kind = st.segmented_control(_("Compare with"), list(kinds), default="sentence", required=True,
                                        format_func=kinds.__getitem__, key="bert_compare", bind="query-params")  # fmt: skip
        layer, head = wish.layer, wish.head
        other = model
        text = reading.tokens.text
        if kind == "sentence":
            default = (
                text.replace("tired", "warm") if "tired" in text else _("The cat sat on the mat because it was warm.")
            )
            text = st.text_input(_("The other sentence"), default, key="bert_compare_text", max_chars=2000,
                                 bind="query-params").strip() or default  # fmt: skip
        else:
            names = {key: records()[key].name for key in others}
            key = st.selectbox(_("The other model"), list(names), format_func=names.__getitem__, key="bert_compare_model",
                               bind="query-params")  # fmt: skip
            other = load(key)
            sizes = other.module.bert.config
            layer = (
                bounded(
                    _("Its layer"),
                    range(1, sizes.layers + 1),
                    min(wish.layer + 1, sizes.layers),
                    key="bert_compare_layer",
                )
                - 1
            )
            head = (
                bounded(
                    _("Its head"), range(1, sizes.heads + 1), min(wish.head + 1, sizes.heads), key="bert_compare_head"
                )
                - 1
            )
    second = reading_of(other, encode(other.tokenizer, text, limit=other.limit))
    options = {"hide_special": wish.hide_special, "renormalise": wish.renormalise, "whole_words": wish.whole_words}
    # Two models cut words differently; whole words are what they share.
    if kind == "model":
        options["whole_words"] = True
    a, b = (shown(r.tokens, r.attention, **options) for r in (reading, second))
    first_map, second_map = a.attention[wish.layer, wish.head], b.attention[layer, head]
    titles = (_("This sentence"), _("The other")) if kind == "sentence" else (model.name, other.name)
    pictures = [_map(first_map, a, titles[0], wish.layer, wish.head), _map(second_map, b, titles[1], layer, head)]
    same_words = len(a.labels) == len(b.labels)
    with picture:
        if same_words:
            changed = difference(first_map, second_map)
            row, column = np.unravel_index(np.abs(changed).argmax(), changed.shape)
            labels = labels_that_fit(a.labels)
            pictures.append(
                Map(changed, _("Difference"), _("First minus second."), signed=True, rows=labels, columns=labels)
            )
        maps(pictures, key="bert_compare_maps", columns=len(pictures), height=360)
        if same_words:
            st.caption(_("The largest difference: from “{row}” to “{column}”, {value:+.2f}.").format(
                row=a.labels[row], column=a.labels[column], value=changed[row, column]))  # fmt: skip
        else:
            st.caption(_("The first has {a} tokens and the second {b}, so there is no difference cell by cell.").format(
                a=len(a.labels), b=len(b.labels)))  # fmt: skip


def _map(attention: np.ndarray, seen: Shown, title: str, layer: int, head: int) -> Map:
    caption = _("Layer {layer}, head {head}.").format(layer=layer + 1, head=head + 1)
    labels = labels_that_fit(seen.labels)
    return Map(attention, title, caption, share="attention", rows=labels, columns=labels)

"""The BERT page's pictures of attention: lines, all heads, neurons, statistics, flow through the layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

import numpy as np
import streamlit as st

from explorer.attention_statistics import (
    OF_PLACES,
    STATISTICS,
    HeadStatistics,
    head_statistics,
    norm_weighted,
)
from explorer.components.address import keep_in_address
from explorer.components.attention_grid import attention_grid, thumbnails
from explorer.components.attention_lines import attention_lines
from explorer.components.maps import Map, maps
from explorer.components.neuron_view import neuron_view
from explorer.language_views import Shown, shown
from explorer.plots.language import statistic_by_layer
from explorer.rollout import rollout
from explorer.text import _
from explorer.ui import page
from explorer.ui.bert_texts import Stack
from explorer.ui.bounded import bounded
from explorer.ui.picks import fresh_state
from pretrained.asking import Reader
from pretrained.reading import CrossReading, Reading

MOST_LABELLED = 96  # tokens; maps of more have no room for their words
BRIGHTEST = (0.1, 0.25, 0.5, 1.0)

ATTENTION_ROLES = {
    "x": "input",
    "query": "query",
    "key": "key",
    "value": "value",
    "scores": "hidden",
    "weights": "hidden",
    "mixed": "hidden",
    "joined": "output",
    "keep": "mask",
    "self.query": "weight",
    "self.key": "weight",
    "self.value": "weight",
}
"""What the names in a self-attention's code stand for."""
STEPPED = 24
"""Tokens of a text that are stepped through; of more there would be too many numbers."""


@dataclass(frozen=True)
class Wish:
    """What the visitor wants to see. layer, head: from 0. stack: which attention of an encoder–decoder."""

    view: str
    layer: int
    head: int
    hide_special: bool
    renormalise: bool
    whole_words: bool
    brightest: float
    stack: Stack = "encoder"

    def shown(self, found: Reading | CrossReading, attention: np.ndarray | None = None, **other: bool) -> Shown:
        """The attention as it is wished for. attention: to be shown like that of `found`; other: as in shown."""
        options = {"hide_special": self.hide_special, "renormalise": self.renormalise, "whole_words": self.whole_words}
        if attention is None:
            return _all_shown(found, **(options | other))
        return shown(found.queries, found.keys, attention, **(options | other))


# Of hundreds of tokens these take seconds, and a control that changes none of it asks for them again.


@lru_cache(maxsize=2)
def _all_shown(found: Reading | CrossReading, **options: bool) -> Shown:
    return shown(found.queries, found.keys, found.attention, **options)


@lru_cache(maxsize=2)
def _images(seen: Shown, brightest: float) -> np.ndarray:
    return thumbnails(seen.attention, brightest)


def names_of_statistics(found: Reading | CrossReading) -> dict[str, tuple[str, str]]:
    """Statistic → (what it is called, its unit), of those that mean something for this attention."""
    special = [found.keys.labels[place] for place in np.flatnonzero(found.keys.special)]
    names = {
        "entropy": (_("Entropy"), _(" bits")),
        "distance": (_("Mean distance"), _(" tokens")),
        "previous": (_("Share to the previous token"), ""),
        "next": (_("Share to the next token"), ""),
        "same": (_("Share to the token itself"), ""),
        "punctuation": (_("Share to punctuation"), ""),
    }
    if special:
        names["first"] = (_("Share to the first special token, {token}").format(token=special[0]), "")
    if len(special) > 1:
        others = ", ".join(dict.fromkeys(special[1:]))
        names["separator"] = (_("Share to the other special tokens, {tokens}").format(tokens=others), "")
    left_out = () if isinstance(found, Reading) else OF_PLACES
    return {name: names[name] for name in STATISTICS if name in names and name not in left_out}


def choose_view() -> str:
    """Which picture."""
    names = {
        "lines": _("Lines"),
        "grid": _("All heads"),
        "neurons": _("Neurons"),
        "statistics": _("Statistics"),
        "flow": _("Flow"),
        "compare": _("Compare"),
    }
    return st.segmented_control(_("View"), list(names), default="lines", required=True, format_func=names.__getitem__,
                                wrap=True, key="bert_view", bind="query-params")  # fmt: skip


def choose_head(layers: int, heads: int) -> tuple[int, int]:
    """Layer and head, from 0; a click in the grid of all heads moves them."""
    _follow_click()
    layer = bounded(_("Layer"), range(1, layers + 1), 3, key="bert_layer")
    head = bounded(_("Head"), range(1, heads + 1), 4, key="bert_head")
    keep_in_address({"bert_layer": str(layer), "bert_head": str(head)}, key="bert_address")
    return layer - 1, head - 1


def _follow_click() -> None:
    picked = fresh_state("bert_grid")
    if picked is not None:
        st.session_state["bert_layer"], st.session_state["bert_head"] = picked["layer"] + 1, picked["head"] + 1


def choose_tokens() -> tuple[bool, bool, bool]:
    """(hide special tokens, renormalise, whole words)."""
    hide = st.toggle(_("Hide special tokens"), True, key="bert_hide", bind="query-params",
                     help=_("[CLS], [SEP] and the like: most heads put much of their weight there; without them you see "
                            "the rest."))  # fmt: skip
    renormalise = st.toggle(_("Let rows sum to 1 again"), True, key="bert_renormalise", bind="query-params",
                            disabled=not hide)  # fmt: skip
    whole = st.toggle(_("Whole words"), key="bert_words", bind="query-params",
                      help=_("Pieces of a word as one: weight to them is summed, weight from them averaged."))  # fmt: skip
    return hide, renormalise and hide, whole


def show(found: Reading | CrossReading, wish: Wish, reader: Reader) -> None:
    """The chosen picture."""
    seen = wish.shown(found)
    if not (len(seen.rows) and len(seen.columns)):
        st.info(_("There are only special tokens, and they are hidden."), icon=":material/info:")
        return
    if wish.view == "lines":
        _lines(seen, wish)
    elif wish.view == "grid":
        _grid(found, seen, wish)
    elif wish.view == "neurons":
        _neurons(found, wish)
    elif wish.view == "statistics":
        _statistics(found, wish)
    else:
        _flow(found, seen, wish, reader)
    if wish.view in {"lines", "grid", "flow"}:
        _say_what_is_left_out(found, wish)


def _say_what_is_left_out(found: Reading | CrossReading, wish: Wish) -> None:
    special = found.keys.special
    if wish.hide_special and special.any():
        kept = found.attention[wish.layer, wish.head][~found.queries.special]
        text = _("Hidden: on average {share:.0%} of a word's weight in this head, which goes to special tokens. ")
        rest = _("What is left was divided by its sum.") if wish.renormalise else _("Rows sum to less than 1.")
        st.caption(text.format(share=kept[:, special].sum(-1).mean()) + rest)


def _lines(seen: Shown, wish: Wish) -> None:
    names = [_("Head {n}").format(n=n + 1) for n in range(seen.attention.shape[1])]
    attention_lines(seen.attention[wish.layer], seen.rows.labels, seen.columns.labels, key="bert_lines", heads=[wish.head],
                    names=names, url="bert_token")  # fmt: skip
    st.caption(_("Layer {layer}: from each token on the left to those that it attends to on the right. Point at a token to "
                 "see it alone, click to hold it. Click heads to add or remove them; double-click one to see only it.")
               .format(layer=wish.layer + 1))  # fmt: skip


def _grid(found: Reading | CrossReading, seen: Shown, wish: Wish) -> None:
    names = names_of_statistics(found)
    left, right = st.columns(2, gap="medium")
    with left:
        name = st.selectbox(_("Bars show"), list(names), format_func=lambda s: names[s][0], key="bert_grid_statistic",
                            bind="query-params")  # fmt: skip
    with right:
        orders = {"layers": _("By layer"), "statistic": _("Largest first")}
        order = st.segmented_control(_("Order"), list(orders), default="layers", required=True,
                                     format_func=orders.__getitem__, key="bert_grid_order", bind="query-params")  # fmt: skip
    values = getattr(statistics_of(found), name)
    layer, head = np.unravel_index(values.argmax(), values.shape)
    finding = _("{name} is largest in layer {layer}, head {head}: {value:.3g}{unit}.").format(
        name=names[name][0], layer=layer + 1, head=head + 1, value=values[layer, head], unit=names[name][1])  # fmt: skip
    attention_grid(_images(seen, wish.brightest), key="bert_grid", selected=(wish.layer, wish.head),
                   statistic=values, name=names[name][0].lower(), unit=names[name][1], limit=wish.brightest, alt=finding,
                   order=cast(Literal["layers", "statistic"], order))  # fmt: skip
    pooled = (
        _(" Of so many tokens, each pixel is the largest weight of several.")
        if max(len(seen.rows), len(seen.columns)) > 64
        else ""
    )
    st.caption(_("Each square is a head: from the token of a row to the token of a column. Click one to choose it for the "
                 "other views. {finding}").format(finding=finding) + pooled)  # fmt: skip


def _neurons(found: Reading | CrossReading, wish: Wish) -> None:
    if found.query is None or found.key is None or found.scale is None:
        st.info(_("What goes into the softmax of this kind of model is not queries times keys alone, so it cannot be shown "
                  "element by element."), icon=":material/info:")  # fmt: skip
        return
    place = (wish.layer, wish.head)
    neuron_view(found.query[place], found.key[place], found.attention[place], found.queries.labels, found.keys.labels,
                key="bert_neurons", scale=float(found.scale[wish.layer]), bias=found.bias_of(*place),
                locked=min(len(found.queries) - 1, 9))  # fmt: skip
    st.caption(_("For the chosen query, every key: multiply element by element, add up, scale, softmax over all keys. "
                 "Blue is negative, orange positive; special tokens take part, whatever is hidden elsewhere."))  # fmt: skip


def labels_that_fit(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The words beside a map's rows and columns; none where there are too many to be drawn."""
    return labels if len(labels) <= MOST_LABELLED else ()


@lru_cache(maxsize=2)
def statistics_of(found: Reading | CrossReading) -> HeadStatistics:
    """Of all heads, on all tokens."""
    keys = found.keys
    return head_statistics(found.attention, keys.special, keys.punctuation, isinstance(found, Reading))


def _statistics(found: Reading | CrossReading, wish: Wish) -> None:
    names = names_of_statistics(found)
    name = st.selectbox(_("Statistic"), list(names), format_func=lambda s: names[s][0], key="bert_statistic",
                        bind="query-params")  # fmt: skip
    title, unit = names[name]
    values = getattr(statistics_of(found), name)
    layers, heads = values.shape
    most = np.log2(len(found.keys)) if name == "entropy" else None
    picture = Map(values, title, _("Rows are layers, columns heads."), unit=unit, limit=most,
                  rows=tuple(str(n + 1) for n in range(layers)), columns=tuple(str(n + 1) for n in range(heads)))  # fmt: skip
    left, right = st.columns(2, gap="medium")
    with left:
        maps([picture], key="bert_statistic_map", columns=1, height=340)
    order = np.argsort(-values, axis=None)[:5]
    best = [(int(i) // heads, int(i) % heads) for i in order]
    finding = _("Largest: ") + ", ".join(
        f"{layer + 1}·{head + 1} ({values[layer, head]:.3g}{unit})" for layer, head in best
    )
    with right:
        figure = statistic_by_layer(
            values, title + (f" ({unit.strip()})" if unit else ""), (wish.layer, wish.head), page.theme()
        )
        page.chart(figure, key="bert_statistic_chart", alt=finding)
    bound = (
        _(" The most that {n} tokens allow is {most:.2f} bits.").format(n=len(found.keys), most=most) if most else ""
    )
    st.caption(finding + _(" (layer·head). Means over all tokens of the text, special ones too.") + bound)


def _flow(found: Reading | CrossReading, seen: Shown, wish: Wish, reader: Reader) -> None:
    sides: dict[str, Any] = {"rows": labels_that_fit(seen.rows.labels), "columns": labels_that_fit(seen.columns.labels)}
    pictures = [Map(seen.attention[wish.layer, wish.head], _("Attention"), _("Layer {layer}, head {head}.")
                    .format(layer=wish.layer + 1, head=wish.head + 1), **sides)]  # fmt: skip
    told = []
    weight = reader.output_weight(wish.layer)
    if weight is not None and found.value is not None:
        weighted = norm_weighted(found.attention[wish.layer], found.value[wish.layer], weight)
        drawn = wish.shown(found, weighted[wish.head], renormalise=False).attention
        pictures.append(Map(drawn, _("Weighted by length, ‖α·v W_O‖"),
                            _("How long the vector is that each token really adds."), **sides))  # fmt: skip
        told.append(_("A large weight on a token whose value is short adds little: compare the special tokens."))
    else:
        told.append(_("Weights by length need W_O, which is known by its name in the explorer's own BERT only."))
    if isinstance(found, Reading):
        flow = wish.shown(found, rollout(found.attention)[wish.layer], renormalise=False).attention
        pictures.append(Map(flow, _("Rollout"), _("How much of each input token reaches each place after layer "
                            "{layer}, over all heads.").format(layer=wish.layer + 1), **sides))  # fmt: skip
        told.append(_("Rollout takes half of each layer for its mean attention and half for the residual connection; it "
                      "leaves out values, feed-forward parts and layer norms."))  # fmt: skip
        if wish.stack == "decoder":
            told.append(_("It also leaves out what comes from the encoder."))
    else:
        told.append(_("There is no rollout from one text to another: it follows tokens through layers of one stack."))
    maps(pictures, key="bert_flow", columns=len(pictures), height=420)
    st.caption(" ".join(told))

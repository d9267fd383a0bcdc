"""The BERT page's pictures of attention: lines, all heads, neurons, statistics, flow through the layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import streamlit as st

from explorer.attention_statistics import STATISTICS, HeadStatistics, head_statistics, norm_weighted, rollout
from explorer.components.address import keep_in_address
from explorer.components.attention_grid import attention_grid, thumbnails
from explorer.components.attention_lines import attention_lines
from explorer.components.maps import Map, maps
from explorer.components.neuron_view import neuron_view
from explorer.language_views import Shown, shown
from explorer.plots.language import statistic_by_layer
from explorer.text import _
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.picks import fresh_state
from pretrained.reading import Reading

MOST_LABELLED = 96  # tokens; maps of more have no room for their words
BRIGHTEST = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Wish:
    """What the visitor wants to see. layer, head: from 0."""

    view: str
    layer: int
    head: int
    hide_special: bool
    renormalise: bool
    whole_words: bool
    brightest: float


def names_of_statistics() -> dict[str, tuple[str, str]]:
    """Statistic → (what it is called, its unit)."""
    return {
        "entropy": (_("Entropy"), _(" bits")),
        "distance": (_("Mean distance"), _(" tokens")),
        "previous": (_("Share to the previous token"), ""),
        "next": (_("Share to the next token"), ""),
        "same": (_("Share to the token itself"), ""),
        "first": (_("Share to the first special token, [CLS]"), ""),
        "separator": (_("Share to the other special tokens, [SEP]"), ""),
        "punctuation": (_("Share to punctuation"), ""),
    }


def choose_view() -> str:
    """Which picture."""
    names = {
        "lines": _("Lines"),
        "grid": _("All heads"),
        "neurons": _("Neurons"),
        "statistics": _("Statistics"),
        "flow": _("Flow"),
    }
    return st.segmented_control(_("View"), list(names), default="lines", required=True, format_func=names.__getitem__,
                                key="bert_view", bind="query-params")  # fmt: skip


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
    hide = st.toggle(_("Hide [CLS] and [SEP]"), True, key="bert_hide", bind="query-params",
                     help=_("Most heads put much of their weight there; without it you see the rest."))  # fmt: skip
    renormalise = st.toggle(_("Let rows sum to 1 again"), True, key="bert_renormalise", bind="query-params",
                            disabled=not hide)  # fmt: skip
    whole = st.toggle(_("Whole words"), key="bert_words", bind="query-params",
                      help=_("Pieces of a word as one: weight to them is summed, weight from them averaged."))  # fmt: skip
    return hide, renormalise and hide, whole


def show(reading: Reading, wish: Wish, output_weight: Callable[[int], np.ndarray] | None) -> Shown:
    """The chosen picture. output_weight: layer → W_O as nn.Linear has it, None where it is not known."""
    seen = shown(reading.tokens, reading.attention, hide_special=wish.hide_special, renormalise=wish.renormalise,
                 whole_words=wish.whole_words)  # fmt: skip
    if wish.view == "lines":
        _lines(seen, wish)
    elif wish.view == "grid":
        _grid(reading, seen, wish)
    elif wish.view == "neurons":
        _neurons(reading, wish)
    elif wish.view == "statistics":
        _statistics(reading, wish)
    else:
        _flow(reading, seen, wish, output_weight)
    _say_what_is_left_out(reading, seen, wish)
    return seen


def _say_what_is_left_out(reading: Reading, seen: Shown, wish: Wish) -> None:
    if wish.hide_special and wish.view in {"lines", "grid", "flow"}:
        weight = (
            reading.attention[wish.layer, wish.head][~reading.tokens.special][:, reading.tokens.special].sum(-1).mean()
        )
        text = _("Hidden: on average {share:.0%} of a word's weight in this head, which goes to special tokens. ")
        rest = _("What is left was divided by its sum.") if wish.renormalise else _("Rows sum to less than 1.")
        st.caption(text.format(share=weight) + rest)


def _lines(seen: Shown, wish: Wish) -> None:
    names = [_("Head {n}").format(n=n + 1) for n in range(seen.attention.shape[1])]
    attention_lines(seen.attention[wish.layer], seen.labels, seen.labels, key="bert_lines", heads=[wish.head],
                    names=names, url="bert_token")  # fmt: skip
    st.caption(_("Layer {layer}: from each token on the left to those that it attends to on the right. Point at a token to "
                 "see it alone, click to hold it. Click heads to add or remove them; double-click one to see only it.")
               .format(layer=wish.layer + 1))  # fmt: skip


def _grid(reading: Reading, seen: Shown, wish: Wish) -> None:
    names = names_of_statistics()
    left, right = st.columns(2, gap="medium")
    with left:
        name = st.selectbox(_("Bars show"), STATISTICS, format_func=lambda s: names[s][0], key="bert_grid_statistic",
                            bind="query-params")  # fmt: skip
    with right:
        orders = {"layers": _("By layer"), "statistic": _("Largest first")}
        order = st.segmented_control(_("Order"), list(orders), default="layers", required=True,
                                     format_func=orders.__getitem__, key="bert_grid_order", bind="query-params")  # fmt: skip
    values = getattr(statistics_of(reading), name)
    layer, head = np.unravel_index(values.argmax(), values.shape)
    finding = _("{name} is largest in layer {layer}, head {head}: {value:.3g}{unit}.").format(
        name=names[name][0], layer=layer + 1, head=head + 1, value=values[layer, head], unit=names[name][1])  # fmt: skip
    attention_grid(thumbnails(seen.attention, wish.brightest), key="bert_grid", selected=(wish.layer, wish.head),
                   statistic=values, name=names[name][0].lower(), unit=names[name][1], limit=wish.brightest, alt=finding,
                   order=cast(Literal["layers", "statistic"], order))  # fmt: skip
    pooled = _(" Of so many tokens, each pixel is the largest weight of several.") if len(seen.labels) > 64 else ""
    st.caption(_("Each square is a head: from the token of a row to the token of a column. Click one to choose it for the "
                 "other views. {finding}").format(finding=finding) + pooled)  # fmt: skip


def _neurons(reading: Reading, wish: Wish) -> None:
    if reading.query is None or reading.key is None or reading.scale is None:
        st.info(_("This kind of model does not tell its queries and keys."), icon=":material/info:")
        return
    place = (wish.layer, wish.head)
    labels = reading.tokens.labels
    neuron_view(reading.query[place], reading.key[place], reading.attention[place], labels, labels, key="bert_neurons",
                scale=float(reading.scale[wish.layer]), bias=reading.bias_of(*place),
                locked=min(len(labels) - 1, 9))  # fmt: skip
    st.caption(_("For the chosen query, every key: multiply element by element, add up, scale, softmax over all keys. "
                 "Blue is negative, orange positive; special tokens take part, whatever is hidden elsewhere."))  # fmt: skip


def labels_that_fit(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The words beside a map's rows and columns; none where there are too many to be drawn."""
    return labels if len(labels) <= MOST_LABELLED else ()


def statistics_of(reading: Reading) -> HeadStatistics:
    """Of all heads, on all tokens."""
    return head_statistics(reading.attention, reading.tokens.special, reading.tokens.punctuation)


def _statistics(reading: Reading, wish: Wish) -> None:
    names = names_of_statistics()
    name = st.selectbox(_("Statistic"), STATISTICS, format_func=lambda s: names[s][0], key="bert_statistic",
                        bind="query-params")  # fmt: skip
    title, unit = names[name]
    values = getattr(statistics_of(reading), name)
    layers, heads = values.shape
    most = np.log2(len(reading.tokens)) if name == "entropy" else None
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
        _(" The most that {n} tokens allow is {most:.2f} bits.").format(n=len(reading.tokens), most=most)
        if most
        else ""
    )
    st.caption(finding + _(" (layer·head). Means over all tokens of the text, special ones too.") + bound)


def _flow(reading: Reading, seen: Shown, wish: Wish, output_weight: Callable[[int], np.ndarray] | None) -> None:
    labels = labels_that_fit(seen.labels)

    def as_shown(attention: np.ndarray) -> np.ndarray:
        return shown(reading.tokens, attention, hide_special=wish.hide_special, whole_words=wish.whole_words).attention

    pictures = [Map(seen.attention[wish.layer, wish.head], _("Attention"), _("Layer {layer}, head {head}.")
                    .format(layer=wish.layer + 1, head=wish.head + 1), rows=labels, columns=labels)]  # fmt: skip
    if output_weight is not None and reading.value is not None:
        weighted = norm_weighted(reading.attention[wish.layer], reading.value[wish.layer], output_weight(wish.layer))
        pictures.append(Map(as_shown(weighted[wish.head]), _("Weighted by length, ‖α·v W_O‖"),
                            _("How long the vector is that each token really adds."), rows=labels, columns=labels))  # fmt: skip
    flow = rollout(reading.attention)[wish.layer]
    pictures.append(Map(as_shown(flow), _("Rollout"), _("How much of each input token reaches each place after layer "
                        "{layer}, over all heads.").format(layer=wish.layer + 1), rows=labels, columns=labels))  # fmt: skip
    maps(pictures, key="bert_flow", columns=len(pictures), height=420)
    st.caption(_("A large weight on a token whose value is short adds little: compare [SEP]. Rollout takes half of each layer "
                 "for its mean attention and half for the residual connection; it leaves out values, feed-forward parts and "
                 "layer norms."))  # fmt: skip

"""The attention page's sentence that attends to itself: lines between its words, its order changed, and the three limits."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.components.address import keep_in_address
from explorer.components.attention_lines import attention_lines
from explorer.components.maps import Map, maps
from explorer.numbers import number, power
from explorer.self_attention_views import Limits, Order, Permuted, SentenceSetup, draws, limits, order_of, permute
from explorer.text import _
from explorer.ui import page
from explorer.ui.bounded import bounded
from explorer.ui.sentence_input import sentence_input

DEFAULT = "The cat sat on the mat because it was tired"
MOST_WORDS, MOST_DRAWS = 16, 4
ROUNDING = 1e-5
"""Outputs of size 1 that differ by less than this differ by rounding alone."""
ORDERS: dict[Order, str] = {"typed": _("As typed"), "reversed": _("Reversed"), "shuffled": _("Shuffled")}
SHUFFLE = "attn_shuffle"


def sentence_section() -> tuple[SentenceSetup, list[int]]:
    """Controls, lines and pictures. → the sentence's setup, and the order of its words."""
    controls, picture = page.play()
    with controls:
        typed = sentence_input(DEFAULT, key="attn_sentence", most=MOST_WORDS, least=2)
        order = _choose_order(len(typed.words))
        positions = st.toggle(_("Add positions"), False, key="attn_positions", bind="query-params",
                              help=_("The sinusoids of “Attention Is All You Need”, added to the words' vectors."))  # fmt: skip
        with st.expander(_("More")):
            causal = st.toggle(_("Causal mask"), False, key="attn_causal", bind="query-params",
                               help=_("No word may look at what comes after it."))  # fmt: skip
            count = bounded(_("Draws of the random weights"), range(1, MOST_DRAWS + 1), 3, key="attn_draws",
                            help=_("Each draw has a colour of its own."))  # fmt: skip
            seed = bounded(_("Seed of vectors and weights"), range(10), 0, key="attn_sentence_seed")
        st.markdown(_("**The vectors and the weights are random.** So whom “it” looks at means nothing here: each draw of the "
                      "weights looks somewhere else."))  # fmt: skip
    setup = SentenceSetup(typed.labels, positions, causal, seed)
    words = setup.ordered(order)
    with picture:
        names = [_("Draw {n}").format(n=n + 1) for n in range(count)]
        attention_lines(draws(setup, order, count), words, words, key="attn_lines", names=names, url="attn_word")
        st.caption(_("Each word's weights sum to 1 in every draw. They say how values are mixed; they are no explanation of "
                     "what a model decides."))  # fmt: skip
    st.subheader(_("Does the order count?"), anchor=False)
    other = order if order != sorted(order) else order_of(len(order), "reversed")
    change = permute(setup, other)
    st.markdown(order_text(setup, order, change))
    maps(order_maps(setup.ordered(other), change), key="attn_order_maps", columns=3, height=330)
    st.subheader(_("Three limits and their cures"), anchor=False)
    for column, text in zip(st.columns(3, gap="medium"), limit_texts(limits(setup)), strict=True):
        column.markdown(text)
    return setup, order


def _choose_order(length: int) -> list[int]:
    """The order of the words: as typed, reversed, or shuffled anew by a button."""
    state = st.session_state
    if SHUFFLE not in state:
        asked = st.query_params.get(SHUFFLE, "0")
        state[SHUFFLE] = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
    order: Order = st.segmented_control(_("Order of the words"), list(ORDERS), default="typed", required=True,
                                        format_func=ORDERS.__getitem__, key="attn_order", bind="query-params")  # fmt: skip
    if st.button(_("Shuffle again"), icon=":material/shuffle:", key="attn_again", disabled=order != "shuffled"):
        state[SHUFFLE] += 1
    keep_in_address({SHUFFLE: str(state[SHUFFLE])}, key="attn_shuffle_address")
    return order_of(length, order, state[SHUFFLE])


def order_text(setup: SentenceSetup, order: list[int], change: Permuted) -> str:
    """Markdown: how far the output is from the permuted one, and why. order: the chosen one; for the typed, the reversed."""
    which = _("reversed order") if order == sorted(order) else _("the order chosen above")
    told = _(
        "First, the words attend in {order}. Second, they attend as typed, and the rows of that output change places. "
    )
    told = told.format(order=which) + _("The largest difference is **{largest}**.").format(
        largest=power(change.largest)
    )
    if change.largest < ROUNDING:
        return f"{told} " + _("That is rounding: **without positions the output is only permuted**. Attention takes the words "
                              "as a set. Add positions: what happens?")  # fmt: skip
    why = {
        (True, True): _("Positions and the mask both tell which word comes first."),
        (True, False): _(
            "With positions the same word in another place is another vector, and **the output really changes**."
        ),
        (False, True): _("No positions, but the mask: who may look at whom depends on the order."),
    }
    return f"{told} " + why.get((setup.positions, setup.causal), "")


def order_maps(words: tuple[str, ...], change: Permuted) -> list[Map]:
    """Permute, then attend; attend, then permute; the difference, all on one scale."""
    told = _("On the scale of the other two.")
    limit = float(max(np.abs(change.output).max(), np.abs(change.moved).max()))
    return [
        Map(change.output, _("Permute, then attend"), _("Each word's output, in this order."), rows=words, limit=limit,
            signed=True),
        Map(change.moved, _("Attend, then permute"), _("The typed sentence's output, its rows moved."), rows=words,
            limit=limit, signed=True),
        Map(change.difference, _("Difference"), told, role="gradient", rows=words, limit=limit, signed=True),
    ]  # fmt: skip


def limit_texts(found: Limits) -> list[str]:
    """Markdown: each limit of self-attention, its cure, and what was measured on this sentence."""
    order = _("**No order.** Reverse the words, and each word's output stays: it changes by {without}, which is rounding. "
              "*Cure: positions.* With them it changes by {with_it}.")  # fmt: skip
    linear = _("**Nothing bends.** Given the weights α, the output is a plain sum. Turn the sign of all values, and it turns "
               "its sign: output and turned output add up to {without}. *Cure: a feed-forward network.* With one behind it "
               "they add up to {with_it}.")  # fmt: skip
    future = _("**It sees the future.** On average a word spends {without} of its weight on words that come later. *Cure: a "
               "mask.* With the causal one it spends {with_it}.")  # fmt: skip
    return [
        order.format(without=power(found.order[0]), with_it=power(found.order[1])),
        linear.format(without=power(found.linear[0]), with_it=power(found.linear[1])),
        future.format(without=number(found.future[0]), with_it=number(found.future[1])),
    ]

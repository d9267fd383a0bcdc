"""What the page “What BERT predicts” gets from each of its questions, and what several of them need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import streamlit as st

from explorer.components.address import keep_in_address
from explorer.language_views import label_of
from explorer.text import _
from explorer.tokens import Tokens
from explorer.trace import Trace
from explorer.ui.language_models import Chosen, here, load, records
from pretrained import catalog
from pretrained.records import LanguageCard

MOST_OFFERED = 80  # tokens; more buttons than that are no choice


@dataclass(frozen=True, eq=False)
class Asked:
    """code: the snippet that leaves `result`; "" where nothing was computed. steps: makes the trace to step through; None
    where there is none, and why_not says why, "" that transformers' code ran. part: which of several things
    of the same code is stepped through. roles, labels: as in show_steps.
    """

    code: str = ""
    result: Any = None
    steps: Callable[[], Trace] | None = None
    why_not: str = ""
    part: int = 0
    roles: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)


def can_guess_somewhere() -> bool:
    """Whether a model that guesses masked words is on this computer."""
    return any(records()[key].guesses_words for key in here())


def answering(chosen: Chosen, ability: Literal["guesses_words", "judges_pairs"]) -> Chosen | None:
    """The chosen model, or the first one here that has this head, which is said; None, and a sentence: there is none."""
    reader = chosen.reader
    able = reader.judges_pairs if ability == "judges_pairs" else reader.guesses != "nothing"
    if able:
        return chosen
    for key in here():
        if getattr(records()[key], ability):
            other = Chosen(key, load(key))
            st.caption(_("{name} has no head for this, so {other} answers.").format(
                name=reader.name, other=other.reader.name))  # fmt: skip
            return other
    st.info(_("{name} has no head for this, and no other model on this computer has; choose an official BERT to download.")
            .format(name=reader.name), icon=":material/info:")  # fmt: skip
    return None


def say_measured(chosen: Chosen, ability: Literal["guesses_words", "judges_pairs"]) -> None:
    """How often a bundled model is right, as its card says; of others the explorer measured nothing."""
    record = records().get(chosen.key)
    if record is None or record.source != "bundled":
        return
    card = catalog.card(record, LanguageCard)
    if ability == "guesses_words":
        told = _("Measured on chapters that it never saw: of {n} masked words it guessed {share:.0%}.")
        st.caption(told.format(n=f"{card.masked_words:,}", share=card.masked_accuracy))
    else:
        told = _(
            "Measured on chapters that it never saw: of {n} pairs, half of which follow, it judged {share:.0%} rightly."
        )
        st.caption(told.format(n=f"{card.pairs:,}", share=card.next_sentence_accuracy))


def choose_place(tokens: Tokens, question: str, start: int, key: str = "predict_place") -> int:
    """A token, by clicking it: a row of buttons. → its place. question: the row's name; start: chosen at first.

    key: also the query parameter that keeps the place.
    """
    words = [place for place in range(len(tokens)) if not tokens.special[place]] or list(range(len(tokens)))
    offered = words[:MOST_OFFERED]
    texts = {place: label_of(tokens, (place,)) for place in offered}
    asked = st.query_params.get(key, "")
    held = st.session_state.get(f"{key} last", int(asked) if asked.isdigit() else start)
    first = held if held in texts else start if start in texts else offered[-1]
    place = st.pills(question, offered, default=first, format_func=texts.__getitem__, required=True, wrap=True,
                     key=f"{key}_{hash((tokens.text, tokens.ids.tobytes()))}")  # fmt: skip
    if len(words) > len(offered):
        st.caption(_("The first {n} tokens can be clicked.").format(n=len(offered)))
    st.session_state[f"{key} last"] = place
    keep_in_address({key: str(place)}, key=f"{key}_address")
    return place


def rank_of(token: int, ids: np.ndarray) -> int | None:
    """Where a token is among guesses, from 0."""
    found = np.flatnonzero(ids == token)
    return int(found[0]) if len(found) else None

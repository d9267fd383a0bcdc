"""Choosing a language model: what is on this computer at once, others of the hub after a download with progress and a stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer.text import _
from explorer.tokens import Tokens
from explorer.ui import hub_models
from explorer.ui.hub_models import Wanted, choose_id, obtain
from pretrained import catalog, hub, minilm, readers
from pretrained.asking import Reader
from pretrained.reading import Guesses, Reading, TwoReadings
from pretrained.records import LanguageRecord

OTHER = "other"
"""The choice of a model that is not in the catalogue."""

EXAMPLES = "openai-community/gpt2, distilbert/distilroberta-base, google-t5/t5-small or facebook/bart-base"


@dataclass(frozen=True, eq=False)
class Chosen:
    """A model in use. key: of the catalogue, or its id on the hub; readers.load has it by that."""

    key: str
    reader: Reader


def records() -> dict[str, LanguageRecord]:
    """Key → the BERTs that can be had here; of those that come with the set-up, the ones that are there."""
    return {
        record.key: record for record in catalog.models(LanguageRecord) if record.source == "hub" or _is_here(record)
    }


def here() -> list[str]:
    """Keys of those that are on this computer."""
    return [key for key, record in records().items() if _is_here(record)]


def _is_here(record: LanguageRecord) -> bool:
    if record.source == "package":
        return minilm.find() is not None
    if record.source == "bundled":
        return (catalog.WEIGHTS / record.file).is_file()
    return hub.find(record.hub_repo) is not None


def name_of(key: str) -> str:
    """For the visitor."""
    known = records()
    return known[key].name if key in known else key


@st.cache_resource(max_entries=4, show_spinner=False)
def load(key: str) -> Reader:
    """A model that is on this computer. LoadError: it is not, it is damaged, or it cannot be used."""
    return readers.load(key)


def reading_of(reader: Reader, tokens: Tokens, head_mask: np.ndarray | None = None) -> Reading:
    """What the model makes of the text, kept: no picture and no control runs it twice. head_mask: as Reader.read."""
    return _reading(reader.name, *_identity(tokens), head_mask, reader, tokens)


def both_of(reader: Reader, tokens: Tokens, written: Tokens) -> TwoReadings:
    """The same of an encoder–decoder."""
    return _both(reader.name, *_identity(tokens), *_identity(written), reader, tokens, written)


def guesses_of(
    reader: Reader,
    tokens: Tokens,
    place: int,
    top: int,
    written: Tokens | None = None,
    head_mask: np.ndarray | None = None,
) -> Guesses:
    """The likeliest words, kept; as Reader.guess."""
    ids = None if written is None else tuple(written.ids.tolist())
    return _guesses(reader.name, *_identity(tokens), place, top, ids, head_mask, reader, tokens, written)


Identity = tuple[tuple[int, ...], str, str | None]


def _identity(tokens: Tokens) -> Identity:
    return tuple(tokens.ids.tolist()), tokens.text, tokens.pair


@st.cache_resource(max_entries=16, show_spinner=False)
def _reading(
    name: str,
    ids: tuple[int, ...],
    text: str,
    pair: str | None,
    head_mask: np.ndarray | None,
    _reader: Reader,
    _tokens: Tokens,
) -> Reading:
    return _reader.read(_tokens, head_mask)


@st.cache_resource(max_entries=8, show_spinner=False)
def _both(
    name: str,
    ids: tuple[int, ...],
    text: str,
    pair: str | None,
    written_ids: tuple[int, ...],
    written_text: str,
    written_pair: str | None,
    _reader: Reader,
    _tokens: Tokens,
    _written: Tokens,
) -> TwoReadings:
    return _reader.read_both(_tokens, _written)


@st.cache_resource(max_entries=32, show_spinner=False)
def _guesses(
    name: str,
    ids: tuple[int, ...],
    text: str,
    pair: str | None,
    place: int,
    top: int,
    written_ids: tuple[int, ...] | None,
    head_mask: np.ndarray | None,
    _reader: Reader,
    _tokens: Tokens,
    _written: Tokens | None,
) -> Guesses:
    return _reader.guess(_tokens, place, written=_written, top=top, head_mask=head_mask)


def choose_language_model() -> Chosen | None:
    """The control, and the model to use: the chosen one, or the last good one until the chosen one is here; None: none is."""
    known = records()
    names = {key: record.name for key, record in known.items()} | {OTHER: _("Another model of the Hugging Face hub")}
    picked = st.selectbox(_("Model"), list(names), format_func=names.__getitem__, key="bert_model", bind="query-params")
    wanted = choose_id("bert_hub_id", EXAMPLES) if picked == OTHER else picked
    chosen = None if wanted is None else _use(wanted)
    for candidate in dict.fromkeys([st.session_state.get("bert_good_model"), *here()]):
        if chosen is None and candidate not in (None, wanted):
            chosen = _use(candidate)
            if chosen is not None:
                st.caption(_("Until then you see {name}.").format(name=chosen.reader.name))
    if chosen is not None:
        st.session_state["bert_good_model"] = chosen.key
        if chosen.reader.own is None:
            st.caption(_("{name} runs on the code of the library transformers; its attention is read out as it runs, and "
                         "the code cannot be stepped into.").format(name=chosen.reader.name))  # fmt: skip
    return chosen


def _use(key: str) -> Chosen | None:
    """The model of a key or an id if it is here; else what must be said or offered."""
    record = records().get(key)
    wanted = Wanted(
        key=key,
        name=name_of(key),
        repository=key if record is None else record.hub_repo,
        download=None if record is None else int(record.megabytes * 1e6),
        describe=readers.describe,
        load=lambda: Chosen(key, load(key)),
    )
    return obtain(wanted) if record is None or record.source == "hub" else hub_models.load(wanted)

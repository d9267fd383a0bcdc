"""Choosing a language model: what is on this computer at once, others of the hub after a download with progress and a stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer.errors import UserError
from explorer.text import _
from explorer.tokens import Tokens
from explorer.ui.downloads import offer_download
from explorer.units import bytes_text
from pretrained import LoadError, catalog, hub, minilm, readers
from pretrained.readers import Described, Reader
from pretrained.reading import Guesses, Reading, TwoReadings
from pretrained.records import LanguageRecord

OTHER = "other"
"""The choice of a model that is not in the catalogue."""


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
    wanted = _choose_id() if picked == OTHER else picked
    present = here()
    chosen = None if wanted is None else _use(wanted, known)
    for candidate in dict.fromkeys([st.session_state.get("bert_good_model"), *present]):
        if chosen is not None or candidate is None or candidate == wanted:
            continue
        chosen = _load(candidate)
        if chosen is not None:
            st.caption(_("Until then you see {name}.").format(name=chosen.reader.name))
    if chosen is not None:
        st.session_state["bert_good_model"] = chosen.key
        if chosen.reader.own is None:
            st.caption(_("{name} runs on the code of the library transformers; its attention is read out as it runs, and "
                         "the code cannot be stepped into.").format(name=chosen.reader.name))  # fmt: skip
    return chosen


def _choose_id() -> str | None:
    """The field for an id; None: nothing usable is typed."""
    typed = st.text_input(_("Its id on huggingface.co"), key="bert_hub_id", max_chars=120, bind="query-params",
                          placeholder="openai-community/gpt2")  # fmt: skip
    if not typed.strip():
        st.caption(_("Type an id, such as openai-community/gpt2, distilbert/distilroberta-base, google-t5/t5-small or "
                     "facebook/bart-base. Only its data is read, never its program code."))  # fmt: skip
        return None
    try:
        return hub.checked(typed)
    except UserError as error:
        st.error(str(error), icon=":material/edit_off:")
        return None


def _use(key: str, known: dict[str, LanguageRecord]) -> Chosen | None:
    """The model if it is here; else what must be said or offered."""
    repository = known[key].hub_repo if key in known else key
    if (key in known and _is_here(known[key])) or hub.find(repository) is not None:
        return _load(key)
    if key in known:
        offer = _("{name} is not on this computer yet: {size:.0f} MB from huggingface.co.").format(
            name=known[key].name, size=known[key].megabytes)  # fmt: skip
        offer_download(key, known[key].name, offer, lambda show: hub.fetch_repository(repository, progress=show))
        return None
    described = _describe(key)
    if described is not None:
        size = (
            _("of a size that the hub does not say") if described.download is None else bytes_text(described.download)
        )
        offer = _("{name} is of the kind {kind} and not on this computer yet: {size} from huggingface.co.").format(
            name=key, kind=described.kind, size=size)  # fmt: skip
        offer_download(key, key, offer, lambda show: hub.fetch_repository(key, progress=show))
    return None


def _describe(repository: str) -> Described | None:
    """What the hub says of it, asked once; what goes wrong is said, with a button to ask again."""
    answers: dict[str, Described | str] = st.session_state.setdefault("bert_described", {})
    if repository not in answers:
        try:
            with st.spinner(_("Asking the hub about {name} …").format(name=repository), show_time=True):
                answers[repository] = readers.describe(repository)
        except UserError as error:
            answers[repository] = str(error)
    answer = answers[repository]
    if isinstance(answer, Described):
        return answer
    _say_failure(answer, answers, repository)
    return None


def _load(key: str) -> Chosen | None:
    """The model of this key, which is on this computer; what goes wrong is tried once and said."""
    failures: dict[str, str] = st.session_state.setdefault("bert_failures", {})
    if key not in failures:
        try:
            with st.spinner(_("Loading {name} …").format(name=name_of(key)), show_time=True):
                return Chosen(key, load(key))
        except LoadError as error:
            failures[key] = str(error)
    _say_failure(failures[key], failures, key)
    return None


def _say_failure(message: str, memory: dict, key: str) -> None:
    st.error(message, icon=":material/cloud_off:")
    if st.button(_("Try again"), icon=":material/refresh:", key=f"bert_again_{key}"):
        del memory[key]
        st.rerun()

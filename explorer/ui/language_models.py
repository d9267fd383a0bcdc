"""Choosing a language model: what is on this computer at once, official ones after a download with progress and a stop."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.text import _
from explorer.tokens import Tokens
from explorer.ui.downloads import offer_download
from pretrained import LoadError, catalog, hub, language, minilm
from pretrained.language import LanguageModel
from pretrained.reading import Reading
from pretrained.records import LanguageRecord


def records() -> dict[str, LanguageRecord]:
    """Key → the BERTs that can be had here; the packaged one only where its package is installed."""
    found = catalog.models(LanguageRecord)
    return {record.key: record for record in found if record.source != "package" or minilm.find() is not None}


def here() -> list[str]:
    """Keys of those that are on this computer."""
    return [key for key, record in records().items() if record.source != "hub" or hub.find(record.hub_repo) is not None]


@st.cache_resource(max_entries=3, show_spinner=False)
def load(key: str) -> LanguageModel:
    """A BERT that is on this computer. LoadError: it is not, or it is damaged."""
    record = catalog.get(key, LanguageRecord)
    if record.source == "package":
        return language.from_folder(minilm.checked(), record.name)
    return language.from_folder(hub.fetch_repository(record.hub_repo), record.name)


def reading_of(model: LanguageModel, tokens: Tokens, head_mask: np.ndarray | None = None) -> Reading:
    """What the model makes of the text, kept: no picture and no control runs it twice. head_mask: as language.read."""
    return _reading(model.name, tuple(tokens.ids.tolist()), tokens.text, tokens.pair, head_mask, model, tokens)


@st.cache_resource(max_entries=16, show_spinner=False)
def _reading(
    name: str,
    ids: tuple[int, ...],
    text: str,
    pair: str | None,
    head_mask: np.ndarray | None,
    _model: LanguageModel,
    _tokens: Tokens,
) -> Reading:
    return language.read(_model, _tokens, head_mask)


def choose_language_model() -> tuple[str, LanguageModel] | None:
    """The control, and the model to use: the chosen one, or one that is here until the chosen one is; None: none is."""
    known = records()
    key = st.selectbox(
        _("Model"), list(known), format_func=lambda k: known[k].name, key="bert_model", bind="query-params"
    )
    present = here()
    for candidate in dict.fromkeys([key, *present]):
        if candidate not in present:
            _fetch(known[candidate])
            continue
        try:
            with st.spinner(_("Loading {name} …").format(name=known[candidate].name), show_time=True):
                model = load(candidate)
        except LoadError as error:
            st.error(str(error), icon=":material/cloud_off:")
            continue
        if candidate != key:
            st.caption(_("Until then you see {name}.").format(name=known[candidate].name))
        return candidate, model
    return None


def _fetch(record: LanguageRecord) -> None:
    """Offer the download."""
    offer = _("{name} is not on this computer yet: {size:.0f} MB from huggingface.co.")
    offer_download(
        record.key,
        record.name,
        offer.format(name=record.name, size=record.megabytes),
        lambda show: hub.fetch_repository(record.hub_repo, progress=show),
    )

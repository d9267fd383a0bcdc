"""Weights that a page asks for: taken from this computer, or offered for download; what is wrong with them is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import streamlit as st

from explorer.text import _
from explorer.ui.downloads import offer_download
from pretrained import LoadError, hub, loading
from pretrained.download import Progress
from pretrained.records import Detector, Model, Segmenter

Loaded = TypeVar("Loaded")
SERVERS = {"web": "github.com", "torchvision": "pytorch.org", "hub": "huggingface.co"}
FAILED = "weights failed"


def select_model(names: Mapping[str, str], key: str, told: str, label: str | None = None) -> str:
    """The control that chooses a model: the key of one of these names. key: of the control, also in the address.

    told: which of them must be downloaded, in a sentence. label: “Model” if None.
    """
    return st.selectbox(
        _("Model") if label is None else label,
        list(names),
        format_func=names.__getitem__,
        key=key,
        bind="query-params",
        help=told,
    )


def is_here(model: Model) -> bool:
    """Whether its files are on this computer."""
    if model.source == "hub":
        return hub.find(model.hub_repo, reads_text=False) is not None
    return loading.find(model) is not None


def size_of(model: Detector | Segmenter) -> str:
    """Of its download."""
    return f"{model.megabytes:.0f} MB"


def where_it_is(model: Model, size: str) -> str:
    """A sentence: that it is not here, how large the download is, and from where. size: such as “45 MB”."""
    text = _("{name} is not on this computer yet: {size} from {server}.")
    return text.format(name=model.name, size=size, server=SERVERS[model.source])


def load_or_offer(
    model: Model, size: str, load: Callable[[str], Loaded], *, place: str = "", until: str | None = None
) -> Loaded | None:
    """What load makes of the model's key if its weights are here; else the offer to download them, or one sentence why not.

    load: must not download. size: of the download, such as “45 MB”. place: as in offer_download. until: what is shown
    meanwhile, in a sentence. LoadError: a bundled model is missing or damaged.
    """
    until = _("Until then you see the bundled model.") if until is None else until
    if model.source != "bundled" and not is_here(model):
        _offer(model, where_it_is(model, size), place)
        st.caption(until)
        return None
    # A file that is no good is not read again at every click.
    failed: dict[str, tuple[object, LoadError]] = st.session_state.setdefault(FAILED, {})
    files = _files(model)
    if model.key not in failed or failed[model.key][0] != files:
        try:
            with st.spinner(_("Loading {name} …").format(name=model.name), show_time=True):
                return load(model.key)
        except LoadError as error:
            if model.source == "bundled":
                raise
            failed[model.key] = files, error
    problem = failed[model.key][1]
    st.error(str(problem), icon=":material/cloud_off:")
    if isinstance(problem, loading.DamagedError):
        told = _("The official weights of {name} can be downloaded: {size} from {server}.")
        _offer(model, told.format(name=model.name, size=size, server=SERVERS[model.source]), place)
    elif st.button(_("Try again"), icon=":material/refresh:", key=f"weights_again{place}"):
        del failed[model.key]
        st.rerun()
    st.caption(until)
    return None


def _files(model: Model) -> list[tuple[Path, int]]:
    """The copies of its weights on this computer, and when they were written."""
    if model.source in ("bundled", "hub"):
        return []
    return [(copy.path, copy.path.stat().st_mtime_ns) for copy in loading.copies(model) if copy.path.is_file()]


def _offer(model: Model, told: str, place: str) -> None:
    def fetch(show: Progress) -> object:
        if model.source == "hub":
            return hub.fetch_repository(model.hub_repo, progress=show, reads_text=False)
        return loading.load_state_dict(model, progress=show)

    offer_download(model.key, model.name, told, fetch, place)

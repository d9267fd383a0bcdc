"""Getting a model of the Hugging Face hub onto the page: its id, what it is, the download, the loading; failures said once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from explorer.errors import UserError
from explorer.text import _
from explorer.ui.downloads import offer_download
from explorer.units import bytes_text
from pretrained import LoadError, hub
from pretrained.readers import Described

Loaded = TypeVar("Loaded")


@dataclass(frozen=True, eq=False)
class Wanted(Generic[Loaded]):
    """A model that somebody chose. key: unique among all that pages load; repository: its id; name: for the visitor.

    download: bytes of its weights if that is known without asking the hub. describe: asks the hub, with the errors of
    readers.describe. load: of files that are here, kept by who gives it, with the errors of readers.load.
    """

    key: str
    name: str
    repository: str
    download: int | None
    describe: Callable[[str], Described]
    load: Callable[[], Loaded]


def choose_id(key: str, examples: str) -> str | None:
    """The field for an id; None: nothing usable is typed. examples: ids, as a text."""
    typed = st.text_input(_("Its id on huggingface.co"), key=key, max_chars=120, bind="query-params",
                          placeholder=examples.partition(",")[0])  # fmt: skip
    if not typed.strip():
        st.caption(_("Type an id, such as {examples}. Only its data is read, never its program code.").format(
            examples=examples))  # fmt: skip
        return None
    try:
        return hub.checked(typed)
    except UserError as error:
        st.error(str(error), icon=":material/edit_off:")
        return None


def obtain(wanted: Wanted[Loaded]) -> Loaded | None:
    """The model if it is here; else what must be said or offered."""
    if hub.find(wanted.repository) is not None:
        return load(wanted)
    size = None if wanted.download is None else bytes_text(wanted.download)
    offer = _("{name} is not on this computer yet: {size} from huggingface.co.")
    if size is None:
        described = _describe(wanted)
        if described is None:
            return None
        size = (
            _("of a size that the hub does not say,") if described.download is None else bytes_text(described.download)
        )
        offer = _("{name}, of the kind {kind}, is not on this computer yet: {size} from huggingface.co.").replace(
            "{kind}", described.kind)  # fmt: skip
    offer_download(
        wanted.key,
        wanted.name,
        offer.format(name=wanted.name, size=size),
        lambda show: hub.fetch_repository(wanted.repository, progress=show),
    )
    return None


def load(wanted: Wanted[Loaded]) -> Loaded | None:
    """A model that is on this computer; what goes wrong is tried once and said."""
    failures: dict[str, str] = st.session_state.setdefault("hub_failures", {})
    if wanted.key not in failures:
        try:
            with st.spinner(_("Loading {name} …").format(name=wanted.name), show_time=True):
                return wanted.load()
        except LoadError as error:
            failures[wanted.key] = str(error)
    _say_failure(failures, wanted.key)
    return None


def _describe(wanted: Wanted) -> Described | None:
    """What the hub says of it, asked once; what goes wrong is said, with a button to ask again."""
    answers: dict[str, Described] = st.session_state.setdefault("hub_described", {})
    failures: dict[str, str] = st.session_state.setdefault("hub_failures", {})
    key = wanted.key
    if key not in answers and key not in failures:
        try:
            with st.spinner(_("Asking the hub about {name} …").format(name=wanted.name), show_time=True):
                answers[key] = wanted.describe(wanted.repository)
        except UserError as error:
            failures[key] = str(error)
    if key in failures:
        _say_failure(failures, key)
        return None
    return answers[key]


def _say_failure(failures: dict[str, str], key: str) -> None:
    st.error(failures[key], icon=":material/cloud_off:")
    if st.button(_("Try again"), icon=":material/refresh:", key=f"hub_again_{key}"):
        del failures[key]
        st.rerun()

"""Offering a download: what it is, a button, a progress bar, a way to stop."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.text import _
from pretrained import LoadError
from pretrained.download import Progress


def offer_download(key: str, name: str, offer: str, fetch: Callable[[Progress], object], place: str = "") -> bool:
    """A button, then a progress bar with a way to stop; the page runs again once it is over. → False.

    key: of the model; name: for the visitor; offer: one sentence. A failure is told once, and the offer stands again.
    fetch: given what reports (bytes so far, bytes in all), brings the files or raises LoadError. place: tells two offers
    that can stand on a page at once apart.
    """
    failure = st.session_state.pop(f"download_failure{place}", None)
    if failure is not None:
        st.error(failure, icon=":material/cloud_off:")
    if st.session_state.pop(f"download_asked{place}", None) != key:
        st.caption(offer)
        if st.button(_("Download"), icon=":material/download:", key=f"download{place}"):
            st.session_state[f"download_asked{place}"] = key
            st.rerun()
        return False
    bar = st.progress(0.0, _("Asking for {name} …").format(name=name))
    # Any click ends this run, and the download with it.
    st.button(_("Stop"), icon=":material/stop:", key=f"stop_download{place}")

    def show(done: int, total: int | None) -> None:
        whole = f" / {total / 1e6:.0f}" if total else ""
        bar.progress(min(done / total, 1.0) if total else 0.0, f"{done / 1e6:.0f}{whole} MB")

    try:
        fetch(show)
    except LoadError as error:
        st.session_state[f"download_failure{place}"] = str(error)
    st.rerun()
    return False

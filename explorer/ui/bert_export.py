"""What can be taken along from the BERT page: a page that opens alone, the numbers."""

from __future__ import annotations

import io
import json

import numpy as np
import streamlit as st

from explorer.attention_page import attention_page
from explorer.text import _
from explorer.ui.bert_views import Wish
from pretrained.reading import Reading


def offer(reading: Reading, wish: Wish, name: str) -> None:
    """Two buttons; pictures have theirs beside them."""
    left, right = st.columns(2, gap="small")
    stem = f"attention-{name.replace('/', '-')}"
    with left:
        st.download_button(
            _("Save as a page (HTML)"),
            lambda: attention_page(reading.attention, reading.tokens.labels, (wish.layer, wish.head), name).encode(),
            file_name=f"{stem}.html",
            mime="text/html",
            icon=":material/download:",
            key="bert_save_page",
            help=_("All heads on one page that opens by itself, without a network and without this app."),
        )
    with right:
        st.download_button(
            _("Save the numbers (NPZ)"),
            lambda: as_npz(reading),
            file_name=f"{stem}.npz",
            mime="application/octet-stream",
            icon=":material/download:",
            key="bert_save_numbers",
            help=_("attention, query, key, value and hidden as float32, and the tokens; read it with numpy.load."),
        )


def as_npz(reading: Reading) -> bytes:
    """The reading as .npz without pickles; tokens is UTF-8 JSON as bytes."""
    tokens = json.dumps(
        {
            "text": reading.tokens.text,
            "pair": reading.tokens.pair,
            "labels": reading.tokens.labels,
            "pieces": reading.tokens.pieces,
        },
        ensure_ascii=False,
    )
    arrays = {name: getattr(reading, name) for name in ("attention", "query", "key", "value", "hidden")}
    held = {name: array for name, array in arrays.items() if array is not None}
    file = io.BytesIO()
    np.savez_compressed(file, tokens=np.frombuffer(tokens.encode(), np.uint8), **held)
    return file.getvalue()

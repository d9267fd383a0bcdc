"""What can be taken along from the BERT page: a page that opens alone, the numbers."""

from __future__ import annotations

import io
import json

import numpy as np
import streamlit as st

from explorer.components.attention_page import attention_page
from explorer.text import _
from explorer.tokens import Tokens
from explorer.ui.bert_views import Wish
from pretrained.reading import CrossReading, Reading


def offer(found: Reading | CrossReading, wish: Wish, name: str) -> None:
    """Two buttons; pictures have theirs beside them."""
    left, right = st.columns(2, gap="small")
    stem = f"attention-{name.replace('/', '-')}"
    with left:
        st.download_button(
            _("Save as a page (HTML)"),
            lambda: attention_page(
                found.attention, found.queries.labels, (wish.layer, wish.head), name, found.keys.labels
            ).encode(),
            file_name=f"{stem}.html",
            mime="text/html",
            icon=":material/download:",
            key="bert_save_page",
            help=_("All heads on one page that opens by itself, without a network and without this app."),
        )
    with right:
        st.download_button(
            _("Save the numbers (NPZ)"),
            lambda: as_npz(found),
            file_name=f"{stem}.npz",
            mime="application/octet-stream",
            icon=":material/download:",
            key="bert_save_numbers",
            help=_(
                "attention, query, key, value and hidden as float32, and the tokens of queries and keys; read it with "
                "numpy.load."
            ),
        )


def as_npz(found: Reading | CrossReading) -> bytes:
    """The attention and what it came from as .npz without pickles; queries and keys, the tokens, are UTF-8 JSON as bytes."""
    arrays = {name: getattr(found, name, None) for name in ("attention", "query", "key", "value", "hidden")}
    held = {name: array for name, array in arrays.items() if array is not None}
    held |= {name: _as_bytes(tokens) for name, tokens in (("queries", found.queries), ("keys", found.keys))}
    file = io.BytesIO()
    np.savez_compressed(file, **held)
    return file.getvalue()


def _as_bytes(tokens: Tokens) -> np.ndarray:
    facts = {"text": tokens.text, "pair": tokens.pair, "labels": tokens.labels, "pieces": tokens.pieces}
    return np.frombuffer(json.dumps(facts, ensure_ascii=False).encode(), np.uint8)

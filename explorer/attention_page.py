"""All heads of a reading as one HTML page that opens by itself: no network, no server, no library."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer import palette

TEMPLATE = Path(__file__).parent / "texts/attention_page.html"


def attention_page(
    attention: np.ndarray,
    labels: Sequence[str],
    chosen: tuple[int, int],
    name: str,
    columns: Sequence[str] | None = None,
) -> str:
    """The page's text. attention: float (layers, heads, T, S), kept as bytes, 0–255; labels: T texts, shown as text only.

    chosen: (layer, head) shown first. name: of the model. columns: S texts of the keys, None: the same as the queries.
    """
    weights = np.clip(attention * 255 + 0.5, 0, 255).astype(np.uint8)
    facts = {
        "shape": weights.shape,
        "labels": list(labels),
        "columns": list(labels if columns is None else columns),
        "chosen": list(chosen),
        "sequential": {theme: palette.SEQUENTIAL[theme] for theme in palette.THEMES},
        "weights": base64.b64encode(weights.tobytes()).decode(),
    }
    # Without "<" no text can end the script element that holds it.
    data = json.dumps(facts, ensure_ascii=False).replace("<", "\\u003c")
    text = TEMPLATE.read_text(encoding="utf-8")
    return text.replace("{{title}}", html.escape(name)).replace("{{data}}", data)

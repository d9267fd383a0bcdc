"""All heads of a reading as one HTML page that opens by itself: no network, no server, no library.

It holds the app's own grid of heads, lines and matrix. Weights are kept as multiples of 1/65 535, or of 1/255 where there are
many, and each layer is packed by itself, so that the page unpacks only the one that is looked at.
"""

from __future__ import annotations

import base64
import html
import json
import zlib
from collections.abc import Sequence

import numpy as np

from explorer.attention_statistics import entropy
from explorer.components.attention_grid import thumbnails
from explorer.components.bundle import bundle
from explorer.components.component import COMPONENTS
from explorer.components.style import stylesheet

FOLDER = COMPONENTS / "attention_page"
FINE = 1_000_000
"""So many weights at most are kept in two bytes each."""
BRIGHTEST = 0.5
"""The weight of the end colour of the thumbnails."""


def attention_page(
    attention: np.ndarray,
    labels: Sequence[str],
    chosen: tuple[int, int],
    name: str,
    columns: Sequence[str] | None = None,
) -> str:
    """The page's text. attention: float (layers, heads, T, S), 0–1; labels: T texts, shown as text only.

    chosen: (layer, head) shown first. name: of the model. columns: S texts of the keys, None: the same as the queries.
    """
    images = thumbnails(attention, BRIGHTEST)
    most = 65535 if attention.size <= FINE else 255
    facts = {
        "name": name,
        "shape": attention.shape,
        "queries": list(labels),
        "keys": list(labels if columns is None else columns),
        "chosen": list(chosen),
        "most": most,
        "brightest": BRIGHTEST,
        "pooled": list(images.shape),
        "entropy": entropy(attention).mean(-1).round(6).tolist(),
        "styles": {part: _style(part) for part in ("attention_grid", "attention_lines", "attention_page")},
    }
    blobs = {"images": _packed(images)} | {
        f"layer-{n}": _packed(kept(layer, most)) for n, layer in enumerate(attention)
    }
    parts = {
        "title": html.escape(name),
        # Without "<" no text can end the script element that holds it.
        "facts": json.dumps(facts, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c"),
        "blobs": "\n".join(f'<script type="text/plain" id="{key}">{blob}</script>' for key, blob in blobs.items()),
        "grid": _script("attention_grid"),
        "lines": _script("attention_lines"),
        "page": _script("attention_page"),
    }
    text = (FOLDER / "attention_page.html").read_text(encoding="utf-8")
    # In one pass: nothing that is put in is searched again.
    pieces = text.split("{{")
    return pieces[0] + "".join(parts[part] + rest for part, rest in (piece.split("}}", 1) for piece in pieces[1:]))


def kept(layer: np.ndarray, most: int) -> np.ndarray:
    """The nearest multiples of 1/most: float (heads, T, S) → uint8, for 65 535 all upper bytes before all lower ones."""
    rounded = np.clip(layer * most + 0.5, 0, most)
    if most == 255:
        return rounded.astype(np.uint8)
    whole = rounded.astype(np.uint16)
    return np.stack([whole >> 8, whole & 255]).astype(np.uint8)


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 1)).decode()


def _style(part: str) -> str:
    return stylesheet(COMPONENTS, "shared/base.css", f"{part}/{part}.css")


def _script(part: str) -> str:
    """The component's JavaScript; what it exports to Streamlit becomes a function of the page."""
    text = bundle(COMPONENTS, f"{part}/{part}.js")
    # "</" stands only in strings there, where "<\\/" means the same and cannot end the script element.
    return text.replace("export default function", f"window.mount_{part} = function").replace("</", "<\\/")

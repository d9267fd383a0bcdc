"""A page for benchmarks/attention.py alone: the grid of all heads and the lines of the chosen one, of 12 layers × 12 heads.

`streamlit run benchmarks/attention_app.py` shows it; `?tokens=512` says of how many tokens.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from explorer.attention_statistics import entropy
from explorer.components.attention_grid import attention_grid, thumbnails
from explorer.components.attention_lines import attention_lines

LAYERS = HEADS = 12
SHARPNESS = 2.5
"""Standard deviation of the random scores: at 128 tokens, a query's largest weight is about a third."""


def attention(tokens: int) -> np.ndarray:
    """Softmax of random scores, float32 (LAYERS, HEADS, tokens, tokens); what either side shows."""
    random = np.random.default_rng(0)
    scores = SHARPNESS * random.standard_normal((LAYERS, HEADS, tokens, tokens), np.float32)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    return scores


def words(tokens: int) -> list[str]:
    """One of each length that tokens have."""
    return [f"token{i}" for i in range(tokens)]


@st.cache_resource
def held(tokens: int) -> tuple[np.ndarray, np.ndarray]:
    """The attention and its entropy, kept: a page that shows a real model keeps its reading too."""
    weights = attention(tokens)
    return weights, entropy(weights).mean(-1)


if __name__ == "__main__":
    count = int(st.query_params.get("tokens", 128))
    weights, bits = held(count)
    st.title(f"{LAYERS} × {HEADS} heads, {count} tokens")
    images = thumbnails(weights, 0.5)
    chosen = st.session_state.get("chosen", (0, 0))
    picked = attention_grid(images, key="bench_grid", selected=chosen, statistic=bits, name="entropy", limit=0.5)
    layer, head = st.session_state["chosen"] = (picked.layer, picked.head) if picked else chosen
    attention_lines(weights[layer], words(count), words(count), key="bench_lines", heads=[head])

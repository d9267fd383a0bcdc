"""One head, neuron by neuron: query times key element by element, their sum, the scale, and the softmax over all keys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.components.component import component
from explorer.components.packing import pack

_mount = component("neuron_view")


def neuron_view(
    query: np.ndarray,
    key_vectors: np.ndarray,
    weights: np.ndarray,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    key: str,
    scale: float,
    bias: np.ndarray | None = None,
    locked: int = 0,
) -> None:
    """Show how one head's weights come about; the visitor chooses the query in the browser.

    query: float (T, d_head); key_vectors: (S, d_head); weights: (T, S), what the model computed, to check against. queries,
    keys: the tokens. scale: what the dot product is multiplied with, 1/√d_head. bias: (T, S), added to the scaled scores,
    −inf where a mask forbids. locked: the query shown first.
    """
    _mount(key=key, data=encode(query, key_vectors, weights, queries, keys, scale=scale, bias=bias, locked=locked))


def encode(
    query: np.ndarray,
    key_vectors: np.ndarray,
    weights: np.ndarray,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    scale: float,
    bias: np.ndarray | None = None,
    locked: int = 0,
) -> bytes:
    """The bytes that neuron_view.js reads. The arguments are those of `neuron_view`."""
    arrays = [query, key_vectors, weights] + ([] if bias is None else [bias])
    body = {"queries": list(queries), "keys": list(keys), "scale": float(scale), "locked": locked}
    return pack(body, [np.ascontiguousarray(array, np.float32) for array in arrays])

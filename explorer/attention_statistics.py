"""What the heads of a language model attend to, in numbers: entropy, distance, shares; weighing by norms.

Attention is float32 (layers, heads, T, S): from the query, its row, to the key, its column; the rows sum to 1. Where a text
attends to itself, S = T.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, eq=False)
class HeadStatistics:
    """Each float32 (layers, heads), a mean over the queries.

    entropy: of a query's weights, bits, 0 to log2(T). distance: tokens between query and key, weighted. previous, next,
    same: share of the weight on the token before, after, itself. first, separator, punctuation: share on the first special
    token ([CLS]), the other special tokens ([SEP]) and on punctuation.
    """

    entropy: np.ndarray
    distance: np.ndarray
    previous: np.ndarray
    next: np.ndarray
    same: np.ndarray
    first: np.ndarray
    separator: np.ndarray
    punctuation: np.ndarray


STATISTICS = tuple(field.name for field in fields(HeadStatistics))

OF_PLACES = ("distance", "previous", "next", "same")
"""These compare the places of query and key, which means something within one text only."""


def entropy(weights: np.ndarray) -> np.ndarray:
    """In bits along the last axis. weights: (..., S), sum 1 → (...,)."""
    logs = np.log2(weights, where=weights > 0, out=np.zeros_like(weights))
    return -(weights * logs).sum(-1)


def head_statistics(
    attention: np.ndarray, special: np.ndarray, punctuation: np.ndarray, one_text: bool = True
) -> HeadStatistics:
    """attention: (layers, heads, T, S); special, punctuation: bool (S,), of the keys.

    one_text: whether queries and keys are the same tokens; if not, what is in OF_PLACES is NaN.
    """
    queries, length = attention.shape[-2:]
    away = np.abs(np.arange(queries)[:, None] - np.arange(length)[None]).astype(attention.dtype)
    unknown = np.full(attention.shape[:2], np.nan, attention.dtype)
    first = np.zeros(length, bool)
    first[np.flatnonzero(special)[:1]] = True

    def share(keys: np.ndarray) -> np.ndarray:
        return attention[..., keys].sum(-1).mean(-1)

    def diagonal(offset: int) -> np.ndarray:
        return np.diagonal(attention, offset, -2, -1).sum(-1) / length if one_text else unknown

    return HeadStatistics(
        entropy=entropy(attention).mean(-1),
        distance=(attention * away).sum(-1).mean(-1) if one_text else unknown,
        previous=diagonal(-1),
        next=diagonal(1),
        same=diagonal(0),
        first=share(first),
        separator=share(special & ~first),
        punctuation=share(punctuation),
    )


def norm_weighted(weights: np.ndarray, value: np.ndarray, output_weight: np.ndarray) -> np.ndarray:
    """‖α·f(x)‖: the length of what a key really adds to a query, f(x) = v W_O of its head (Kobayashi et al. 2020).

    weights: (heads, T, S); value: (heads, S, d_head); output_weight: W_O as nn.Linear has it, (d_model, heads · d_head)
    → (heads, T, S), ≥ 0.
    """
    heads, _length, width = value.shape
    projection = output_weight.reshape(-1, heads, width).transpose(1, 2, 0)  # (heads, d_head, d_model)
    lengths = np.linalg.norm(value @ projection, axis=-1)  # (heads, S)
    return weights * lengths[:, None, :]


def without(
    attention: np.ndarray, hidden: np.ndarray, renormalise: bool, columns: np.ndarray | None = None
) -> np.ndarray:
    """Leave out these tokens' rows and columns. attention: (..., T, S); hidden: bool (T,).

    renormalise: the rows sum to 1 again (a row that had all its weight on hidden tokens stays 0). columns: bool (S,), those
    that are left out; None: the same as the rows.
    """
    kept = attention[..., ~hidden, :][..., ~(hidden if columns is None else columns)]
    if not renormalise:
        return kept
    total = kept.sum(-1, keepdims=True)
    return np.divide(kept, total, where=total > 0, out=np.zeros_like(kept))


def merge(attention: np.ndarray, group: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
    """Tokens of one group, such as the pieces of a word, as one: weight to them is summed, weight from them is averaged.

    attention: (..., T, S); group: int (T,), 0 to G − 1, each at least once; columns: the same of the S keys, None: as the
    rows → (..., G, G'), rows sum to what they did.
    """
    rows = _belongs(group, attention.dtype)
    return (rows / rows.sum(0)).T @ (attention @ (rows if columns is None else _belongs(columns, attention.dtype)))


def _belongs(group: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """(T, G), 1 where the token is of the group."""
    return (group[:, None] == np.arange(group.max() + 1)).astype(dtype)


def groups(words: np.ndarray) -> np.ndarray:
    """The group of each token: pieces of a word together, a special token (−1) on its own. words: int (T,) → int (T,)."""
    starts = np.concatenate([[True], (words[1:] != words[:-1]) | (words[1:] < 0)])
    return np.cumsum(starts) - 1

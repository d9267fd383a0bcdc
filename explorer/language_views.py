"""What the BERT page shows of a reading: attention by tokens or by words, and the vectors of one word in two texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.attention_statistics import groups, merge, without
from explorer.tokens import Tokens


@dataclass(frozen=True)
class Side:
    """The tokens or words of one text that are shown, N of them.

    labels: their texts. members: the tokens behind each, N tuples of places. special: whether each is one such as [CLS].
    """

    labels: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    special: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def place(self, token: int) -> int | None:
        """Where a token is shown; None if it is hidden."""
        return next((i for i, tokens in enumerate(self.members) if token in tokens), None)


@dataclass(frozen=True, eq=False)
class Shown:
    """Attention between what is shown: from the rows, N queries, to the columns, M keys.

    attention: float32 (layers, heads, N, M).
    """

    attention: np.ndarray
    rows: Side
    columns: Side


def shown(
    queries: Tokens,
    keys: Tokens,
    attention: np.ndarray,
    *,
    hide_special: bool = False,
    renormalise: bool = False,
    whole_words: bool = False,
) -> Shown:
    """Attention (layers, heads, T, S) as the visitor wants to see it.

    queries, keys: the same tokens where a text attends to itself. hide_special: leave [CLS], [SEP] … out; renormalise: let
    the rows sum to 1 again then. whole_words: pieces of a word as one: weight to them summed, weight from them averaged
    (Clark et al. 2019).
    """
    sides, grouped = [], []
    for tokens in (queries, keys):
        group = groups(tokens.words) if whole_words else np.arange(len(tokens))
        members = tuple(tuple(np.flatnonzero(group == g).tolist()) for g in range(group.max() + 1))
        special = tuple(bool(tokens.special[m[0]]) for m in members)
        sides.append(Side(tuple(label_of(tokens, m) for m in members), members, special))
        grouped.append(group)
    rows, columns = sides
    if whole_words:
        attention = merge(attention, *grouped)
    if hide_special:
        attention = without(attention, np.array(rows.special), renormalise, np.array(columns.special))
        rows, columns = _typed(rows), _typed(columns)
    return Shown(attention, rows, columns)


def _typed(side: Side) -> Side:
    """Without the special ones."""
    kept = [i for i, special in enumerate(side.special) if not special]
    return Side(tuple(side.labels[i] for i in kept), tuple(side.members[i] for i in kept), (False,) * len(kept))


def label_of(tokens: Tokens, members: tuple[int, ...]) -> str:
    """The text of tokens that belong together, as typed; "##" before a piece that goes on with a word."""
    first, last = members[0], members[-1]
    if len(members) == 1:
        return f"##{tokens.labels[first]}" if tokens.continues[first] else tokens.labels[first]
    sentence = tokens.pair if tokens.pair is not None and tokens.segments[first] else tokens.text
    return sentence[tokens.spans[first, 0] : tokens.spans[last, 1]].strip()


def by_character(tokens: Tokens, values: np.ndarray, sentence: int) -> tuple[str, np.ndarray]:
    """(what was read of a sentence, the value of the token that each character belongs to, NaN between tokens).

    values: float (T,); sentence: 0 or 1.
    """
    text = tokens.pair or "" if sentence else tokens.text
    found = np.full(len(text), np.nan, np.float32)
    last = 0
    for place in np.flatnonzero((tokens.segments == sentence) & ~tokens.special):
        start, end = tokens.spans[place]
        found[start:end] = values[place]
        last = max(last, int(end))
    return text[:last], found[:last]


def words_of(tokens: Tokens) -> dict[str, tuple[int, ...]]:
    """Each word of the text, first occurrence, → the places of its tokens; special tokens left out."""
    found: dict[str, tuple[int, ...]] = {}
    group = groups(tokens.words)
    for g in range(group.max() + 1):
        members = tuple(np.flatnonzero(group == g).tolist())
        if not tokens.special[members[0]]:
            found.setdefault(label_of(tokens, members), members)
    return found


def cosine_by_layer(a: np.ndarray, places_a: tuple[int, ...], b: np.ndarray, places_b: tuple[int, ...]) -> np.ndarray:
    """How alike a word's vectors are in two texts: cosine after each layer, −1 to 1.

    a, b: hidden states (layers + 1, T, width); places: the word's tokens, whose mean stands for it → (layers + 1,).
    """
    return cosine(a[:, list(places_a)].mean(1), b[:, list(places_b)].mean(1))


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Between vectors along the last axis, −1 to 1. a, b: (..., width) → (...,)."""
    return (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a − b of two attentions over equally many tokens and heads, (..., N, N). Raises ValueError otherwise."""
    if a.shape != b.shape:
        raise ValueError(f"attentions of shapes {a.shape} and {b.shape} cannot be compared cell by cell")
    return a - b

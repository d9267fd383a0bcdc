"""Typed text as a language model reads it: tokens, each with its place in the text, so that any script is shown right."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding, Tokenizer

from explorer.errors import UserError
from explorer.text import _

MOST_CHARACTERS = 100_000


@dataclass(frozen=True, eq=False)
class Tokens:
    """What goes into the model for a sentence or a pair of them.

    text, pair: as typed, pair None for one sentence. ids: int64 (T,). segments: int64 (T,), 0 in the first sentence and
    its special tokens, 1 in the second. labels: T texts to show, cut out of what was typed; a special token's own name.
    pieces: the tokens as they stand in the vocabulary, "##ing" or "[UNK]".
    special: bool (T,), such as [CLS]. words: int64 (T,), the number of the word that a token belongs to, counted over both
    sentences, −1 for special ones. spans: int64 (T, 2), start and end in its sentence, in characters. cut: how many tokens
    did not fit.
    """

    text: str
    pair: str | None
    ids: np.ndarray
    segments: np.ndarray
    labels: tuple[str, ...]
    pieces: tuple[str, ...]
    special: np.ndarray
    words: np.ndarray
    spans: np.ndarray
    cut: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def continues(self) -> np.ndarray:
        """bool (T,): whether the token goes on with the word of the one before it."""
        same = (self.words[1:] == self.words[:-1]) & (self.words[1:] >= 0)
        return np.concatenate([[False], same])

    @property
    def punctuation(self) -> np.ndarray:
        """bool (T,): whether the token is nothing but signs, such as a comma."""
        found = [all(unicodedata.category(c)[0] in "PS" for c in label) for label in self.labels]
        return np.array(found, bool) & ~self.special


def encode(tokenizer: Tokenizer, text: str, pair: str | None = None, *, limit: int) -> Tokens:
    """Tokens of a sentence, or of a pair; of what exceeds `limit` tokens the end is left out, of a pair the longer's.

    tokenizer: without truncation and padding; it is not changed. UserError: there is nothing to read in a sentence.
    """
    texts = [part[:MOST_CHARACTERS] for part in (text, pair) if part is not None]
    parts = [tokenizer.encode(part, add_special_tokens=False) for part in texts]
    for number, part in enumerate(parts):
        if not len(part):
            which = _("The sentence") if pair is None else (_("The first sentence"), _("The second sentence"))[number]
            # Characters that the tokenizer drops, such as a lone accent, also leave nothing.
            what = _("has no sign that this model can read") if texts[number].strip() else _("is empty")
            raise UserError(_("{which} {what}; type a few words.").format(which=which, what=what))
    typed = sum(map(len, parts))
    _shorten(parts, limit - tokenizer.num_special_tokens_to_add(len(parts) == 2))
    found = tokenizer.post_process(parts[0], parts[1] if len(parts) == 2 else None)
    special = np.array(found.special_tokens_mask, bool)
    # In found, of a pair, the first half's tokens have lost their number; the order of the others tells it.
    half = np.where(special, -1, np.cumsum(~special) > len(parts[0]))
    return Tokens(
        text=texts[0],
        pair=None if pair is None else texts[1],
        ids=np.array(found.ids, np.int64),
        segments=np.array(found.type_ids, np.int64),
        labels=tuple(_label(found, place, texts, number) for place, number in enumerate(half)),
        pieces=tuple(found.tokens),
        special=special,
        words=_words(found, half),
        spans=np.array(found.offsets, np.int64).reshape(-1, 2),
        cut=typed - sum(map(len, parts)),
    )


def _shorten(parts: list[Encoding], room: int) -> None:
    """Cut ends off, of the longer one first, until all parts together fit into the room."""
    if len(parts) == 1:
        parts[0].truncate(room)
        return
    first, second = len(parts[0]), len(parts[1])
    if first + second > room:
        half = room // 2
        keep = min(first, max(room - half, room - second))
        parts[0].truncate(keep)
        parts[1].truncate(room - keep)


def _label(found: Encoding, place: int, texts: list[str], half: int) -> str:
    start, end = found.offsets[place]
    return found.tokens[place] if half < 0 else texts[half][start:end].strip() or found.tokens[place]


def _words(found: Encoding, half: np.ndarray) -> np.ndarray:
    """Numbers of words over both sentences; −1 for special tokens."""
    seen: dict[tuple[int, int | None], int] = {}
    numbers = [
        -1 if number < 0 else seen.setdefault((number, word), len(seen))
        for number, word in zip(half.tolist(), found.word_ids, strict=True)
    ]
    return np.array(numbers, np.int64)

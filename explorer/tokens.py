"""Typed text as a language model reads it: tokens, each with its place in the text, so that any script is shown right."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding, Tokenizer

from explorer.errors import UserError
from explorer.text import _

MOST_CHARACTERS = 100_000

SPACE, LINE, TAB = BLANKS = ("␣", "⏎", "⇥")
"""What is shown for a token that is nothing but white space."""


Placed = tuple[int, tuple[int, int], int | None]
"""Of a token that was typed: which sentence it is in, 0 or 1; start and end in it; the number of its word."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """What goes into the model for a sentence or a pair of them.

    text, pair: as typed, pair None for one sentence. ids: int64 (T,). segments: int64 (T,), 0 in the first sentence and
    its special tokens, 1 in the second. labels: T texts to show, cut out of what was typed; a special token's own name;
    a sign of BLANKS for white space.
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
        found = [
            label not in BLANKS and all(unicodedata.category(c)[0] in "PS" for c in label) for label in self.labels
        ]
        return np.array(found, bool) & ~self.special


def encode(tokenizer: Tokenizer, text: str, pair: str | None = None, *, limit: int) -> Tokens:
    """Tokens of a sentence, or of a pair; of what exceeds `limit` tokens the end is left out, of a pair the longer's.

    tokenizer: without truncation and padding; it is not changed. UserError: there is nothing to read in a sentence.
    """
    texts = [part[:MOST_CHARACTERS] for part in (text, pair) if part is not None]
    parts = [tokenizer.encode(part, add_special_tokens=False) for part in texts]
    for number, part in enumerate(parts):
        blank = not texts[number].strip()  # for some models, white space is something to read
        if blank or not len(part):
            which = _("The sentence") if pair is None else (_("The first sentence"), _("The second sentence"))[number]
            # Characters that the tokenizer drops, such as a lone accent, also leave nothing.
            what = _("is empty") if blank else _("has no sign that this model can read")
            raise UserError(_("{which} {what}; type a few words.").format(which=which, what=what))
    typed = sum(map(len, parts))
    _shorten(parts, limit - tokenizer.num_special_tokens_to_add(len(parts) == 2))
    # What post-processing says of offsets is left alone: it trims spaces off that were trimmed off before.
    inner = [
        (half, *found) for half, part in enumerate(parts) for found in zip(part.offsets, part.word_ids, strict=True)
    ]
    found = tokenizer.post_process(parts[0], parts[1] if len(parts) == 2 else None)
    special = np.array(found.special_tokens_mask, bool)
    rows = iter(inner)
    placed = [None if is_special else next(rows) for is_special in special]
    return Tokens(
        text=texts[0],
        pair=None if pair is None else texts[1],
        ids=np.array(found.ids, np.int64),
        segments=_segments([None if row is None else row[0] for row in placed]),
        labels=tuple(
            piece if row is None else label(piece, texts[row[0]][slice(*row[1])])
            for piece, row in zip(found.tokens, placed, strict=True)
        ),
        pieces=tuple(found.tokens),
        special=special,
        words=_words(placed, texts),
        spans=np.array([(0, 0) if row is None else row[1] for row in placed], np.int64).reshape(-1, 2),
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


def label(piece: str, typed: str) -> str:
    """The text to show for a token. typed: what it stands for in the text, with the spaces around it."""
    shown = typed.strip()
    if shown and (piece.strip("▁Ġ") or shown == piece):
        return shown
    # The tokenizers of GPT-2 (Ġ) and of SentencePiece (▁) have tokens for spaces, also for one that nobody typed.
    if "\n" in typed or piece == "Ċ":
        return LINE
    if "\t" in typed or piece == "ĉ":
        return TAB
    return piece if piece.strip("▁Ġ") and not typed else SPACE


def _segments(halves: list[int | None]) -> np.ndarray:
    """A special token belongs to the sentence before it, and at the beginning to the first."""
    numbers, last = [], 0
    for half in halves:
        last = last if half is None else half
        numbers.append(last)
    return np.array(numbers, np.int64)


def _words(placed: list[Placed | None], texts: list[str]) -> np.ndarray:
    """Numbers of words over both sentences, −1 for special tokens. White space always begins a new word.

    The tokenizer's own numbers alone do not do: those of some models take a whole sentence for one word.
    """
    numbers, count, last = [], -1, None
    for row in placed:
        if row is None:
            numbers.append(-1)
            continue
        half, (start, end), word = row
        if last is None or (half, word) != (last[0], last[2]):
            count += 1
        else:
            between = texts[half][last[1][1] : start]
            count += any(map(str.isspace, between + texts[half][start:end][:1]))
        numbers.append(count)
        last = row
    return np.array(numbers, np.int64)

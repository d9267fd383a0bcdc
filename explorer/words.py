"""Words and punctuation of typed text in any script, and random vectors for them; for models that have no vocabulary."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import regex

MOST_CHARACTERS = 100_000

_WORD = regex.compile(
    r"""
      \p{Han}                                   # Chinese is written without spaces: a sign is a word
    | [\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー\p{M}]+   # and these: a run of signs is a word
    | (?: (?!\p{Han}) [\p{L}\p{N}\p{M}_] )+ (?: ['’] [\p{L}\p{M}]+ )*       # it's, 고양이가, naïve, 2026
    | \X                                        # a sign, or an emoji with all that belongs to it
    """,
    regex.VERBOSE,
)


@dataclass(frozen=True)
class Word:
    """A word or a sign. start, end: its place in the text, in characters."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    """What was typed and the words that are used of it. cut: how many words more were typed."""

    text: str
    words: tuple[Word, ...]
    cut: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The words as text."""
        return tuple(word.text for word in self.words)


def split_words(text: str) -> tuple[Word, ...]:
    """Words and signs in reading order; spaces separate and are dropped."""
    found = _WORD.finditer(text[:MOST_CHARACTERS])
    return tuple(Word(match[0], match.start(), match.end()) for match in found if not match[0].isspace())


def sentence(text: str, most: int) -> Sentence:
    """The first `most` words of a text."""
    words = split_words(text)
    return Sentence(text, words[:most], max(len(words) - most, 0))


def random_vectors(words: Sequence[str], width: int, seed: int = 0) -> np.ndarray:
    """A vector for each word, float32 (n, width), standard normal. Equal words, whatever their case, get equal vectors.

    Nothing is learned: a word's vector is drawn with a seed made of its letters.
    """
    rows = [np.random.default_rng([seed, *_letters(word)]).standard_normal(width) for word in words]
    return np.array(rows, np.float32).reshape(len(words), width)


def _letters(word: str) -> list[int]:
    return list(hashlib.sha256(word.casefold().encode("utf-8", "surrogatepass")).digest()[:8])

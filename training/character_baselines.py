"""What simple models and compressors need for the text that was held out from the character LSTM, in bits per character.

    python -m training.character_baselines --data FILE     # the same FILE as training.character_lstm

The n-grams count in the training text and smooth after Witten and Bell (1991). The compressors see the held-out text alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
from pathlib import Path

import numpy as np

from explorer.models.characters import ALPHABET, encode
from training.character_text import chapters, split


def ngram_bits(train: list[str], held_out: list[str], order: int) -> float:
    """Mean of −log₂ P(character) over the chapters, their first characters excepted. order: 1 for single characters.

    P(c | context) = (count(context c) + kinds · P(c | shorter context)) / (count(context) + kinds), where kinds is the
    number of different characters seen after the context; at the end stands the uniform 1/96. At the beginning of a
    chapter the context is as long as the text allows.
    """
    seen = [encode(text).numpy() for text in train]
    asked = [encode(text).numpy() for text in held_out]
    probability = [np.full(len(text), 1 / len(ALPHABET)) for text in asked]
    for length in range(order):  # of the context
        counts, after, kinds = _table(seen, length)
        for number, text in enumerate(asked):
            grams = _grams(text, length)
            count, total, types = counts(grams), after(grams // len(ALPHABET)), kinds(grams // len(ALPHABET))
            shorter = probability[number][length:]
            known = np.maximum(total + types, 1)
            probability[number][length:] = np.where(total > 0, (count + types * shorter) / known, shorter)
    return float(-np.log2(np.concatenate([p[1:] for p in probability])).mean())


def _grams(text: np.ndarray, length: int) -> np.ndarray:
    """Every `length` characters and the one after them as one number, int64 (len(text) − length,)."""
    grams = np.zeros(max(len(text) - length, 0), np.int64)
    for offset in range(length + 1):
        grams = grams * len(ALPHABET) + text[offset : offset + len(grams)]
    return grams


class _Lookup:
    """Number → count, 0 where it was never seen."""

    def __init__(self, keys: np.ndarray, counts: np.ndarray):
        self.keys, self.counts = keys, counts

    def __call__(self, wanted: np.ndarray) -> np.ndarray:
        if not len(self.keys):
            return np.zeros(len(wanted), np.int64)
        at = np.searchsorted(self.keys, wanted).clip(max=len(self.keys) - 1)
        return np.where(self.keys[at] == wanted, self.counts[at], 0)


def _table(texts: list[np.ndarray], length: int) -> tuple[_Lookup, _Lookup, _Lookup]:
    """(gram → how often, context → how often, context → how many kinds of character followed)."""
    grams, counts = np.unique(np.concatenate([_grams(text, length) for text in texts]), return_counts=True)
    contexts, first = np.unique(grams // len(ALPHABET), return_index=True)
    totals = np.add.reduceat(counts, first)
    kinds = np.diff(np.append(first, len(grams)))
    return _Lookup(grams, counts), _Lookup(contexts, totals), _Lookup(contexts, kinds)


def baselines(train: list[str], held_out: list[str]) -> dict[str, float]:
    """Bits per character of the held-out chapters; the compressors get them as one file."""
    text = "".join(held_out).encode("ascii")
    return {
        "unigram_bits": ngram_bits(train, held_out, 1),
        "five_gram_bits": ngram_bits(train, held_out, 5),
        "gzip_bits": 8 * len(gzip.compress(text, 9)) / len(text),
        "xz_bits": 8 * len(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)) / len(text),
    }


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the text")
    print(json.dumps(baselines(*split(chapters(parser.parse_args().data))), indent=2))


if __name__ == "__main__":
    main()

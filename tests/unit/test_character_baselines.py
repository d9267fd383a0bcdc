"""The n-grams and compressors that the character LSTM is compared with."""

from __future__ import annotations

import gzip
import math
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.models.characters import ALPHABET
from training.character_baselines import baselines, ngram_bits
from training.character_text import LINE, chapters, split

TEXTS = st.lists(st.text(alphabet="ab \n", min_size=2, max_size=12), min_size=1, max_size=4)


def slow_bits(train: list[str], held_out: list[str], order: int) -> float:
    """The same by dictionaries, character by character."""
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for text in train:
        for place, character in enumerate(text):
            for length in range(min(order - 1, place) + 1):
                after[text[place - length : place]][character] += 1

    def probability(context: str, character: str) -> float:
        shorter = probability(context[1:], character) if context else 1 / len(ALPHABET)
        counts = after[context]
        return (counts[character] + len(counts) * shorter) / (counts.total() + len(counts)) if counts else shorter

    bits = [
        -math.log2(probability(text[max(0, place - order + 1) : place], text[place]))
        for text in held_out
        for place in range(1, len(text))
    ]
    return sum(bits) / len(bits)


@settings(max_examples=60)
@given(train=TEXTS, held_out=TEXTS, order=st.integers(1, 5))
def test_n_grams_are_those_of_a_slow_count(train: list[str], held_out: list[str], order: int) -> None:
    assert ngram_bits(train, held_out, order) == pytest.approx(slow_bits(train, held_out, order), rel=1e-9)


def test_the_baselines_of_a_text_that_repeats() -> None:
    train, held_out = ["the cat sat\n\n" * 40] * 3, ["the cat sat\n\n" * 50]
    found = baselines(train, held_out)
    assert found["five_gram_bits"] < 0.3 < 2 < found["unigram_bits"] < 4
    assert found["gzip_bits"] == 8 * len(gzip.compress(held_out[0].encode(), 9)) / len(held_out[0])
    assert found["xz_bits"] < 2


def test_chapters_are_set_in_lines_and_every_twentieth_is_held_out(tmp_path) -> None:
    file = tmp_path / "book.txt"
    sentence = "The cat, naïve as ever, sat down on the mat."
    file.write_text("\n\n".join(f"{sentence}\n{sentence} {n}" for n in range(41)), encoding="utf-8")
    texts = chapters(file)
    assert len(texts) == 41
    assert all(text.endswith("\n\n") and max(map(len, text.split("\n"))) <= LINE for text in texts)
    assert " ".join(texts[7].split()) == " ".join([*[sentence.replace("ï", "")] * 2, "7"])
    train, held_out = split(texts)
    assert held_out == [texts[0], texts[20], texts[40]]
    assert len(train) == 38

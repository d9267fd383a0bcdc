"""Typed text in tokens: labels by offsets, words, pairs, what is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import BertWordPieceTokenizer, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing

from explorer.errors import UserError
from explorer.tokens import encode

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "un",
    "##believ",
    "##able",
    "cat",
    "the",
    ",",
    "고양이가",
    "잔다",
]


@pytest.fixture(scope="module")
def wordpiece() -> Tokenizer:
    letters = [prefix + chr(code) for code in range(97, 123) for prefix in ("", "##")]
    vocabulary = {piece: i for i, piece in enumerate(PIECES + letters)}
    tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True, strip_accents=False)
    return tokenizer._tokenizer


@pytest.fixture(scope="module")
def byte_level() -> Tokenizer:
    alphabet = {sign: i for i, sign in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(alphabet, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = TemplateProcessing("$A", "$A $B", [])
    return tokenizer


def test_a_sentence(wordpiece):
    tokens = encode(wordpiece, "The unbelievable cat, 고양이가 🙂", limit=32)
    assert tokens.labels == ("[CLS]", "The", "un", "believ", "able", "cat", ",", "고양이가", "🙂", "[SEP]")
    assert tokens.pieces[3:9] == ("##believ", "##able", "cat", ",", "고양이가", "[UNK]")
    assert tokens.words.tolist() == [-1, 0, 1, 1, 1, 2, 3, 4, 5, -1]
    assert np.flatnonzero(tokens.continues).tolist() == [3, 4]
    assert np.flatnonzero(tokens.special).tolist() == [0, 9]
    assert np.flatnonzero(tokens.punctuation).tolist()[0] == 6
    assert tokens.cut == 0
    assert len(tokens) == 10


def test_a_pair_keeps_the_labels_of_both_halves(wordpiece):
    tokens = encode(wordpiece, "The 고양이가", "Cat unbelievable", limit=32)
    assert tokens.labels == ("[CLS]", "The", "고양이가", "[SEP]", "Cat", "un", "believ", "able", "[SEP]")
    assert tokens.segments.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert tokens.words.tolist() == [-1, 0, 1, -1, 2, 3, 3, 3, -1]


def test_an_emoji_in_several_byte_tokens_is_shown_whole(byte_level):
    tokens = encode(byte_level, "a🙂", limit=32)
    assert tokens.labels == ("a", "🙂", "🙂", "🙂", "🙂")
    assert not tokens.special.any()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(5, 60))
def test_what_is_too_long_is_cut_from_the_longer_half_and_counted(wordpiece, first, second, limit):
    tokens = encode(wordpiece, "cat " * first, "the " * second, limit=limit)
    kept = [int(((tokens.segments == number) & ~tokens.special).sum()) for number in (0, 1)]
    assert sum(kept) + 3 == len(tokens) == min(first + second + 3, limit)
    assert tokens.cut == first + second - sum(kept)
    if tokens.cut:
        assert abs(kept[0] - kept[1]) <= 1 or kept == [first, limit - 3 - first] or kept == [limit - 3 - second, second]


def test_ten_thousand_words(wordpiece):
    tokens = encode(wordpiece, "cat " * 10_000, limit=512)
    assert len(tokens) == 512
    assert tokens.cut == 10_000 - 510


@pytest.mark.parametrize(("text", "pair", "says"), [
    ("", None, "The sentence is empty"),
    ("  \n ", None, "The sentence is empty"),
    ("\u200b\x00", None, "no sign that this model can read"),
    ("cat", " ", "The second sentence is empty"),
    ("", "cat", "The first sentence is empty"),
])  # fmt: skip
def test_nothing_to_read(wordpiece, text, pair, says):
    with pytest.raises(UserError, match=says):
        encode(wordpiece, text, pair, limit=16)


@given(st.text(min_size=1, max_size=60))
def test_any_text_either_reads_or_is_refused(wordpiece, text):
    try:
        tokens = encode(wordpiece, text, limit=24)
    except UserError:
        return
    assert len(tokens.labels) == len(tokens.ids) <= 24
    for label, (start, end), special in zip(tokens.labels, tokens.spans.tolist(), tokens.special, strict=True):
        assert special or not text[start:end].strip() or label == text[start:end].strip()

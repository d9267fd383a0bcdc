"""Typed text in tokens: labels by offsets, words, pairs, what is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import BertWordPieceTokenizer, Tokenizer, normalizers
from tokenizers.models import BPE, Unigram
from tokenizers.pre_tokenizers import ByteLevel, Metaspace
from tokenizers.processors import RobertaProcessing, TemplateProcessing

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


def test_a_space_before_a_word_is_trimmed_off_once():
    vocabulary = {piece: i for i, piece in enumerate(["<s>", "</s>", "Ġ", "c", "a", "t", "ca", "cat", "Ġcat", "Ċ"])}
    tokenizer = Tokenizer(BPE(vocabulary, [("c", "a"), ("ca", "t"), ("Ġ", "cat")]))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    tokens = encode(tokenizer, "cat cat  cat\n", "cat", limit=32)
    assert tokens.labels == ("<s>", "cat", "cat", "␣", "cat", "⏎", "</s>", "</s>", "cat", "</s>")
    assert tokens.segments.tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]
    assert tokens.spans[1:6].tolist() == [[0, 3], [4, 7], [8, 8], [9, 12], [12, 13]]
    assert not tokens.punctuation.any()


def test_the_mark_of_sentencepiece_for_a_space_is_shown_as_one():
    vocabulary = [("</s>", 0.0), ("<unk>", 0.0), ("▁", -1.0), ("▁the", -1.0), ("c", -1.0), ("at", -1.0)]
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=1))
    tokenizer.pre_tokenizer = Metaspace()
    tokenizer.post_processor = TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 0)])
    tokens = encode(tokenizer, "cat the cat 고양이", limit=32)
    assert tokens.pieces == ("▁", "c", "at", "▁the", "▁", "c", "at", "▁", "고양이", "</s>")
    assert tokens.labels == ("␣", "c", "at", "the", "␣", "c", "at", "␣", "고양이", "</s>")
    assert tokens.words.tolist() == [0, 0, 0, 1, 2, 2, 2, 3, 3, -1]


@pytest.mark.parametrize("text", [" ", "\n\t "])
def test_white_space_alone_is_nothing_to_read_also_where_it_makes_tokens(byte_level, text):
    with pytest.raises(UserError, match="The sentence is empty"):
        encode(byte_level, text, limit=16)


def test_words_of_a_tokenizer_that_knows_none():
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary = {piece: i for i, piece in enumerate(["<unk>", "▁", "c", "a", "t", *bytes_])}
    tokenizer = Tokenizer(BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokens = encode(tokenizer, "cat 🙂 at", limit=32)
    assert tokens.labels == ("␣", "c", "a", "t", "␣", "🙂", "🙂", "🙂", "🙂", "␣", "a", "t")
    assert tokens.words.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2]


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

"""What is shown of a reading: hidden special tokens, whole words, labels, cosines."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import BertWordPieceTokenizer, Tokenizer

from explorer.language_views import by_character, cosine_by_layer, difference, label_of, shown, words_of
from explorer.tokens import Tokens, encode

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##believ", "##able", "cat", "the", "잔다"]


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    tokenizer: Tokenizer = BertWordPieceTokenizer({p: i for i, p in enumerate(PIECES)}, strip_accents=False)._tokenizer
    return encode(tokenizer, "The  Unbelievable cat", "cat 잔다", limit=32)


@pytest.fixture(scope="module")
def attention(tokens) -> np.ndarray:
    weights = np.exp(np.random.default_rng(0).standard_normal((2, 3, len(tokens), len(tokens))))
    return weights / weights.sum(-1, keepdims=True)


def test_all_tokens(tokens, attention):
    found = shown(tokens, tokens, attention)
    assert found.rows == found.columns
    assert found.rows.labels == ("[CLS]", "The", "Un", "##believ", "##able", "cat", "[SEP]", "cat", "잔다", "[SEP]")
    assert found.attention is attention
    assert found.rows.place(5) == 5


def test_whole_words_without_special_tokens(tokens, attention):
    found = shown(tokens, tokens, attention, hide_special=True, renormalise=True, whole_words=True)
    assert found.rows.labels == ("The", "Unbelievable", "cat", "cat", "잔다")
    assert found.columns.members[1] == (2, 3, 4)
    np.testing.assert_allclose(found.attention.sum(-1), 1)
    assert found.rows.place(3) == 1
    assert found.rows.place(0) is None
    plain = shown(tokens, tokens, attention, hide_special=True, whole_words=True)
    np.testing.assert_allclose(plain.attention[..., 1, 2], attention[..., 2:5, 5].mean(-1))
    np.testing.assert_allclose(plain.attention[..., 2, 1], attention[..., 5, 2:5].sum(-1))


def test_from_one_text_to_another(tokens, attention):
    rows = encode(BertWordPieceTokenizer({p: i for i, p in enumerate(PIECES)})._tokenizer, "the cat", limit=32)
    cross = attention[:, :, : len(rows)]
    found = shown(rows, tokens, cross, hide_special=True, whole_words=True)
    assert (found.rows.labels, found.columns.labels) == (("the", "cat"), ("The", "Unbelievable", "cat", "cat", "잔다"))
    np.testing.assert_allclose(found.attention[..., 1], cross[..., 1:3, 2:5].sum(-1), rtol=1e-6)


def test_values_of_characters(tokens):
    text, values = by_character(tokens, np.arange(10.0), 0)
    assert text == "The  Unbelievable cat"
    nan = np.nan
    np.testing.assert_array_equal(values, [1] * 3 + [nan] * 2 + [2] * 2 + [3] * 6 + [4] * 4 + [nan] + [5] * 3)
    text, values = by_character(tokens, np.arange(10.0), 1)
    assert text == "cat 잔다"
    np.testing.assert_array_equal(values, [7, 7, 7, nan, 8, 8])


def test_words(tokens):
    assert words_of(tokens) == {"The": (1,), "Unbelievable": (2, 3, 4), "cat": (5,), "잔다": (8,)}
    assert label_of(tokens, (8,)) == "잔다"


def test_cosine():
    a = np.zeros((2, 3, 2))
    a[0, 0], a[0, 1], a[1, :2] = (1, 0), (0, 1), (2, 0)
    b = np.zeros((2, 1, 2))
    b[:, 0] = (3, 0)
    np.testing.assert_allclose(cosine_by_layer(a, (0, 1), b, (0,)), [np.sqrt(0.5), 1])


def test_difference_needs_equal_shapes():
    assert difference(np.ones((1, 1, 2, 2)), np.zeros((1, 1, 2, 2))).sum() == 4
    with pytest.raises(ValueError, match="cannot be compared"):
        difference(np.ones((1, 1, 2, 2)), np.ones((1, 1, 3, 3)))

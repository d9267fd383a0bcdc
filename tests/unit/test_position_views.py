from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.models.previous_word import PreviousWord
from explorer.position_training import CHUNK, D_MODEL, WORDS, train
from explorer.position_views import cosines, distances, dot_products, see, stepped


def test_pairs_are_gathered_by_their_offset():
    vectors = np.array([[1, 0], [0, 2], [3, 0]], np.float32)
    dots = dot_products(vectors)
    np.testing.assert_allclose(dots.pairs, [[1, 0, 3], [0, 4, 0], [3, 0, 9]])
    np.testing.assert_allclose(dots.mean, [14 / 3, 0, 3])
    np.testing.assert_allclose(dots.spread, [8, 0, 0])
    np.testing.assert_allclose(distances(vectors).pairs[0], [0, 5**0.5, 2])
    np.testing.assert_allclose(cosines(vectors).pairs, [[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    np.testing.assert_allclose(cosines(np.zeros((2, 3), np.float32)).pairs, 0)


@settings(max_examples=20)
@given(
    words=st.lists(st.sampled_from("the The cat dog 고양이".split()), min_size=2, max_size=9), seed=st.integers(0, 9)
)
def test_without_positions_equal_words_see_alike(words, seed):
    without, added = see(words, 16, 10_000, seed)
    for seen in (without, added):
        assert seen.weights.shape == (len(words), len(words))
        np.testing.assert_allclose(seen.weights.sum(1), 1, rtol=1e-5)
    if len({word.casefold() for word in words}) == len(words):
        assert without.gap is None
        assert without.repeated == ()
        return
    assert without.gap is not None
    assert added.gap is not None
    assert without.gap < 1e-6 < added.gap


def test_a_long_encoding_is_stepped_through_in_part():
    whole, kept = stepped(48, 128, 10_000)
    assert kept == 48
    assert whole.result.shape == (48, 128)
    part, kept = stepped(128, 128, 10_000, offset=3)
    assert (kept, part.result.shape) == (64, (64, 128))
    assert part["turned"].op == "matmul"


@pytest.mark.parametrize("positions", ["none", "learned", "sinusoid"])
def test_only_without_positions_the_model_is_blind_to_order(positions):
    torch.manual_seed(0)
    model = PreviousWord(8, 6, 16, positions)
    words = torch.tensor([[3, 1, 4, 1, 5, 2]])
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    with torch.inference_mode():
        logits, weights = model(words)
        permuted, _ = model(words[:, order])
    assert weights.shape == (1, 1, 6, 6)
    assert torch.allclose(permuted, logits[:, order], atol=1e-5) == (positions == "none")


def test_training_learns_the_order_where_positions_are_given_and_is_the_same_again():
    reports = list(train(6, seed=1, steps=4 * CHUNK))
    assert [report.step for report in reports] == [0, CHUNK, 2 * CHUNK, 3 * CHUNK, 4 * CHUNK]
    first, last = reports[0], reports[-1]
    chance = 1 / len(WORDS)
    for kind in ("none", "learned", "sinusoid"):
        assert first.trained[kind] == pytest.approx(chance, abs=0.1)
        assert last.losses[kind].shape == (4 * CHUNK,)
        assert last.accuracy[kind].shape == (11,)
        assert last.attention[kind].shape == (6, 6)
        np.testing.assert_allclose(last.attention[kind].sum(1), 1, rtol=1e-5)
    assert last.trained["none"] < 0.5 < 0.9 < min(last.trained["learned"], last.trained["sinusoid"])
    assert last.tables["learned"].shape == (12, D_MODEL)
    # What lies beyond the length of training has never been touched; sinusoids are not learned at all.
    np.testing.assert_array_equal(last.tables["learned"][6:], first.tables["learned"][6:])
    assert not np.array_equal(last.tables["learned"][:6], first.tables["learned"][:6])
    np.testing.assert_array_equal(last.tables["sinusoid"], first.tables["sinusoid"])
    again = next(train(6, seed=1))
    np.testing.assert_array_equal(again.sentence, first.sentence)
    assert again.trained == first.trained

"""Reviews whose verdict depends on the order of their words, and the classifier that learns it."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
import torch

from explorer.review_training import (
    baselines,
    batch,
    counts,
    held_out,
    judge,
    received,
    reviews,
    train_classifier,
    untrained,
)
from explorer.reviews import BAD, GOOD, UNKNOWN, VERDICTS, WORDS, Review, draw


def verdict(words: tuple[str, ...]) -> bool:
    """By the rules, read from the words alone."""

    def clause(part: tuple[str, ...]) -> bool:
        return (part[-1] in GOOD) != ("not" in part)

    if words[0] == "although":
        second = words.index("the", 2)
        return clause(words[second:])
    for joint, which in (("but", 1), ("although", 0), ("and", 0)):
        if joint in words:
            place = words.index(joint)
            return clause((words[:place], words[place + 1 :])[which])
    return clause(words)


@pytest.fixture(scope="module")
def drawn() -> list[Review]:
    source = random.Random(0)
    return [draw(source) for _ in range(2000)]


def test_the_verdict_follows_from_the_words(drawn):
    assert all(verdict(review.words) == review.positive for review in drawn)
    assert {word for review in drawn for word in review.words} == set(WORDS) - {"<pad>"}
    assert {len(review.words) for review in drawn} <= set(range(4, 14))


def test_the_same_words_in_another_order_say_the_opposite():
    one, other = "the food was bad but the waiter was friendly", "the waiter was friendly but the food was bad"
    assert Counter(one.split()) == Counter(other.split())
    assert verdict(tuple(one.split())) != verdict(tuple(other.split()))


def test_both_verdicts_are_equally_likely_whatever_the_joint(drawn):
    for joint in ("but", "although", "and", "not"):
        found = [review.positive for review in drawn if joint in review.words]
        assert 0.42 < np.mean(found) < 0.58, joint


def test_counting_words_does_not_help():
    simple = baselines()
    assert 0.45 < simple.majority < 0.55
    assert simple.bag < 0.65


def test_counts_have_a_constant_for_what_fills_up():
    x, y = batch(
        [Review(("the", "food", "was", "bad"), False), Review(("the", "film", "was", "not", "very", "bad"), True)]
    )
    bag = counts(x)
    assert bag.shape == (2, len(WORDS))
    assert bag[:, 0].tolist() == [1, 1]
    assert bag[0].sum() == 5
    assert y.tolist() == [0, 1]


def test_training_learns_what_counting_cannot_and_attends_to_what_decides():
    for report in train_classifier(seed=0):
        if report.step % 50 == 0:
            assert len(report.accuracy) == report.step // 50 + 1
    assert report.done
    assert report.accuracy[0] < 0.65
    assert report.accuracy[-1] > 0.97
    for text, deciding in (
        ("the food was bad but the waiter was friendly", "friendly"),
        ("the waiter was friendly but the food was bad", "bad"),
    ):
        words = text.split()
        before, after = judge(untrained(0), words), judge(report.model, words)
        assert (after.positive > 0.5) == (deciding in GOOD)
        assert deciding in GOOD or deciding in BAD
        np.testing.assert_allclose(after.attention.sum(-1), 1, rtol=1e-5)
        assert after.attention.shape == (2, 2, 9, 9)
        gets = [dict(zip(words, received(found.attention[0]), strict=True))[deciding] for found in (before, after)]
        assert gets[1] > 0.4 > 0.25 > gets[0]


def test_what_is_held_out_is_not_trained_on():
    assert all(map(held_out, reviews(20, seed=0, held=True)))
    assert not any(map(held_out, reviews(20, seed=0, held=False)))


def test_unknown_words_are_read_as_unknown():
    known, unknown = (
        judge(untrained(0), ["the", UNKNOWN, "was", "bad"]),
        judge(untrained(0), ["the", "zeppelin", "was", "BAD"]),
    )
    assert known.positive == unknown.positive
    assert len(VERDICTS) == 2
    assert torch.is_tensor(known.steps.result)

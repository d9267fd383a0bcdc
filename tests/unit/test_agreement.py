"""What several classifiers agree on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.agreement import Answer, compare, plain


def answer(name: str, **probabilities: float) -> Answer:
    labels = tuple(label.replace("_", " ") for label in probabilities)
    return Answer(name, labels, np.array(list(probabilities.values()), np.float32))


FIRST = answer("first", ant=0.6, bee=0.3, cat=0.1, dog=0.0)
SECOND = answer("second", ant=0.2, bee=0.5, cat=0.0, dog=0.3)
OTHER = answer("other", Bee=0.9, zebra=0.1)


def test_the_same_classes():
    found = compare([FIRST, SECOND], top=2)
    assert {row.label for row in found.rows[:2]} == {"ant", "bee"}
    rows = {row.label: row for row in found.rows}
    assert rows["ant"].ranks == (1, None)
    assert rows["bee"].ranks == (2, 1)
    assert rows["dog"].ranks == (None, 2)
    assert rows["dog"].probabilities == pytest.approx((0.0, 0.3))
    (pair,) = found.pairs
    assert (pair.overlap, pair.common) == (1, 4)
    # ½ (0.4 + 0.2 + 0.1 + 0.3)
    assert pair.distance == pytest.approx(0.5)
    assert found.shared == ("bee",)
    assert not found.same_best


def test_other_classes_are_compared_by_name():
    found = compare([FIRST, SECOND, OTHER], top=1)
    rows = {row.label: row for row in found.rows}
    assert rows["bee"].ranks == (None, 1, 1)
    assert rows["ant"].probabilities[2] is None
    assert [pair.distance for pair in found.pairs] == [pytest.approx(0.5), None, None]
    assert [pair.common for pair in found.pairs] == [4, 1, 1]
    assert compare([SECOND, OTHER], top=1).same_best
    assert found.rows[0].label == "bee"


def test_one_answer_alone():
    found = compare([FIRST], top=9)
    assert [row.label for row in found.rows] == ["ant", "bee", "cat", "dog"]
    assert found.pairs == ()
    assert found.same_best
    assert found.shared == ()


def test_two_classes_of_one_name_count_together():
    cranes = Answer("cranes", ("crane", "boat", "crane"), np.array([0.3, 0.4, 0.3], np.float32))
    assert cranes.best(1) == ("crane",)
    assert cranes.by_name["crane"] == pytest.approx(0.6)


def test_names_are_compared_without_their_spelling():
    assert plain("Sea_Horse ") == plain("sea horse") != plain("seahorse")


@given(arrays(np.float64, (2, 6), elements=st.floats(0.01, 1)), st.integers(1, 6))
def test_bounds(values, top):
    p, q = (values / values.sum(axis=1, keepdims=True)).astype(np.float32)
    labels = tuple("abcdef")
    found = compare([Answer("p", labels, p), Answer("q", labels, q)], top)
    (pair,) = found.pairs
    assert 0 <= pair.distance <= 1
    assert pair.distance == pytest.approx(np.abs(p - q).sum() / 2, abs=1e-6)
    assert max(0, 2 * top - 6) <= pair.overlap <= top
    assert len(found.rows) == 2 * top - pair.overlap
    assert compare([Answer("p", labels, p), Answer("p", labels, p)], top).pairs[0].distance == 0

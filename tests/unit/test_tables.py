from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from explorer.errors import UserError
from explorer.tables import edit_table, format_table, parse_table, resize_table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 2; 3 4", [[[1, 2], [3, 4]]]),
        ("1, 2\n3, 4\n", [[[1, 2], [3, 4]]]),
        ("\n1/4 −0.5\n\n\n2 3\n", [[[0.25, -0.5]], [[2, 3]]]),
        ("5", [[[5]]]),
    ],
)
def test_reads_what_people_type(text, expected):
    np.testing.assert_array_equal(parse_table(text), np.array(expected, np.float32))


@given(
    arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=4), elements=st.floats(-1e6, 1e6, width=32)),
)
def test_reads_back_what_it_wrote(table):
    np.testing.assert_array_equal(parse_table(format_table(table)), table)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1 2\n3", "rows of 2 and of 1"),
        ("1\n\n1\n2", "The channels have 1 and 2 rows"),
        ("1\n\n1\n\n1\n\n1\n\n1", "There are 5 channels"),
        ("1 x", "“x”"),
        ("1/0", "“1/0”"),
        ("nan", "“nan”"),
        ("1e999", "“1e999”"),
        ("", "There are no numbers yet"),
        ("1 2 3 4 5", "The number of columns is 5: use 1 to 4."),
    ],
)
def test_says_what_is_wrong(text, part):
    with pytest.raises(UserError) as error:
        parse_table(text, columns=(1, 4))
    assert part in str(error.value)


@given(st.text(alphabet="0123456789 ./;,-\nex−", max_size=60))
def test_any_text_gives_finite_numbers_or_a_user_error(text):
    try:
        table = parse_table(text)
    except UserError:
        return
    assert table.ndim == 3
    assert table.size
    assert np.isfinite(table).all()


def test_typed_cells_change_a_copy():
    table = np.zeros((2, 2))
    edited = edit_table(table, {0: {1: 2.5}, 1: {0: -1}}, "K")
    np.testing.assert_array_equal(edited, np.array([[0, 2.5], [-1, 0]], np.float32))
    assert (table == 0).all()


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "Row 2, column 1 of K is empty"), (2e6, "not a number up to a million"), (float("nan"), "K")],
)
def test_a_bad_cell_is_named(value, words):
    with pytest.raises(UserError, match=words):
        edit_table(np.zeros((2, 2)), {1: {0: value}}, "K")


def test_a_resized_table_keeps_its_corner():
    table = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(resize_table(table, 3, 2), [[0, 1], [3, 4], [0, 0]])

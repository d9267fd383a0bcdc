"""Numbers of a trace set by hand: what is read, what fits, and that the code really runs again."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import traced_examples as examples

from explorer.edits import (
    MOST,
    Edit,
    edits_as_text,
    edits_from_text,
    read_edits,
    read_number,
    replacements,
    run_edited,
    write_edits,
)
from explorer.errors import UserError
from explorer.models.attention import scaled_dot_product_attention
from explorer.trace import Trace, trace

QUERY = torch.tensor([[1.0, 0], [0, 1], [1, 1]])
KEY = torch.tensor([[1.0, 0], [1, 1], [0, -1]])
VALUE = torch.tensor([[1.0, 2], [3, -1], [2, 0.5]])


def attend(edits: Any = None) -> Trace:
    return trace(scaled_dot_product_attention, QUERY, KEY, VALUE, edits=edits)


def masked(edits: Any = None) -> Trace:
    mask = torch.ones(3, 3, dtype=torch.bool).tril()
    return trace(scaled_dot_product_attention, QUERY, KEY, VALUE, mask, edits=edits)


def edit(recorded: Trace, target: str, flat: int, value: float, output: int = 0) -> Edit:
    step = recorded[target]
    shape = tuple(step.outputs[output].shape)
    return Edit(step.index, output, flat, value, shape, step.op, step.expression)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.5", 0.5), ("−2", -2.0), ("-1e-3", -0.001), ("1/4", 0.25), ("inf", math.inf), ("−∞", -math.inf), (" 7 ", 7.0)],
)
def test_typed_numbers(text, value):
    assert read_number(text) == value


@pytest.mark.parametrize("text", ["", "abc", "1/0", "1,5", "nan", "1e999", "--1", "1/2/3", "[1]", None, "<b>"])
def test_what_is_no_number_is_one_sentence(text):
    with pytest.raises(UserError, match="is no number"):
        read_number(text)


def test_one_edit_flows_to_the_output():
    plain = attend()
    made = run_edited(plain, [edit(plain, "weights", 4, 0.9)], attend)
    weights = plain["weights"].output.clone()
    weights[1, 1] = 0.9
    assert torch.equal(made.trace["weights"].output, weights)
    torch.testing.assert_close(made.trace["output"].output, weights @ VALUE)
    assert [step.edited for step in made.trace.steps].count(True) == 1
    assert torch.equal(made.given[plain["weights"].index][0], plain["weights"].output)
    assert (made.left_out, made.problems) == (0, ())


def test_a_later_edit_changes_what_the_earlier_one_led_to():
    plain = attend()
    first = edit(plain, "scores", 0, 5.0)
    made = run_edited(plain, [edit(plain, "weights", 8, 0.0), first], attend)
    scores = plain["scores"].output.clone()
    scores[0, 0] = 5.0
    weights = scores.softmax(-1)
    assert torch.equal(made.given[plain["weights"].index][0], weights)
    weights = weights.clone()
    weights[2, 2] = 0.0
    assert torch.equal(made.trace["weights"].output, weights)
    torch.testing.assert_close(made.trace["output"].output, weights @ VALUE)
    assert len(made.edits) == 2


def test_minus_infinity_masks():
    plain = attend()
    made = run_edited(plain, [edit(plain, "scores", 1, -math.inf)], attend)
    assert made.trace["weights"].output[0, 1] == 0
    torch.testing.assert_close(made.trace["weights"].output[0].sum(), torch.tensor(1.0))


def test_edits_find_their_step_again_when_others_come_before_it():
    plain, longer = attend(), masked()
    before = edit(plain, "weights", 4, 0.9)
    assert longer["weights"].index != before.step
    made = run_edited(longer, [before], masked)
    assert made.edits[0].step == longer["weights"].index
    assert made.trace["weights"].output[1, 1] == torch.tensor(0.9)


def test_edits_of_another_shape_are_left_out():
    plain = attend()

    def other(edits: Any = None) -> Trace:
        return trace(scaled_dot_product_attention, QUERY[:2], KEY, VALUE, edits=edits)

    made = run_edited(other(), [edit(plain, "weights", 4, 0.9), edit(plain, "output", 0, 1.0)], other)
    assert made.left_out == 2
    assert made.edits == ()
    assert not any(step.edited for step in made.trace.steps)


def test_what_the_code_cannot_go_on_with_is_said_and_the_rest_holds():
    plain = attend()

    def fails(edits: Any = None) -> Trace:
        if plain["weights"].index in (edits or {}):
            raise RuntimeError("on purpose")
        return attend(edits)

    edits = [edit(plain, "weights", 4, 0.9), edit(plain, "scores", 0, 5.0)]
    made = run_edited(plain, edits, fails)
    assert made.edits == (edits[1],)
    assert made.problems == (f"The code cannot go on with the numbers that you set in step {edits[0].step + 1}.",)
    assert made.trace["scores"].output[0, 0] == 5


def test_outputs_of_several_tensors_and_of_one_number():
    x = torch.arange(12.0).view(2, 6)

    def split(edits: Any = None) -> Trace:
        return trace(examples.several, x, edits=edits)

    plain = split()
    made = run_edited(plain, [Edit(0, 1, 2, 99.0, (2, 3), "chunk")], split)
    assert made.trace.steps[1].output[0][0] == 99
    assert made.trace.result[0, 3] == 99


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Edit(99, 0, 0, 1.0, (3, 3)), "There is no step 100 to change: the code takes 5 steps"),
        (Edit(-1, 0, 0, 1.0, (3, 3)), "There is no step 0"),
        (Edit(3, 1, 0, 1.0, (3, 3)), "has no output 1"),
        (Edit(3, 0, 9, 1.0, (3, 3)), "has another shape"),
        (Edit(3, 0, -1, 1.0, (3, 3)), "has another shape"),
        (Edit(3, 0, 0, 1.0, (2, 2)), "has another shape"),
        (Edit(3, 0, 0, math.nan, (3, 3)), "no number"),
        (Edit(3, 0, 0, 1e60, (3, 3)), "1e.60 is too large"),
    ],
)
def test_nonsense_is_refused(broken, message):
    with pytest.raises(UserError, match=message):
        replacements(attend(), [broken])


def test_whole_numbers_and_what_is_not_kept_cannot_be_set():
    places = trace(examples.several, torch.arange(12.0).view(2, 6))
    with pytest.raises(UserError, match="no real numbers"):
        replacements(places, [Edit(1, 1, 0, 1.0, (2,))])
    bare = trace(scaled_dot_product_attention, QUERY, KEY, VALUE, max_elements=4)
    with pytest.raises(UserError, match="too large to be kept"):
        replacements(bare, [Edit(3, 0, 0, 1.0, (3, 3))])


def test_edits_are_written_and_read_again():
    plain = attend()
    edits = (edit(plain, "weights", 4, 0.1), edit(plain, "scores", 0, -math.inf))
    assert read_edits(write_edits(edits)) == edits
    bare = edits_from_text(edits_as_text(edits))
    assert run_edited(plain, bare, attend).edits == tuple(sorted(edits, key=lambda one: one.step))
    assert edits_from_text("") == ()


def test_the_last_value_of_a_cell_counts():
    records = [{"step": 3, "output": 0, "flat": 1, "value": text, "shape": [3, 3]} for text in ("1", "2")]
    assert [one.value for one in read_edits(records)] == [2.0]


@pytest.mark.parametrize(
    "records", [[{}], ["x"], 5, [None], [{"step": "a", "output": 0, "flat": 0, "value": "1", "shape": []}]]
)
def test_damaged_records_are_one_sentence(records):
    with pytest.raises(UserError, match="cannot be read"):
        read_edits(records)


@pytest.mark.parametrize("text", ["1:2", "x", "0:0:0:3x3:abc", "0:0:0:3xx3:1", "1:1:1:1:1:1"])
def test_a_damaged_address_is_one_sentence(text):
    with pytest.raises(UserError):
        edits_from_text(text)


def test_not_more_than_so_many():
    records = [{"step": 0, "output": 0, "flat": n, "value": "1", "shape": [200]} for n in range(MOST + 1)]
    with pytest.raises(UserError, match=str(MOST)):
        read_edits(records)

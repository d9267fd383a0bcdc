from __future__ import annotations

import functools
import linecache
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.overrides import _get_current_function_mode_stack

from explorer.errors import UserError
from explorer.models.resnet import resnet18
from explorer.trace import Omitted, Trace, trace
from tests.unit import traced_examples as examples


def attention_inputs(B=1, T=4, heads=2, width=4, dtype=torch.float32):
    generator = torch.Generator().manual_seed(B * 1000 + T * 100 + heads * 10 + width)
    D = heads * width
    x, *weights = (torch.randn(*shape, generator=generator, dtype=dtype) for shape in [(B, T, D)] + 3 * [(D, D)])
    return x, *weights, heads


def test_steps_say_what_was_called_where_and_to_what_it_was_assigned():
    steps = trace(examples.attention, *attention_inputs()).steps
    assert [s.op for s in steps] == 3 * ["matmul", "view", "transpose"] + [
        "mT", "matmul", "div", "softmax", "matmul", "transpose", "reshape",
    ]  # fmt: skip
    assert [s.index for s in steps] == list(range(len(steps)))
    named = {s.target: s for s in steps if s.target}
    assert list(named) == ["q", "k", "v", "scores", "weights", "out", "return"]
    weights = named["weights"]
    assert weights.expression == "scores.softmax(dim=-1)"
    assert weights.attrs == {"dim": 3}
    assert dict(weights.names) == {"input": "scores"}
    assert weights.producers["input"] == (named["scores"].index, 0)
    line = linecache.getline(weights.file, weights.line)
    assert line[weights.column : weights.end_column] == weights.expression


@settings(max_examples=25, deadline=None)
@given(B=st.integers(1, 2), T=st.integers(1, 6), heads=st.integers(1, 3), width=st.integers(1, 5))
def test_tracing_changes_no_result(B, T, heads, width):
    inputs = attention_inputs(B, T, heads, width)
    traced = trace(examples.attention, *inputs)
    assert torch.equal(traced.result, examples.attention(*inputs))
    assert torch.equal(traced.steps[-1].output, traced.result)


@pytest.mark.parametrize("example", [examples.in_place, examples.several, examples.scaled_left])
def test_other_examples_give_the_same_with_and_without(example):
    x = torch.randn(3, 6)
    assert torch.equal(trace(example, x).result, example(x))


def test_gradients_flow_as_without_a_tracer():
    inputs = attention_inputs()
    leaf, other = (inputs[1].clone().requires_grad_() for _ in range(2))
    traced = trace(examples.attention, inputs[0], leaf, *inputs[2:])
    traced.result.square().sum().backward()
    examples.attention(inputs[0], other, *inputs[2:]).square().sum().backward()
    assert torch.equal(leaf.grad, other.grad)
    assert not any(t.requires_grad for s in traced.steps for t in (*s.inputs.values(), *s.outputs))


def test_inference_mode():
    inputs = attention_inputs()
    with torch.inference_mode():
        traced = trace(examples.attention, *inputs)
    torch.testing.assert_close(traced["weights"].output.sum(-1), torch.ones(1, 2, 4))


def test_tensors_are_copies():
    x = torch.ones(2, 2)
    traced = trace(examples.scaled_left, x)
    x.zero_()
    traced.result.zero_()
    assert torch.equal(traced.steps[0].inputs["input"], torch.ones(2, 2))
    assert torch.equal(traced.steps[-1].output, torch.ones(2, 2))


def test_in_place_calls_show_the_tensor_before_and_after():
    steps = trace(examples.in_place, torch.ones(2, 2)).steps
    assert [s.op for s in steps] == ["clone", "add", "mul", "setitem", "relu"]
    before_and_after = [(s.inputs["input"].flatten().tolist(), s.output.flatten().tolist()) for s in steps]
    assert before_and_after == [
        ([1, 1, 1, 1], [1, 1, 1, 1]),
        ([1, 1, 1, 1], [2, 2, 2, 2]),
        ([2, 2, 2, 2], [6, 6, 6, 6]),
        ([6, 6, 6, 6], [0, 0, 6, 6]),
        ([0, 0, 6, 6], [0, 0, 6, 6]),
    ]


def test_number_on_the_left_keeps_the_names_right():
    doubled, shifted, squared = trace(examples.scaled_left, torch.ones(2)).steps
    assert (doubled.op, dict(doubled.names), dict(doubled.attrs)) == ("mul", {"input": "x"}, {"other": 2})
    assert (shifted.op, dict(shifted.names), dict(shifted.attrs)) == ("sub", {"other": "doubled"}, {"input": 1})
    assert (squared.op, dict(squared.attrs)) == ("pow", {"other": 2})


def test_loops_are_counted():
    traced = trace(examples.recurrence, torch.randn(1, 3), torch.randn(3, 3), 4)
    tanh = [s for s in traced.steps if s.op == "tanh"]
    assert [s.iteration for s in tanh] == [0, 1, 2, 3]
    assert tanh[2].target == "h"
    assert [s.iteration for s in traced.steps if s.op == "zeros_like"] == [None]


def test_several_outputs():
    chunk, largest, *_, cat = trace(examples.several, torch.randn(2, 6)).steps
    assert chunk.target == "low, high"
    assert len(chunk.output) == 2
    assert chunk.attrs["moves"][1] == {"shape": [2, 3], "strides": [6, 1], "offset": 3}
    assert largest.producers["input"] == (0, 1)
    assert [t.dtype for t in largest.outputs] == [torch.float32, torch.int64]
    assert list(cat.inputs) == ["tensors.0", "tensors.1"]
    assert dict(cat.names) == {"tensors.0": "low", "tensors.1": "values[:, None]"}


def test_scope_is_the_path_of_the_module():
    model = Stack = examples.Stack(4, 2)
    steps = trace(model, torch.randn(1, 4)).steps
    assert [s.scope for s in steps] == 4 * ["layers.0"] + 4 * ["layers.1"]
    linear = steps[1]
    assert linear.op == "linear"
    assert dict(linear.names) == {
        "input": "self.norm(x)",
        "weight": "self.linear.weight",
        "bias": "self.linear.bias",
    }
    assert Stack is model


def test_a_module_that_makes_two_calls_assigns_only_the_last():
    pad, conv = trace(examples.Padded(), torch.randn(1, 2, 4, 4)).steps
    assert (pad.op, pad.target) == ("pad", None)
    assert (conv.op, conv.target) == ("conv2d", "y")
    assert pad.source.shape == (1, 2, 6, 6)


def test_library_code_is_not_recorded():
    steps = trace(examples.calls_library, torch.rand(3, 4)).steps
    assert [s.op for s in steps] == ["add", "getitem"]


def test_models_are_traced_from_anywhere():
    model = resnet18(3).eval()
    steps = trace(lambda x: model(x), torch.randn(1, 3, 32, 32)).steps
    assert {s.op for s in steps} == {
        "conv2d",
        "batch_norm",
        "relu",
        "max_pool2d",
        "add",
        "adaptive_avg_pool2d",
        "flatten",
        "linear",
    }
    assert steps[4].scope == "layer1.0"
    pool = next(s for s in steps if s.op == "max_pool2d")
    assert dict(pool.names) == {"input": "x"}
    assert pool.attrs["padding"] == [[1, 1], [1, 1]]


def test_partials_methods_and_callables():
    inputs = attention_inputs()
    assert len(trace(functools.partial(examples.attention, heads=2), *inputs[:4]).steps) == 16
    assert len(trace(examples.Block(4).forward, torch.randn(1, 4)).steps) == 4
    with pytest.raises(ValueError, match="no Python source"):
        trace(torch.matmul, inputs[1], inputs[2])


def test_rows_of_a_loop_come_from_the_tensor_that_is_iterated():
    x, y = torch.randn(3, 2), torch.randn(3, 2)
    recorded = trace(examples.rows, x, y)
    torch.testing.assert_close(recorded.result, examples.rows(x, y))
    loop, left, right = (step for step in recorded.steps if step.op == "unbind")
    assert loop.expression == "for row in x.flip(0)"
    assert dict(loop.names) == {"input": "x.flip(0)"}
    assert loop.iteration is None
    assert [dict(step.names) for step in (left, right)] == [{"input": "x"}, {"input": "y"}]
    assert [row.tolist() for row in loop.output] == x.flip(0).tolist()
    added = [step for step in recorded.steps if step.expression == "total + row"]
    assert [step.producers["other"] for step in added] == [(loop.index, 0), (loop.index, 1), (loop.index, 2)]
    assert [step.iteration for step in added] == [0, 1, 2]
    nine = tuple(torch.full((2,), 9.0) for _ in range(3))
    edited = trace(examples.rows, x, y, edits={loop.index: nine})
    torch.testing.assert_close(edited.result, 27 + (x * y).sum(0))


@pytest.mark.parametrize(
    ("make", "attrs"),
    [
        (lambda: torch.arange(4), {"start": 0, "step": 1}),
        (lambda: torch.arange(1, 7, 2), {"start": 1, "step": 2}),
        (lambda: torch.arange(start=3, end=4), {"start": 3, "step": 1}),
        (lambda: torch.linspace(0, 1, 5), {"start": 0, "step": 0.25}),
        (lambda: torch.full((2, 3), 7.0), {"fill_value": 7.0}),
        (lambda: torch.ones(2), {"fill_value": 1}),
        (lambda: torch.full_like(torch.empty(2), float("-inf")), {"fill_value": "-Infinity"}),
        (lambda: torch.arange(torch.tensor(2), 4), {}),
    ],
)
def test_new_tensors_say_their_numbers(make, attrs):
    assert dict(trace(make, files=[__file__]).steps[-1].attrs) == attrs


def test_edit_flows_on():
    inputs = attention_inputs()
    plain = trace(examples.attention, *inputs)
    index = plain["weights"].index
    uniform = torch.full_like(plain["weights"].output, 0.25)
    edited = trace(examples.attention, *inputs, edits={index: uniform})
    assert edited.steps[index].edited
    v = plain["v"].output
    expected = v.mean(dim=2, keepdim=True).expand_as(v).transpose(1, 2).reshape(1, 4, 4 * 2)
    torch.testing.assert_close(edited.result, expected)
    assert torch.equal(trace(examples.attention, *inputs, edits={index: plain["weights"].output}).result, plain.result)


def test_edits_of_several_outputs_and_in_place_calls():
    x = torch.randn(2, 6)
    zero = torch.zeros(2, 3)
    assert torch.equal(trace(examples.several, x, edits={0: (zero, zero)}).result, torch.zeros(2, 4))
    values, places = torch.tensor([5.0, 6.0]), torch.tensor([0, 0])
    assert torch.equal(trace(examples.several, x, edits={1: (values, places)}).result[:, 3], values)
    fives = torch.full((2, 2), 5.0)
    assert torch.equal(
        trace(examples.in_place, torch.ones(2, 2), edits={2: fives}).result, torch.tensor([[0.0, 0], [5, 5]])
    )


@pytest.mark.parametrize(
    ("edits", "message"), [({3: torch.zeros(7)}, "step 3 has shape"), ({99: torch.zeros(1)}, "no step 99")]
)
def test_an_edit_that_does_not_fit(edits, message):
    with pytest.raises(ValueError, match=message):
        trace(examples.attention, *attention_inputs(), edits=edits)
    assert not _get_current_function_mode_stack()


def test_an_exception_leaves_no_mode_behind():
    with pytest.raises(RuntimeError, match="on purpose, with 3 numbers"):
        trace(examples.raises, torch.zeros(3))
    assert not _get_current_function_mode_stack()


def test_nested_traces_record_their_own_calls():
    x = torch.ones(2)
    traced = trace(examples.nested, x)
    assert torch.equal(traced.result, examples.nested(x))
    assert [s.op for s in traced.steps] == ["mul", "mul", "sub", "pow", "add"]
    assert not _get_current_function_mode_stack()


def test_threads_do_not_see_each_other():
    barrier = threading.Barrier(4)

    def work(seed):
        inputs = attention_inputs(T=seed + 2)
        barrier.wait()
        traces = [trace(examples.attention, *inputs) for _ in range(5)]
        return all(len(t.steps) == 16 and torch.equal(t.result, examples.attention(*inputs)) for t in traces)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


def test_large_tensors_are_left_out_and_named():
    traced = trace(examples.scaled_left, torch.ones(5, 5), max_elements=10)
    assert isinstance(traced.steps[0].output, Omitted)
    assert traced.steps[0].output.shape == (5, 5)
    assert traced.left_out[0] == "A tensor of shape 5×5 is not shown: more than 10 numbers."
    full = trace(examples.scaled_left, torch.ones(5, 5), max_bytes=150)
    assert isinstance(full.steps[0].inputs["input"], torch.Tensor)
    assert isinstance(full.steps[0].output, Omitted)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int64])
def test_save_and_load(tmp_path, dtype):
    model = nn.Sequential(examples.Padded()) if dtype == torch.float16 else None
    x = torch.randn(3, 6) if dtype != torch.int64 else torch.arange(18).view(3, 6)
    traced = trace(examples.several, x.to(dtype)) if model is None else trace(model[0], torch.randn(1, 2, 4, 4))
    path = tmp_path / "trace.npz"
    traced.save(path)
    loaded = Trace.load(path)
    assert loaded.name == traced.name
    assert dict(loaded.sources) == dict(traced.sources)
    for ours, theirs in zip(traced.steps, loaded.steps, strict=True):
        for a, b in zip(
            (*ours.inputs.values(), *ours.outputs), (*theirs.inputs.values(), *theirs.outputs), strict=True
        ):
            assert a.dtype == b.dtype
            assert torch.equal(a, b)
        assert (ours.op, ours.expression, ours.target, ours.line, ours.scope, ours.iteration, dict(ours.attrs)) == (
            theirs.op, theirs.expression, theirs.target, theirs.line, theirs.scope, theirs.iteration, dict(theirs.attrs),
        )  # fmt: skip
        assert dict(ours.producers) == dict(theirs.producers)
        assert (ours.source is None) == (theirs.source is None)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"no archive at all"])
def test_a_damaged_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "trace.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a saved trace"):
        Trace.load(path)


def test_infinities_survive(tmp_path):
    def masked(x):
        return x.masked_fill(x > 0, float("-inf"))

    traced = trace(masked, torch.tensor([1.0, -1.0]))
    traced.save(tmp_path / "t.npz")
    loaded = Trace.load(tmp_path / "t.npz")
    assert loaded.steps[-1].attrs["value"] == "-Infinity"
    assert loaded.steps[-1].output.tolist() == [float("-inf"), -1.0]

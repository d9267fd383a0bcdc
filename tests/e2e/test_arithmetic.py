"""The arithmetic behind the stepper, in the browser that it runs in, against torch: every op kind, every cell."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from op_cases import CASES
from op_draw import Case, Draw
from playwright.sync_api import Browser, Page
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

from explorer import ops
from explorer.components.bundle import bundle
from explorer.components.stepper.payload import encode
from explorer.trace import Trace, trace

STEPPER = Path(__file__).parents[2] / "explorer" / "components" / "stepper"
torch.set_num_threads(1)
SEEDS = range(6)
SAMPLES = [0.0, 0.3, 0.62, 0.9]
"""Which cells of an output are explained in full, as shares of its length."""
BATCH = 24
UNTAME = {"special", "extreme", "one-number", "cancelling"}
"""Notes of cases with infinite or cancelling numbers."""

# Ours and torch's sum in different orders and precisions; a cell may be off by this much of what went into it.
RELATIVE = 1e-4
EPSILON = {torch.float16: 2**-10, torch.bfloat16: 2**-7}

HARNESS = """
const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const asText = (tokens) => tokens.map(({ text, number }) => (number === undefined ? text : formatNumber(number))).join("");
// JSON has no NaN and no infinity: these go as texts.
const asJson = (value) => JSON.stringify(value, (_, v) => (typeof v === "number" && !Number.isFinite(v) ? String(v) : v));

/** What is said of a cell, as texts, with the tokens that do not show what they point at, or show what does not count. */
function tell(step, number, flat, maxTerms) {
  const told = explain(step, number, flat, maxTerms);
  if (!told) return null;
  const { lines, ...rest } = told;
  const lit = Object.fromEntries(told.cells.map(({ role, flats }) => [role, new Set(flats)]));
  const pointing = lines.flat().filter((token) => token.role !== undefined);
  const right = ({ role, flat, number }) => lit[role]?.has(flat) && Object.is(number, step.input[role].data[flat]);
  return { ...rest, flat, astray: pointing.filter((token) => !right(token)), text: lines.map(asText) };
}

/** Every output of every step of each trace: how the check of all cells went, and what is said of the cells in `samples`. */
const sweep = (payloads, samples) =>
  payloads.map((payload) =>
    decode(fromBase64(payload)).steps.map((step) => ({
      formula: formula(step),
      outputs: step.outputs.map((out, number) => ({
        all: checkAll(step, number),
        told: out.size === 0 ? [] : samples.map((share) => tell(step, number, Math.floor(share * out.size))),
      })),
    })),
  );

window.arithmetic = { asJson, asStored, checkAll, decode, erf, explain, formula, fromBase64, hasArithmetic, sweep, tell };
"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.set_content("<!doctype html>")
    page.add_script_tag(content=bundle(STEPPER, "payload.js", "arithmetic.js") + HARNESS, type="module")
    assert not problems, problems
    yield page
    page.close()
    assert not problems, problems


def sweep(page: Page, traces: list[Trace], samples: list[float]) -> list[list[dict[str, Any]]]:
    """For each trace and step {formula, outputs: [{all, told: what is said of the cell at each of the samples, 0–1}]}."""
    bare = [replace(recorded, sources=dict.fromkeys(recorded.sources, "")) for recorded in traces]
    payloads = [base64.b64encode(encode(recorded)).decode() for recorded in bare]
    script = "([payloads, samples]) => arithmetic.asJson(arithmetic.sweep(payloads, samples))"
    return json.loads(page.evaluate(script, [payloads, samples]))


class Calls(TorchFunctionMode):
    """The calls behind a trace's steps, with the living tensors: role → input, and the outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[ops.Call, tuple[Tensor, ...]]] = []

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        call = ops.describe(func, args, kwargs)
        if not call.in_place:
            # Running statistics and the weights of classes may not ask for gradients.
            fixed = ("running", "weight") if call.op in {"cross_entropy", "nll_loss"} else ("running",)
            leaves = {id(tensor): tensor for role, tensor in call.inputs.items() if role.startswith(fixed)}
            args, kwargs = tree_map_only(Tensor, lambda tensor: _leaf(tensor, leaves), (args, kwargs))
            call = ops.describe(func, args, kwargs)
        out = func(*args, **kwargs)
        if func is Tensor.__iter__:
            out = tuple(out)
        outputs = (out,) if isinstance(out, Tensor) else tuple(out) if isinstance(out, (tuple, list)) else ()
        if call.op == "setitem":
            outputs = (args[0],)
        if outputs and all(isinstance(tensor, Tensor) for tensor in outputs):
            self.made.append((call, outputs))
        return iter(out) if func is Tensor.__iter__ else out


def _leaf(tensor: Tensor, leaves: dict[int, Tensor]) -> Tensor:
    """A copy that asks for gradients, so that each call is differentiated by itself."""
    if tensor.is_floating_point() and id(tensor) not in leaves:
        leaves[id(tensor)] = tensor.detach().requires_grad_()
    return leaves.get(id(tensor), tensor)


def arguments_of(case: Case, seed: int) -> tuple:
    torch.default_generator.manual_seed(seed)  # torch.manual_seed takes its time to look for accelerators
    return case.make(Draw(seed))


def living_calls(case: Case, seed: int) -> list[tuple[ops.Call, tuple[Tensor, ...]]]:
    arguments = arguments_of(case, seed)
    with Calls() as calls:
        case.call(*arguments)
    return calls.made


EVERY_CELL_COUNTS = set(
    "matmul linear einsum outer sum mean add sub conv_transpose1d conv_transpose2d adaptive_avg_pool1d "
    "adaptive_avg_pool2d".split()
) | set(ops.MOVES)
"""Ops in which each float cell that is pointed at moves the result (with numbers drawn at random)."""


def check_cells(made: tuple[ops.Call, tuple[Tensor, ...]], number: int, told: dict[str, Any], exact: bool) -> None:
    """The output cell depends on no float input outside `cells`; and, if exact, on each of them."""
    call, outputs = made
    if not outputs[number].requires_grad or call.op == "floor_divide":  # which has no gradient
        return
    floats = {role: t for role, t in call.inputs.items() if t.requires_grad}
    grads = torch.autograd.grad(
        outputs[number].flatten()[told["flat"]], list(floats.values()), allow_unused=True, retain_graph=True
    )
    cells = {cell["role"]: set(cell["flats"]) for cell in told["cells"]}
    moved: dict[int, set[int]] = {}
    pointed: dict[int, set[int]] = {}
    for (role, tensor), grad in zip(floats.items(), grads, strict=True):  # one tensor may have two roles
        counted = set() if grad is None else set(grad.flatten().nonzero().flatten().tolist())
        moved[id(tensor)] = counted
        pointed.setdefault(id(tensor), set()).update(cells.get(role, ()))
    for key, counted in moved.items():
        assert counted <= pointed[key], f"{call.op}: {told['flat']} depends on cells that are not pointed at"
        if exact:
            assert counted == pointed[key], f"{call.op}: {told['flat']} does not depend on all cells pointed at"


def agrees(told: dict[str, Any], output: Tensor) -> bool:
    """Whether the recomputed value is torch's, judged here and not by the code under test."""
    value, actual = float(told["value"]), float(told["actual"])
    if not math.isfinite(actual) or not output.dtype.is_floating_point:
        return value == actual or (math.isnan(value) and math.isnan(actual))
    return abs(value - actual) <= precision(output) * max(1, abs(actual))


def precision(output: Tensor) -> float:
    """How closely torch's number is to be met, relative to it."""
    return max(RELATIVE, 2 * EPSILON.get(output.dtype, 0))


class Sweeper:
    """Traces the cases and sweeps them in the browser, many at a time: each visit there costs more than the work."""

    def __init__(self, page: Page):
        self.page = page
        self.swept: dict[int, tuple[list[Trace], list[list[dict[str, Any]]]]] = {}

    def __call__(self, case: Case) -> Iterator[tuple[int, Trace, list[dict[str, Any]]]]:
        """(seed, trace, what the browser says of its steps) of one case."""
        place = CASES.index(case)
        first = place - place % BATCH
        if first not in self.swept:
            batch = CASES[first : first + BATCH]
            traces = [trace(each.call, *arguments_of(each, seed)) for each in batch for seed in SEEDS]
            self.swept[first] = traces, sweep(self.page, traces, SAMPLES)
        here = slice((place - first) * len(SEEDS), (place - first + 1) * len(SEEDS))
        traces, found = self.swept[first]
        return zip(SEEDS, traces[here], found[here], strict=True)


@pytest.fixture(scope="module")
def sweeper(page: Page) -> Sweeper:
    return Sweeper(page)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_cell(sweeper: Sweeper, case: Case) -> None:
    for seed, recorded, swept in sweeper(case):
        calls = living_calls(case, seed)
        assert case.op in {step.op for step in recorded.steps}
        assert [call.op for call, _ in calls] == [step.op for step in recorded.steps]
        # 0 · ∞ is no gradient, and what an in-place call has overwritten is gone.
        tame = case.note not in UNTAME and not any(call.in_place for call, _ in calls)
        for step, result, made in zip(recorded.steps, swept, calls, strict=True):
            where = f"{case}, seed {seed}: {step.expression} {dict(step.attrs)}\n{result['formula']}"
            assert result["formula"], where
            for number, (output, found) in enumerate(zip(step.outputs, result["outputs"], strict=True)):
                checked = found["all"]
                assert checked, where
                assert checked["checked"] == output.numel(), where
                assert checked["wrong"] == [], f"{where}\n{checked}\n{found['told']}"
                assert checked["worst"] <= precision(output), f"{where}\n{checked}"
                for told in found["told"]:
                    detail = f"{where}\n{told}"
                    actual = output.flatten()[told["flat"]].item()
                    assert float(told["actual"]) == actual or math.isnan(actual), detail
                    assert told["ok"], detail
                    assert agrees(told, output) or case.note == "cancelling", detail
                    assert told["text"], detail
                    assert not told["astray"], detail
                    if tame:
                        check_cells(made, number, told, step.op in EVERY_CELL_COUNTS)


FAMILIES = set(
    "matmul linear einsum outer scaled_dot_product_attention cosine_similarity conv1d conv2d conv3d conv_transpose1d "
    "conv_transpose2d max_pool1d max_pool2d avg_pool1d avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d "
    "adaptive_max_pool1d adaptive_max_pool2d masked_fill where tril triu cumsum softmax log_softmax layer_norm rms_norm "
    "batch_norm group_norm instance_norm cat stack embedding one_hot addmm baddbmm normalize topk sort argsort "
    "cross_entropy nll_loss".split()
)


def test_every_op_is_in_the_table(page: Page) -> None:
    wanted = FAMILIES.union(ops.UNARY, ops.BINARY, ops.REDUCTIONS, ops.MOVES, ops.CREATIONS)
    assert wanted - {case.op for case in CASES} == set()
    assert [op for op in sorted(wanted) if not page.evaluate("(op) => arithmetic.hasArithmetic(op)", op)] == []
    assert not page.evaluate("() => arithmetic.hasArithmetic('cummax')")


def explain(page: Page, call: Any, *arguments: Any, flat: int = 0, output: int = 0, terms: int = 8) -> Any:
    """What is said of one cell of the last step: None, or {cells, text, value, ok, note …}."""
    payload = base64.b64encode(encode(trace(call, *arguments, files=[__file__]))).decode()
    script = """([payload, output, flat, terms]) => {
        const { steps } = arithmetic.decode(arithmetic.fromBase64(payload));
        return arithmetic.asJson(arithmetic.tell(steps.at(-1), output, flat, terms));
    }"""
    return json.loads(page.evaluate(script, [payload, output, flat, terms]))


A = torch.tensor([[1.0, -2.0, 0.5], [4.0, 0.0, -0.25]])
V = torch.tensor([2.0, -1.0, 3.0])
IMAGE = torch.arange(9.0).view(1, 1, 3, 3)


@pytest.mark.parametrize(
    ("call", "arguments", "flat", "text"),
    [
        (lambda a, v: a @ v, (A, V), 0, ["1·2 + (−2)·(−1) + 0.500·3 = 5.50"]),
        (lambda a, v: F.linear(v, a, v[:2]), (A, V), 1, ["2·4 + (−1)·0 + 3·(−0.250) + (−1) = 6.25"]),
        (lambda a: a.sum(), (A,), 0, ["1 + (−2) + 0.500 + 4 + 0 + (−0.250) = 3.25"]),
        (lambda a: a.mean(0), (A,), 2, ["(0.500 + (−0.250)) / 2 = 0.125"]),
        (lambda a: a.prod(1), (A,), 0, ["1·(−2)·0.500 = −1"]),
        (lambda a: a.max(), (A,), 0, ["max(1, −2, 0.500, 4, 0, −0.250) = 4"]),
        (lambda a: a.argmax(1), (A,), 1, ["max(4, 0, −0.250) = 4", "it stands at 0 (counted from 0)"]),
        (lambda a, v: a - v, (A, V), 1, ["−2 − (−1) = −1"]),
        (lambda a: 2 * a, (A,), 1, ["(−2)·2 = −4"]),
        (lambda a: a > 0, (A,), 1, ["−2 > 0 is false"]),
        (lambda a: a.relu(), (A,), 1, ["max(0, −2) = 0"]),
        (lambda a: a.masked_fill(a < 0, -math.inf), (A,), 1, ["masked (1): −∞"]),
        (lambda a: a.T, (A,), 1, ["a[1, 0] = 4"]),
        (lambda a: F.pad(a, (1, 0)), (A,), 0, ["0 (padding)"]),
        (lambda a, v: torch.stack([v, a[0]]), (A, V), 4, ["a[0][1] = −2"]),
        (
            lambda x: F.max_pool2d(x, 2, padding=1),
            (IMAGE,),
            0,
            ["max(−∞ (padding), −∞ (padding), −∞ (padding), 0) = 0"],
        ),
        (lambda x: F.avg_pool2d(x, 2), (IMAGE,), 0, ["(0 + 1 + 3 + 4) / 4 = 2"]),
        (
            lambda x: F.conv2d(x, torch.ones(1, 1, 2, 2), padding=1),
            (IMAGE,),
            1,
            ["0 (padding)·1 + 0 (padding)·1 + 0·1 + 1·1 = 1"],
        ),
        (
            lambda v: v.softmax(0),
            (torch.tensor([0.0, 1.0, -math.inf]),),
            1,
            [
                "m = max(0, 1, −∞) = 1",
                "Σ = e^(0 − m) + e^(1 − m) + e^(−∞ − m) = 1.37",
                "e^(1 − 1) = 1",
                "1 / 1.37 = 0.731",
            ],
        ),
        (
            lambda v: v.softmax(0),
            (torch.full((2,), -math.inf),),
            1,
            ["all −∞, −∞ are masked: e^(−∞ − (−∞)) is no number, and so is the row"],
        ),
        (lambda a: a.topk(2), (A,), 1, ["2nd largest of (1, −2, 0.500) = 0.500"]),
        (lambda a: a.sort(0), (A,), 4, ["2nd smallest of (−2, 0) = 0"]),
        (
            lambda a: F.normalize(a, dim=0),
            (torch.tensor([3.0, -4.0]),),
            1,
            ["‖x‖ = √(3² + (−4)²) = 5", "(−4) / 5 = −0.800"],
        ),
        (
            lambda a: F.cross_entropy(a, torch.tensor([0, 1])),
            (torch.tensor([[0.0, 0.0], [0.0, 0.0]]),),
            0,
            [
                "m = max(0, 0) = 0",
                "Σ = e^(0 − m) + e^(0 − m) = 2",
                "class 0: 0 + ln(2) − 0 = 0.693",
                "(0.693 + 0.693) / 2 = 0.693",
            ],
        ),
        (lambda: torch.arange(2, 8, 3), (), 1, ["2 + 1·3 = 5"]),
        (
            lambda v: F.layer_norm(v, (3,), weight=v, bias=v, eps=0.5),
            (torch.tensor([0.0, 3.0, 6.0]),),
            2,
            [
                "μ = (0 + 3 + 6) / 3 = 3",
                "σ² = ((0 − μ)² + (3 − μ)² + (6 − μ)²) / 3 = 6",
                "(6 − 3) / √(6 + 0.500) = 1.18",
                "1.18·6 + 6 = 13.1",
            ],
        ),
    ],
)
def test_the_arithmetic_is_spelled_out(page: Page, call: Any, arguments: tuple, flat: int, text: list[str]) -> None:
    told = explain(page, call, *arguments, flat=flat)
    assert told["text"] == text
    assert told["ok"]


def assign(x: Tensor, value: Tensor) -> Tensor:
    x = x.clone()
    x[:, 1] = value
    return x


@pytest.mark.parametrize(
    ("call", "arguments", "flat", "cells"),
    [
        (lambda a, i: a.gather(1, i), (A, torch.tensor([[2, 0], [1, 1]])), 1, {"input": [0], "index": [1]}),
        (lambda a, i: a.index_select(1, i), (A, torch.tensor([2, 0])), 2, {"input": [5], "index": [0]}),
        (lambda a, i: a[i], (A, torch.tensor([1, 0])), 4, {"input": [1], "index": [1]}),
        (lambda a, m: a[m], (A, A > 0), 1, {"input": [2]}),
        (lambda i, a: F.embedding(i, a), (torch.tensor([1, 0]), A), 5, {"weight": [2], "input": [1]}),
        (lambda i: F.one_hot(i, 3), (torch.tensor([1, 0]),), 4, {"input": [1]}),
        (lambda c, a, v: torch.where(c, a, v), (A > 0, A, V), 1, {"condition": [1], "other": [1]}),
        (lambda a, m, v: a.masked_fill(m, v), (A, V > 0, V[0]), 3, {"mask": [0], "value": [0]}),
        (assign, (A, V[:2]), 4, {"value": [1]}),
        (lambda a: a.tril(), (A,), 1, {}),
        (lambda x, w: F.conv2d(x, w, padding=1), (IMAGE, IMAGE), 0, {"input": [0, 1, 3, 4], "weight": list(range(9))}),
        (lambda x: F.max_pool2d(x, 2, return_indices=True), (IMAGE,), 0, {"input": [0, 1, 3, 4]}),
    ],
)
def test_the_cells_that_count(page: Page, call: Any, arguments: tuple, flat: int, cells: dict[str, list[int]]) -> None:
    told = explain(page, call, *arguments, flat=flat)
    assert {cell["role"]: cell["flats"] for cell in told["cells"]} == cells


def test_long_sums_say_how_many_terms_are_left_out(page: Page) -> None:
    told = explain(page, lambda x: x.sum(), torch.ones(66), terms=3)
    assert told["text"] == ["1 + 1 + 1 + … (63 more) = 66"]
    assert told["cells"] == [{"role": "input", "flats": list(range(66))}]


def test_very_many_cells_are_capped_and_it_is_said(page: Page) -> None:
    told = explain(page, lambda x: x.sum(), torch.ones(200_001))
    assert len(told["cells"][0]["flats"]) == 200_000
    assert told["value"] == 200_001
    assert "200,000" in told["note"]


@pytest.mark.parametrize(("dtype", "made"), [(torch.float32, 2.0), (torch.float64, 2.0), (torch.int64, 1.0)])
def test_a_wrong_number_is_found(page: Page, dtype: torch.dtype, made: float) -> None:
    """One cell of a product is off by 0.03 %, or by one where the numbers are whole."""

    def product(a: Tensor, b: Tensor) -> Tensor:
        return a @ b

    a, b = (Draw(1).ints(1, 9, 4, 4).to(dtype) for _ in range(2))
    wrong = a @ b
    wrong[2, 1] += 1 if dtype == torch.int64 else 3e-4 * wrong[2, 1]
    recorded = trace(product, a, b, edits={0: wrong}, files=[__file__])
    checked = sweep(page, [recorded], SAMPLES)[0][0]["outputs"][0]["all"]
    assert checked["wrong"] == [9]
    assert checked["worst"] > RELATIVE


def test_cancellation_is_no_fault_but_a_lost_term_is(page: Page) -> None:
    """The sum of 1000, −1000 and 0.001: torch may round 0.001 a little, not lose it."""

    def total(x: Tensor) -> Tensor:
        return x.sum()

    x = torch.tensor([1e3, -1e3, 0.5])
    for made, wrong in ((0.5, []), (0.5005, []), (0.0, [0])):
        recorded = trace(total, x, edits={0: torch.tensor(made)}, files=[__file__])
        assert sweep(page, [recorded], SAMPLES)[0][0]["outputs"][0]["all"]["wrong"] == wrong


def test_cells_are_checked_in_portions(page: Page) -> None:
    payload = base64.b64encode(encode(trace(lambda x: x * 2, torch.ones(10), files=[__file__]))).decode()
    script = """(payload) => {
        const [step] = arithmetic.decode(arithmetic.fromBase64(payload)).steps;
        return [[0, 4], [4, 4], [8, 4], [12, 4]].map(([from, count]) => arithmetic.checkAll(step, 0, { from, count }).checked);
    }"""
    assert page.evaluate(script, payload) == [4, 4, 2, 0]


@pytest.mark.parametrize(
    ("call", "argument", "limits"),
    [
        (lambda x: x.cummax(0), V, {}),
        (lambda x: F.dropout(x, 0.5), V, {}),
        (lambda x: x * 2, torch.ones(3, dtype=torch.complex64), {}),
        (lambda x: x.sum(), torch.ones(9), {"max_elements": 5}),
        (lambda x: x.expand(9), torch.ones(1), {"max_elements": 5}),
        (lambda x: x.view(torch.int32), V, {}),
    ],
    ids=["unknown op", "at random", "complex", "input left out", "output left out", "bits"],
)
def test_some_steps_have_no_arithmetic(page: Page, call: Any, argument: Tensor, limits: dict[str, int]) -> None:
    recorded = trace(call, argument, files=[__file__], **limits)
    (result,) = sweep(page, [recorded], SAMPLES)[0]
    for output in result["outputs"]:
        assert output["all"] is None
        assert set(output["told"]) == {None}


def test_number_types_keep_what_torch_keeps(page: Page) -> None:
    scales = torch.logspace(-9, 6, 400, dtype=torch.float64)
    numbers = torch.cat([scales, -scales, scales.round(), torch.tensor([0.0, 65519.0, 65520.0])])
    for name in ("float64", "float32", "float16", "bfloat16", "int32", "bool"):
        script = "([numbers, name]) => numbers.map((x) => arithmetic.asStored(x, name))"
        kept = page.evaluate(script, [numbers.tolist(), name])
        assert kept == numbers.to(getattr(torch, name)).double().tolist(), name


def test_erf(page: Page) -> None:
    x = torch.linspace(-7, 7, 1401, dtype=torch.float64)
    ours = page.evaluate("(numbers) => numbers.map(arithmetic.erf)", x.tolist())
    torch.testing.assert_close(torch.tensor(ours, dtype=torch.float64), x.erf(), rtol=1e-13, atol=1e-15)

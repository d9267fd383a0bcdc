"""Numbers of a trace set by hand: the code runs again with them, and every later step follows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from explorer.errors import UserError
from explorer.text import _
from explorer.trace import Omitted, Step, Trace, Value

MOST = 100
"""Cells that may be set by hand at a time."""

Replacements = dict[int, Tensor | tuple[Tensor, ...]]
"""Step → what takes the place of its output, as explorer.trace.trace takes it."""
Rerun = Callable[[Replacements], Trace]


@dataclass(frozen=True)
class Edit:
    """A cell of a step's output, and the number that it is given.

    step, output: which of the trace's steps, and which of its outputs. flat: the cell, counted row by row. value: a number,
    or ±∞ as in masks. shape: of that output. op, expression: of that step; "" where only its place is known.
    """

    step: int
    output: int
    flat: int
    value: float
    shape: tuple[int, ...]
    op: str = ""
    expression: str = ""


@dataclass(frozen=True)
class Edited:
    """A trace of the code as it ran with edits.

    edits: those that fit, with the steps of `trace` that they are in. given: for each of these steps what the code itself gave
    there, after the edits of the steps before. left_out: how many edits do not fit any step. problems: why others cannot be
    made, one sentence each.
    """

    trace: Trace
    edits: tuple[Edit, ...] = ()
    given: Mapping[int, tuple[Value, ...]] = field(default_factory=dict)
    left_out: int = 0
    problems: tuple[str, ...] = ()


def read_number(text: str) -> float:
    """A typed number: 0.5, −1e-3, 1/3, inf, −∞. Raises UserError for anything else."""
    plain = str(text).strip().lower().replace("−", "-").replace("∞", "inf")
    above, slash, below = plain.partition("/")
    try:
        value = float(above) / float(below) if slash else float(plain)
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if math.isnan(value) or (math.isinf(value) and "inf" not in plain):  # 1e999
        raise UserError(_("“{text}” is no number: type one such as 0.5, or −inf.").format(text=str(text)[:40]))
    return value


def read_edits(records: Any) -> tuple[Edit, ...]:
    """Edits as the browser keeps them, a list of {"step", "output", "flat", "value": text, "shape", "op", "expression"}.

    The last one counts where several set the same cell. Raises UserError for what cannot be one.
    """
    try:
        edits = [
            Edit(
                int(record["step"]),
                int(record["output"]),
                int(record["flat"]),
                read_number(record["value"]),
                tuple(int(n) for n in record["shape"]),
                str(record.get("op", "")),
                str(record.get("expression", "")),
            )
            for record in records
        ]
    except UserError:
        raise
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise UserError(_("These edits cannot be read; undo them.")) from error
    if len(edits) > MOST:
        raise UserError(_("No more than {most} numbers can be set at a time; undo some.").format(most=MOST))
    return tuple({(edit.step, edit.output, edit.flat): edit for edit in edits}.values())


def write_edits(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    """What read_edits reads."""
    return [vars(edit) | {"value": repr(edit.value), "shape": list(edit.shape)} for edit in edits]


def edits_as_text(edits: Iterable[Edit]) -> str:
    """For the address: step:output:flat:shape:value of each edit, commas between."""
    return ",".join(
        f"{edit.step}:{edit.output}:{edit.flat}:{'x'.join(map(str, edit.shape))}:{edit.value!r}" for edit in edits
    )


def edits_from_text(text: str) -> tuple[Edit, ...]:
    """What edits_as_text wrote. Raises UserError for anything else."""
    names = ("step", "output", "flat", "shape", "value")
    records: list[dict[str, Any]] = []
    for part in filter(None, text.split(",")):
        values = part.split(":")
        if len(values) != len(names):
            raise UserError(_("The edits in the address cannot be read, so there are none."))
        record: dict[str, Any] = dict(zip(names, values, strict=True))
        records.append(record | {"shape": record["shape"].split("x") if record["shape"] else []})
    return read_edits(records)


def replacements(trace: Trace, edits: Iterable[Edit]) -> Replacements:
    """The outputs of the trace's steps with the edits written into them; steps without one are not in it.

    Raises UserError where a step, output or cell does not exist, holds no real numbers or is not kept.
    """
    made: dict[int, list[Tensor]] = {}
    for edit in edits:
        if not 0 <= edit.step < len(trace.steps):
            text = _("There is no step {step} to change: the code takes {count} steps.")
            raise UserError(text.format(step=edit.step + 1, count=len(trace.steps)))
        step = trace.steps[edit.step]
        cells = _editable(step, edit)
        outputs = made.setdefault(edit.step, [_copy(value) for value in step.outputs])
        if math.isnan(edit.value):
            raise UserError(_("A cell cannot be set to what is no number."))
        number = torch.tensor(edit.value, dtype=torch.float64).to(cells.dtype)
        if math.isfinite(edit.value) and not number.isfinite():
            raise UserError(_("{value:g} is too large for these cells.").format(value=edit.value))
        outputs[edit.output].view(-1)[edit.flat] = number
    return {
        index: tuple(outputs) if isinstance(trace.steps[index].output, tuple) else outputs[0]
        for index, outputs in made.items()
    }


def _editable(step: Step, edit: Edit) -> Tensor:
    """The output that is edited."""
    where = step.target or step.expression
    if not 0 <= edit.output < len(step.outputs):
        raise UserError(_("“{where}” has no output {output}.").format(where=where, output=edit.output))
    cells = step.outputs[edit.output]
    if any(isinstance(value, Omitted) for value in step.outputs):
        raise UserError(_("“{where}” is too large to be kept, so its numbers cannot be changed.").format(where=where))
    if not isinstance(cells, Tensor) or not cells.is_floating_point():
        raise UserError(_("“{where}” holds no real numbers to change.").format(where=where))
    if edit.shape != tuple(cells.shape) or not 0 <= edit.flat < cells.numel():
        raise UserError(_("“{where}” has another shape now.").format(where=where))
    return cells


def _copy(value: Value) -> Tensor:
    return value.clone() if isinstance(value, Tensor) else torch.empty(0)


def locate(trace: Trace, edit: Edit) -> Edit | None:
    """The edit at the step that it fits: the nearest one with its op, expression and shape. None where there is none."""

    def fits(step: Step) -> bool:
        named = (not edit.op or edit.op == step.op) and (not edit.expression or edit.expression == step.expression)
        known = edit.op or edit.expression or step.index == edit.step
        return bool(named and known) and edit.output < len(step.outputs)

    steps = [step for step in trace.steps if fits(step) and tuple(step.outputs[edit.output].shape) == edit.shape]
    if not steps:
        return None
    step = min(steps, key=lambda step: abs(step.index - edit.step))
    return replace(edit, step=step.index, op=step.op, expression=step.expression)


def run_edited(trace: Trace, edits: Sequence[Edit], rerun: Rerun) -> Edited:
    """Run the code again with the edits, step after step: a later edit changes what the earlier ones led to.

    trace: the code without edits. rerun: runs it with steps' outputs replaced. Edits that fit no step are left out.
    """
    placed = [found for edit in edits if (found := locate(trace, edit)) is not None]
    placed = list({(edit.step, edit.output, edit.flat): edit for edit in placed}.values())
    now, made = trace, Replacements()
    kept: list[Edit] = []
    given: dict[int, tuple[Value, ...]] = {}
    problems: list[str] = []
    for index in sorted({edit.step for edit in placed}):
        here = []
        for edit in placed:
            if edit.step == index:
                try:
                    replacements(now, [edit])
                    here.append(edit)
                except UserError as error:
                    problems.append(str(error))
        if not here:
            continue
        code_gave, wanted = now.steps[index].outputs, replacements(now, here)
        try:
            now = rerun(made | wanted)
        except (ValueError, IndexError, RuntimeError):  # the code cannot go on from there
            problems.append(
                _("The code cannot go on with the numbers that you set in step {step}.").format(step=index + 1)
            )
            continue
        made |= wanted
        given[index] = code_gave
        kept += here
    return Edited(now, tuple(kept), given, len(edits) - len(placed), tuple(dict.fromkeys(problems)))

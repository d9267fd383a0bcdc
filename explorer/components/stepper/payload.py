"""A trace as bytes for the browser: what the steps are as JSON, their tensors as raw numbers, each sent once.

Body: {"name", "options", "left_out": [text], "sources": [{"file", "text"}], "tensors": [{"shape", "dtype", "array" or null,
"omitted": reason or null}], "steps": [{"op", "expression", "target", "file", "line", "end_line", "column", "end_column",
"scope", "iteration", "inputs": [{"role", "name", "tensor", "from"}], "outputs": [tensor], "attrs", "source": tensor or null,
"edited"}]}. A step's file is a place in "sources", a tensor one in "tensors"; "from" is [step, output number] or null.

Of a trace with numbers set by hand, steps carry "original": {"inputs": {role: tensor}, "outputs": [tensor or null]}, what the
code had there without them, where it differs; and the edited ones "given": [tensor], what the code gave before it was changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.components.packing import pack
from explorer.trace import Omitted, Step, Trace, Value

MAX_BYTES = 48_000_000
"""Larger traces are sent with their largest tensors by shape only."""


def encode(
    trace: Trace,
    options: Mapping[str, Any] | None = None,
    max_bytes: int = MAX_BYTES,
    *,
    original: Trace | None = None,
    given: Mapping[int, Sequence[Value]] | None = None,
) -> bytes:
    """The bytes that the stepper reads. Tensors that do not fit into max_bytes are named in the body's left_out.

    options: JSON-able settings of the view, such as the palette role of each name. original: the trace of the same code
    without edits; given: step → what the code gave there, before it was edited.
    """
    table = _Table(max_bytes)
    files = list(trace.sources)
    steps = [
        {
            "op": step.op,
            "expression": step.expression,
            "target": step.target,
            "file": files.index(step.file),
            "line": step.line,
            "end_line": step.end_line,
            "column": step.column,
            "end_column": step.end_column,
            "scope": step.scope,
            "iteration": step.iteration,
            "inputs": [
                {"role": role, "name": step.names[role], "tensor": table.add(value), "from": step.producers.get(role)}
                for role, value in step.inputs.items()
            ],
            "outputs": [table.add(value) for value in step.outputs],
            "attrs": dict(step.attrs),
            "source": None if step.source is None else table.add(step.source),
            "edited": step.edited,
        }
        for step in trace.steps
    ]
    if original is not None:
        for record, step, before in zip(steps, trace.steps, original.steps, strict=False):
            if (step.op, step.expression) != (before.op, before.expression):
                break  # from here on the code went another way
            record["original"] = _differing(step, before, table)
    for index, outputs in (given or {}).items():
        steps[index]["given"] = [table.add(value) for value in outputs]
    body = {
        "name": trace.name,
        "options": dict(options or {}),
        "left_out": [*trace.left_out, *table.left_out],
        "sources": [{"file": PurePath(f).name, "text": text} for f, text in trace.sources.items()],
        "tensors": table.records,
        "steps": steps,
    }
    return pack(body, table.arrays)


def _differing(step: Step, before: Step, table: _Table) -> dict[str, Any] | None:
    """The tensors that this step had before the edits, where they are not what it has now; None if all of them are."""
    pairs = [
        (role, before.inputs[role])
        for role, now in step.inputs.items()
        if not _equal(now, before.inputs.get(role, now))
    ]
    inputs = {role: table.add(value) for role, value in pairs}
    outputs = [
        None if _equal(now, then) else table.add(then) for now, then in zip(step.outputs, before.outputs, strict=False)
    ]
    changed = inputs or any(place is not None for place in outputs)
    return {"inputs": inputs, "outputs": outputs} if changed else None


def _equal(a: Value, b: Value) -> bool:
    """The same numbers, NaN in the same places. True as well where they cannot be held against each other."""
    if not isinstance(a, Tensor) or not isinstance(b, Tensor) or a.shape != b.shape or a.dtype != b.dtype:
        return True
    return bool(torch.equal(a, b) or ((a == b) | ((a != a) & (b != b))).all())


class _Table:
    """The tensors of a payload; one that is added twice is sent once."""

    def __init__(self, max_bytes: int):
        self.records: list[dict[str, Any]] = []
        self.arrays: list[np.ndarray] = []
        self.left_out: list[str] = []
        self._places: dict[int, int] = {}
        self._room = max_bytes

    def add(self, value: Value) -> int:
        """The place of this tensor in the table."""
        place = self._places.get(id(value))
        if place is None:
            place = self._places[id(value)] = len(self.records)
            self.records.append(self._record(value))
        return place

    def _record(self, value: Value) -> dict[str, Any]:
        record: dict[str, Any] = {"shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch.")}
        if isinstance(value, Omitted):
            return record | {"array": None, "omitted": value.reason}
        array = as_array(value)
        if array.nbytes > self._room:
            reason = "the page holds as much as a browser should"
            self.left_out.append(f"A tensor of shape {'×'.join(map(str, value.shape))} is not shown: {reason}.")
            return record | {"array": None, "omitted": reason}
        self.arrays.append(array)
        self._room -= array.nbytes
        return record | {"array": len(self.arrays) - 1, "omitted": None}


def as_array(tensor: Tensor) -> np.ndarray:
    """The tensor in the smallest of the payload's number types that keeps every value; floats as float32."""
    if tensor.dtype == torch.bool:
        return tensor.numpy().astype("u1")
    if tensor.is_complex():
        return tensor.abs().float().numpy()
    if tensor.dtype == torch.float64:
        return tensor.numpy()
    if tensor.is_floating_point():
        return tensor.float().numpy()
    fits = tensor.numel() == 0 or (tensor.min() >= -(2**31) and tensor.max() < 2**31)
    return tensor.numpy().astype("i4" if fits else "f8")

"""A trace as bytes for the browser: one JSON header, then the raw tensors, each sent once.

Layout: uint32 little-endian length of the header in bytes; the header, UTF-8, padded with spaces so that the tensors
begin at a multiple of 8; the tensors, each beginning at a multiple of 8.

Header: {"name", "left_out": [text], "sources": [{"file", "text"}], "tensors": [{"shape", "dtype", "code", "offset",
"omitted"}], "steps": [{"op", "expression", "target", "file", "line", "end_line", "scope", "iteration", "inputs": [{"role",
"name", "tensor", "from"}], "outputs": [tensor], "attrs", "source": tensor or null, "edited"}]}. A step's file is a place in
"sources", a tensor one in "tensors"; "from" is [step, output number] or null. code: "f4", "f8", "i4" or "u1", as numpy names
them; offset counts bytes from the first tensor.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.trace import Omitted, Trace, Value

MAX_BYTES = 48_000_000
"""Larger traces are sent with their largest tensors by shape only."""


def encode(trace: Trace, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes that the stepper reads. Tensors that do not fit into max_bytes are named in the header's left_out."""
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
    header = {
        "name": trace.name,
        "left_out": [*trace.left_out, *table.left_out],
        "sources": [{"file": PurePath(f).name, "text": text} for f, text in trace.sources.items()],
        "tensors": table.records,
        "steps": steps,
    }
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return b"".join([np.uint32(len(text)).astype("<u4").tobytes(), text, *table.blobs])


class _Table:
    """The tensors of a payload; one that is added twice is sent once."""

    def __init__(self, max_bytes: int):
        self.records: list[dict[str, Any]] = []
        self.blobs: list[bytes] = []
        self.left_out: list[str] = []
        self._places: dict[int, int] = {}
        self._offset = 0
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
            return record | {"omitted": value.reason}
        code, array = as_array(value)
        if array.nbytes > self._room:
            reason = "the page holds as much as a browser should"
            self.left_out.append(f"A tensor of shape {'×'.join(map(str, value.shape))} is not shown: {reason}.")
            return record | {"omitted": reason}
        blob = array.tobytes()
        blob += b"\0" * (-len(blob) % 8)
        record |= {"code": code, "offset": self._offset, "omitted": None}
        self.blobs.append(blob)
        self._offset += len(blob)
        self._room -= len(blob)
        return record


def as_array(tensor: Tensor) -> tuple[str, np.ndarray]:
    """The tensor in the smallest of the four number types of the payload that keeps every value; floats as float32."""
    if tensor.dtype == torch.bool:
        return "u1", tensor.numpy().astype("u1")
    if tensor.is_complex():
        return "f4", tensor.abs().numpy().astype("<f4")
    if tensor.dtype == torch.float64:
        return "f8", tensor.numpy().astype("<f8")
    if tensor.is_floating_point():
        return "f4", tensor.float().numpy().astype("<f4", copy=False)
    fits = tensor.numel() == 0 or (tensor.min() >= -(2**31) and tensor.max() < 2**31)
    return ("i4", tensor.numpy().astype("<i4")) if fits else ("f8", tensor.numpy().astype("<f8"))

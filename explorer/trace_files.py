"""Traces on disk: one .npz with the tensors as arrays and everything else as JSON. Nothing is pickled."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.errors import UserError
from explorer.text import _
from explorer.trace import Omitted, Step, Trace, Value

FORMAT = 1


def save(trace: Trace, path: str | Path) -> None:
    """Write the trace to path, whatever its suffix. A tensor that several steps share is written once."""
    arrays: dict[str, np.ndarray] = {}
    known: dict[int, dict] = {}

    def reference(value: Value | None) -> dict | None:
        if value is None:
            return None
        if isinstance(value, Omitted):
            return {"shape": list(value.shape), "dtype": str(value.dtype), "omitted": value.reason}
        if id(value) not in known:
            name = f"tensor_{len(arrays)}"
            widened = value.float() if value.dtype in {torch.bfloat16, torch.float16} else value
            arrays[name] = widened.numpy()
            known[id(value)] = {"array": name, "dtype": str(value.dtype)}
        return known[id(value)]

    steps = []
    for step in trace.steps:
        record = {name: value for name, value in vars(step).items() if name not in {"inputs", "output", "source"}}
        record["inputs"] = {role: reference(value) for role, value in step.inputs.items()}
        record["outputs"] = [reference(value) for value in step.outputs]
        record["several"] = isinstance(step.output, tuple)
        record["source"] = reference(step.source)
        steps.append(record)
    document = {
        "format": FORMAT,
        "name": trace.name,
        "sources": dict(trace.sources),
        "left_out": list(trace.left_out),
        "steps": steps,
    }
    text = np.frombuffer(json.dumps(document, allow_nan=False).encode(), dtype=np.uint8)
    with Path(path).open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, trace=text, **arrays)


def load(path: str | Path) -> Trace:
    """Read what `save` wrote; the loaded trace has no result. Raises UserError if the file is no saved trace."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            document = json.loads(archive["trace"].tobytes())
            arrays = {name: archive[name] for name in archive.files if name != "trace"}
        if document["format"] != FORMAT:
            raise KeyError("format")
        return _restore(document, arrays)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(_("This file is not a saved trace, or it is damaged; save the trace again.")) from error


def _restore(document: dict[str, Any], arrays: dict[str, np.ndarray]) -> Trace:
    tensors: dict[str, Tensor] = {}

    def value(reference: dict) -> Value:
        dtype = getattr(torch, reference["dtype"].removeprefix("torch."))
        if "omitted" in reference:
            return Omitted(tuple(reference["shape"]), dtype, reference["omitted"])
        name = reference["array"]
        if name not in tensors:
            tensors[name] = torch.from_numpy(arrays[name]).to(dtype)
        return tensors[name]

    steps = []
    for record in document["steps"]:
        outputs = tuple(value(r) for r in record.pop("outputs"))
        source = record.pop("source")
        record["output"] = outputs if record.pop("several") else outputs[0]
        record["inputs"] = {role: value(r) for role, r in record["inputs"].items()}
        record["producers"] = {role: tuple(made) for role, made in record["producers"].items()}
        steps.append(Step(**record, source=None if source is None else value(source)))  # type: ignore[arg-type]
    return Trace(document["name"], tuple(steps), document["sources"], tuple(document["left_out"]))

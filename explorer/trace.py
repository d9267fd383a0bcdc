"""Record what a piece of PyTorch does, call by call, without changing it or its result.

    trace = trace(attention, query, key, value)
    trace.steps[3].expression    # 'scores.softmax(dim=-1)'
    trace.steps[3].output        # the tensor it gave
    trace(attention, query, key, value, edits={3: uniform})    # the same call with that output replaced

Recorded is each torch call made from the traced source files: the file of the function and explorer/models. A call
that a torch.nn module makes on its behalf counts as made from the line that called the module.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer import ops
from explorer.call_sites import call_site

MODELS = str(Path(__file__).parent / "models")
TORCH = str(Path(torch.__file__).parent) + os.sep
MODULE = nn.modules.module.__file__
HERE = __file__

MAX_ELEMENTS = 4_000_000
"""Larger tensors are recorded by shape only."""
MAX_BYTES = 1_000_000_000
"""Once a trace holds this much, further tensors are recorded by shape only."""
MAX_STEPS = 20_000


@dataclass(frozen=True)
class Omitted:
    """Stands where a tensor was too large to keep. shape and dtype are its own."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    reason: str


Value = Tensor | Omitted


@dataclass(frozen=True)
class Step:
    """One torch call.

    index: its place in Trace.steps. op: canonical kind (see explorer.ops), such as "matmul" or "conv2d".
    expression: the call as written. target: what it is assigned to, "return", or None inside a larger expression.
    file, line, end_line, column, end_column: where it stands; lines from 1.
    scope: path of the module whose code made it, "encoder.layers.0".
    iteration: how often this place ran before in the same run of its function, None outside loops.
    inputs: role ("input", "weight", "other" …) → tensor, detached copy on the CPU. names: role → as the source has it.
    producers: role → (step, output number) that made that tensor, where a recorded step did.
    output: the result, a tuple where the call gives several. attrs: dim, stride …, JSON-able.
    source: int32, shape of the output: flat input index of every cell (−1: fill value; −2 − k: cell k of an
    assigned `value`), for ops that only move cells.
    """

    index: int
    op: str
    expression: str
    target: str | None
    file: str
    line: int
    end_line: int
    column: int
    end_column: int
    scope: str
    iteration: int | None
    inputs: Mapping[str, Value]
    names: Mapping[str, str]
    producers: Mapping[str, tuple[int, int]]
    output: Value | tuple[Value, ...]
    attrs: Mapping[str, Any]
    source: Tensor | None = None
    edited: bool = False

    @property
    def outputs(self) -> tuple[Value, ...]:
        """The output as a tuple, whether there is one or several."""
        return self.output if isinstance(self.output, tuple) else (self.output,)


@dataclass(frozen=True)
class Trace:
    """All steps of one call, the sources they stand in, and the call's result.

    sources: file → its text. left_out: what was not kept, one sentence each. result: what fn gave back.
    """

    name: str
    steps: tuple[Step, ...]
    sources: Mapping[str, str]
    left_out: tuple[str, ...] = ()
    result: Any = field(default=None, repr=False, compare=False)

    def __getitem__(self, target: str) -> Step:
        """The last step that assigned to this name. Raises KeyError."""
        for step in reversed(self.steps):
            if step.target == target:
                return step
        raise KeyError(target)

    def first(self, op: str) -> int:
        """Index of the first step of this op; 0 where there is none."""
        return next((step.index for step in self.steps if step.op == op), 0)

    def part(self, start: int, stop: int) -> Trace:
        """The steps from start to before stop, numbered from 0. What was made before them has no producer; no result."""
        steps = []
        for step in self.steps[start:stop]:
            made = {role: (by - start, place) for role, (by, place) in step.producers.items() if by >= start}
            steps.append(replace(step, index=step.index - start, producers=made))
        files = {step.file for step in steps}
        sources = {file: text for file, text in self.sources.items() if file in files}
        return Trace(self.name, tuple(steps), sources, self.left_out)

    def save(self, path: str | Path) -> None:
        """Write one .npz: the tensors as arrays, the rest as JSON; nothing pickled."""
        from explorer.trace_files import save

        save(self, path)

    @staticmethod
    def load(path: str | Path) -> Trace:
        """Read what `save` wrote. Raises UserError if it is no such file."""
        from explorer.trace_files import load

        return load(path)


def trace(
    fn: Callable,
    *args: Any,
    edits: Mapping[int, Tensor | tuple[Tensor, ...]] | None = None,
    files: Iterable[str | Path] | None = None,
    max_elements: int = MAX_ELEMENTS,
    max_bytes: int = MAX_BYTES,
    **kwargs: Any,
) -> Trace:
    """Call fn(*args, **kwargs) and record its torch calls.

    fn: a function, method, nn.Module or other callable written in Python. edits: step index → the tensor that takes the
    place of that step's output (same shape). files: the traced source files or folders instead of the default.
    Raises ValueError if fn has no Python source or an edit does not fit; whatever fn raises passes through.
    """
    file = _source_file(fn)
    traced = (file, MODELS) if files is None else tuple(str(Path(f).resolve()) for f in files)
    recorder = _Recorder(fn, traced, dict(edits or {}), max_elements, max_bytes)
    with recorder:
        result = fn(*args, **kwargs)
    missing = set(recorder.edits) - set(range(len(recorder.steps)))
    if missing:
        raise ValueError(f"there is no step {min(missing)} to edit: this trace has {len(recorder.steps)} steps")
    name = getattr(fn, "__qualname__", type(fn).__name__)
    return Trace(name, tuple(recorder.steps), recorder.sources(), tuple(recorder.left_out), result)


def _source_file(fn: Callable) -> str:
    fn = fn.func if isinstance(fn, functools.partial) else fn
    if isinstance(fn, nn.Module):
        fn = type(fn).forward
    elif not (inspect.isfunction(fn) or inspect.ismethod(fn)) and not inspect.isbuiltin(fn):
        fn = getattr(type(fn), "__call__", fn)  # noqa: B004 — the function itself is wanted, not whether there is one
    code = getattr(inspect.unwrap(fn), "__code__", None)
    if code is None:
        raise ValueError("there is no Python source to trace here: wrap the call in a function of your own")
    return code.co_filename


class _Recorder(TorchFunctionMode):
    """The mode under which fn runs. One recorder serves one call in one thread."""

    def __init__(self, fn: Callable, files: tuple[str, ...], edits: dict, max_elements: int, max_bytes: int):
        super().__init__()
        self.files = files
        self.edits = edits
        self.max_elements = max_elements
        self.room = max_bytes
        self.steps: list[Step] = []
        self.left_out: list[str] = []
        self._kinds: dict[CodeType, str] = {}
        self._copies: dict[int, tuple[Tensor, Value]] = {}  # the tensor is held so that its id stays its own
        self._producers: dict[int, tuple[Tensor, int, int]] = {}
        self._visits: dict[tuple[int, int], tuple[FrameType, int]] = {}
        self._modules: dict[int, str] = {}
        owner = fn if isinstance(fn, nn.Module) else getattr(fn, "__self__", None)
        if isinstance(owner, nn.Module):
            self._adopt(owner)
        self._last_site: tuple[int, int] | None = None

    def sources(self) -> dict[str, str]:
        """The text of every file that a step stands in."""
        return {file: "".join(linecache.getlines(file)) for file in dict.fromkeys(s.file for s in self.steps)}

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        frame, direct = self._caller()
        in_place = ops.op_name(func)[2]
        if frame is None or len(self.steps) >= MAX_STEPS:
            out = func(*args, **kwargs)
            if in_place or kwargs.get("inplace"):
                self._copies.clear()
            return out
        call = ops.describe(func, args, kwargs)
        inputs = {role: self._copy(tensor) for role, tensor in call.inputs.items()}
        out = func(*args, **kwargs)
        loops = func is Tensor.__iter__  # `for row in x`: the rows, as x.unbind() gives them
        if loops:
            out = tuple(out)
        if call.in_place:
            self._copies.clear()
        result = args[0] if call.op == "setitem" else out
        outputs = _tensors(result)
        if outputs:
            out = self._record(frame, direct, call, func, args, kwargs, inputs, outputs, out)
        return iter(out) if loops else out

    def _caller(self) -> tuple[FrameType | None, bool]:
        """The frame in a traced file that made this call, or None; and whether directly, not through a module."""
        frame: FrameType | None = sys._getframe(2)
        direct = True
        while frame is not None:
            code = frame.f_code
            kind = self._kinds.get(code)
            if kind is None:
                kind = self._kinds[code] = self._kind(code)
            if kind == "traced":
                return frame, direct
            if kind == "other":
                return None, False
            if kind == "module":
                direct = False
            frame = frame.f_back
        return None, False

    def _kind(self, code: CodeType) -> str:
        file = code.co_filename
        if file == HERE:
            return "tracer" if code.co_name == "__torch_function__" else "other"
        if any(file == f or file.startswith((f + "/", f + "\\")) for f in self.files):
            return "traced"
        if file == MODULE:
            return "module"
        return "torch" if file.startswith(TORCH) else "other"

    def _record(self, frame, direct, call, func, args, kwargs, inputs, outputs, out):  # type: ignore[no-untyped-def]
        index = len(self.steps)
        edited = index in self.edits
        if edited:
            out = _replace(out, outputs, self.edits[index], index, call)
            outputs = _tensors(args[0] if call.op == "setitem" else out)
        site = call_site(frame)
        copies = tuple(self._copy(t) for t in outputs)
        attrs = ops.resolve(call, func, args, kwargs, tuple(outputs[0].shape))
        source = attrs.pop("source", None)
        producers = {}
        for role, tensor in call.inputs.items():
            made = self._producers.get(id(tensor))
            if made is not None:
                producers[role] = made[1:]
        here = (id(frame), frame.f_lasti)
        if (
            not direct and self._last_site == here and self.steps
        ):  # an nn module that makes several calls: only the last
            self.steps[-1] = replace(self.steps[-1], target=None)  # one makes what the line assigns
        self._last_site = None if direct else here
        self.steps.append(
            Step(
                index=index,
                op=call.op,
                expression=site.expression,
                target=site.target,
                file=frame.f_code.co_filename,
                line=site.line,
                end_line=site.end_line,
                column=site.column,
                end_column=site.end_column,
                scope=self._scope(frame),
                iteration=self._iteration(frame) if site.in_loop else None,
                inputs=inputs,
                names=site.input_names(call, direct, frame),
                producers=producers,
                output=copies if isinstance(out, (tuple, list)) else copies[0],
                attrs=attrs,
                source=source,
                edited=edited,
            )
        )
        for number, tensor in enumerate(outputs):
            self._producers[id(tensor)] = (tensor, index, number)
        return out

    def _copy(self, tensor: Tensor) -> Value:
        known = self._copies.get(id(tensor))
        if known is not None:
            return known[1]
        value = self._snapshot(tensor)
        self._copies[id(tensor)] = (tensor, value)
        return value

    def _snapshot(self, tensor: Tensor) -> Value:
        shape = tuple(tensor.shape)
        size = tensor.numel() * tensor.element_size()
        if tensor.numel() > self.max_elements:
            return self._leave_out(shape, tensor.dtype, f"more than {self.max_elements:,} numbers")
        if size > self.room:
            return self._leave_out(shape, tensor.dtype, "the trace is full")
        self.room -= size
        with torch._C.DisableTorchFunction():
            plain = tensor.detach()
            if plain.is_complex():
                plain = plain.resolve_conj().resolve_neg()
            if plain.device.type != "cpu":
                return plain.cpu().contiguous()
            return plain.clone(memory_format=torch.contiguous_format)

    def _leave_out(self, shape: tuple[int, ...], dtype: torch.dtype, reason: str) -> Omitted:
        self.left_out.append(f"A tensor of shape {'×'.join(map(str, shape))} is not shown: {reason}.")
        return Omitted(shape, dtype, reason)

    def _iteration(self, frame: FrameType) -> int:
        key = (id(frame), frame.f_lasti)
        known = self._visits.get(key)
        count = known[1] + 1 if known is not None and known[0] is frame else 0
        self._visits[key] = (frame, count)  # the frame is held so that its id stays its own
        return count

    def _scope(self, frame: FrameType) -> str:
        module = _self_module(frame)
        if module is None:
            return ""
        if id(module) not in self._modules:
            outermost, outer = module, frame.f_back
            while outer is not None and outer.f_code.co_filename != HERE:
                outermost = _self_module(outer) or outermost
                outer = outer.f_back
            self._adopt(outermost)
        return self._modules.get(id(module), "")

    def _adopt(self, root: nn.Module) -> None:
        for name, module in root.named_modules():
            self._modules.setdefault(id(module), name)


def _self_module(frame: FrameType) -> nn.Module | None:
    """The module whose method this frame runs."""
    code = frame.f_code
    if code.co_argcount == 0 or code.co_varnames[0] != "self":
        return None
    owner = frame.f_locals.get("self")
    return owner if isinstance(owner, nn.Module) else None


def _tensors(out: Any) -> tuple[Tensor, ...]:
    if isinstance(out, Tensor):
        return (out,)
    if isinstance(out, (tuple, list)) and out and all(isinstance(t, Tensor) for t in out):
        return tuple(out)
    return ()


def _replace(out: Any, outputs: tuple[Tensor, ...], edit: Any, index: int, call: ops.Call) -> Any:
    """The edit in the form of `out`: same container, dtype and device; written into the tensor for in-place calls."""
    new = (edit,) if isinstance(edit, Tensor) else tuple(edit)
    if [tuple(t.shape) for t in new] != [tuple(t.shape) for t in outputs]:
        wanted = ", ".join(str(tuple(t.shape)) for t in outputs)
        raise ValueError(f"the edit of step {index} has shape {tuple(new[0].shape)}, but that step gives {wanted}")
    with torch._C.DisableTorchFunction():
        if call.in_place:
            with torch.no_grad():
                for tensor, value in zip(outputs, new, strict=True):
                    tensor.copy_(value)
            return out
        new = tuple(v.to(device=t.device, dtype=t.dtype, copy=True) for v, t in zip(new, outputs, strict=True))
        if isinstance(out, Tensor):
            return new[0]
        # Named tuples such as torch.return_types.max take one sequence, plain ones too.
        return type(out)(new)

"""Where in the source a running frame is: the expression, what it is assigned to, what its operands are called."""

from __future__ import annotations

import ast
import builtins
import linecache
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import executing
from torch import Tensor

from explorer.ops import Call

LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)


@dataclass(frozen=True)
class CallSite:
    """One expression in the source.

    expression: as written. target: what it is assigned to, "return", or None. line, end_line: from 1; column,
    end_column: characters before its first, and up to its last. in_loop: it may run more than once in one run of its
    function. operands: the source of receiver and arguments in order; elements of a list argument as a tuple.
    keywords: keyword → source. function: source of what is called, "self.conv1". iterated: what a loop, or a builtin such as
    zip, may take rows from.
    """

    expression: str
    target: str | None
    line: int
    end_line: int
    column: int
    end_column: int
    in_loop: bool
    operands: tuple[str | tuple[str, ...], ...] = ()
    keywords: tuple[tuple[str, str], ...] = ()
    function: str = ""
    is_binary: bool = False
    iterated: tuple[str, ...] = ()

    def input_names(self, call: Call, direct: bool, frame: FrameType) -> dict[str, str]:
        """Role → what the source calls that input; the role itself where the source has no word for it.

        direct: the call stands at this very expression; otherwise a module called there made it, with its own weights.
        """
        if self.iterated and call.op == "unbind":
            here = [name for name in self.iterated if frame.f_locals.get(name) is call.inputs["input"]]
            return {"input": (here or self.iterated)[0]}
        keywords = dict(self.keywords)
        names = {role: keywords.get(role, role) for role in call.inputs}
        if not direct:
            arguments = self.operands[1:] if self.function and len(self.operands) > 1 else self.operands
            for role in call.inputs:
                if role in {"weight", "bias", "running_mean", "running_var"}:
                    names[role] = f"{self.function}.{role}"
                elif role == "input" and len(arguments) == 1 and isinstance(arguments[0], str):
                    names[role] = arguments[0]
            return names
        operands = self.operands
        if len(operands) == len(call.order) + 1:  # `torch.softmax(x)`: the receiver is no operand
            operands = operands[1:]
        if len(operands) != len(call.order):
            return names
        if self.is_binary and self._swapped(call, frame):
            operands = operands[::-1]
        for role, operand in zip(call.order, operands, strict=True):
            if role.endswith(".*"):
                elements = [r for r in call.inputs if r.startswith(role[:-1])]
                if isinstance(operand, tuple) and len(operand) == len(elements):
                    names.update(zip(elements, operand, strict=True))
                else:
                    names.update({r: f"{_text(operand)}[{i}]" for i, r in enumerate(elements)})
            elif role:
                names[role] = _text(operand)
        return names

    def _swapped(self, call: Call, frame: FrameType) -> bool:
        """`2 * x` reaches torch as mul(x, 2): whether the operands came in the other order than they are written."""
        if len(call.inputs) != 1 or "input" not in call.inputs:
            return False
        left, right = self.operands
        if _is_number(left) or _is_number(right):
            return _is_number(left)
        value = frame.f_locals.get(_text(left))
        return isinstance(value, (int, float)) and not isinstance(value, Tensor)


def _text(operand: str | tuple[str, ...]) -> str:
    return operand if isinstance(operand, str) else f"[{', '.join(operand)}]"


def _is_number(text: str | tuple[str, ...]) -> bool:
    try:
        float(_text(text))
    except ValueError:
        return False
    return True


_known: dict[tuple[CodeType, int], CallSite] = {}


def call_site(frame: FrameType) -> CallSite:
    """The expression that this frame is in the middle of. Looked up once for each code object and instruction."""
    key = (frame.f_code, frame.f_lasti)
    site = _known.get(key)
    if site is None:
        site = _known[key] = _find(frame)
    return site


def _find(frame: FrameType) -> CallSite:
    found = executing.Source.executing(frame)
    node: Any = found.node
    if node is None:
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        return CallSite(line, None, frame.f_lineno, frame.f_lineno, 0, 0, in_loop=False)

    def text(part: Any) -> str:
        # ast.get_source_segment would take the whole file apart for each of them.
        lines = [line.rstrip("\r\n").encode() for line in found.source.lines[part.lineno - 1 : part.end_lineno]]
        lines[-1] = lines[-1][: part.end_col_offset]
        lines[0] = lines[0][part.col_offset :]
        return b"\n".join(lines).decode()

    def column(line: int, offset: int) -> int:
        """Characters, where the syntax tree counts bytes of UTF-8."""
        return len(found.source.lines[line - 1].encode()[:offset].decode(errors="ignore"))

    def operand(part: ast.expr) -> str | tuple[str, ...]:
        return tuple(text(e) for e in part.elts) if isinstance(part, (ast.List, ast.Tuple)) else text(part)

    operands: tuple[str | tuple[str, ...], ...] = ()
    keywords: tuple[tuple[str, str], ...] = ()
    iterated: tuple[str, ...] = ()
    function, expression, last = "", "", node
    if isinstance(node, ast.For):
        iterated, last = (text(node.iter),), node.iter
        expression = f"for {text(node.target)} in {text(node.iter)}"
    elif isinstance(node, ast.Call):
        receiver = (text(node.func.value),) if isinstance(node.func, ast.Attribute) else ()
        operands = (*receiver, *(operand(a) for a in node.args))
        keywords = tuple((k.arg, text(k.value)) for k in node.keywords if k.arg)
        function = text(node.func)
        iterated = tuple(map(text, node.args)) if hasattr(builtins, function) else ()
    elif isinstance(node, ast.BinOp):
        operands = (text(node.left), text(node.right))
    elif isinstance(node, ast.Compare):
        operands = (text(node.left), text(node.comparators[0]))
    elif isinstance(node, ast.UnaryOp):
        operands = (text(node.operand),)
    elif isinstance(node, ast.Subscript):
        operands = (text(node.value), text(node.slice))
    elif isinstance(node, ast.Attribute):
        operands = (text(node.value),)
    elif isinstance(node, ast.AugAssign):
        operands = (text(node.target), text(node.value))
    return CallSite(
        expression=expression or text(node),
        target=_target(node, text),
        line=node.lineno,
        end_line=last.end_lineno or node.lineno,
        column=column(node.lineno, node.col_offset),
        end_column=column(last.end_lineno or node.lineno, last.end_col_offset or 0),
        in_loop=_in_loop(node),
        operands=operands,
        keywords=keywords,
        function=function,
        is_binary=isinstance(node, ast.BinOp),
        iterated=iterated,
    )


def _target(node: ast.AST, text) -> str | None:  # type: ignore[no-untyped-def]
    parent = getattr(node, "parent", None)
    if isinstance(node, ast.AugAssign):
        return text(node.target)
    if isinstance(parent, ast.Assign) and parent.value is node:
        return ", ".join(text(t).strip("()") for t in parent.targets)
    if isinstance(parent, (ast.AnnAssign, ast.NamedExpr)) and parent.value is node:
        return text(parent.target)
    if isinstance(node, ast.Subscript) and isinstance(parent, ast.Assign):
        return text(node)  # hidden[t] = h
    return "return" if isinstance(parent, (ast.Return, ast.Lambda)) else None


def _in_loop(node: ast.AST) -> bool:
    child, parent = node, getattr(node, "parent", None)
    while parent is not None and not isinstance(parent, FUNCTIONS):
        if isinstance(parent, ast.comprehension) and child is parent.iter:
            comprehension: Any = getattr(parent, "parent", None)
            if comprehension.generators[0] is parent:  # evaluated once, before the loop begins
                child, parent = comprehension, getattr(comprehension, "parent", None)
                continue
        if isinstance(parent, LOOPS) and child is not getattr(parent, "iter", None):
            return True
        child, parent = parent, getattr(parent, "parent", None)
    return False

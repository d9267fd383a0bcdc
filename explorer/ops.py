"""One canonical description of a torch call, whatever way it was spelled.

`x @ y`, `torch.bmm(x, y)` and `torch.matmul(x, y)` all become op "matmul" with the inputs `input` and `other`; strides,
paddings and dims become plain lists of non-negative ints. What only moves numbers (view, transpose, slice, pad …)
carries where each output cell came from.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

ALIASES = {
    "bmm": "matmul",
    "mm": "matmul",
    "mv": "matmul",
    "dot": "matmul",
    "__matmul__": "matmul",
    "__add__": "add",
    "__radd__": "add",
    "__iadd__": "add",
    "__sub__": "sub",
    "__isub__": "sub",
    "subtract": "sub",
    "__mul__": "mul",
    "__imul__": "mul",
    "__rmul__": "mul",
    "multiply": "mul",
    "__truediv__": "div",
    "__itruediv__": "div",
    "divide": "div",
    "true_divide": "div",
    "__pow__": "pow",
    "__ipow__": "pow",
    "__neg__": "neg",
    "negative": "neg",
    "__abs__": "abs",
    "absolute": "abs",
    "__and__": "logical_and",
    "__or__": "logical_or",
    "__xor__": "logical_xor",
    "__iand__": "logical_and",
    "__ior__": "logical_or",
    "__ixor__": "logical_xor",
    "__rand__": "logical_and",
    "__ror__": "logical_or",
    "__rxor__": "logical_xor",
    "__floordiv__": "floor_divide",
    "__invert__": "logical_not",
    "bitwise_not": "logical_not",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "__eq__": "eq",
    "__ne__": "ne",
    "__gt__": "gt",
    "__lt__": "lt",
    "__ge__": "ge",
    "__le__": "le",
    "greater": "gt",
    "less": "lt",
    "greater_equal": "ge",
    "less_equal": "le",
    "not_equal": "ne",
    "clip": "clamp",
    "clamp_min": "clamp",
    "clamp_max": "clamp",
    "log_sigmoid": "logsigmoid",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "fix": "trunc",
    "concat": "cat",
    "concatenate": "cat",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "movedim": "permute",
    "moveaxis": "permute",
    "__iter__": "unbind",
    "__getitem__": "getitem",
    "__setitem__": "setitem",
    "max_pool1d_with_indices": "max_pool1d",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
    "adaptive_max_pool1d_with_indices": "adaptive_max_pool1d",
    "adaptive_max_pool2d_with_indices": "adaptive_max_pool2d",
    "adaptive_max_pool3d_with_indices": "adaptive_max_pool3d",
    "dropout1d": "dropout",
    "dropout2d": "dropout",
    "dropout3d": "dropout",
    "alpha_dropout": "dropout",
    "feature_alpha_dropout": "dropout",
    "linalg_vector_norm": "norm",
    "linalg_matmul": "matmul",
    "ger": "outer",
    "special_softmax": "softmax",
    "special_log_softmax": "log_softmax",
    "special_logsumexp": "logsumexp",
    "special_expit": "sigmoid",
}
"""Other spellings of an op."""

REFLECTED = {
    "__rsub__": "sub",
    "__rdiv__": "div",
    "__rtruediv__": "div",
    "__rpow__": "pow",
    "__rmatmul__": "matmul",
    "__rfloordiv__": "floor_divide",
    "__rmod__": "remainder",
}
"""Spellings whose operands arrive in the other order; `rsub` too."""

UNARY = tuple(
    "abs neg exp exp2 expm1 log log1p log2 log10 sqrt rsqrt square reciprocal sin cos tan tanh sigmoid relu relu6 "
    "gelu silu mish elu selu celu leaky_relu softplus softsign hardtanh hardswish hardsigmoid clamp erf sign floor "
    "ceil round logical_not isnan isinf logsigmoid".split()
)
BINARY = tuple(
    "add sub mul div pow maximum minimum eq ne gt lt ge le logical_and logical_or logical_xor atan2 fmod remainder "
    "floor_divide".split()
)
REDUCTIONS = tuple("sum mean amax amin max min var std prod norm logsumexp argmax argmin any all".split())
CREATIONS = tuple(
    "zeros ones full arange linspace eye zeros_like ones_like full_like new_zeros new_ones new_full".split()
)
"""Ops that make a tensor of numbers that their arguments say."""
AS_THEY_ARE = {"source", "moves"}
"""Attrs that this module makes itself, so that they need not be made JSON-able."""
MOVES = tuple(
    "view reshape flatten unflatten ravel squeeze unsqueeze transpose t T mT H mH permute getitem narrow select expand "
    "expand_as broadcast_to view_as reshape_as repeat tile repeat_interleave roll flip split chunk unbind tensor_split "
    "unfold contiguous clone to float double half bfloat16 long int short bool type detach gather index_select diagonal "
    "pixel_shuffle pixel_unshuffle take_along_dim rot90 pad dropout setitem".split()
)
"""Ops whose output cells are copies of input cells (or a fill value)."""

COPIES = set("float double half bfloat16 long int short bool to type dropout clone contiguous detach".split())
"""Moves that leave every cell where it is."""

SIGNATURES = {
    "matmul": "input other",
    "einsum": "equation operands",
    "conv1d": "input weight bias stride padding dilation groups",
    "conv2d": "input weight bias stride padding dilation groups",
    "conv3d": "input weight bias stride padding dilation groups",
    "conv_transpose1d": "input weight bias stride padding output_padding groups dilation",
    "conv_transpose2d": "input weight bias stride padding output_padding groups dilation",
    "conv_transpose3d": "input weight bias stride padding output_padding groups dilation",
    "linear": "input weight bias",
    "max_pool1d": "input kernel_size stride padding dilation ceil_mode return_indices",
    "max_pool2d": "input kernel_size stride padding dilation ceil_mode return_indices",
    "max_pool3d": "input kernel_size stride padding dilation ceil_mode return_indices",
    "avg_pool1d": "input kernel_size stride padding ceil_mode count_include_pad",
    "avg_pool2d": "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    "avg_pool3d": "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
    "adaptive_avg_pool1d": "input output_size",
    "softmax": "input dim dtype",
    "log_softmax": "input dim dtype",
    "scaled_dot_product_attention": "query key value attn_mask dropout_p is_causal scale enable_gqa",
    "masked_fill": "input mask value",
    "where": "condition input other",
    "tril": "input diagonal",
    "triu": "input diagonal",
    "cat": "tensors dim",
    "stack": "tensors dim",
    "cumsum": "input dim",
    "gather": "input dim index",
    "index_select": "input dim index",
    "take_along_dim": "input indices dim",
    "topk": "input k dim largest sorted",
    "sort": "input dim descending",
    "argsort": "input dim descending",
    "addmm": "input mat1 mat2",
    "baddbmm": "input batch1 batch2",
    "leaky_relu": "input negative_slope",
    "gelu": "input",
    "clamp": "input min max",
    "softplus": "input beta threshold",
    "prelu": "input weight",
    "hardshrink": "input lambd",
    "softshrink": "input lambd",
    "one_hot": "input num_classes",
    "norm": "input p dim keepdim",
    "cosine_similarity": "x1 x2 dim eps",
    "cdist": "x1 x2 p",
    "lerp": "input end weight",
    "nan_to_num": "input nan posinf neginf",
    "setitem": "input index value",
    "getitem": "input index",
    "outer": "input vec2",
    "transpose": "input dim0 dim1",
    "flatten": "input start_dim end_dim",
    "unsqueeze": "input dim",
    "squeeze": "input dim",
    "select": "input dim index",
    "narrow": "input dim start length",
    "chunk": "input chunks dim",
    "split": "input split_size dim",
    "unbind": "input dim",
    "sum": "input dim keepdim",
    "mean": "input dim keepdim",
    "var": "input dim correction keepdim",
    "std": "input dim correction keepdim",
}
"""Positional parameters of builtins, which have no signature that Python could be asked for."""

VARIADIC = {
    "view": "shape",
    "reshape": "shape",
    "expand": "shape",
    "broadcast_to": "shape",
    "repeat": "repeats",
    "tile": "repeats",
    "permute": "dims",
}
"""Ops that take their last list argument as separate ints too: `x.view(2, 3)` and `x.view((2, 3))`."""


@dataclass(frozen=True)
class Call:
    """One torch call in canonical form.

    op: canonical name; inputs: role → tensor, in the order of the call; attrs: what is not a tensor, JSON-able;
    order: the role (or roles, for a list of tensors) that each positional argument went to;
    in_place: the call writes into one of its inputs.
    """

    op: str
    inputs: dict[str, Tensor]
    attrs: dict[str, Any]
    order: tuple[str, ...] = ()
    in_place: bool = False


@cache
def op_name(func: Callable) -> tuple[str, bool, bool]:
    """(canonical name, operands are reflected, writes in place) of a torch function."""
    name = getattr(func, "__name__", type(func).__name__)
    if name == "__get__":  # a property such as x.mT
        return getattr(func.__self__, "__name__", "property"), False, False  # type: ignore[attr-defined]
    in_place = name in {"__setitem__"} or (
        name.startswith("__i") and name not in {"__invert__", "__index__", "__int__", "__iter__"}
    )
    if name in REFLECTED:
        return REFLECTED[name], True, False
    if name == "rsub":
        return "sub", True, False
    if not name.startswith("_") and name.endswith("_"):
        name, in_place = name[:-1], True
    return ALIASES.get(name, name), False, in_place


@cache
def _signature(func: FunctionType) -> tuple[str, ...] | None:
    try:
        parameters = inspect.signature(func).parameters.values()
    except ValueError:  # a Python wrapper around a builtin, such as Tensor.__pow__
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return tuple("input" if p.name in {"self", "x"} else p.name for p in parameters)


def _bind(func: Callable, op: str, args: Sequence, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Argument names → values; what is left at its default stays out."""
    names = _signature(func) if isinstance(func, FunctionType) and op not in SIGNATURES else None
    if names is None or len(names) < len(args):
        names = tuple(SIGNATURES.get(op, "").split())
    if op in BINARY:
        names = ("input", "other")
    elif op == "where" and func is Tensor.where:
        names = ("input", "condition", "other")
    elif op == "clamp" and "clamp_m" in func.__name__:
        names = ("input", "min" if "min" in func.__name__ else "max")
    elif op == "einsum" and len(args) > 1 and isinstance(args[1], Tensor):  # not in a list
        names = ("equation", *(f"operands.{i}" for i in range(len(args) - 1)))
    if op in VARIADIC and args:
        rest = args[1] if len(args) == 2 and isinstance(args[1], (tuple, list)) else args[1:]
        names, args = ("input", VARIADIC[op]), (args[0], tuple(rest)) if len(args) > 1 else (args[0],)
    if not names and args:
        names = ("input",)
    bound = {names[i] if i < len(names) else f"argument{i}": value for i, value in enumerate(args)}
    for name, value in kwargs.items():
        if not name.startswith("_"):
            bound["dim" if name == "axis" else name] = value
    return bound


def describe(func: Callable, args: Sequence, kwargs: dict[str, Any]) -> Call:
    """The canonical form of func(*args, **kwargs). Unknown functions keep their own name and argument order."""
    op, reflected, in_place = op_name(func)
    if reflected:
        args = (args[1], args[0], *args[2:])
    if op in {"max", "min"} and len(args) > 1 and isinstance(args[1], Tensor):
        op = "maximum" if op == "max" else "minimum"
    elif op == "linalg_norm" and _is_vector_norm(*args, **kwargs):
        op = "norm"
    count = len(args)
    bound = _bind(func, op, args, kwargs)
    inputs: dict[str, Tensor] = {}
    attrs: dict[str, Any] = {}
    order: list[str] = []
    for name, value in bound.items():
        if isinstance(value, Tensor):
            inputs[name] = value
            order.append(name)
        elif isinstance(value, (list, tuple)) and value and all(isinstance(v, Tensor) for v in value):
            inputs.update({f"{name}.{i}": v for i, v in enumerate(value)})
            order.append(f"{name}.*")
        else:
            order.append("")
            if value is not None:
                attrs[name] = value
    if "out" in kwargs or attrs.get("inplace") or attrs.get("training" if op == "batch_norm" else "use_input_stats"):
        in_place = True
    attrs.pop("inplace", None)
    if not inputs and op not in CREATIONS:
        attrs = {}
    order += [""] * (count - len(order))
    return Call(op, inputs, attrs, tuple(order[:count]), in_place)


def _is_vector_norm(x: Tensor, ord: Any = None, dim: Any = None, **_: Any) -> bool:  # noqa: A002 — as in torch.linalg.norm
    """Whether torch.linalg.norm takes x for one long vector, or one along dim, rather than for a matrix."""
    return ord in {None, "fro"} or isinstance(dim, int) or (dim is None and x.ndim == 1)


def resolve(call: Call, func: Callable, args: Sequence, kwargs: dict[str, Any], shape: tuple[int, ...]) -> dict:
    """The attrs in canonical form, JSON-able but for `source` (see `moves`). shape: of the (first) output."""
    attrs = dict(call.attrs)
    x = next(iter(call.inputs.values()), None)
    if call.op.startswith("conv_transpose"):
        attrs = _conv_transpose(attrs, call.inputs["weight"].ndim - 2)
    elif call.op.startswith("conv"):
        attrs = _conv(attrs, call.inputs["weight"].shape[2:])
    elif "adaptive" in call.op:
        attrs = {"output_size": list(shape[-int(call.op[-2]) :])}
    elif "pool" in call.op and "kernel_size" in attrs:
        attrs = _pool(attrs, int(call.op[-2]))
    elif x is not None and call.op == "interpolate":
        attrs = _interpolation(attrs, x.shape[2:], shape[2:])
    elif x is not None and call.op in {"softmax", "log_softmax", "cumsum"}:
        unsaid = 0 if x.ndim in {0, 1, 3} else 1  # what torch.nn.functional takes, with a warning
        attrs = {"dim": _axis(attrs.get("dim", unsaid), x.ndim)}
    elif call.op in CREATIONS:
        attrs = _creation(call.op, args, kwargs)
    elif x is not None and call.op in {"topk", "sort", "argsort"}:
        attrs = _ordering(attrs, x.ndim, call.op)
    elif call.op in {"cat", "stack"}:
        attrs = {"dim": _axis(attrs.get("dim", 0), len(shape))}
    elif x is not None and call.op in REDUCTIONS:
        attrs = _reduction(attrs, x.ndim, call.op)
    elif x is not None and call.op in MOVES:
        attrs |= moves(call, func, args, kwargs)
    elif call.op == "layer_norm" or call.op == "rms_norm":
        attrs["normalized_shape"] = list(attrs["normalized_shape"])
    return {name: value if name in AS_THEY_ARE else _plain(value) for name, value in attrs.items()}


def _per_dim(value: Any, n: int) -> list:
    values = [value] if isinstance(value, (int, float)) else list(value)
    return values * n if len(values) == 1 else values


def _axis(dim: int, ndim: int) -> int:
    return dim % max(ndim, 1)


def _conv(attrs: dict[str, Any], kernel: Sequence[int]) -> dict[str, Any]:
    n = len(kernel)
    dilation = _per_dim(attrs.get("dilation", 1), n)
    padding = attrs.get("padding", 0)
    if padding == "same":  # an odd surplus goes to the end, as in torch
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        pairs = [[t // 2, t - t // 2] for t in total]
    else:
        pairs = [[p, p] for p in _per_dim(0 if padding == "valid" else padding, n)]
    stride = _per_dim(attrs.get("stride", 1), n)
    return {"stride": stride, "padding": pairs, "dilation": dilation, "groups": attrs.get("groups", 1)}


def _conv_transpose(attrs: dict[str, Any], n: int) -> dict[str, Any]:
    return {
        "stride": _per_dim(attrs.get("stride", 1), n),
        "padding": [[p, p] for p in _per_dim(attrs.get("padding", 0), n)],
        "output_padding": _per_dim(attrs.get("output_padding", 0), n),
        "dilation": _per_dim(attrs.get("dilation", 1), n),
        "groups": attrs.get("groups", 1),
    }


def _pool(attrs: dict[str, Any], n: int) -> dict[str, Any]:
    kernel = _per_dim(attrs["kernel_size"], n)
    return {
        "kernel_size": kernel,
        "stride": _per_dim(attrs.get("stride") or kernel, n),
        "padding": [[p, p] for p in _per_dim(attrs.get("padding", 0), n)],
        "dilation": _per_dim(attrs.get("dilation", 1), n),
        "ceil_mode": bool(attrs.get("ceil_mode", False)),
        "count_include_pad": bool(attrs.get("count_include_pad", True)),
        "divisor_override": attrs.get("divisor_override"),
    }


def _interpolation(attrs: dict[str, Any], inside: Sequence[int], outside: Sequence[int]) -> dict[str, Any]:
    """scales: of the input's places to the output's, as torch counts them: by the factor where one is given."""
    scales = [a / b for a, b in zip(inside, outside, strict=True)]
    if attrs.get("scale_factor") is not None and not attrs.get("recompute_scale_factor"):
        scales = [1 / factor for factor in _per_dim(attrs["scale_factor"], len(inside))]
    return {
        "mode": attrs.get("mode", "nearest"),
        "align_corners": bool(attrs.get("align_corners")),
        "antialias": bool(attrs.get("antialias")),
        "scales": scales,
    }


def _reduction(attrs: dict[str, Any], ndim: int, op: str) -> dict[str, Any]:
    dim: Any = attrs.get("dim", attrs.get("argument1"))
    correction: Any = attrs.get("correction", 1)
    if isinstance(dim, bool):  # x.var(False): the only positional argument is `unbiased`
        dim, correction = None, int(dim)
    if "unbiased" in attrs:
        correction = attrs["unbiased"]
    dims = list(range(ndim)) if dim is None or dim == () else sorted(_axis(d, ndim) for d in _per_dim(dim, 1))
    out: dict[str, Any] = {"dim": dims, "keepdim": bool(attrs.get("keepdim", attrs.get("argument2", False)))}
    if op in {"var", "std"}:
        out["correction"] = int(correction)
    if op == "norm":
        p = attrs.get("p", attrs.get("ord", 2))
        out["p"] = p if p == "nuc" else 2.0 if p == "fro" else float(p)
    return out


def _ordering(attrs: dict[str, Any], ndim: int, op: str) -> dict[str, Any]:
    """dim; largest: whether the largest comes first; sorted: whether the order is promised at all."""
    largest = bool(attrs.get("largest", True)) if op == "topk" else bool(attrs.get("descending", False))
    return {"dim": _axis(attrs.get("dim", -1), ndim), "largest": largest, "sorted": bool(attrs.get("sorted", True))}


def _creation(op: str, args: Sequence, kwargs: dict[str, Any]) -> dict[str, Any]:
    """What says the numbers of a new tensor: start and step of a row, or the fill_value. {} where that is a tensor."""
    numbers = [value for value in args if isinstance(value, (int, float))]
    if op in {"arange", "linspace"}:
        if len(numbers) < len(args):
            return {}
        names = (
            ("end",)
            if op == "arange" and len(numbers) == 1
            else ("start", "end", "step" if op == "arange" else "steps")
        )
        said = dict(zip(names, numbers, strict=False)) | {
            n: kwargs[n] for n in ("start", "end", "step", "steps") if n in kwargs
        }
        if not all(isinstance(value, (int, float)) for value in said.values()):
            return {}
        start = said.get("start", 0)
        if op == "arange":
            return {"start": start, "step": said.get("step", 1)}
        return {"start": start, "step": (said["end"] - start) / max(said["steps"] - 1, 1)}
    if op.endswith("full") or op == "full_like":
        value = kwargs.get("fill_value", args[-1] if len(args) > 1 else None)
        return {"fill_value": value} if isinstance(value, (int, float)) else {}
    return {"fill_value": 1 if "ones" in op else 0}


def moves(call: Call, func: Callable, args: Sequence, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Where every output cell came from.

    {"moves": [{"shape", "strides", "offset"}, …]} for views, one entry an output: flat
    input index = offset + Σ index_d · strides_d;
    {"source": int32 tensor of flat input indices, −1 for the fill value} where no strides say it, for one output;
    after x[index] = value, −2 − k stands for cell k of a tensor `value`.
    Ops that do not just move numbers here (dropout while training, bits read as another dtype) give {}.
    """
    if call.op == "dropout" and call.attrs.get("training", True) and call.attrs.get("p", 0.5):
        return {}
    if call.op == "view" and any(isinstance(value, torch.dtype) for value in (*args, *kwargs.values())):
        return {}
    if call.op == "setitem":
        return _assignment(*args)
    x = next(iter(call.inputs.values()))
    position = next((i for i, value in enumerate(args) if value is x), None)
    if position is None:
        kwargs = dict(kwargs)
        keyword = next((name for name, value in kwargs.items() if value is x), None)
        if keyword is None:
            return {}
        del kwargs[keyword]
        position, args = 0, (x, *args)
    rest = tuple(args[:position]), tuple(args[position + 1 :])
    if _is_simple((rest, tuple(kwargs.values()))):
        return _strided(func, tuple(x.shape), rest, tuple(sorted(kwargs.items())))
    return _replay(func, tuple(x.shape), rest, kwargs)


def _is_simple(value: Any) -> bool:
    """Whether equal values mean equal calls, so that the answer may be cached (tensors and slices do not qualify)."""
    if isinstance(value, (tuple, list)):
        return isinstance(value, tuple) and all(_is_simple(v) for v in value)
    return value is None or value is Ellipsis or isinstance(value, (bool, int, float, str, torch.dtype, torch.device))


@lru_cache(maxsize=4096)
def _strided(func: Callable, shape: tuple[int, ...], rest: tuple[tuple, tuple], kwargs: tuple) -> dict[str, Any]:
    return _replay(func, shape, rest, dict(kwargs))


def _assignment(x: Tensor, index: Any, value: Any) -> dict[str, Any]:
    """As `moves`, for x[index] = value."""
    if not isinstance(value, (Tensor, bool, int, float)):
        return {}
    with torch._C.DisableTorchFunction(), torch.no_grad():
        cells = torch.arange(x.numel(), dtype=torch.int32).view(x.shape)
        new = -2 - torch.arange(value.numel(), dtype=torch.int32).view(value.shape) if isinstance(value, Tensor) else -1
        cells[index] = new
        return {"source": cells}


def _replay(func: Callable, shape: tuple[int, ...], rest: tuple[tuple, tuple], kwargs: dict) -> dict[str, Any]:
    """Run the op on the numbers 0, 1, 2 … in place of the input and read off where they went."""
    before, after = rest
    with torch._C.DisableTorchFunction(), torch.no_grad():
        cells = torch.arange(math.prod(shape)).view(shape)
        name = op_name(func)[0]
        if name in COPIES:
            out: Any = cells
        elif name == "pad":
            fill = -1 if kwargs.get("mode", "constant") == "constant" else None
            out = func(cells.double(), *after, **(kwargs | {"value": fill}))
        elif func is torch.nn.functional.unfold:  # pads with 0 and wants floats
            out = func(cells.double() + 1, *after, **kwargs) - 1
        else:
            try:
                out = func(*before, cells, *after, **kwargs)
            except NotImplementedError:  # not for whole numbers
                return {}
        outs = [out] if isinstance(out, Tensor) else list(out)
        storage = cells.untyped_storage().data_ptr()
        if all(o.untyped_storage().data_ptr() == storage and o.dtype == cells.dtype for o in outs):
            return {
                "moves": [
                    {"shape": list(o.shape), "strides": list(o.stride()), "offset": o.storage_offset()} for o in outs
                ]
            }
        return {"source": outs[0].to(torch.int32).contiguous()} if len(outs) == 1 else {}


def _plain(value: Any) -> Any:
    """A JSON-able stand-in: numbers and lists as they are, "Infinity"/"-Infinity"/"NaN" by name, the rest as text."""
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return str(value)

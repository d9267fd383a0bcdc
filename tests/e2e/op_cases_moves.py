"""Ops that only move cells."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from op_draw import Draw, Table
from torch import Tensor, nn

TABLE = Table()
case = TABLE.case


def _cells(d: Draw, low: int = 1, high: int = 4) -> Tensor:
    return d.any_dtype(*d.shape(low, high))


case("view", lambda x: x.view(3, -1), lambda d: (d.any_dtype(2, 3, 4),))
case("view", lambda x: x.view((4, 3, 2)), lambda d: (d.any_dtype(2, 3, 4),), "tuple")
case("reshape", lambda x: x.mT.reshape(-1, 6), lambda d: (d.floats(2, 3, 4),))
case("flatten", lambda m, x: m(x), lambda d: (nn.Flatten(), d.any_dtype(2, 3, 4)))
case("flatten", lambda x: x.flatten(-2), lambda d: (d.any_dtype(2, 3, 4),), "dims")
case("unflatten", lambda x: x.unflatten(1, (2, -1)), lambda d: (d.any_dtype(3, 4),))
case("ravel", lambda x: x.ravel(), lambda d: (_cells(d),))
case("squeeze", lambda x: x.squeeze(), lambda d: (d.floats(2, 1, 3, 1),))
case("squeeze", lambda x: x.squeeze(-1), lambda d: (d.floats(2, 1, 3, 1),), "dim")
case("unsqueeze", lambda x, n: x.unsqueeze(n), lambda d: (x := _cells(d), (x, d.size(-x.ndim - 1, x.ndim)))[1])
case("transpose", lambda x, a, b: x.transpose(a, b), lambda d: (x := _cells(d), (x, d.dim(x.ndim), d.dim(x.ndim)))[1])
case("transpose", lambda x: torch.swapaxes(x, 0, -1), lambda d: (_cells(d),), "swapaxes")
case("t", lambda x: x.t(), lambda d: (d.any_dtype(3, 4),))
case("T", lambda x: x.T, lambda d: (d.any_dtype(3, 4),))
case("H", lambda x: x.H, lambda d: (d.any_dtype(3, 4),))
case("mT", lambda x: x.mT, lambda d: (d.any_dtype(2, 3, 4),))
case("mH", lambda x: x.mH, lambda d: (d.any_dtype(2, 3, 4),))
case(
    "permute",
    lambda x, order: x.permute(order),
    lambda d: (x := _cells(d), (x, tuple(map(int, d.generator.permutation(x.ndim)))))[1],
)
case("permute", lambda x: torch.permute(x, (1, 0, 2)), lambda d: (d.any_dtype(2, 3, 4),), "function")
case("permute", lambda x: x.movedim(0, -1), lambda d: (d.any_dtype(2, 3, 4),), "movedim")
case("getitem", lambda x: x[0], lambda d: (_cells(d),), "int")
case("getitem", lambda x: x[-1, ..., ::2, None], lambda d: (d.any_dtype(2, 3, 4),), "slices")
case("getitem", lambda x: x[:, 1:3, -2:], lambda d: (d.any_dtype(2, 3, 4),), "ranges")
case("getitem", lambda x, i: x[i], lambda d: (d.any_dtype(4, 3), d.ints(-4, 3, *d.shape(1, 2))), "index")
case("getitem", lambda x, i: x[:, i], lambda d: (d.any_dtype(3, 4), d.ints(0, 3, 5)), "index-second")
case("getitem", lambda x, i, j: x[i, j], lambda d: (d.any_dtype(3, 4), d.ints(0, 2, 5), d.ints(0, 3, 5)), "pairs")
case("getitem", lambda x, m: x[m], lambda d: (d.any_dtype(3, 4), d.bools(*d.choice((3, 4), (3,)))), "mask")
case("getitem", lambda x: x[[0, 2]], lambda d: (d.any_dtype(3, 4),), "list")
case("narrow", lambda x: x.narrow(1, 1, 2), lambda d: (d.any_dtype(2, 3, 4),))
case("select", lambda x: x.select(-1, 2), lambda d: (d.any_dtype(2, 3, 4),))
case("expand", lambda x: x.expand(3, -1, 4), lambda d: (d.any_dtype(2, 1),))
case("expand_as", lambda x, y: x.expand_as(y), lambda d: (d.any_dtype(1, 4), d.floats(3, 4)))
case("broadcast_to", lambda x: torch.broadcast_to(x, (3, 2, 4)), lambda d: (d.any_dtype(2, 1),))
case("view_as", lambda x, y: x.view_as(y), lambda d: (d.any_dtype(2, 6), d.floats(3, 4)))
case("reshape_as", lambda x, y: x.reshape_as(y), lambda d: (d.any_dtype(2, 6), d.floats(3, 4)))
case("repeat", lambda x: x.repeat(2, 1, 3), lambda d: (d.any_dtype(2, 3),))
case("tile", lambda x: x.tile((2, 2)), lambda d: (d.any_dtype(2, 3),))
case("repeat_interleave", lambda x: x.repeat_interleave(2, dim=1), lambda d: (d.any_dtype(2, 3),))
case(
    "repeat_interleave",
    lambda x, n: torch.repeat_interleave(x, n, 0),
    lambda d: (d.any_dtype(3, 2), d.ints(0, 3, 3)),
    "counts",
)
case("roll", lambda x: x.roll((1, -2), (0, 1)), lambda d: (d.any_dtype(3, 4),))
case("roll", lambda x: torch.roll(x, 2), lambda d: (d.any_dtype(3, 4),), "flat")
case("flip", lambda x: x.flip(0, -1), lambda d: (d.any_dtype(2, 3, 4),))
case("split", lambda x: x.split(2, dim=-1), lambda d: (d.any_dtype(3, 5),))
case("split", lambda x: torch.split(x, [1, 3, 1], 1), lambda d: (d.any_dtype(3, 5),), "sizes")
case("chunk", lambda x: x.chunk(3, dim=1), lambda d: (d.any_dtype(3, 5),))
case("unbind", lambda x, n: x.unbind(n), lambda d: (x := _cells(d), (x, d.dim(x.ndim)))[1])
case("tensor_split", lambda x: x.tensor_split(3, dim=1), lambda d: (d.any_dtype(3, 5),))
case("unfold", lambda x: x.unfold(-1, 3, 2), lambda d: (d.any_dtype(2, 7),))
case(
    "unfold",
    lambda m, x: m(x),
    lambda d: (nn.Unfold(d.choice(2, 3), padding=1, stride=2), d.floats(2, 3, 6, 6)),
    "patches",
)
case("contiguous", lambda x: x.mT.contiguous(), lambda d: (d.any_dtype(2, 3),))
case("clone", lambda x: x.clone(), lambda d: (_cells(d),))
case("detach", lambda x: x.detach(), lambda d: (_cells(d),))
for _name in ("float", "double", "half", "bfloat16", "long", "int", "short", "bool"):
    case(_name, lambda n, x: getattr(x, n)(), lambda d, n=_name: (n, d.choice(d.any_dtype(7), d.floats(7, scale=9))))
case("half", lambda x: x.half(), lambda d: (torch.tensor([1e5, -1e5, 1e-7, 65519.0, 65521.0, math.nan]),), "range")
case("to", lambda x: x.to(torch.float64), lambda d: (_cells(d),))
case("to", lambda x: x.to(torch.int32), lambda d: (d.floats(3, 4, scale=9),), "int")
case("to", lambda x: x.to("cpu"), lambda d: (_cells(d),), "device")
case("type", lambda x: x.type(torch.int16), lambda d: (_cells(d),))
case("gather", lambda x, i: x.gather(1, i), lambda d: (d.any_dtype(3, 4), d.ints(0, 3, d.size(1, 3), d.size())))
case("index_select", lambda x, i: x.index_select(-1, i), lambda d: (d.any_dtype(3, 4), d.ints(0, 3, 6)))
case(
    "take_along_dim",
    lambda x, i: torch.take_along_dim(x, i, 1),
    lambda d: (d.any_dtype(3, 4), d.ints(0, 3, d.choice(1, 3), 2)),
)
case("diagonal", lambda x: x.diagonal(1, -2, -1), lambda d: (d.any_dtype(2, 3, 4),))
case("pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), lambda d: (d.any_dtype(2, 8, 2, 3),))
case("pixel_unshuffle", lambda x: F.pixel_unshuffle(x, 2), lambda d: (d.any_dtype(2, 2, 4, 6),))
case("rot90", lambda x, k: torch.rot90(x, k, (1, 2)), lambda d: (d.any_dtype(2, 3, 4), d.size(-1, 2)))
case("pad", lambda x: F.pad(x, (1, 2, 0, 1)), lambda d: (d.any_dtype(2, 3, 4),))
case("pad", lambda x: F.pad(x, (1, -2), value=-1.5), lambda d: (d.floats(2, 3, 4),), "value")
case("pad", lambda x: F.pad(x, (1, 1), value=-math.inf), lambda d: (d.floats(2, 3),), "infinite")
for _mode in ("reflect", "replicate", "circular"):
    case("pad", lambda x, m: F.pad(x, (1, 2, 2, 1), mode=m), lambda d, m=_mode: (d.floats(2, 3, 4, 5), m), _mode)
case(
    "pad",
    lambda m, x: m(x),
    lambda d: (
        d.choice(nn.ZeroPad2d(1), nn.ReflectionPad2d(1), nn.ReplicationPad2d((1, 0, 2, 0))),
        d.floats(2, 3, 4, 5),
    ),
    "module",
)
case(
    "dropout", lambda m, x: m(x), lambda d: (d.choice(nn.Dropout(0.4), nn.Dropout2d(0.4)).eval(), d.floats(2, 3, 4, 5))
)
case("dropout", lambda x: F.dropout(x, 0.0), lambda d: (d.floats(3, 4),), "p=0")


def _assign(x: Tensor, index: Any, value: Any) -> Tensor:
    x = x.clone()
    x[index] = value
    return x


case("setitem", _assign, lambda d: (d.any_dtype(3, 4), (slice(None), 1), d.choice(7, True, 0.5)), "number")
case(
    "setitem",
    _assign,
    lambda d: (d.floats(3, 4), (..., slice(0, None, 2)), d.floats(*d.choice((3, 2), (2,), (1,), ()))),
    "tensor",
)
case("setitem", _assign, lambda d: (d.floats(3, 4), d.bools(3, 4), 0.0), "mask")
case("setitem", _assign, lambda d: (d.floats(3, 4), d.ints(0, 2, 2), d.floats(4)), "index")
case("cat", lambda *x: torch.cat(x, -1), lambda d: tuple(d.any_dtype(2, 3, d.size()) for _ in range(d.size(1, 4))))
case(
    "cat",
    lambda x, y: torch.cat([x, y]),
    lambda d: (d.floats(2, 3), d.choice(d.floats(4, 3), d.ints(0, 9, 1, 3), torch.empty(0))),
    "first",
)
case("cat", lambda x: torch.cat((x, x), dim=1), lambda d: (d.floats(2, 3),), "twice")
case(
    "stack",
    lambda n, *x: torch.stack(x, n),
    lambda d: (d.size(-3, 2), *(d.any_dtype(2, 3) for _ in range(d.size(1, 4)))),
)
case(
    "embedding",
    lambda m, i: m(i),
    lambda d: (nn.Embedding(7, 3, padding_idx=d.choice(None, 0)), d.ints(0, 6, *d.shape(0, 3))),
)
case("one_hot", lambda i: F.one_hot(i), lambda d: (d.ints(0, 6, *d.shape(1, 3)),))
case("one_hot", lambda i: F.one_hot(i, 9), lambda d: (d.ints(0, 6, 4),), "classes")


# Rows, one after the other: x.unbind(), in the words of Python.
case("unbind", lambda x: [row * 2 for row in x], lambda d: (d.floats(*d.shape(1, 3)),), "iteration")


def _pairs(x: Tensor, y: Tensor) -> list[Tensor]:
    first, *_ = x
    return [first + a + b for a, b in zip(x, y, strict=True)]


case("unbind", _pairs, lambda d: (d.floats(3, 2), d.floats(3, 2)), "zip")


# New tensors of numbers that the arguments say.
for _name in ("zeros", "ones"):
    case(_name, lambda f, s: f(*s), lambda d, n=_name: (getattr(torch, n), d.shape(0, 3)))
    case(f"{_name}_like", lambda f, x: f(x), lambda d, n=_name: (getattr(torch, f"{n}_like"), _cells(d)))
    case(f"new_{_name}", lambda x, n, s: getattr(x, n)(s), lambda d, n=_name: (_cells(d), f"new_{n}", d.shape(0, 3)))
case("full", lambda s, v: torch.full(s, v), lambda d: (d.shape(0, 3), d.choice(2.5, -math.inf, 3)))
case("full_like", lambda x, v: torch.full_like(x, v), lambda d: (d.floats(3, 4), d.choice(2.5, -math.inf)))
case("new_full", lambda x: x.new_full((2, 3), fill_value=1.5), lambda d: (d.floats(2),))
case("eye", lambda n: torch.eye(n), lambda d: (d.size(),))
case("eye", lambda n, m: torch.eye(n, m), lambda d: (d.size(), d.size()), "oblong")
case(
    "arange", lambda a: torch.arange(*a), lambda d: (d.choice((5,), (2, 9), (2, 12, 3), (0.0, 2.0, 0.25), (9, 2, -2)),)
)
case("arange", lambda: torch.arange(start=1, end=4, dtype=torch.float64), lambda d: (), "keywords")
case("linspace", lambda a: torch.linspace(*a), lambda d: (d.choice((0, 1, 5), (-3.0, 3.0, 7), (2, 2, 1)),))
case("linspace", lambda: torch.linspace(0, 2, steps=4), lambda d: (), "keywords")

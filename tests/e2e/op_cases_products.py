"""Matrix products, attention and convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from op_draw import Draw, Table
from torch import Tensor, nn

TABLE = Table()
case = TABLE.case


# Matrix products.
def _matrices(d: Draw) -> tuple[Tensor, Tensor]:
    n, k, m = d.size(), d.size(1, 40), d.size()
    batch = d.shape(0, 3)
    first, second = d.broadcastable(batch), batch
    if d.chance():
        first, second = second, first
    return d.floats(*first, n, k), d.floats(*second, k, m)


case("matmul", lambda a, b: a @ b, _matrices, "batches")
case("matmul", lambda a, b: torch.matmul(a, b), lambda d: (d.floats(6), d.floats(6)), "vectors")
case("matmul", lambda a, b: a @ b, lambda d: (d.floats(6), d.floats(*d.shape(0, 2), 6, 3)), "vector-first")
case("matmul", lambda a, b: a @ b, lambda d: (d.floats(*d.shape(1, 3), 6), d.floats(6)), "vector-second")
case("matmul", lambda a, b: torch.mm(a, b), lambda d: (d.floats(3, 5), d.floats(5, 2)), "mm")
case("matmul", lambda a, b: torch.bmm(a, b), lambda d: (d.floats(2, 3, 5), d.floats(2, 5, 2)), "bmm")
case("matmul", lambda a, b: a.mv(b), lambda d: (d.floats(3, 5), d.floats(5)), "mv")
case("matmul", lambda a: a @ a.transpose(-2, -1), lambda d: (d.floats(2, 3, 5),), "transposed")
case("matmul", lambda a, b: a @ b, lambda d: (d.ints(-9, 9, 3, 5), d.ints(-9, 9, 5, 2)), "int")
case("matmul", lambda a, b: a @ b, lambda d: (d.floats(3, 5).double(), d.floats(5, 2).double()), "double")
case("matmul", lambda a, b: a @ b, lambda d: (d.floats(3, 50).bfloat16(), d.floats(50, 2).bfloat16()), "bfloat16")
case("matmul", lambda a, b: a @ b, lambda d: (d.floats(3, 0), d.floats(0, 2)), "empty")
case("linear", lambda m, x: m(x), lambda d: (nn.Linear(7, d.size(), bias=d.chance()), d.floats(*d.shape(0, 3), 7)))
case("linear", lambda x, w: F.linear(x, w), lambda d: (d.floats(3, 7), d.floats(7)), "vector")
case(
    "addmm",
    lambda c, a, b: torch.addmm(c, a, b),
    lambda d: (d.floats(*d.choice((), (4,), (3, 1), (3, 4))), d.floats(3, 6), d.floats(6, 4)),
)
case("addmm", lambda c, a, b: c.addmm(a, b, beta=1), lambda d: (d.floats(4), d.floats(3, 6), d.floats(6, 4)), "method")
case(
    "baddbmm",
    lambda c, a, b: torch.baddbmm(c, a, b),
    lambda d: (d.floats(*d.choice((2, 3, 4), (4,), (2, 1, 1))), d.floats(2, 3, 6), d.floats(2, 6, 4)),
)
case("outer", lambda a, b: torch.outer(a, b), lambda d: (d.floats(d.size()), d.floats(d.size())))
for _equation, _shapes in {
    "bij,bkj->bik": ((2, 3, 4), (2, 5, 4)),
    "bhqd,bhkd->bhqk": ((2, 2, 3, 4), (2, 2, 5, 4)),
    "ij->ji": ((3, 4),),
    "ij,ij->": ((3, 4), (3, 4)),
    "ii->i": ((4, 4),),
    "ii": ((4, 4),),
    "i,j->ij": ((3,), (4,)),
    "i,j->": ((3,), (4,)),
    "...ij,...jk->...ik": ((2, 1, 3, 4), (5, 4, 2)),
    "ij, jk, kl -> il": ((2, 3), (3, 4), (4, 2)),
    "cb,ab": ((3, 4), (2, 4)),
    "b...,b...->...": ((3, 2, 2), (3, 2, 2)),
    "xyz->xz": ((2, 3, 4),),
}.items():
    case(
        "einsum",
        lambda e, *tensors: torch.einsum(e, *tensors),
        lambda d, e=_equation, s=_shapes: (e, *(d.floats(*shape) for shape in s)),
        _equation,
    )
case("einsum", lambda a, b: torch.einsum("ik,kj->ij", [a, b]), lambda d: (d.floats(2, 3), d.floats(3, 4)), "list")
case(
    "cosine_similarity",
    lambda a, b, n: F.cosine_similarity(a, b, dim=n),
    lambda d: (d.floats(3, 4, 5), d.floats(*d.choice((3, 4, 5), (5,), (1, 4, 5))), d.dim(3)),
)
case(
    "cosine_similarity",
    lambda m, a, b: m(a, b),
    lambda d: (nn.CosineSimilarity(), d.floats(3, 8), torch.zeros(3, 8)),
    "zero",
)


def _attention(d: Draw, heads: int = 2, groups: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    length, keys, size = d.size(), d.size(), d.choice(2, 8)
    return (
        d.floats(2, heads, length, size),
        d.floats(2, heads // groups, keys, size),
        d.floats(2, heads // groups, keys, 3),
    )


case("scaled_dot_product_attention", lambda q, k, v: F.scaled_dot_product_attention(q, k, v), _attention)
case(
    "scaled_dot_product_attention",
    lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    _attention,
    "causal",
)
case(
    "scaled_dot_product_attention",
    lambda q, k, v: F.scaled_dot_product_attention(q[0, 0], k[0, 0], v[0, 0], scale=0.5),
    _attention,
    "2d",
)
case(
    "scaled_dot_product_attention",
    lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m),
    lambda d: (
        q := _attention(d),
        (*q, d.choice(d.bools(q[0].shape[2], q[1].shape[2]), d.floats(2, 1, q[0].shape[2], q[1].shape[2]))),
    )[1],
    "mask",
)
case(
    "scaled_dot_product_attention",
    lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True),
    lambda d: _attention(d, heads=4, groups=2),
    "grouped",
)


# Convolutions.
def _conv(n: int, transposed: bool = False) -> Callable[[Draw], tuple]:
    def make(d: Draw) -> tuple:
        groups = d.choice(1, 1, 2, 4)
        stride, dilation = [[d.size(1, 3) for _ in range(n)] for _ in range(2)]
        kernel = [d.size(1, 3) for _ in range(n)]
        options: dict[str, Any] = {
            "stride": tuple(stride),
            "dilation": tuple(dilation),
            "groups": groups,
            "bias": d.chance(),
        }
        if transposed:
            options["padding"] = tuple(d.size(0, 2) for _ in range(n))
            options["output_padding"] = tuple(d.size(0, max(s, t) - 1) for s, t in zip(stride, dilation, strict=True))
            kind: Any = getattr(nn, f"ConvTranspose{n}d")
        else:
            options["padding"] = d.choice(0, 1, 2, "valid", tuple(d.size(0, 2) for _ in range(n)))
            kind = getattr(nn, f"Conv{n}d")
        module = kind(4, 4, tuple(kernel), **options)
        batch = (2,) if d.chance() else ()
        return module, d.floats(*batch, 4, *(d.size(7, 9) for _ in range(n)))

    return make


def _same(n: int) -> Callable[[Draw], tuple]:
    def make(d: Draw) -> tuple:
        kernel, dilation = [tuple(d.size(1, high) for _ in range(n)) for high in (4, 2)]
        return getattr(nn, f"Conv{n}d")(2, 3, kernel, padding="same", dilation=dilation), d.floats(
            2, 2, *(d.size(6, 8) for _ in range(n))
        )

    return make


def _padded(n: int, mode: str) -> Callable[[Draw], tuple]:
    def make(d: Draw) -> tuple:
        padding = d.choice("same", tuple(d.size(0, 2) for _ in range(n)))
        module = getattr(nn, f"Conv{n}d")(2, 3, 3, padding=padding, padding_mode=mode, dilation=d.choice(1, 2))
        return module, d.floats(2, 2, *(d.size(6, 8) for _ in range(n)))

    return make


for _n in (1, 2, 3):
    case(f"conv{_n}d", lambda m, x: m(x), _conv(_n))
    case(f"conv{_n}d", lambda m, x: m(x), _same(_n), "same")
    case(f"conv_transpose{_n}d", lambda m, x: m(x), _conv(_n, transposed=True))
for _n in (1, 2):
    for _mode in ("reflect", "replicate", "circular", "zeros"):
        case(f"conv{_n}d", lambda m, x: m(x), _padded(_n, _mode), _mode)
case("conv1d", lambda x, w: F.conv1d(x, w, None, 2, 1), lambda d: (d.floats(2, 3, 9), d.floats(4, 3, 3)), "positional")
case(
    "conv2d", lambda m, x: m(x), lambda d: (nn.Conv2d(4, 8, 3, groups=4, padding=1), d.floats(2, 4, 6, 6)), "depthwise"
)
case(
    "conv2d",
    lambda x, w: F.conv2d(x, w, padding="same"),
    lambda d: (d.floats(2, 1, 6, 6).double(), d.floats(1, 1, 3, 3).double()),
    "double",
)

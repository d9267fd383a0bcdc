"""What takes many cells together: pooling, reductions, softmax, normalisation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from op_draw import Draw, Table
from torch import Tensor, nn

TABLE = Table()
case = TABLE.case


# Pooling.
def _pool(n: int, kind: str) -> Callable[[Draw], tuple]:
    def make(d: Draw) -> tuple:
        kernel = tuple(d.size(1, 4) for _ in range(n))
        options: dict[str, Any] = {"padding": tuple(d.size(0, k // 2) for k in kernel), "ceil_mode": d.chance()}
        if d.chance():
            options["stride"] = tuple(d.size(1, 3) for _ in range(n))
        if kind == "Max":
            options |= {"dilation": d.size(1, 2), "return_indices": d.chance()}
        else:
            options["count_include_pad"] = d.chance()
            if n > 1 and d.chance():
                options["divisor_override"] = d.size(1, 7)
        batch = (2,) if d.chance() else ()
        return getattr(nn, f"{kind}Pool{n}d")(kernel, **options), d.floats(
            *batch, 3, *(d.size(8, 10) for _ in range(n))
        )

    return make


for _n in (1, 2, 3):
    case(f"max_pool{_n}d", lambda m, x: m(x), _pool(_n, "Max"))
    case(f"avg_pool{_n}d", lambda m, x: m(x), _pool(_n, "Avg"))
    case(
        f"adaptive_avg_pool{_n}d",
        lambda m, x: m(x),
        lambda d, n=_n: (
            getattr(nn, f"AdaptiveAvgPool{n}d")(d.size(1, 5)),
            d.floats(2, 3, *(d.size(4, 9) for _ in range(n))),
        ),
    )
    case(
        f"adaptive_max_pool{_n}d",
        lambda m, x: m(x),
        lambda d, n=_n: (
            getattr(nn, f"AdaptiveMaxPool{n}d")(d.size(1, 5), return_indices=d.chance()),
            d.floats(2, 3, *(d.size(4, 9) for _ in range(n))),
        ),
    )
case(
    "max_pool2d",
    lambda x: F.max_pool2d(x, 3, 2, 1),
    lambda d: (d.floats(2, 3, 7, 7).masked_fill(d.bools(2, 3, 7, 7, share=0.1), math.nan),),
    "nan",
)
case(
    "max_pool2d",
    lambda x: F.max_pool2d(x, 2, return_indices=True),
    lambda d: (d.ints(0, 2, 2, 3, 6, 6).float(),),
    "ties",
)
case("avg_pool2d", lambda x: F.avg_pool2d(x, 2, ceil_mode=True), lambda d: (d.floats(2, 3, 7, 7),), "ceil")
case("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, (None, 2)), lambda d: (d.floats(2, 3, 7, 7),), "none")


# Interpolation: a size or a factor, larger or smaller.
def _resampling(n: int, modes: tuple[str, ...]) -> Callable[[Draw], tuple]:
    def make(d: Draw) -> tuple:
        inside = tuple(d.size(2, 6) for _ in range(n))
        options: dict[str, Any] = {"mode": d.choice(*modes)}
        if options["mode"].endswith("linear"):
            options["align_corners"] = d.chance()
        if d.chance():
            options["size"] = tuple(d.size(1, 9) for _ in range(n))
        else:
            options["scale_factor"] = d.choice(2, 0.5, 1.7, tuple(d.choice(2.0, 1.5) for _ in range(n)))
        return d.floats(2, 3, *inside), options

    return make


for _n, _linear in ((1, "linear"), (2, "bilinear"), (3, "trilinear")):
    for _mode in ("nearest", "nearest-exact", _linear):
        case("interpolate", lambda x, o: F.interpolate(x, **o), _resampling(_n, (_mode,)), f"{_n}d-{_mode}")
case("interpolate", lambda m, x: m(x), lambda d: (nn.Upsample(scale_factor=2), d.floats(2, 3, 4, 5)), "module")


# Reductions.
def _over(d: Draw, several: bool = True) -> tuple[tuple[int, ...], int | tuple[int, ...]]:
    shape = d.shape(1, 4)
    if several and d.chance():
        count = d.size(1, len(shape))
        return shape, tuple(int(i) - len(shape) * d.size(0, 1) for i in d.generator.permutation(len(shape))[:count])
    return shape, d.dim(len(shape))


def _reduce(several: bool = True, numbers: str = "floats") -> Callable[[Draw], tuple]:
    def make(d: Draw) -> tuple:
        shape, dim = _over(d, several)
        return getattr(d, numbers)(*shape), dim, d.chance()

    return make


for _name in ("sum", "mean", "amax", "amin", "var", "std", "logsumexp"):
    case(_name, lambda f, x, n, k: f(x, dim=n, keepdim=k), lambda d, n=_name: (getattr(torch, n), *_reduce()(d)))
for _name in ("max", "min", "prod", "argmax", "argmin"):
    case(
        _name,
        lambda f, x, n, k: f(x, dim=n, keepdim=k),
        lambda d, n=_name: (getattr(torch, n), *_reduce(several=False)(d)),
    )
for _name in ("any", "all"):
    case(
        _name,
        lambda f, x, n, k: f(x, dim=n, keepdim=k),
        lambda d, n=_name: (getattr(torch, n), *_reduce(several=False, numbers="bools")(d)),
    )
for _name in ("sum", "mean", "max", "min", "var", "std", "prod", "norm", "argmax", "argmin", "any", "all"):
    case(_name, lambda f, x: f(x), lambda d, n=_name: (getattr(torch, n), d.floats(*d.shape(0, 3))), "whole")
for _name in ("max", "min", "argmax", "amax", "sum", "logsumexp"):
    case(
        _name,
        lambda f, x: f(x, dim=-1),
        lambda d, n=_name: (
            getattr(torch, n),
            d.floats(4, 5).masked_fill(d.bools(4, 5, share=0.3), d.choice(math.nan, -math.inf, math.inf)),
        ),
        "special",
    )
    case(_name, lambda f, x: f(x, dim=-1), lambda d, n=_name: (getattr(torch, n), d.ints(0, 2, 4, 5).float()), "ties")
case("sum", lambda x: x.sum((0, -1), True), lambda d: (d.ints(-9, 9, 3, 4, 5),), "int")
case("sum", lambda x: x.sum(), lambda d: (d.bools(3, 4, 5),), "bool")
case("sum", lambda x: x.sum(-1), lambda d: (d.floats(3, 200).half(),), "half")
case("mean", lambda x: x.mean((2, 3)), lambda d: (100 + d.floats(2, 3, 9, 9),), "global")
case(
    "sum",
    lambda x: x.sum(-1),
    lambda d: (torch.cat([y := d.floats(5, 200, scale=100), -y + 0.001 * d.floats(5, 200)], -1),),
    "cancelling",
)
case("var", lambda x: x.var(1, False), lambda d: (100 + d.floats(3, 40),), "biased")
case("var", lambda x: torch.var(x, dim=(0, 1), correction=2), lambda d: (d.floats(3, 4, 5),), "correction")
case("var", lambda x: x.var(unbiased=False), lambda d: (d.floats(3, 4),), "unbiased")
case("std", lambda x: x.std(-1, keepdim=True), lambda d: (d.floats(3, 1),), "one-number")
for _p in (
    0,
    1,
    2,
    3,
    0.5,
    math.inf,
    -math.inf,
):
    case(
        "norm",
        lambda x, p, n, k: torch.norm(x, p, n, k),
        lambda d, p=_p: (x := _reduce()(d), (x[0], p, *x[1:]))[1],
        f"p={_p}",
    )
case("norm", lambda x: torch.norm(x, "fro", (0, -1)), lambda d: (d.floats(3, 4, 5),), "fro")
case("norm", lambda x: torch.linalg.vector_norm(x, 3, (0, 1), True), lambda d: (d.floats(3, 4, 5),), "vector_norm")
case("norm", lambda x: torch.linalg.norm(x, dim=-1, keepdim=True), lambda d: (d.floats(3, 4),), "linalg")
case("norm", lambda x: x.norm(dim=-1), lambda d: (d.floats(3, 4),), "method")
case("max", lambda x: x.max(0)[0], lambda d: (d.floats(3, 4),), "positional")
case("cumsum", lambda x, n: x.cumsum(n), lambda d: (x := d.floats(*d.shape(1, 4)), (x, d.dim(x.ndim)))[1])
case("cumsum", lambda x: torch.cumsum(x, dim=0), lambda d: (d.ints(0, 9, 5),), "int")
for _name in ("softmax", "log_softmax"):
    case(
        _name,
        lambda f, x, n: f(x, dim=n),
        lambda d, n=_name: (x := d.floats(*d.shape(1, 4), scale=4), (getattr(torch, n), x, d.dim(x.ndim)))[1],
    )
    case(
        _name,
        lambda f, x: f(x, dim=-1),
        lambda d, n=_name: (getattr(F, n), d.floats(4, 5).masked_fill(d.bools(4, 5, share=0.6), -math.inf)),
        "masked",
    )
    case(
        _name,
        lambda f, x: f(x, dim=-1),
        lambda d, n=_name: (getattr(F, n), torch.tensor([[-1e9, -1e9], [1e4, -1e4], [math.inf, 0], [math.nan, 0]])),
        "extreme",
    )
    case(_name, lambda f, x: f(x), lambda d, n=_name: (getattr(F, n), d.floats(*d.shape(1, 4))), "dim-unsaid")
case("softmax", lambda m, x: m(x), lambda d: (nn.Softmax(dim=1), d.floats(2, 3, 4).half()), "half")


# Normalisation.
def _scaled(module: Any, d: Draw) -> Any:
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            tensor.data = d.positive(*tensor.shape)
    return module.train(d.chance())


def _norm(kind: str, n: int = 0) -> Callable[[Draw], tuple]:
    def make(d: Draw) -> tuple:
        spatial = tuple(d.size(2, 4) for _ in range(n))
        x = d.choice(1, 50) + d.floats(3, 4, *spatial)
        affine = d.chance()
        if kind in {"LayerNorm", "RMSNorm"}:
            x = d.floats(*d.shape(0, 2), 4, 6)
            shape = d.choice((6,), (4, 6))
            eps = {} if d.chance() else {"eps": 1e-3}
            return _scaled(getattr(nn, kind)(shape, elementwise_affine=affine, **eps), d), x
        if kind == "GroupNorm":
            return _scaled(nn.GroupNorm(d.choice(1, 2, 4), 4, affine=affine, eps=d.choice(1e-5, 0.1)), d), x
        options = {"affine": affine, "track_running_stats": d.chance()}
        return _scaled(getattr(nn, f"{kind}{n}d")(4, **options), d), x

    return make


case("layer_norm", lambda m, x: m(x), _norm("LayerNorm"))
case("layer_norm", lambda x: F.layer_norm(x, (5,)), lambda d: (d.floats(2, 5).bfloat16(),), "bfloat16")
case("layer_norm", lambda x: F.layer_norm(x, (5,)), lambda d: (torch.full((2, 5), 3.0),), "constant")
case("rms_norm", lambda m, x: m(x), _norm("RMSNorm"))
for _n in (0, 1, 2, 3):
    case("group_norm", lambda m, x: m(x), _norm("GroupNorm", _n), f"{_n}d")
for _n in (1, 2, 3):
    case("batch_norm", lambda m, x: m(x), _norm("BatchNorm", _n), f"{_n}d")
    case("instance_norm", lambda m, x: m(x), _norm("InstanceNorm", _n), f"{_n}d")
case("batch_norm", lambda m, x: m(x), lambda d: (_scaled(nn.BatchNorm1d(4), d), d.floats(5, 4)), "flat")

# Vectors of length 1, order, losses.
case(
    "normalize",
    lambda x, p, n: F.normalize(x, p=p, dim=n),
    lambda d: (x := d.floats(*d.shape(1, 4)), d.choice(1, 2, 3, math.inf), d.dim(x.ndim))[0:3],
)
case("normalize", lambda x: F.normalize(x), lambda d: (d.floats(3, 4),), "plain")
case("normalize", lambda x: F.normalize(x, dim=-1), lambda d: (torch.zeros(2, 3),), "special")
case(
    "topk",
    lambda x, k, n, b: x.topk(k, dim=n, largest=b),
    lambda d: (x := d.floats(*d.shape(1, 4)), d.size(1, x.shape[n := d.dim(x.ndim)]), n, d.chance()),
)
case("topk", lambda x: torch.topk(x, 3), lambda d: (d.ints(0, 2, 4, 5).float(),), "ties")
case(
    "topk",
    lambda x: x.topk(2)[0],
    lambda d: (d.floats(3, 4).masked_fill(d.bools(3, 4, share=0.3), -math.inf),),
    "special",
)
for _name in ("sort", "argsort"):
    case(
        _name,
        lambda f, x, n, b: f(x, dim=n, descending=b),
        lambda d, n=_name: (x := d.floats(*d.shape(1, 4)), (getattr(torch, n), x, d.dim(x.ndim), d.chance()))[1],
    )
case("sort", lambda x: x.sort(stable=True), lambda d: (d.ints(0, 2, 4, 5),), "ties")
case(
    "sort",
    lambda x: torch.sort(x, -1, True),
    lambda d: (d.floats(3, 4).masked_fill(d.bools(3, 4), math.nan),),
    "special",
)


def _classes(d: Draw, weighted: bool = True) -> tuple[Tensor, Tensor, dict[str, Any]]:
    count = d.size(2, 5)
    shape = d.choice((), (3,), (2, 4), (2, 2, 3))
    x = d.floats(*shape[:1], count, *shape[1:], scale=3)
    options: dict[str, Any] = {"reduction": d.choice("none", "mean", "sum")}
    target = d.ints(0, count - 1, *shape)
    if shape and d.chance():
        target.view(-1)[0] = options["ignore_index"] = d.choice(-100, 1)
        target.view(-1)[1] = 0
    if weighted and d.chance():
        options["weight"] = d.positive(count)
    return x, target, options


case("cross_entropy", lambda x, t, o: F.cross_entropy(x, t, **o), _classes)
case("cross_entropy", lambda m, x, t: m(x, t), lambda d: (nn.CrossEntropyLoss(), *_classes(d)[:2]), "module")
case(
    "cross_entropy",
    lambda x, t, r: F.cross_entropy(x, t, reduction=r),
    lambda d: (d.floats(3, 4, scale=3), d.floats(3, 4).softmax(-1), d.choice("none", "mean", "sum")),
    "probabilities",
)
case(
    "nll_loss",
    lambda x, t, o: F.nll_loss(x, t, **o),
    lambda d: (lambda x, t, o: (x.log_softmax(int(x.ndim > 1)), t, o))(*_classes(d)),
)


# Distances.
def _rows(d: Draw) -> tuple[Tensor, Tensor, float]:
    width, batch = d.size(1, 6), d.choice((), (2,), (2, 3))
    other = tuple(d.choice(1, length) for length in batch)
    return d.floats(*batch, d.size(1, 5), width), d.floats(*other, d.size(1, 5), width), d.choice(1.0, 2.0)


case("cdist", lambda x, y, p: torch.cdist(x, y, p), _rows)
case("cdist", lambda x, y: torch.cdist(x, y), lambda d: (d.floats(40, 3), d.floats(30, 3)), "many")
for _name in ("mse_loss", "l1_loss"):
    case(
        _name,
        lambda f, x, t, r: f(x, t, reduction=r),
        lambda d, n=_name: (
            lambda shape: (getattr(F, n), d.floats(*shape), d.floats(*shape), d.choice("none", "mean", "sum"))
        )(d.shape(1, 3)),
    )
case("mse_loss", lambda m, x, t: m(x, t), lambda d: (nn.MSELoss(), d.floats(2, 3), d.floats(2, 3)), "module")

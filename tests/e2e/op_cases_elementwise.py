"""Element-wise functions, masks and triangles."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from op_draw import Draw, Table
from torch import Tensor, nn

from explorer.ops import BINARY

TABLE = Table()
case = TABLE.case


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, 1e-30, 1e30, -1e30, 25.0, -90.0, math.inf, -math.inf, math.nan]


# Element-wise, one operand. What is defined only somewhere gets numbers from there, and the special ones elsewhere.
DOMAINS = {"log": 0, "log2": 0, "log10": 0, "log1p": 0, "sqrt": 0, "rsqrt": 0, "acos": 1, "asin": 1}
TORCH_UNARY = (
    "abs neg exp exp2 expm1 log log1p log2 log10 sqrt rsqrt square reciprocal sin cos tan tanh sigmoid relu erf sign floor "
    "ceil round isnan isinf logical_not asin acos atan sinh cosh trunc isfinite"
).split()
FUNCTIONAL_UNARY = (
    "relu6 gelu silu mish elu selu celu leaky_relu softplus softsign hardtanh hardswish hardsigmoid logsigmoid tanhshrink "
    "hardshrink softshrink"
).split()


def _numbers(name: str) -> Callable[[Draw], Tensor]:
    bound = DOMAINS.get(name)
    if bound == 0:
        return lambda d: d.positive(*d.shape())
    return lambda d: d.floats(*d.shape(), scale=3) if bound is None else d.positive(*d.shape()) / 3.1


for _name in TORCH_UNARY:
    case(_name, lambda f, x: f(x), lambda d, n=_name: (getattr(torch, n), _numbers(n)(d)))
    case(_name, lambda f, x: f(x), lambda d, n=_name: (getattr(torch, n), torch.tensor(SPECIAL)), "special")
for _name in FUNCTIONAL_UNARY:
    _special = [
        x for x in SPECIAL if _name != "gelu" or x != math.inf
    ]  # of ∞ torch makes NaN or ∞, as the vectors fall
    case(_name, lambda f, x: f(x), lambda d, n=_name: (getattr(F, n), _numbers(n)(d)))
    case(_name, lambda f, x: f(x), lambda d, n=_name, s=_special: (getattr(F, n), torch.tensor(s)), "special")
for _name in ("exp", "sigmoid", "abs", "sqrt"):
    case(
        _name,
        lambda f, x: f(x),
        lambda d, n=_name: (getattr(torch, n), d.positive(7).to(d.choice(torch.half, torch.bfloat16))),
        "half",
    )
    case(_name, lambda f, x: f(x), lambda d, n=_name: (getattr(torch, n), d.positive(7).double()), "double")
    case(_name, lambda f, x: f(x), lambda d, n=_name: (getattr(torch, n), d.ints(0, 9, *d.shape())), "int")
case("relu", lambda x: x.clone().relu_(), lambda d: (d.floats(3, 4),), "in-place")
case("relu", lambda m, x: m(x + 0.1), lambda d: (nn.ReLU(inplace=d.chance()), d.floats(3, 4)), "module")
case("gelu", lambda x: F.gelu(x, approximate="tanh"), lambda d: (d.floats(*d.shape(), scale=3),), "tanh")
case("elu", lambda x, a: F.elu(x, alpha=a), lambda d: (d.floats(4, 5), d.choice(0.3, 1.0, 2.0)), "alpha")
case("celu", lambda m, x: m(x), lambda d: (nn.CELU(d.choice(0.3, 2.0)), d.floats(4, 5)), "alpha")
case("leaky_relu", lambda m, x: m(x), lambda d: (nn.LeakyReLU(d.choice(0.2, 0.0, 1.5)), d.floats(4, 5)), "slope")
case("leaky_relu", lambda x: F.leaky_relu(x, 0.3), lambda d: (d.floats(4, 5),), "positional")
case(
    "softplus",
    lambda x, b, t: F.softplus(x, b, t),
    lambda d: (d.floats(4, 5, scale=9), d.choice(0.5, 3), d.choice(2.0, 20)),
    "beta",
)
case("hardtanh", lambda x: F.hardtanh(x, -0.5, 2.0), lambda d: (d.floats(4, 5, scale=2),), "bounds")
case("hardtanh", lambda m, x: m(x), lambda d: (d.choice(nn.ReLU6(), nn.Hardtanh()), d.floats(4, 5, scale=4)), "module")
case("hardshrink", lambda x: F.hardshrink(x, 0.2), lambda d: (d.floats(4, 5),), "lambd")
case("round", lambda x, n: torch.round(x, decimals=n), lambda d: (d.floats(4, 5, scale=20), d.size(0, 3)), "decimals")
case(
    "logical_not",
    lambda x: ~x,
    lambda d: (d.choice(d.bools(3, 4), d.ints(-9, 9, 3, 4), d.ints(0, 9, 3).to(torch.uint8)),),
    "~",
)
case(
    "neg", lambda x: -x, lambda d: (d.ints(-9, 9, 3, 4).to(d.choice(torch.int8, torch.uint8, torch.int64)),), "operator"
)
case("clamp", lambda x, a, b: x.clamp(a, b), lambda d: (d.floats(4, 5), -0.4, d.choice(0.7, -1.0)))
case("clamp", lambda x: x.clamp(min=0.1), lambda d: (d.floats(4, 5),), "min")
case("clamp", lambda x: torch.clamp(x, max=0.1), lambda d: (d.floats(4, 5),), "max")
case(
    "clamp",
    lambda x, b: x.clip(b, b + 0.5),
    lambda d: (d.floats(4, 5), d.floats(d.choice(1, 4), d.choice(1, 5))),
    "tensors",
)
case("clamp", lambda x: torch.clamp_min(x, 0.2), lambda d: (d.floats(4, 5),), "clamp_min")
case("clamp", lambda x: x.clamp_max(0.2), lambda d: (d.floats(4, 5),), "clamp_max")
case("clamp", lambda x: x.clone().clamp_(0, 3), lambda d: (d.ints(-5, 5, 4, 5),), "int")
case("prelu", lambda m, x: m(x), lambda d: (nn.PReLU(d.choice(1, 3)), d.floats(2, 3, 4)))


# Element-wise, two operands.
def _pair(d: Draw, numbers: Callable[..., Tensor]) -> tuple[Tensor, Tensor]:
    shape = d.shape()
    first, second = numbers(*shape), numbers(*d.broadcastable(shape))
    return (first, second) if d.chance() else (second, first)


def _operands(op: str, d: Draw) -> tuple[Tensor, Tensor]:
    if op.startswith("logical"):
        return _pair(d, d.bools)
    if op in {"eq", "ne", "gt", "lt", "ge", "le"}:
        return _pair(d, lambda *shape: d.ints(-2, 2, *shape).to(d.choice(torch.float32, torch.int64, torch.half)))
    return _pair(d, d.positive if op == "pow" else d.floats)


for _name in BINARY:
    case(_name, lambda f, a, b: f(a, b), lambda d, n=_name: (getattr(torch, n), *_operands(n, d)))
for _name in BINARY:
    if _name.startswith("logical"):
        continue
    _moderate = [x for x in SPECIAL if _name not in {"fmod", "remainder"} or not 1e-40 < abs(x) < 1e-20]  # as for gelu
    case(
        _name,
        lambda f, a, b: f(a.repeat_interleave(len(b)), b.repeat(len(a))),
        lambda d, n=_name, s=_moderate: (getattr(torch, n), torch.tensor(s), torch.tensor(s)),
        "special",
    )
for _name in ("add", "sub", "mul", "maximum", "remainder", "floor_divide", "fmod", "gt"):
    case(
        _name,
        lambda f, a, b: f(a, b),
        lambda d, n=_name: (getattr(torch, n), d.ints(-9, 9, 3, 4), d.choice(d.ints(1, 9, 4), d.ints(-9, -1, 4))),
        "int",
    )
    case(
        _name,
        lambda f, a, b: f(a, b),
        lambda d, n=_name: (getattr(torch, n), d.ints(0, 255, 9).to(torch.uint8), d.ints(1, 255, 9).to(torch.uint8)),
        "uint8",
    )
    case(
        _name,
        lambda f, a, b: f(a, b),
        lambda d, n=_name: (
            getattr(torch, n),
            d.floats(9).to(d.choice(torch.half, torch.bfloat16)),
            d.choice(d.positive(9).half(), d.positive(9)),
        ),
        "half",
    )
case("add", lambda x: x + 1, lambda d: (d.any_dtype(*d.shape()),), "number")
case("add", lambda x: 2.5 + x, lambda d: (d.any_dtype(*d.shape()),), "reflected")
case("add", lambda x, y: torch.add(x, y, alpha=0.7), lambda d: (d.floats(3, 4), d.floats(4)), "alpha")
case("add", lambda x, y: x.clone().add_(y), lambda d: (d.floats(3, 4), d.floats(4)), "in-place")
case("sub", lambda x, y: x.sub(y, alpha=3), lambda d: (d.floats(3, 4), d.floats(4)), "alpha")
case("sub", lambda x: 1 - x, lambda d: (d.floats(3, 4),), "reflected")
case("sub", lambda x: x - 0.1, lambda d: (d.floats(3, 4).double(),), "double")
case("mul", lambda x: 0.3 * x * -2, lambda d: (d.floats(3, 4),), "numbers")
case("mul", lambda x, y: x * y, lambda d: (d.bools(3, 4), d.floats(4)), "bool")
case("div", lambda x: 1 / x, lambda d: (d.floats(3, 4),), "reflected")
case("div", lambda x, y: x / y, lambda d: (d.ints(-9, 9, 3, 4), d.ints(1, 9, 4)), "int")
for _mode in ("floor", "trunc"):
    case(
        "div",
        lambda x, y, m: torch.div(x, y, rounding_mode=m),
        lambda d, m=_mode: (d.floats(3, 4, scale=9), d.floats(4), m),
        _mode,
    )
    case(
        "div",
        lambda x, y, m: torch.div(x, y, rounding_mode=m),
        lambda d, m=_mode: (d.ints(-9, 9, 3, 4), d.ints(1, 9, 4), m),
        f"{_mode}-int",
    )
case("pow", lambda x, p: x**p, lambda d: (d.floats(3, 4), d.choice(2, 3, 0)), "number")
case("pow", lambda x: x**0.5, lambda d: (d.positive(3, 4),), "root")
case("pow", lambda x: 2**x, lambda d: (d.choice(d.floats(3, 4), d.ints(0, 9, 4)),), "reflected")
case("pow", lambda x: x**2, lambda d: (d.ints(-9, 9, 4),), "int")
case("remainder", lambda x: x % 3, lambda d: (d.choice(d.floats(3, 4, scale=5), d.ints(-9, 9, 3, 4)),), "number")
case("remainder", lambda x: 7 % x, lambda d: (d.ints(1, 9, 3, 4),), "reflected")
case("floor_divide", lambda x: x // 0.7, lambda d: (d.floats(3, 4, scale=5),), "number")
case("floor_divide", lambda x: 7 // x, lambda d: (d.ints(1, 9, 3, 4),), "reflected")
case("maximum", lambda x, y: torch.max(x, y), lambda d: (d.floats(3, 4), d.floats(4)), "max")
case("minimum", lambda x, y: x.min(y), lambda d: (d.floats(3, 4), d.floats(4)), "min")
case(
    "gt",
    lambda x: x > 0.1,
    lambda d: (d.choice(torch.tensor([0.1, 0.2, 0.0]), torch.tensor([0.1, 0.2]).half(), torch.tensor([0.1]).double()),),
    "number",
)
case("le", lambda x: 0.1 >= x, lambda d: (torch.tensor([0.1, 0.2, 0.0]),), "reflected")  # noqa: SIM300
case(
    "eq",
    lambda x, y: x == y,
    lambda d: (torch.tensor([0.1, 0.2]), torch.tensor(0.1, dtype=torch.float64)),
    "one-number",
)
case("ne", lambda x: x != 3, lambda d: (d.ints(0, 4, 5),), "number")
case("logical_and", lambda x, y: x & y, lambda d: (d.ints(-99, 99, 3, 4), d.ints(-99, 99, 4)), "bits")
case("logical_or", lambda x, y: x | y, lambda d: (d.bools(3, 4), d.bools(4)), "operator")
case("logical_xor", lambda x: x ^ 5, lambda d: (d.ints(0, 99, 3, 4),), "bits")
case("logical_and", lambda x, y: x.clone().__iand__(y), lambda d: (d.bools(3, 4), d.bools(4)), "in-place")

# Masks and triangles.
case(
    "masked_fill",
    lambda x, m: x.masked_fill(m, -math.inf),
    lambda d: (d.floats(2, 3, 4), d.bools(*d.choice((3, 4), (2, 1, 4)))),
)
case(
    "masked_fill",
    lambda x, m: x.masked_fill(m == 0, -1e9),
    lambda d: (d.floats(2, 3, 4), d.ints(0, 1, 3, 4)),
    "comparison",
)
case(
    "masked_fill",
    lambda x, m, v: x.masked_fill(m, v),
    lambda d: (d.ints(0, 9, 3, 4), d.bools(4), torch.tensor(7)),
    "tensor",
)
case("masked_fill", lambda x, m: x.clone().masked_fill_(m, 0), lambda d: (d.floats(3, 4), d.bools(3, 4)), "in-place")
case("where", lambda c, x, y: torch.where(c, x, y), lambda d: (d.bools(3, 1), d.floats(4), d.floats(3, 4)))
case("where", lambda c, x: torch.where(c, x, 0.5), lambda d: (d.bools(3, 4), d.floats(3, 4)), "number")
case("where", lambda c, x: torch.where(c, -2.0, x), lambda d: (d.bools(3, 4), d.floats(4)), "number-first")
case("where", lambda c, x, y: x.where(c, y), lambda d: (d.bools(3, 4), d.floats(3, 4), d.floats(4)), "method")
case("tril", lambda x, k: x.tril(k), lambda d: (d.floats(*d.shape(0, 2), d.size(), d.size()), d.size(-2, 2)))
case(
    "triu",
    lambda x, k: torch.triu(x, diagonal=k),
    lambda d: (d.floats(*d.shape(0, 2), d.size(), d.size()), d.size(-2, 2)),
)
case(
    "lerp",
    lambda x, y, w: torch.lerp(x, y, w),
    lambda d: (x := d.floats(*d.shape(1, 3)), d.floats(*x.shape), d.choice(0.3, 0.8, d.floats(*x.shape))),
)
case(
    "nan_to_num",
    lambda x, o: torch.nan_to_num(x, **o),
    lambda d: (
        d.floats(3, 5).masked_fill(d.bools(3, 5, share=0.3), d.choice(math.nan, math.inf, -math.inf)),
        d.choice({}, {"nan": 7.0}, {"nan": -1.0, "posinf": 9.0, "neginf": -9.0}),
    ),
    "special",
)

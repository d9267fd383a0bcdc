// The element-wise functions: their values in float64 and how they are written.

import { halfToEven } from "../numbers.js";

/** erf to float64: a series of positive terms near 0, a continued fraction in the tails. */
export function erf(x) {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  if (a < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = 0;
  for (let n = 40; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

const softplus = (x) => (x > 30 ? x : Math.log1p(Math.exp(x)));
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const between = (x, low, high) => Math.min(Math.max(x, low), high);

const SELU = { scale: 1.0507009873554805, alpha: 1.6732632423543772 };
const TANH_GELU = { c: Math.sqrt(2 / Math.PI), cube: 0.044715 };

const GELU = {
  value: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  worked: "½·{x}·(1 + erf({x} / √2))",
  magnitude: Math.abs, // 1 + erf cancels for negative x
};
const GELU_TANH = {
  value: (x) => 0.5 * x * (1 + Math.tanh(TANH_GELU.c * (x + TANH_GELU.cube * x ** 3))),
  worked: "½·{x}·(1 + tanh(√(2/π)·({x} + 0.044715·{x}³)))",
  magnitude: Math.abs,
};

/**
 * value(x, p): p are the attributes, `defaults` where the call names none. worked: what is calculated, with {x} and the
 * attributes in it; or which branch this x takes. formula: where that differs, or by the attributes. magnitude: of the
 * terms, where they cancel. predicate: true or false.
 */
export const UNARY_FUNCTIONS = {
  abs: { value: Math.abs, worked: "|{x}|" },
  neg: { value: (x) => -x, worked: "−{x}" },
  exp: { value: Math.exp, worked: "e^{x}" },
  exp2: { value: (x) => 2 ** x, worked: "2^{x}" },
  expm1: { value: Math.expm1, worked: "e^{x} − 1" },
  log: { value: Math.log, worked: "ln({x})" },
  log1p: { value: Math.log1p, worked: "ln(1 + {x})" },
  log2: { value: Math.log2, worked: "log₂({x})" },
  log10: { value: Math.log10, worked: "log₁₀({x})" },
  sqrt: { value: Math.sqrt, worked: "√{x}" },
  rsqrt: { value: (x) => 1 / Math.sqrt(x), worked: "1 / √{x}" },
  square: { value: (x) => x * x, worked: "{x}²" },
  reciprocal: { value: (x) => 1 / x, worked: "1 / {x}" },
  sin: { value: Math.sin, worked: "sin({x})" },
  cos: { value: Math.cos, worked: "cos({x})" },
  tan: { value: Math.tan, worked: "tan({x})" },
  asin: { value: Math.asin, worked: "arcsin({x})" },
  acos: { value: Math.acos, worked: "arccos({x})" },
  atan: { value: Math.atan, worked: "arctan({x})" },
  sinh: { value: Math.sinh, worked: "sinh({x})" },
  cosh: { value: Math.cosh, worked: "cosh({x})" },
  tanh: { value: Math.tanh, worked: "tanh({x})" },
  sigmoid: { value: sigmoid, worked: "1 / (1 + e^(−{x}))" },
  logsigmoid: { value: (x) => -softplus(-x), worked: "−ln(1 + e^(−{x}))" },
  relu: { value: (x) => Math.max(x, 0), worked: "max(0, {x})" },
  relu6: { value: (x) => between(x, 0, 6), worked: "min(max(0, {x}), 6)" },
  hardtanh: {
    value: (x, p) => between(x, p.min_val, p.max_val),
    worked: "min(max({min_val}, {x}), {max_val})",
    defaults: { min_val: -1, max_val: 1 },
  },
  gelu: { variant: (attrs) => (attrs.approximate === "tanh" ? GELU_TANH : GELU) },
  silu: { value: (x) => x * sigmoid(x), worked: "{x} / (1 + e^(−{x}))" },
  mish: { value: (x) => x * Math.tanh(softplus(x)), worked: "{x}·tanh(ln(1 + e^{x}))" },
  elu: {
    value: (x, p) => (x > 0 ? x : p.alpha * Math.expm1(x)),
    worked: (x, p) => (x > 0 ? "{x}" : p.alpha === 1 ? "e^{x} − 1" : "{alpha}·(e^{x} − 1)"),
    formula: (p) => `x if x > 0, otherwise ${p.alpha === 1 ? "eˣ − 1" : "{alpha}·(eˣ − 1)"}`,
    defaults: { alpha: 1 },
  },
  celu: {
    value: (x, p) => (x > 0 ? x : p.alpha * Math.expm1(x / p.alpha)),
    worked: (x, p) => (x > 0 ? "{x}" : p.alpha === 1 ? "e^{x} − 1" : "{alpha}·(e^({x} / {alpha}) − 1)"),
    formula: (p) => `x if x > 0, otherwise ${p.alpha === 1 ? "eˣ − 1" : "{alpha}·(e^(x / {alpha}) − 1)"}`,
    defaults: { alpha: 1 },
  },
  selu: {
    value: (x) => SELU.scale * (x > 0 ? x : SELU.alpha * Math.expm1(x)),
    worked: (x) => (x > 0 ? "1.0507·{x}" : "1.0507·1.6733·(e^{x} − 1)"),
    formula: "1.0507·x if x > 0, otherwise 1.0507·1.6733·(eˣ − 1)",
  },
  leaky_relu: {
    value: (x, p) => (x > 0 ? x : x * p.negative_slope),
    worked: (x) => (x > 0 ? "{x}" : "{negative_slope}·{x}"),
    formula: "x if x > 0, otherwise {negative_slope}·x",
    defaults: { negative_slope: 0.01 },
  },
  softplus: {
    value: (x, p) => (x * p.beta > p.threshold ? x : Math.log1p(Math.exp(x * p.beta)) / p.beta),
    worked: (x, p) => {
      if (x * p.beta > p.threshold) return "{x}";
      return p.beta === 1 ? "ln(1 + e^{x})" : "ln(1 + e^({beta}·{x})) / {beta}";
    },
    formula: (p) => (p.beta === 1 ? "ln(1 + eˣ)" : "ln(1 + e^({beta}·x)) / {beta}"),
    defaults: { beta: 1, threshold: 20 },
  },
  softsign: { value: (x) => x / (1 + Math.abs(x)), worked: "{x} / (1 + |{x}|)" },
  hardsigmoid: {
    value: (x) => between(x + 3, 0, 6) / 6,
    worked: "min(max(0, {x} + 3), 6) / 6",
    magnitude: (x) => (Math.abs(x) < 3 ? 1 : 0),
  },
  hardswish: {
    value: (x) => (x * between(x + 3, 0, 6)) / 6,
    worked: "{x}·min(max(0, {x} + 3), 6) / 6",
    magnitude: (x) => (Math.abs(x) < 3 ? Math.abs(x) : 0),
  },
  tanhshrink: { value: (x) => x - Math.tanh(x), worked: "{x} − tanh({x})", magnitude: Math.abs },
  hardshrink: {
    value: (x, p) => (x >= -p.lambd && x <= p.lambd ? 0 : x),
    worked: (x, p) => (x >= -p.lambd && x <= p.lambd ? "0, since |{x}| ≤ {lambd}" : "{x}"),
    formula: "x if |x| > {lambd}, otherwise 0",
    defaults: { lambd: 0.5 },
  },
  softshrink: {
    value: (x, p) => (x > p.lambd ? x - p.lambd : x < -p.lambd ? x + p.lambd : x * 0),
    worked: (x, p) => (x > p.lambd ? "{x} − {lambd}" : x < -p.lambd ? "{x} + {lambd}" : "0, since |{x}| ≤ {lambd}"),
    formula: "x moved {lambd} towards 0, and no further",
    defaults: { lambd: 0.5 },
    magnitude: Math.abs,
  },
  erf: { value: erf, worked: "erf({x})" },
  sign: { value: (x) => (Number.isNaN(x) ? 0 : Math.sign(x)), worked: "sign({x})" },
  floor: { value: Math.floor, worked: "⌊{x}⌋" },
  ceil: { value: Math.ceil, worked: "⌈{x}⌉" },
  trunc: { value: Math.trunc, worked: "trunc({x})" },
  round: {
    value: (x, p) => (p.decimals === 0 ? halfToEven(x) : halfToEven(p.store(x * 10 ** p.decimals)) / 10 ** p.decimals),
    worked: (_, p) => (p.decimals === 0 ? "round({x})" : "round({x}, {decimals} decimals)"),
    formula: "x to the nearest; of two that are equally near, the even one",
    defaults: { decimals: 0 },
  },
  logical_not: {
    variant: (_, dtype) =>
      dtype === "bool"
        ? { value: (x) => (x === 0 ? 1 : 0), worked: "not {x}", predicate: true }
        : { value: (x) => -x - 1, worked: "bitwise not {x}" },
  },
  isnan: {
    value: (x) => (Number.isNaN(x) ? 1 : 0),
    worked: "isnan({x})",
    formula: "x is not a number",
    predicate: true,
  },
  isinf: {
    value: (x) => (Math.abs(x) === Infinity ? 1 : 0),
    worked: "isinf({x})",
    formula: "x is infinite",
    predicate: true,
  },
  isfinite: {
    value: (x) => (Number.isFinite(x) ? 1 : 0),
    worked: "isfinite({x})",
    formula: "x is finite",
    predicate: true,
  },
};

/** As C has it: 1 to any power is 1, and so is −1 to an infinite one. */
function power(a, b) {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return a ** b;
}

function remainder(a, b) {
  const rest = a % b;
  return rest !== 0 && b < 0 !== rest < 0 ? rest + b : rest;
}

/** ⌊a / b⌋ without the rounding of a / b getting in the way. */
function floorDivide(a, b) {
  if (b === 0) return a / b;
  const rest = a % b;
  const quotient = (a - rest) / b - (rest !== 0 && b < 0 !== rest < 0 ? 1 : 0);
  return halfToEven(quotient);
}

const ADD = {
  value: (a, b, p) => a + p.alpha * b,
  worked: (p) => (p.alpha === 1 ? "{a} + {b}" : "{a} + {alpha}·{b}"),
  magnitude: (a, b, p) => Math.abs(a) + Math.abs(p.alpha * b),
  defaults: { alpha: 1 },
};
const SUBTRACT = {
  ...ADD,
  value: (a, b, p) => a - p.alpha * b,
  worked: (p) => (p.alpha === 1 ? "{a} − {b}" : "{a} − {alpha}·{b}"),
};
const FLOOR_DIVIDE = { value: floorDivide, worked: "⌊{a} / {b}⌋" };
const TRUNC_DIVIDE = { value: (a, b, p) => Math.trunc(p.store(a / b)), worked: "trunc({a} / {b})" };
const DIVIDE = { value: (a, b) => a / b, worked: "{a} / {b}" };

const comparison = (holds, sign) => ({
  value: (a, b) => (holds(a, b) ? 1 : 0),
  worked: `{a} ${sign} {b}`,
  predicate: true,
});

/** On bools and, or, exclusive or; on whole numbers the same of every bit. */
const logical = (ofTruths, ofBits, word) => ({
  variant: (_, dtype) =>
    dtype === "bool"
      ? { value: (a, b) => (ofTruths(a !== 0, b !== 0) ? 1 : 0), worked: `{a} ${word} {b}`, predicate: true }
      : { value: (a, b) => Number(BigInt.asIntN(64, ofBits(BigInt(a), BigInt(b)))), worked: `{a} bitwise ${word} {b}` },
});

/** As UNARY_FUNCTIONS, with {a} and {b}; worked may look at the attributes. */
export const BINARY_FUNCTIONS = {
  add: ADD,
  sub: SUBTRACT,
  mul: { value: (a, b) => a * b, worked: "{a}·{b}" },
  div: { variant: (attrs) => ({ floor: FLOOR_DIVIDE, trunc: TRUNC_DIVIDE })[attrs.rounding_mode] ?? DIVIDE },
  floor_divide: FLOOR_DIVIDE,
  remainder: { value: remainder, worked: "{a} mod {b}", magnitude: (a, b) => Math.abs(b) },
  fmod: { value: (a, b) => a % b, worked: "fmod({a}, {b})" },
  pow: { value: power, worked: "{a}^{b}" },
  maximum: { value: (a, b) => Math.max(a, b), worked: "max({a}, {b})" },
  minimum: { value: (a, b) => Math.min(a, b), worked: "min({a}, {b})" },
  atan2: { value: Math.atan2, worked: "atan2({a}, {b})" },
  eq: comparison((a, b) => a === b, "="),
  ne: comparison((a, b) => a !== b, "≠"),
  gt: comparison((a, b) => a > b, ">"),
  lt: comparison((a, b) => a < b, "<"),
  ge: comparison((a, b) => a >= b, "≥"),
  le: comparison((a, b) => a <= b, "≤"),
  logical_and: logical(
    (a, b) => a && b,
    (a, b) => a & b,
    "and",
  ),
  logical_or: logical(
    (a, b) => a || b,
    (a, b) => a | b,
    "or",
  ),
  logical_xor: logical(
    (a, b) => a !== b,
    (a, b) => a ^ b,
    "xor",
  ),
};

// Reductions over dims, and running sums.

import { groupsOf } from "./indexing.js";
import { cellToken, constant, MAX_CELLS, plain, series, text, write } from "./tokens.js";

const sumOf = (numbers) => {
  let sum = 0;
  for (let k = 0; k < numbers.length; k++) sum += numbers[k];
  return sum;
};

const sizeOfSum = (numbers) => {
  let sum = 0;
  for (let k = 0; k < numbers.length; k++) sum += Math.abs(numbers[k]);
  return sum;
};

/** Place of the largest number, or the smallest where sign is −1; the first of equals; NaN goes before all. */
function extreme(numbers, sign) {
  let best = 0;
  for (let k = 0; k < numbers.length; k++) {
    if (Number.isNaN(numbers[k])) return k;
    if (sign * numbers[k] > sign * numbers[best]) best = k;
  }
  return best;
}

/**
 * Each kind: work(numbers, p) → {value, magnitude, …}; lines(work, list, p): list(template, separator) spells the
 * numbers out, p.token(k) one of them; formula(p). p: the parameters; p.named: the place that torch names.
 */
const sum = {
  work: (numbers) => ({ value: sumOf(numbers), magnitude: sizeOfSum(numbers) }),
  lines: ({ value }, list) => [[...list("{x}"), text(" = "), constant(value)]],
  formula: () => "Σ input",
};

const mean = {
  work: (numbers) => {
    const count = numbers.length;
    return { count, value: sumOf(numbers) / count, magnitude: sizeOfSum(numbers) / count };
  },
  lines: ({ count, value }, list) => [
    [text("("), ...list("{x}"), text(") / "), constant(count), text(" = "), constant(value)],
  ],
  formula: () => "Σ input / n",
};

const prod = {
  work: (numbers) => {
    let value = 1;
    for (let k = 0; k < numbers.length; k++) value *= numbers[k];
    return { value, magnitude: Math.abs(value) };
  },
  lines: ({ value }, list) => [[...list("{x}", "·"), text(" = "), constant(value)]],
  formula: () => "Π input",
};

/**
 * Mean of squares about the mean. Rounding the mean shows in it where the mean is far from 0: the last term of
 * magnitude.
 */
function varianceOf(numbers, correction) {
  const count = numbers.length;
  const mean = sumOf(numbers) / count;
  let squares = 0;
  for (let k = 0; k < count; k++) squares += (numbers[k] - mean) ** 2;
  const divisor = Math.max(0, count - correction);
  const variance = squares / divisor;
  return { count, mean, divisor, variance, magnitude: variance + 2 * Math.abs(mean) * Math.sqrt(variance) };
}

const varianceLines = ({ count, mean, divisor, variance }, list) => [
  [text("μ = ("), ...list("{x}"), text(") / "), constant(count), text(" = "), constant(mean)],
  [text("σ² = ("), ...list("({x} − μ)²"), text(") / "), constant(divisor), text(" = "), constant(variance)],
];

const variance = {
  work: (numbers, { correction }) => {
    const work = varianceOf(numbers, correction);
    return { ...work, value: work.variance };
  },
  lines: varianceLines,
  formula: ({ correction }) => `Σ (input − μ)² / ${correction ? `(n − ${plain(correction)})` : "n"}`,
};

const deviation = {
  work: (numbers, { correction }) => {
    const work = varianceOf(numbers, correction);
    const value = Math.sqrt(work.variance);
    return { ...work, value, magnitude: value + 2 * Math.abs(work.mean) };
  },
  lines: (work, list) => [
    ...varianceLines(work, list),
    write("σ = √{v} = {s}", { v: constant(work.variance), s: constant(work.value) }),
  ],
  formula: ({ correction }) => `√(${variance.formula({ correction })})`,
};

const extremum = (sign, word) => ({
  work: (numbers) => {
    const best = extreme(numbers, sign);
    return { best, value: numbers[best], magnitude: 0 };
  },
  lines: ({ best }, list, { token }) => [[text(`${word}(`), ...list("{x}", ", "), text(") = "), token(best)]],
  formula: () => `${word} input`,
});

const place = (sign, word) => ({
  work: (numbers, { named }) => {
    let best = extreme(numbers, sign);
    if (numbers[named] === numbers[best]) best = named; // of equals torch may name any
    return { best, value: best, magnitude: 0 };
  },
  lines: ({ best, value }, list, { token }) => [
    [text(`${word}(`), ...list("{x}", ", "), text(") = "), token(best)],
    [text(`it stands at ${value} (counted from 0)`)],
  ],
  formula: () => `the place of ${word} input`,
});

const truth = (every) => ({
  work: (numbers) => {
    const holds = every ? numbers.every((x) => x !== 0) : numbers.some((x) => x !== 0);
    return { value: holds ? 1 : 0, magnitude: 0 };
  },
  lines: ({ value }, list) => [[...list("{x}", every ? " and " : " or "), text(value ? " is true" : " is false")]],
  formula: () => (every ? "every input is true" : "some input is true"),
});

export const norm = {
  work: (numbers, { p }) => {
    const sizes = numbers.map(Math.abs);
    if (p === Infinity) return { value: sizes[extreme(sizes, 1)], magnitude: 0 };
    if (p === -Infinity) return { value: sizes[extreme(sizes, -1)], magnitude: 0 };
    if (p === 0) return { value: sumOf(sizes.map((x) => (x === 0 ? 0 : 1))), magnitude: 0 };
    const value = p === 2 ? Math.sqrt(sumOf(sizes.map((x) => x * x))) : sumOf(sizes.map((x) => x ** p)) ** (1 / p);
    return { value, magnitude: value };
  },
  lines: ({ value }, list, { p }) => {
    const end = [text(" = "), constant(value)];
    if (p === Infinity) return [[text("max("), ...list("|{x}|", ", "), text(")"), ...end]];
    if (p === -Infinity) return [[text("min("), ...list("|{x}|", ", "), text(")"), ...end]];
    if (p === 0) return [[text("how many are not 0: "), ...list("{x}", ", "), ...end]];
    if (p === 1) return [[...list("|{x}|"), ...end]];
    if (p === 2) return [[text("√("), ...list("{x}²"), text(")"), ...end]];
    return [[text("("), ...list(`|{x}|^${plain(p)}`), text(`)^(1/${plain(p)})`), ...end]];
  },
  formula: ({ p }) => {
    if (Math.abs(p) === Infinity) return p > 0 ? "max |input|" : "min |input|";
    if (p === 0) return "how many of input are not 0";
    return p === 2 ? "√(Σ input²)" : p === 1 ? "Σ |input|" : `(Σ |input|^${plain(p)})^(1/${plain(p)})`;
  },
};

/** The largest number m and Σ e^(x − m). */
export function powers(numbers, shiftsInfinity) {
  const largest = numbers[extreme(numbers, 1)];
  const shift = Math.abs(largest) === Infinity && !shiftsInfinity ? 0 : largest;
  let total = 0;
  for (let k = 0; k < numbers.length; k++) total += Math.exp(numbers[k] - shift);
  return { largest, shift, total };
}

export const powersLines = ({ largest, shift, total }, list) => [
  [text("m = max("), ...list("{x}", ", "), text(") = "), constant(largest)],
  [text("Σ = "), ...list(Object.is(shift, largest) ? "e^({x} − m)" : "e^{x}"), text(" = "), constant(total)],
];

const logsumexp = {
  work: (numbers) => {
    const work = powers(numbers, false);
    const logarithm = Math.log(work.total);
    return { ...work, value: work.shift + logarithm, magnitude: Math.abs(work.shift) + Math.abs(logarithm) };
  },
  lines: (work, list) => [
    ...powersLines(work, list),
    write("{m} + ln({s}) = {v}", { m: constant(work.shift), s: constant(work.total), v: constant(work.value) }),
  ],
  formula: () => "ln(Σ e^input)",
};

const [largest, smallest] = [extremum(1, "max"), extremum(-1, "min")];
const [largestPlace, smallestPlace] = [place(1, "max"), place(-1, "min")];

/** Op → the kind of each of its outputs. */
const KINDS = {
  sum: [sum],
  mean: [mean],
  prod: [prod],
  var: [variance],
  std: [deviation],
  amax: [largest],
  amin: [smallest],
  max: [largest, largestPlace],
  min: [smallest, smallestPlace],
  argmax: [largestPlace],
  argmin: [smallestPlace],
  any: [truth(false)],
  all: [truth(true)],
  norm: [norm],
  logsumexp: [logsumexp],
};

/** A reader of groups: fills one array with the numbers of a group, and writes them out. */
export function groupReader(role, tensor, groups) {
  const { offsets } = groups;
  const numbers = new Float64Array(offsets.length);
  return {
    read(start) {
      for (let k = 0; k < numbers.length; k++) numbers[k] = tensor.data[start + offsets[k]];
      return numbers;
    },
    token: (start, k) => cellToken(role, tensor, start + offsets[k]),
    cells(start, count = offsets.length) {
      const flats = Array.from(offsets.subarray(0, Math.min(count, MAX_CELLS + 1)), (offset) => start + offset);
      return { role, flats };
    },
    list:
      (start, maxTerms, count = offsets.length) =>
      (template = "{x}", separator = " + ") =>
        series(count, maxTerms, (k) => write(template, { x: cellToken(role, tensor, start + offsets[k]) }), separator),
  };
}

const parametersOf = ({ attrs }) => ({ p: Number(attrs.p ?? 2), correction: attrs.correction ?? 1 });

function reductionView(op, step, outputNumber) {
  const kind = KINDS[op][outputNumber];
  const input = step.input.input;
  const out = step.outputs[outputNumber];
  const groups = groupsOf(input, step.attrs.dim);
  const reader = groupReader("input", input, groups);
  const parameters = parametersOf(step);
  if (Number.isNaN(parameters.p)) return null; // the nuclear norm
  return {
    compute(flat) {
      const start = groups.ofReduced(flat);
      return { start, ...kind.work(reader.read(start), { ...parameters, named: out.data[flat] }) };
    },
    describe(cell, maxTerms) {
      const { start } = cell;
      const token = (k) => reader.token(start, k);
      return {
        cells: [reader.cells(start)],
        lines: kind.lines(cell, reader.list(start, maxTerms), { ...parameters, token }),
      };
    },
  };
}

function reductionFormula(op, step) {
  const { dim } = step.attrs;
  const all = dim.length === step.input.input.shape.length;
  const over = all ? "all cells" : dim.length === 1 ? `dim ${dim[0]}` : `dims ${dim.join(", ")}`;
  return `${KINDS[op][0].formula(parametersOf(step))}, over ${over}`;
}

function cumsumView(step) {
  const input = step.input.input;
  const dim = step.attrs.dim;
  const groups = groupsOf(input, [dim]);
  const reader = groupReader("input", input, groups);
  const stride = input.strides[dim];
  return {
    compute(flat) {
      const start = groups.ofCell(flat);
      const count = (flat - start) / stride + 1;
      const numbers = reader.read(start).subarray(0, count);
      return { start, count, ...sum.work(numbers) };
    },
    describe(cell, maxTerms) {
      const list = reader.list(cell.start, maxTerms, cell.count);
      return { cells: [reader.cells(cell.start, cell.count)], lines: sum.lines(cell, list) };
    },
  };
}

export const REDUCTIONS = {
  ...Object.fromEntries(
    Object.keys(KINDS).map((op) => [
      op,
      {
        view: (step, outputNumber) => reductionView(op, step, outputNumber),
        formula: (step) => reductionFormula(op, step),
      },
    ]),
  ),
  cumsum: { view: cumsumView, formula: (step) => `Σ of input up to and including here, along dim ${step.attrs.dim}` },
};

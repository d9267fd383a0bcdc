// Losses of logits or log-probabilities against classes.

import { groupsOf, placeAt } from "./indexing.js";
import { groupReader, powers, powersLines } from "./reduction.js";
import { cellToken, constant, series, text, write } from "./tokens.js";

/**
 * cross_entropy and nll_loss against class numbers. Each place of the target is one case: its loss is −w·log p of its class,
 * 0 where the class is the ignored one.
 */
function lossView(step, logits) {
  const { input, target, weight } = step.input;
  const { attrs } = step;
  if (attrs.label_smoothing || attrs.size_average != null || attrs.reduce != null || !target.dtype.startsWith("int")) return null;
  const axis = input.shape.length > 1 ? 1 : 0;
  const groups = groupsOf(input, [axis]);
  const reader = groupReader("input", input, groups);
  const reduction = attrs.reduction ?? "mean";
  const ignored = attrs.ignore_index ?? -100;
  const stride = input.strides[axis];
  const one = (place) => {
    const start = groups.ofReduced(place);
    const chosen = target.data[place];
    if (chosen === ignored) return { place, start, chosen, factor: 0, value: 0, magnitude: 0 };
    const factor = weight ? weight.data[chosen] : 1;
    const flat = start + chosen * stride;
    if (!logits) return { place, start, chosen, flat, factor, value: -factor * input.data[flat], magnitude: Math.abs(factor * input.data[flat]) };
    const work = powers(reader.read(start), true);
    const logarithm = Math.log(work.total);
    const magnitude = Math.abs(factor) * (Math.abs(work.largest) + Math.abs(logarithm) + Math.abs(input.data[flat]));
    return { place, start, chosen, flat, factor, work, logarithm, value: factor * (work.largest + logarithm - input.data[flat]), magnitude };
  };
  const all = () => Array.from({ length: target.size }, (_, place) => one(place));
  const cellsOf = (cases) => {
    const counted = cases.filter(({ factor }) => factor !== 0);
    const flats = counted.flatMap(({ start, flat }) => (logits ? reader.cells(start).flats : [flat]));
    const cells = [{ role: "input", flats }, { role: "target", flats: cases.map(({ place }) => place) }];
    if (weight) cells.push({ role: "weight", flats: [...new Set(counted.map(({ chosen }) => chosen))] });
    return cells;
  };
  /** How one case came about; the last line ends in its loss. */
  const linesOf = (found, maxTerms) => {
    const names = { t: cellToken("target", target, found.place), v: constant(found.value) };
    if (found.flat === undefined) return [write("class {t} is ignored: {v}", names)];
    names.x = cellToken("input", input, found.flat);
    if (weight) names.w = cellToken("weight", weight, found.chosen);
    const times = weight ? "{w}·" : "";
    if (!logits) return [write(`class {t}: −${times}{x} = {v}`, names)];
    names.m = constant(found.work.largest);
    names.s = constant(found.work.total);
    const lines = powersLines(found.work, reader.list(found.start, maxTerms));
    return [...lines, write(`class {t}: ${weight ? "{w}·({m} + ln({s}) − {x})" : "{m} + ln({s}) − {x}"} = {v}`, names)];
  };
  return {
    compute(flat) {
      if (reduction === "none") return { cases: [one(flat)], ...one(flat) };
      const cases = all();
      const total = (key) => cases.reduce((sum, each) => sum + each[key], 0);
      const divisor = reduction === "mean" ? total("factor") : 1;
      return { cases, divisor, value: total("value") / divisor, magnitude: total("magnitude") / Math.abs(divisor) };
    },
    describe({ cases, divisor, value }, maxTerms) {
      if (reduction === "none") return { cells: cellsOf(cases), lines: linesOf(cases[0], maxTerms) };
      const sum = series(cases.length, maxTerms, (k) => [constant(cases[k].value)]);
      const last = reduction === "mean" ? [text("("), ...sum, text(") / "), constant(divisor)] : sum;
      const first = linesOf(cases[0], maxTerms);
      return { cells: cellsOf(cases), lines: [...(cases.length ? first : []), [...last, text(" = "), constant(value)]] };
    },
  };
}

/** Cross-entropy against probabilities: −Σ target·log softmax(input). */
function softTargetView(step) {
  const { input, target, weight } = step.input;
  const { attrs } = step;
  if (weight || attrs.label_smoothing || attrs.size_average != null || attrs.reduce != null) return null;
  const axis = input.shape.length > 1 ? 1 : 0;
  const groups = groupsOf(input, [axis]);
  const reader = groupReader("input", input, groups);
  const reduction = attrs.reduction ?? "mean";
  const cases = input.size / input.shape[axis];
  const one = (place) => {
    const start = groups.ofReduced(place);
    const work = powers(reader.read(start), true);
    const shift = work.largest + Math.log(work.total);
    let [value, magnitude] = [0, 0];
    for (const offset of groups.offsets) {
      const term = target.data[start + offset] * (shift - input.data[start + offset]);
      value += term;
      magnitude += Math.abs(target.data[start + offset]) * (Math.abs(shift) + Math.abs(input.data[start + offset]));
    }
    return { start, work, shift, value, magnitude };
  };
  return {
    compute(flat) {
      if (reduction === "none") return { losses: [one(flat)], ...one(flat) };
      const losses = Array.from({ length: cases }, (_, place) => one(place));
      const divisor = reduction === "mean" ? cases : 1;
      const total = (key) => losses.reduce((sum, each) => sum + each[key], 0) / divisor;
      return { losses, divisor, value: total("value"), magnitude: total("magnitude") };
    },
    describe({ losses, divisor, value }, maxTerms) {
      const [first] = losses;
      const flats = losses.flatMap(({ start }) => reader.cells(start).flats);
      const cells = [{ role: "input", flats }, { role: "target", flats }];
      const terms = series(groups.offsets.length, maxTerms, (k) => {
        const place = first.start + groups.offsets[k];
        return write("{t}·({l} − {x})", { t: cellToken("target", target, place), l: constant(first.shift), x: cellToken("input", input, place) });
      });
      const lines = [...powersLines(first.work, reader.list(first.start, maxTerms)), [...terms, text(" = "), constant(first.value)]];
      if (reduction === "none") return { cells, lines };
      const sum = series(losses.length, maxTerms, (k) => [constant(losses[k].value)]);
      const last = reduction === "mean" ? [text("("), ...sum, text(") / "), constant(divisor)] : sum;
      return { cells, lines: [...lines, [...last, text(" = "), constant(value)]] };
    },
  };
}

/** What becomes of the losses, as part of a formula. */
export const over = (step) => ({ mean: ", their mean", sum: ", their sum", none: "" })[step.attrs.reduction ?? "mean"];
const isSoft = (step) => String(step.input.target.shape) === String(step.input.input.shape) && step.input.target.dtype.startsWith("float");

export const LOSSES = {
  cross_entropy: {
    view: (step) => (isSoft(step) ? softTargetView(step) : lossView(step, true)),
    formula: (step) => (isSoft(step) ? `−Σ target · ln(softmax(input))${over(step)}` : `ln(Σ e^input) − input[class]${over(step)}`),
  },
  nll_loss: { view: (step) => lossView(step, false), formula: (step) => `−input[class]${over(step)}` },
};

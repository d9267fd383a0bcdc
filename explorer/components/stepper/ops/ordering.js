// What puts cells in order: sort and the largest few.

import { indexOf, groupsOf } from "./indexing.js";
import { groupReader } from "./reduction.js";
import { constant, text } from "./tokens.js";

const PLACES = ["1st", "2nd", "3rd"];
const ordinal = (k) => PLACES[k - 1] ?? (k % 100 < 21 && k % 100 > 3 ? `${k}th` : `${k}${["th", "st", "nd", "rd"][k % 10] ?? "th"}`);

/** Before or after; NaN counts as larger than every number. */
function compareNumbers(a, b) {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
  return a === b ? 0 : a < b ? -1 : 1; // two infinities have no difference
}

/** gives: what each output holds, "number" or "place". */
function orderView(step, gives) {
  if (!step.attrs.sorted) return null; // then torch promises no order
  const input = step.input.input;
  const { dim, largest } = step.attrs;
  const groups = groupsOf(input, [dim]);
  const reader = groupReader("input", input, groups);
  return (outputNumber) => {
    const out = step.outputs[outputNumber];
    return {
      compute(flat) {
        const index = indexOf(flat, out.shape);
        const rank = index[dim] ?? 0;
        const start = index.reduce((place, i, d) => place + (d === dim ? 0 : i * input.strides[d]), 0);
        const numbers = reader.read(start);
        const order = Array.from(numbers.keys()).sort((i, j) => (largest ? -1 : 1) * compareNumbers(numbers[i], numbers[j]) || i - j);
        let chosen = order[rank];
        if (gives[outputNumber] === "number") return { start, rank, chosen, value: numbers[chosen], magnitude: 0 };
        const named = out.data[flat]; // of equals torch may name any
        if (compareNumbers(numbers[named], numbers[chosen]) === 0) chosen = named;
        return { start, rank, chosen, value: chosen, magnitude: 0 };
      },
      describe({ start, rank, chosen, value }, maxTerms) {
        const which = rank === 0 ? "" : `${ordinal(rank + 1)} `;
        const list = reader.list(start, maxTerms)("{x}", ", ");
        const lines = [[text(`${which}${largest ? "largest" : "smallest"} of (`), ...list, text(") = "), reader.token(start, chosen)]];
        if (gives[outputNumber] === "place") lines.push([text("it stands at "), constant(value), text(" (counted from 0)")]);
        return { cells: [reader.cells(start)], lines };
      },
    };
  };
}

const ordering = (gives, formula) => ({ view: (step, outputNumber) => orderView(step, gives)?.(outputNumber) ?? null, formula });
const first = (step) => (step.attrs.largest ? "largest" : "smallest");

export const ORDERINGS = {
  topk: ordering(["number", "place"], (step) => `the ${step.attrs.k} ${first(step)} along dim ${step.attrs.dim}, and where they stand`),
  sort: ordering(["number", "place"], (step) => `input in order along dim ${step.attrs.dim}, the ${first(step)} first`),
  argsort: ordering(["place"], (step) => `where the cells of dim ${step.attrs.dim} in order stand, the ${first(step)} first`),
};

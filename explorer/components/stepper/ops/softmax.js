// Softmax and its logarithm.

import { groupsOf } from "./indexing.js";
import { groupReader, powers, powersLines } from "./reduction.js";
import { cellToken, constant, text, write } from "./tokens.js";

function softmaxView(step, logarithmic) {
  const input = step.input.input;
  const groups = groupsOf(input, [step.attrs.dim]);
  const reader = groupReader("input", input, groups);
  let last = null;
  return {
    compute(flat) {
      const start = groups.ofCell(flat);
      if (last?.start !== start) last = { start, ...powers(reader.read(start), true) };
      const { largest, total } = last;
      const x = input.data[flat];
      const shifted = x - largest;
      if (!logarithmic) {
        const value = Math.exp(shifted) / total;
        return { flat, start, work: last, shifted, value, magnitude: value };
      }
      const logarithm = Math.log(total);
      const magnitude = Math.abs(x) + Math.abs(largest) + logarithm;
      return { flat, start, work: last, shifted, value: shifted - logarithm, magnitude };
    },
    describe({ flat, start, work, shifted, value }, maxTerms) {
      const names = {
        x: cellToken("input", input, flat),
        m: constant(work.largest),
        s: constant(work.total),
        p: constant(Math.exp(shifted)),
        v: constant(value),
      };
      if (work.largest === -Infinity) {
        // What torch gives too: there is nothing to divide among.
        const lines = [[text("all "), ...reader.list(start, maxTerms)("{x}", ", "), text(" are masked: e^(−∞ − (−∞)) is no number, and so is the row")]];
        return { cells: [reader.cells(start)], lines };
      }
      const last = logarithmic
        ? [write("{x} − {m} − ln({s}) = {v}", names)]
        : [write("e^({x} − {m}) = {p}", names), write("{p} / {s} = {v}", names)];
      return { cells: [reader.cells(start)], lines: [...powersLines(work, reader.list(start, maxTerms)), ...last] };
    },
  };
}

const softmaxFormula = (step, logarithmic) =>
  `${logarithmic ? "x − ln(Σ eˣ)" : "eˣ / Σ eˣ"}, Σ over dim ${step.attrs.dim}`;

export const SOFTMAXES = {
  softmax: { view: (step) => softmaxView(step, false), formula: (step) => softmaxFormula(step, false) },
  log_softmax: { view: (step) => softmaxView(step, true), formula: (step) => softmaxFormula(step, true) },
};

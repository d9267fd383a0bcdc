// What a cell is made of: the arithmetic behind every number of a step, recomputed in float64 and held against torch's.

import { formatNumber } from "../shared/number.js";
import { asRepresented, relative, tolerance } from "./numbers.js";
import { ATTENTION } from "./ops/attention.js";
import { CONTRACTIONS } from "./ops/contraction.js";
import { CONVOLUTIONS } from "./ops/convolution.js";
import { CREATIONS } from "./ops/creation.js";
import { DISTANCES } from "./ops/distances.js";
import { ELEMENTWISE } from "./ops/elementwise.js";
import { LOSSES } from "./ops/losses.js";
import { MOVES } from "./ops/moves.js";
import { NORMALISATIONS } from "./ops/normalisation.js";
import { ORDERINGS } from "./ops/ordering.js";
import { POOLINGS } from "./ops/pooling.js";
import { REDUCTIONS } from "./ops/reduction.js";
import { RESAMPLINGS } from "./ops/resampling.js";
import { SOFTMAXES } from "./ops/softmax.js";
import { MAX_CELLS } from "./ops/tokens.js";

/**
 * op → {view, formula}. view(step, outputNumber) gives {compute, describe} or null; compute(flat) the recomputed
 * `value`, the `magnitude` of the terms in it (see tolerance) and whatever describe(cell, maxTerms) needs to say
 * {cells, lines, note}.
 */
const OPS = {
  ...CONTRACTIONS,
  ...ATTENTION,
  ...CONVOLUTIONS,
  ...POOLINGS,
  ...RESAMPLINGS,
  ...ELEMENTWISE,
  ...REDUCTIONS,
  ...SOFTMAXES,
  ...NORMALISATIONS,
  ...MOVES,
  ...ORDERINGS,
  ...LOSSES,
  ...DISTANCES,
  ...CREATIONS,
};

/** Whether this op has an arithmetic view. */
export const hasArithmetic = (op) => Object.hasOwn(OPS, op);

/** What the op calculates in general, as plain text, "" for ops without an arithmetic view. */
export const formula = (step) => (isWorked(step) ? OPS[step.op].formula(step) : "");

const isWorked = ({ op, inputs }) => hasArithmetic(op) && (inputs.length > 0 || OPS[op].creates === true);

const views = new WeakMap();

/** The view of one output of a step, null where there is none or a tensor was left out of the trace. */
function viewOf(step, outputNumber) {
  if (!views.has(step)) views.set(step, []);
  const known = views.get(step);
  if (known[outputNumber] === undefined) {
    const tensors = [...step.inputs.map((input) => input.tensor), step.outputs[outputNumber]];
    const whole = tensors.every((tensor) => tensor?.data && !tensor.dtype.startsWith("complex"));
    known[outputNumber] = (whole && isWorked(step) && OPS[step.op].view(step, outputNumber)) || null;
  }
  return known[outputNumber];
}

/** The difference between torch's number and ours, and whether rounding explains it. */
function compare(value, actual, magnitude, dtype) {
  if (value === actual || (Number.isNaN(value) && Number.isNaN(actual))) return { difference: 0, ok: true };
  const difference = Math.abs(value - actual);
  return { difference, ok: difference <= tolerance(dtype, actual, magnitude) };
}

/**
 * The arithmetic of one output cell, null where the op has no arithmetic view or an input it needs was left out. cells:
 * [{role, flats}], every cell that contributes. lines: what is calculated, each a list of tokens: {text}; {number,
 * role, flat} for an input cell; {number} for a constant or an intermediate result. At most maxTerms terms of a sum are
 * spelled out. value: recomputed from the cells; actual: torch's number; ok: they differ by no more than rounding
 * explains.
 */
export function explain(step, outputNumber, flat, maxTerms = 8) {
  const view = viewOf(step, outputNumber);
  if (!view) return null;
  const { dtype, data } = step.outputs[outputNumber];
  const cell = view.compute(flat);
  const { cells, lines } = view.describe(cell, maxTerms);
  const value = asRepresented(cell.value, dtype);
  const actual = data[flat];
  const notes = [];
  if (value !== cell.value && Number.isFinite(cell.value))
    notes.push(`${dtype} keeps ${formatNumber(cell.value)} as ${formatNumber(value)}.`);
  if (step.edited) notes.push("This output was edited by hand.");
  const capped = capCells(cells);
  if (capped !== cells) notes.push(`Only ${MAX_CELLS.toLocaleString("en")} of the contributing cells are lit.`);
  const note = notes.join(" ");
  return { cells: capped, lines, value, actual, ...compare(value, actual, cell.magnitude, dtype), note };
}

function capCells(cells) {
  let room = MAX_CELLS;
  if (cells.reduce((sum, { flats }) => sum + flats.length, 0) <= room) return cells;
  return cells.map(({ role, flats }) => {
    const kept = flats.slice(0, room);
    room -= kept.length;
    return { role, flats: kept };
  });
}

/**
 * Recompute `count` cells of an output from flat place `from` on. wrong: the flat places that differ by more than
 * rounding explains; worst: the largest difference relative to torch's number or to the magnitude of the summed terms,
 * whichever is larger. Null where explain gives null.
 */
export function checkAll(step, outputNumber, { from = 0, count = Infinity } = {}) {
  const view = viewOf(step, outputNumber);
  if (!view) return null;
  const { dtype, data, size } = step.outputs[outputNumber];
  const end = Math.min(size, from + count);
  const wrong = [];
  let worst = 0;
  for (let flat = from; flat < end; flat++) {
    const cell = view.compute(flat);
    const actual = data[flat];
    const value = asRepresented(cell.value, dtype);
    const { difference, ok } = compare(value, actual, cell.magnitude, dtype);
    if (!ok) wrong.push(flat);
    if (difference > 0) worst = Math.max(worst, relative(difference, dtype, actual, cell.magnitude));
  }
  return { checked: Math.max(0, end - from), wrong, worst };
}

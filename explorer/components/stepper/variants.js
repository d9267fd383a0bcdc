// A step of a trace with numbers set by hand, seen four ways: as it ran, as it was before, what the edits changed, and what the
// code gave before its own output was edited.

import { scaleFor } from "../shared/colour.js";

export const EDIT_VIEWS = ["original", "edited", "difference"];

const kept = new WeakMap();

/** Whether the edits changed anything that this step takes or gives. */
export const isChanged = (step) => step.edited || step.original != null;

/** view: "edited", the step itself; "original"; "difference"; "given". */
export function variantOf(step, view) {
  if (view === "edited" || (view === "given" && !step.given)) return step;
  if (!kept.has(step)) kept.set(step, {});
  const known = kept.get(step);
  known[view] ??= view === "given" ? { ...step, outputs: step.given, edited: false } : turned(step, view);
  return known[view];
}

function turned(step, view) {
  const { inputs = {}, outputs = [] } = step.original ?? {};
  const turn = view === "original" ? (now, then) => then ?? now : difference;
  const turnedInputs = step.inputs.map((input) => ({ ...input, tensor: turn(input.tensor, inputs[input.role]) }));
  return {
    ...step,
    edited: false,
    inputs: turnedInputs,
    input: Object.fromEntries(turnedInputs.map((input) => [input.role, input.tensor])),
    outputs: step.outputs.map((tensor, i) => turn(tensor, outputs[i])),
  };
}

const differences = new WeakMap();

/** now − then, cell by cell, with both in its `pair`; 0 where both are the same, infinities and NaN too. */
function difference(now, then) {
  const known = differences.get(now);
  if (known?.pair[1] === (then ?? now)) return known;
  const before = then ?? now;
  const data = now.data && before.data && new Float64Array(now.size);
  let largest = 0;
  for (let i = 0; data && before !== now && i < now.size; i++) {
    data[i] = Object.is(now.data[i], before.data[i]) || now.data[i] === before.data[i] ? 0 : now.data[i] - before.data[i];
    if (Number.isFinite(data[i])) largest = Math.max(largest, Math.abs(data[i]));
  }
  const made = { ...now, data, pair: [now, before], extent: { low: -largest, high: largest } };
  differences.set(now, made);
  return made;
}

/** The scale of differences: zero is neutral, even where there are none. */
export function differenceScale(tensors) {
  const limit = Math.max(0, ...tensors.map((tensor) => tensor.extent?.high ?? 0));
  return limit > 0 ? scaleFor({ low: -limit, high: limit }) : { kind: "diverging", limit: 0, low: 0, high: 0 };
}

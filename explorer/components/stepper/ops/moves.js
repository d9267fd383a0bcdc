// Ops that only move cells: views, slices, joins, look-ups. An output cell shows the one cell it came from.

import { indexOf, placeAt } from "./indexing.js";
import { cellToken, nameOf, plain, text } from "./tokens.js";

/**
 * from(flat): {role, tensor, place}, the cell that is copied; or {number, why} for a filled one. also: index cells
 * used.
 */
function copyView(step, from, also = () => []) {
  return {
    compute(flat) {
      const origin = from(flat);
      const value = origin.tensor ? origin.tensor.data[origin.place] : origin.number;
      return { flat, origin, value, magnitude: 0 };
    },
    describe({ flat, origin }) {
      const { role, tensor, place } = origin;
      const cells = tensor ? [{ role, flats: [place] }] : [];
      const line = tensor
        ? [text(`${nameOf(step, role)}[${indexOf(place, tensor.shape).join(", ")}] = `), cellToken(role, tensor, place)]
        : [{ number: origin.number }, text(` (${origin.why})`)];
      return { cells: [...cells, ...also(flat)], lines: [line] };
    },
  };
}

/** The index cells that chose an output cell, where the op has an index tensor in which they can be pointed at. */
function indexCells(step) {
  const index = step.input.index ?? step.input.indices;
  const out = step.outputs[0];
  if (!index || index.dtype === "bool") return () => [];
  if (step.op === "index_select") {
    const dim = (step.attrs.dim + out.shape.length) % out.shape.length;
    return (flat) => [{ role: "index", flats: [indexOf(flat, out.shape)[dim]] }];
  }
  if (step.op === "gather") return (flat) => [{ role: "index", flats: [flat] }];
  if (step.op === "getitem") {
    const slice = out.size / index.size; // an index tensor alone comes first, whatever its shape
    return (flat) => [{ role: "index", flats: [Math.floor(flat / slice)] }];
  }
  return () => [];
}

function moveView(step, outputNumber) {
  const input = step.inputs[0].tensor;
  const role = step.inputs[0].role;
  const out = step.outputs[outputNumber];
  const move = step.attrs.moves?.[outputNumber];
  if (move) {
    const { shape, strides, offset } = move;
    if (shape.reduce((product, length) => product * length, 1) !== out.size) return null;
    return copyView(step, (flat) => ({ role, tensor: input, place: offset + placeAt(flat, shape, strides) }));
  }
  const { source } = step;
  if (!source?.data || source.size !== out.size) return null;
  const fill = Number(step.attrs.value ?? 0);
  const why = step.op === "setitem" ? "assigned" : "padding";
  return copyView(
    step,
    (flat) => {
      const place = source.data[flat];
      if (place >= 0) return { role, tensor: input, place };
      if (place === -1) return { number: fill, why };
      return { role: "value", tensor: step.input.value, place: -2 - place };
    },
    indexCells(step),
  );
}

/** cat: the tensors one after the other along dim. */
function catView(step) {
  const { dim } = step.attrs;
  const { shape } = step.outputs[0];
  const parts = [];
  let start = 0;
  for (const { role, tensor } of step.inputs) {
    // torch lets an empty tensor of one dimension join anything.
    const length = tensor.shape.length === shape.length ? tensor.shape[dim] : 0;
    if (length > 0) parts.push({ role, tensor, start, end: start + length });
    start += length;
  }
  return copyView(step, (flat) => {
    const index = indexOf(flat, shape);
    const part = parts.find(({ end }) => index[dim] < end);
    index[dim] -= part.start;
    return { ...part, place: index.reduce((place, i, d) => place + i * part.tensor.strides[d], 0) };
  });
}

/** stack: the tensors one after the other along a new dim. */
function stackView(step) {
  const { dim } = step.attrs;
  const { shape } = step.outputs[0];
  return copyView(step, (flat) => {
    const index = indexOf(flat, shape);
    const [number] = index.splice(dim, 1);
    const { role, tensor } = step.inputs[number];
    return { role, tensor, place: index.reduce((place, i, d) => place + i * tensor.strides[d], 0) };
  });
}

function embeddingView(step) {
  const { input, weight } = step.input;
  if (step.attrs.max_norm != null) return null; // rows are rescaled on the way
  const size = weight.shape[1];
  const token = (flat) => Math.floor(flat / size);
  return copyView(
    step,
    (flat) => ({ role: "weight", tensor: weight, place: input.data[token(flat)] * size + (flat % size) }),
    (flat) => [{ role: "input", flats: [token(flat)] }],
  );
}

function oneHotView(step) {
  const { input } = step.input;
  const classes = step.outputs[0].shape.at(-1);
  return {
    compute(flat) {
      const place = Math.floor(flat / classes);
      return { place, column: flat % classes, value: input.data[place] === flat % classes ? 1 : 0, magnitude: 0 };
    },
    describe({ place, column, value }) {
      const line = [cellToken("input", input, place), text(` = ${column} is ${value ? "true" : "false"}: ${value}`)];
      return { cells: [{ role: "input", flats: [place] }], lines: [line] };
    },
  };
}

const joined = (step) => step.inputs.map(({ role }) => nameOf(step, role)).join(", ");

function moveFormula(step) {
  const dropped = step.op === "dropout" && !step.attrs.moves;
  if (dropped) return "some cells become 0, the others are divided by the share that is kept";
  if (step.op === "pad") {
    const { mode = "constant", value = 0 } = step.attrs;
    return mode === "constant" ? `input, with ${plain(Number(value))} around it` : `input, padded by ${mode}`;
  }
  if (step.op === "setitem") return "input, with the chosen cells replaced by value";
  return "each cell is one of the input’s";
}

const MOVED =
  "view reshape flatten unflatten ravel squeeze unsqueeze transpose t T mT H mH permute getitem narrow select expand " +
  "expand_as broadcast_to view_as reshape_as repeat tile repeat_interleave roll flip split chunk unbind tensor_split unfold " +
  "contiguous clone to float double half bfloat16 long int short bool type detach gather index_select diagonal pixel_shuffle " +
  "pixel_unshuffle take_along_dim rot90 pad dropout setitem";

const move = { view: moveView, formula: moveFormula };

export const MOVES = {
  ...Object.fromEntries(MOVED.split(" ").map((op) => [op, move])),
  cat: { view: catView, formula: (step) => `${joined(step)}, one after the other along dim ${step.attrs.dim}` },
  stack: {
    view: stackView,
    formula: (step) => `${joined(step)}, one after the other along a new dim ${step.attrs.dim}`,
  },
  embedding: { view: embeddingView, formula: () => "out[…, j] = weight[input[…], j]" },
  one_hot: { view: oneHotView, formula: () => "out[…, k] = 1 if input[…] = k, otherwise 0" },
};

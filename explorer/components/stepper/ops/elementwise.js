// Element-wise ops: every output cell is made of the cells that stand where it stands, after broadcasting.

import { asStored, commonDtype, isFloat, LARGEST } from "../numbers.js";
import { BINARY_FUNCTIONS, UNARY_FUNCTIONS } from "./functions.js";
import { broadcast } from "./indexing.js";
import { cellToken, constant, plain, spell, text, write } from "./tokens.js";

/**
 * An operand of a step, a tensor or a number: read(flat of the output), and the token and cell that it shows. Null if
 * absent.
 */
function operandOf(step, role, shape) {
  const tensor = step.input[role];
  if (tensor) {
    const place = broadcast(tensor, shape);
    return {
      role,
      tensor,
      read: (flat) => tensor.data[place(flat)],
      token: (flat) => cellToken(role, tensor, place(flat)),
      cells: (flat) => [{ role, flats: [place(flat)] }],
    };
  }
  if (step.attrs[role] == null) return null;
  const number = Number(step.attrs[role]);
  return { role, number, read: () => number, token: () => constant(number), cells: () => [] };
}

/** The attributes of the call with the op's defaults, as numbers; variants resolved. */
function settle(entry, step) {
  const entryHere = entry.variant ? entry.variant(step.attrs, step.outputs[0].dtype) : entry;
  const parameters = Object.fromEntries(
    Object.entries(entryHere.defaults ?? {}).map(([name, value]) => [name, Number(step.attrs[name] ?? value)]),
  );
  return [entryHere, parameters];
}

const constants = (parameters) =>
  Object.fromEntries(Object.entries(parameters).map(([name, number]) => [name, constant(number)]));

const result = (value, predicate) =>
  predicate ? [text(value ? " is true" : " is false")] : [text(" = "), constant(value)];

function unaryView(entry, step) {
  const [{ value: apply, worked, magnitude = null, predicate = false }, parameters] = settle(entry, step);
  const input = step.input.input;
  const store = (number) => asStored(number, input.dtype);
  const settings = { ...parameters, store };
  return {
    compute(flat) {
      const x = input.data[flat];
      const value = apply(x, settings);
      return { flat, x, value, magnitude: magnitude === null ? Math.abs(value) : magnitude(x, settings) };
    },
    describe({ flat, x, value }) {
      const template = typeof worked === "function" ? worked(x, settings) : worked;
      const line = write(template, { ...constants(parameters), x: cellToken("input", input, flat) });
      const bare = line.length === 1 && line[0].role; // the number passes as it is: "0.31", not "0.31 = 0.31"
      const tokens = bare ? line : [...line, ...result(value, predicate)];
      return { cells: [{ role: "input", flats: [flat] }], lines: [tokens] };
    },
  };
}

function unaryFormula(entry, step) {
  const [{ worked, formula = worked }, parameters] = settle(entry, step);
  return spell(typeof formula === "function" ? formula(parameters) : formula, { ...parameters, x: "x" });
}

function binaryView(entry, step) {
  const [{ value: apply, worked, magnitude = null, predicate = false }, parameters] = settle(entry, step);
  const shape = step.outputs[0].shape;
  const operands = ["input", "other"].map((role) => operandOf(step, role, shape));
  const [a, b] = operands;
  if (!a || !b) return null;
  const tensors = operands.filter((operand) => operand.tensor).map((operand) => operand.tensor);
  const numbers = operands.filter((operand) => !operand.tensor).map((operand) => operand.number);
  const common = commonDtype(tensors, numbers);
  // torch rounds each operand to the common type first; with halves only comparisons do.
  const rounds = common === "float32" || (predicate && isFloat(common));
  const reader = ({ tensor, read }) =>
    rounds && tensor?.dtype !== common ? (flat) => asStored(read(flat), common) : read;
  const [readA, readB] = operands.map(reader);
  const settings = { ...parameters, store: (number) => (common === "float32" ? Math.fround(number) : number) };
  return {
    compute(flat) {
      const [x, y] = [readA(flat), readB(flat)];
      const value = apply(x, y, settings);
      return { flat, value, magnitude: magnitude === null ? Math.abs(value) : magnitude(x, y, settings) };
    },
    describe({ flat, value }) {
      const template = typeof worked === "function" ? worked(settings) : worked;
      const line = write(template, { ...constants(parameters), a: a.token(flat), b: b.token(flat) });
      return { cells: [...a.cells(flat), ...b.cells(flat)], lines: [[...line, ...result(value, predicate)]] };
    },
  };
}

function binaryFormula(entry, step) {
  const [{ worked }, parameters] = settle(entry, step);
  const template = typeof worked === "function" ? worked(parameters) : worked;
  const name = (role) => (step.input[role] ? role : plain(Number(step.attrs[role])));
  return spell(template.replaceAll("·", " · "), { ...parameters, a: name("input"), b: name("other") });
}

/**
 * A view whose cells pick some of the operands or combine them: choose(flat) gives [template, operands by name, value] and,
 * where terms may cancel, their magnitude.
 */
function choiceView(choose) {
  return {
    compute(flat) {
      const [template, operands, value, magnitude = Math.abs(value)] = choose(flat);
      return { flat, template, operands, value, magnitude };
    },
    describe({ flat, template, operands, value }) {
      const tokens = Object.fromEntries(Object.entries(operands).map(([name, operand]) => [name, operand.token(flat)]));
      return {
        cells: Object.values(operands).flatMap((operand) => operand.cells(flat)),
        lines: [write(template, { ...tokens, value: constant(value) })],
      };
    },
  };
}

function clampView(step) {
  const shape = step.outputs[0].shape;
  const [x, min, max] = ["input", "min", "max"].map((role) => operandOf(step, role, shape));
  const template = min && max ? "min(max({x}, {min}), {max})" : min ? "max({x}, {min})" : "min({x}, {max})";
  const operands = { x, ...(min && { min }), ...(max && { max }) };
  return choiceView((flat) => {
    let value = x.read(flat);
    if (min) value = Math.max(value, min.read(flat));
    if (max) value = Math.min(value, max.read(flat));
    return [`${template} = {value}`, operands, value];
  });
}

function clampFormula(step) {
  const name = (role) => (step.input[role] ? role : plain(Number(step.attrs[role])));
  const has = (role) => step.input[role] || step.attrs[role] != null;
  const lower = has("min") ? `max(x, ${name("min")})` : "x";
  return has("max") ? `min(${lower}, ${name("max")})` : lower;
}

function preluView(step) {
  const { input, weight } = step.input;
  const x = operandOf(step, "input", input.shape);
  const perChannel = input.strides[1] ?? 1;
  const channel = (flat) => (weight.size === 1 ? 0 : Math.floor(flat / perChannel) % weight.size);
  const slope = {
    token: (flat) => cellToken("weight", weight, channel(flat)),
    cells: (flat) => [{ role: "weight", flats: [channel(flat)] }],
  };
  return choiceView((flat) => {
    const number = x.read(flat);
    if (number > 0) return ["{x}", { x }, number];
    return ["{slope}·{x} = {value}", { slope, x }, weight.data[channel(flat)] * number];
  });
}

function whereView(step) {
  const shape = step.outputs[0].shape;
  const [condition, yes, no] = ["condition", "input", "other"].map((role) => operandOf(step, role, shape));
  if (!condition || !yes || !no) return null;
  return choiceView((flat) => {
    const holds = condition.read(flat) !== 0;
    const taken = holds ? yes : no;
    const template = holds ? "condition is true ({condition}): {taken}" : "condition is false ({condition}): {taken}";
    return [template, { condition, taken }, taken.read(flat)];
  });
}

function maskedFillView(step) {
  const shape = step.outputs[0].shape;
  const [input, mask, value] = ["input", "mask", "value"].map((role) => operandOf(step, role, shape));
  if (!mask || !value) return null;
  return choiceView((flat) => {
    const masked = mask.read(flat) !== 0;
    const taken = masked ? value : input;
    return [masked ? "masked ({mask}): {taken}" : "not masked ({mask}): {taken}", { mask, taken }, taken.read(flat)];
  });
}

function lerpView(step) {
  const shape = step.outputs[0].shape;
  const [start, end, weight] = ["input", "end", "weight"].map((role) => operandOf(step, role, shape));
  return choiceView((flat) => {
    const [a, b, w] = [start, end, weight].map((operand) => operand.read(flat));
    const magnitude = Math.abs(a) + Math.abs(w) * (Math.abs(a) + Math.abs(b));
    return ["{start} + {weight}·({end} − {start}) = {value}", { start, weight, end }, a + w * (b - a), magnitude];
  });
}

function nanToNumView(step) {
  const input = operandOf(step, "input", step.outputs[0].shape);
  const largest = LARGEST[step.input.input.dtype] ?? Number.MAX_VALUE;
  const { nan = 0, posinf = largest, neginf = -largest } = step.attrs;
  return choiceView((flat) => {
    const x = input.read(flat);
    if (Number.isFinite(x)) return ["{input}", { input }, x];
    return ["{input} becomes {value}", { input }, Number(Number.isNaN(x) ? nan : x > 0 ? posinf : neginf)];
  });
}

/** tril and triu: on the diagonal j − i = d, and on one side of it, cells stay; the others become 0. */
function triangleView(step, lower) {
  const input = operandOf(step, "input", step.outputs[0].shape);
  const [rows, columns] = step.outputs[0].shape.slice(-2);
  const diagonal = step.attrs.diagonal ?? 0;
  return choiceView((flat) => {
    const column = flat % columns;
    const row = Math.floor(flat / columns) % rows;
    const kept = lower ? column - row <= diagonal : column - row >= diagonal;
    if (kept) return ["{input}", { input }, input.read(flat)];
    return [lower ? "0 (above the diagonal)" : "0 (below the diagonal)", {}, 0];
  });
}

function triangleFormula(step, lower) {
  const diagonal = step.attrs.diagonal ?? 0;
  return `out[i,j] = input[i,j] if j − i ${lower ? "≤" : "≥"} ${plain(diagonal)}, otherwise 0`;
}

const entries = (functions, view, formula) =>
  Object.fromEntries(
    Object.entries(functions).map(([op, entry]) => [
      op,
      { view: (step) => view(entry, step), formula: (step) => formula(entry, step) },
    ]),
  );

export const ELEMENTWISE = {
  ...entries(UNARY_FUNCTIONS, unaryView, unaryFormula),
  ...entries(BINARY_FUNCTIONS, binaryView, binaryFormula),
  clamp: { view: clampView, formula: clampFormula },
  prelu: { view: preluView, formula: () => "x if x > 0, otherwise weight · x" },
  where: { view: whereView, formula: () => "input where the condition is true, otherwise other" },
  masked_fill: {
    view: maskedFillView,
    formula: (step) =>
      `${step.input.value ? "value" : plain(Number(step.attrs.value))} where the mask is true, otherwise input`,
  },
  lerp: { view: lerpView, formula: () => "input + weight · (end − input)" },
  nan_to_num: { view: nanToNumView, formula: () => "input, with numbers in place of NaN and ±∞" },
  tril: { view: (step) => triangleView(step, true), formula: (step) => triangleFormula(step, true) },
  triu: { view: (step) => triangleView(step, false), formula: (step) => triangleFormula(step, false) },
};

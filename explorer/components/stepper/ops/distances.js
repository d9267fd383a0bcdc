// Distances: of every vector to every other, and of every number to its target.

import { broadcast } from "./indexing.js";
import { over } from "./losses.js";
import { cellToken, constant, series, text, write } from "./tokens.js";

/** cdist: the Euclidean or, with p = 1, the city-block distance of each row of x1 to each row of x2. */
function distanceView(step) {
  const { x1, x2 } = step.input;
  const p = Number(step.attrs.p ?? 2);
  if (p !== 1 && p !== 2) return null;
  const { shape } = step.outputs[0];
  const width = x1.shape.at(-1);
  const batch = shape.slice(0, -2);
  const [rows, columns] = shape.slice(-2);
  const matrices = (tensor) => ({ size: tensor.size / (tensor.shape.at(-1) * tensor.shape.at(-2)), shape: tensor.shape.slice(0, -2), strides: tensor.strides.slice(0, -2).map((stride) => stride / (tensor.shape.at(-1) * tensor.shape.at(-2))) });
  const [first, second] = [x1, x2].map((tensor) => broadcast(matrices(tensor), batch));
  const part = p === 2 ? (difference) => difference ** 2 : Math.abs;
  return {
    compute(flat) {
      const matrix = Math.floor(flat / (rows * columns));
      const a = (first(matrix) * rows + (Math.floor(flat / columns) % rows)) * width;
      const b = (second(matrix) * columns + (flat % columns)) * width;
      let total = 0;
      for (let k = 0; k < width; k++) total += part(x1.data[a + k] - x2.data[b + k]);
      const value = p === 2 ? Math.sqrt(total) : total;
      // Many rows at once are multiplied out as x² − 2xy + y², which cancels where the two are near.
      const largest = Array.from({ length: width }, (_, k) => Math.abs(x1.data[a + k]) + Math.abs(x2.data[b + k]));
      return { a, b, total, value, magnitude: Math.hypot(...largest) };
    },
    describe({ a, b, total, value }, maxTerms) {
      const template = p === 2 ? "({x} − {y})²" : "|{x} − {y}|";
      const term = (k) => write(template, { x: cellToken("x1", x1, a + k), y: cellToken("x2", x2, b + k) });
      const flats = (start) => Array.from({ length: width }, (_, k) => start + k);
      const lines = [[...series(width, maxTerms, term), text(" = "), constant(total)]];
      if (p === 2) lines.push(write("√{t} = {v}", { t: constant(total), v: constant(value) }));
      return { cells: [{ role: "x1", flats: flats(a) }, { role: "x2", flats: flats(b) }], lines };
    },
  };
}

const TERMS = { mse_loss: "({x} − {t})²", l1_loss: "|{x} − {t}|" };

/** mse_loss and l1_loss: how far each number is from its target, and the mean or the sum of that. */
function errorView(step) {
  const { input, target, weight } = step.input;
  const { attrs } = step;
  if (weight || attrs.size_average != null || attrs.reduce != null || String(input.shape) !== String(target.shape)) return null;
  const reduction = attrs.reduction ?? "mean";
  const apply = step.op === "mse_loss" ? (difference) => difference ** 2 : Math.abs;
  const one = (place) => apply(input.data[place] - target.data[place]);
  const size = (place) => apply(Math.abs(input.data[place]) + Math.abs(target.data[place]));
  const term = (place) => write(TERMS[step.op], { x: cellToken("input", input, place), t: cellToken("target", target, place) });
  const cells = (flats) => [{ role: "input", flats }, { role: "target", flats }];
  if (reduction === "none") {
    return {
      compute: (flat) => ({ flat, value: one(flat), magnitude: size(flat) }),
      describe: ({ flat, value }) => ({ cells: cells([flat]), lines: [[...term(flat), text(" = "), constant(value)]] }),
    };
  }
  const divisor = reduction === "mean" ? input.size : 1;
  const total = (value) => {
    let sum = 0;
    for (let place = 0; place < input.size; place++) sum += value(place);
    return sum / divisor;
  };
  return {
    compute: () => ({ value: total(one), magnitude: total(size) }),
    describe({ value }, maxTerms) {
      const sum = series(input.size, maxTerms, term);
      const line = reduction === "mean" ? [text("("), ...sum, text(") / "), constant(divisor)] : sum;
      return { cells: cells(Array.from({ length: input.size }, (_, place) => place)), lines: [[...line, text(" = "), constant(value)]] };
    },
  };
}

export const DISTANCES = {
  cdist: {
    view: distanceView,
    formula: (step) => (Number(step.attrs.p ?? 2) === 2 ? "out[i,j] = √(Σₖ (x1[i,k] − x2[j,k])²)" : "out[i,j] = Σₖ |x1[i,k] − x2[j,k]|"),
  },
  mse_loss: { view: errorView, formula: (step) => `(input − target)²${over(step)}` },
  l1_loss: { view: errorView, formula: (step) => `|input − target|${over(step)}` },
};

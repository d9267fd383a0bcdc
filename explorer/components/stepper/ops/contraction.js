// Sums of products: matrix products, einsum, cosine similarity.

import { allPlaces, axisOf, broadcast, groupsOf, placeAt } from "./indexing.js";
import { cellToken, constant, series, text, write } from "./tokens.js";

/**
 * Σₖ Πₜ factor t at place k (+ bias). factors: [{role, tensor, places}]; gather(flat) writes into `places` which cells
 * the terms of an output cell take, −1 for padding, and gives the number of terms. bias: {role, tensor, place: flat →
 * place}. repeats: a cell may occur twice.
 */
export function sumOfProducts({ factors, gather, bias = null, repeats = false }) {
  const data = factors.map((factor) => factor.tensor.data);
  const places = factors.map((factor) => factor.places);
  return {
    compute(flat) {
      const count = gather(flat);
      let value = 0;
      let magnitude = 0;
      for (let k = 0; k < count; k++) {
        let product = 1;
        for (let t = 0; t < data.length; t++) product *= places[t][k] < 0 ? 0 : data[t][places[t][k]];
        value += product;
        magnitude += Math.abs(product);
      }
      if (bias) {
        const added = bias.tensor.data[bias.place(flat)];
        value += added;
        magnitude += Math.abs(added);
      }
      return { flat, value, magnitude };
    },

    describe({ flat, value }, maxTerms) {
      const count = gather(flat);
      const cells = factors.map(({ role, places }) => {
        const flats = places.subarray(0, count).filter((place) => place >= 0);
        return { role, flats: Array.from(repeats ? new Set(flats) : flats) };
      });
      const line = series(count, maxTerms, (k) =>
        factors.flatMap(({ role, tensor, places }, t) => {
          const factor = places[k] < 0 ? text("0 (padding)") : cellToken(role, tensor, places[k]);
          const tokens = factor.number < 0 && factors.length > 1 ? [text("("), factor, text(")")] : [factor];
          return t > 0 ? [text("·"), ...tokens] : tokens;
        }),
      );
      if (bias) {
        const place = bias.place(flat);
        cells.push({ role: bias.role, flats: [place] });
        line.push(...write(count > 0 ? " + {bias}" : "{bias}", { bias: cellToken(bias.role, bias.tensor, place) }));
      } else if (count === 0) line.push(text("0 (nothing reaches this cell)"));
      return { cells, lines: [[...line, text(" = "), constant(value)]] };
    },
  };
}

/**
 * operands: [{role, tensor, labels: a name for each dimension}]; dimensions whose name is not in outLabels are summed.
 */
function contraction(operands, outLabels, bias) {
  const lengths = new Map();
  for (const { tensor, labels } of operands) {
    labels.forEach((label, d) => lengths.set(label, Math.max(lengths.get(label) ?? 0, tensor.shape[d])));
    // A dimension of length 0 leaves nothing to sum, whatever it is broadcast against.
    labels.forEach((label, d) => tensor.shape[d] === 0 && lengths.set(label, 0));
  }
  const summed = [...lengths.keys()].filter((label) => !outLabels.includes(label));
  const strideOf = ({ tensor, labels }, label) =>
    labels.reduce((sum, own, d) => sum + (own === label && tensor.shape[d] !== 1 ? tensor.strides[d] : 0), 0);
  const outShape = outLabels.map((label) => lengths.get(label));
  const factors = operands.map((operand) => {
    const offsets = allPlaces(
      summed.map((label) => lengths.get(label)),
      summed.map((label) => strideOf(operand, label)),
    );
    const strides = outLabels.map((label) => strideOf(operand, label));
    return { ...operand, offsets, strides, places: new Int32Array(offsets.length) };
  });
  return sumOfProducts({
    factors,
    bias,
    repeats: factors.some((factor) => summed.some((label) => lengths.get(label) > 1 && strideOf(factor, label) === 0)),
    gather(flat) {
      for (const { offsets, strides, places } of factors) {
        const base = placeAt(flat, outShape, strides);
        for (let k = 0; k < places.length; k++) places[k] = base + offsets[k];
      }
      return factors[0].places.length;
    },
  });
}

const SUBSCRIPTS = {
  a: "ₐ",
  e: "ₑ",
  h: "ₕ",
  i: "ᵢ",
  j: "ⱼ",
  k: "ₖ",
  l: "ₗ",
  m: "ₘ",
  n: "ₙ",
  o: "ₒ",
  p: "ₚ",
  r: "ᵣ",
  s: "ₛ",
  t: "ₜ",
  x: "ₓ",
};

/** "out[b,i,j] = Σₖ input[b,i,k] · other[b,k,j]" */
function contractionFormula(operands, outLabels, more = "") {
  const summed = [...new Set(operands.flatMap(({ labels }) => labels))].filter((label) => !outLabels.includes(label));
  const known = summed.every((label) => label in SUBSCRIPTS);
  const sum = known ? summed.map((label) => SUBSCRIPTS[label]).join("") : `_${summed.join(",")}`;
  const product = operands.map(({ role, labels }) => indexed(role, labels)).join(" · ");
  return `${indexed("out", outLabels)} = ${summed.length ? `Σ${sum} ` : ""}${product}${more}`;
}

const DIGITS = "₀₁₂₃₄₅₆₇₈₉";

/** "input[b,i]", "operand₀[b,i]". */
function indexed(role, labels) {
  const name = role.replace(/^operands\.(\d)$/, (_, digit) => `operand${DIGITS[digit]}`);
  return labels.length ? `${name}[${labels.join(",")}]` : name;
}

const BATCH = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** Names for n leading dimensions: b; b, h; then from the end of the alphabet's beginning. */
const batchLabels = (n) => (n === 1 ? ["b"] : n === 2 ? ["b", "h"] : BATCH.slice(0, n));

function matmulLabels(step) {
  const { input, other } = step.input;
  const leading = Math.max(input.shape.length, other.shape.length, 2) - 2;
  const batch = batchLabels(leading);
  const labels = (shape, last) => (shape.length === 1 ? ["k"] : [...batch.slice(leading - shape.length + 2), ...last]);
  const rows = input.shape.length > 1 ? ["i"] : [];
  const columns = other.shape.length > 1 ? ["j"] : [];
  return [
    [
      { role: "input", tensor: input, labels: labels(input.shape, ["i", "k"]) },
      { role: "other", tensor: other, labels: labels(other.shape, ["k", "j"]) },
    ],
    [...batch, ...rows, ...columns],
  ];
}

function linearLabels(step) {
  const { input, weight } = step.input;
  const leading = input.shape.length - 1;
  const batch = leading === 2 ? ["b", "t"] : batchLabels(leading);
  const features = weight.shape.length > 1 ? ["j"] : [];
  return [
    [
      { role: "input", tensor: input, labels: [...batch, "k"] },
      { role: "weight", tensor: weight, labels: [...features, "k"] },
    ],
    [...batch, ...features],
  ];
}

function linearView(step) {
  const bias = step.input.bias;
  const features = bias?.size;
  return contraction(...linearLabels(step), bias && { role: "bias", tensor: bias, place: (flat) => flat % features });
}

function linearFormula(step) {
  const [operands, outLabels] = linearLabels(step);
  const bias = step.input.bias;
  return contractionFormula(operands, outLabels, bias ? ` + ${indexed("bias", bias.shape.length ? ["j"] : [])}` : "");
}

/** addmm and baddbmm: a product with something added. Null where alpha or beta scale the two. */
function addedProduct(step) {
  const [first, second] = step.op === "addmm" ? ["mat1", "mat2"] : ["batch1", "batch2"];
  if ((step.attrs.alpha ?? 1) !== 1 || (step.attrs.beta ?? 1) !== 1) return null;
  const batch = step.op === "addmm" ? [] : ["b"];
  const operands = [
    { role: first, tensor: step.input[first], labels: [...batch, "i", "k"] },
    { role: second, tensor: step.input[second], labels: [...batch, "k", "j"] },
  ];
  return [operands, [...batch, "i", "j"]];
}

function addedProductView(step) {
  const parts = addedProduct(step);
  const added = step.input.input;
  return parts && contraction(...parts, { role: "input", tensor: added, place: broadcast(added, step.outputs[0].shape) });
}

function addedProductFormula(step) {
  const parts = addedProduct(step);
  return parts ? contractionFormula(...parts, " + input") : "";
}

function outerLabels(step) {
  const operands = [
    { role: "input", tensor: step.input.input, labels: ["i"] },
    { role: "vec2", tensor: step.input.vec2, labels: ["j"] },
  ];
  return [operands, ["i", "j"]];
}

/**
 * The labels of an einsum equation; the dimensions of "…" are called …1, …2, … from the last. Null if not written in
 * letters.
 */
function einsumLabels(step) {
  const roles = step.inputs.map((input) => input.role);
  if (typeof step.attrs.equation !== "string") return null;
  const [left, right] = step.attrs.equation.replaceAll(" ", "").split("->");
  const terms = left.split(",");
  if (terms.length !== roles.length || !roles.every((role) => role.startsWith("operands"))) return null;
  const expand = (term, dots) => {
    const [before, after] = term.split("...");
    if (after === undefined) return [...term];
    return [...before, ...Array.from({ length: dots }, (_, i) => `…${dots - i}`), ...after];
  };
  const operands = terms.map((term, i) => {
    const tensor = step.input[roles[i]];
    const labels = expand(term, tensor.shape.length - term.replace("...", "").length);
    return { role: roles[i], tensor, labels };
  });
  const all = operands.flatMap((operand) => operand.labels);
  const dots = all.filter((label) => label.length > 1);
  const most = Math.max(0, ...dots.map((label) => Number(label.slice(1))));
  if (right !== undefined) return [operands, expand(right, most)];
  const once = [...new Set(all)].filter((label) => label.length === 1 && all.indexOf(label) === all.lastIndexOf(label));
  return [operands, [...expand("...", most), ...once.sort()]];
}

/** Sum and norms along `dim` of two tensors: x₁·x₂ / (‖x₁‖·‖x₂‖). */
function cosineView(step) {
  const { x1, x2 } = step.input;
  const dimensions = Math.max(x1.shape.length, x2.shape.length);
  const missing = (tensor) => dimensions - tensor.shape.length;
  const shape = Array.from({ length: dimensions }, (_, d) =>
    Math.max(...[x1, x2].map((tensor) => (d < missing(tensor) ? 1 : tensor.shape[d - missing(tensor)]))),
  );
  const dim = axisOf(step.attrs.dim ?? 1, dimensions);
  const eps = step.attrs.eps ?? 1e-8;
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((product, length) => product * length, 1));
  const { offsets, ofReduced } = groupsOf({ shape, strides }, [dim]);
  const [first, second] = [x1, x2].map((tensor) => broadcast(tensor, shape));
  const sumOver = (start, term) => offsets.reduce((sum, offset) => sum + term(start + offset), 0);
  return {
    compute(flat) {
      const start = ofReduced(flat);
      const [a, b] = [(place) => x1.data[first(place)], (place) => x2.data[second(place)]];
      const dot = sumOver(start, (place) => a(place) * b(place));
      const norms = [a, b].map((x) => Math.sqrt(sumOver(start, (place) => x(place) ** 2)));
      const size = Math.max(norms[0], eps) * Math.max(norms[1], eps);
      const magnitude = sumOver(start, (place) => Math.abs(a(place) * b(place))) / size;
      return { start, dot, norms, value: dot / size, magnitude };
    },
    describe({ start, dot, norms, value }, maxTerms) {
      const token = [
        (k) => cellToken("x1", x1, first(start + offsets[k])),
        (k) => cellToken("x2", x2, second(start + offsets[k])),
      ];
      const squares = (x) => series(offsets.length, maxTerms, (k) => write("{a}²", { a: x(k) }));
      const products = series(offsets.length, maxTerms, (k) => write("{a}·{b}", { a: token[0](k), b: token[1](k) }));
      const [n1, n2] = norms.map((norm) => constant(Math.max(norm, eps)));
      return {
        cells: [
          { role: "x1", flats: [...new Set(offsets.map((offset) => first(start + offset)))] },
          { role: "x2", flats: [...new Set(offsets.map((offset) => second(start + offset)))] },
        ],
        lines: [
          [text("x1·x2 = "), ...products, text(" = "), constant(dot)],
          [text("‖x1‖ = √("), ...squares(token[0]), text(") = "), constant(norms[0])],
          [text("‖x2‖ = √("), ...squares(token[1]), text(") = "), constant(norms[1])],
          write("{dot} / ({n1}·{n2}) = {value}", { dot: constant(dot), n1, n2, value: constant(value) }),
        ],
      };
    },
  };
}

export const CONTRACTIONS = {
  matmul: {
    view: (step) => contraction(...matmulLabels(step)),
    formula: (step) => contractionFormula(...matmulLabels(step)),
  },
  linear: { view: linearView, formula: linearFormula },
  outer: {
    view: (step) => contraction(...outerLabels(step)),
    formula: (step) => contractionFormula(...outerLabels(step)),
  },
  einsum: {
    view: (step) => (einsumLabels(step) ? contraction(...einsumLabels(step)) : null),
    formula: (step) => (einsumLabels(step) ? contractionFormula(...einsumLabels(step)) : ""),
  },
  addmm: { view: addedProductView, formula: addedProductFormula },
  baddbmm: { view: addedProductView, formula: addedProductFormula },
  cosine_similarity: { view: cosineView, formula: () => "(x1 · x2) / (‖x1‖ · ‖x2‖)" },
};

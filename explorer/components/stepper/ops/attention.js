// Attention in one call.

import { broadcast, placeAt } from "./indexing.js";
import { cellToken, constant, series, text, write } from "./tokens.js";

/** softmax(q·kᵀ·scale + mask)·v, a row of weights at a time. */
function attentionView(step) {
  const { query, key, value, attn_mask: mask } = step.input;
  if (step.attrs.dropout_p) return null;
  const out = step.outputs[0];
  const rank = out.shape.length;
  const [queries, keys, size] = [query.shape.at(-2), key.shape.at(-2), query.shape.at(-1)];
  const scale = step.attrs.scale ?? 1 / Math.sqrt(size);
  const rowsShape = [...out.shape.slice(0, -1)]; // batch dimensions, then the query
  const scoresShape = [...rowsShape, keys];
  const grouped = step.attrs.enable_gqa ? query.shape.at(-3) / key.shape.at(-3) : 1;
  const batchStrides = (tensor, own) => {
    const missing = rank - tensor.shape.length;
    const at = (d) => (d < missing || tensor.shape[d - missing] === 1 ? 0 : tensor.strides[d - missing]);
    return [...rowsShape.slice(0, -1).map((_, d) => at(d)), own];
  };
  /** The first cell of the matrix of key or value that serves this row; heads may share one. */
  const matrixAt = (tensor, row) => {
    const index = [];
    for (let d = rank - 2, rest = row; d >= 0; d--) {
      index[d] = rest % rowsShape[d];
      rest = (rest - index[d]) / rowsShape[d];
    }
    if (grouped > 1) index[rank - 3] = Math.floor(index[rank - 3] / grouped);
    const strides = batchStrides(tensor, 0);
    return index.reduce((place, i, d) => place + i * strides[d], 0);
  };
  const maskPlace = mask && broadcast(mask, scoresShape);
  const queryStrides = batchStrides(query, query.strides.at(-2));
  const columns = value.shape.at(-1);
  const scoreOf = (row, j, queryStart, keyStart) => {
    if (step.attrs.is_causal && j > row % queries) return -Infinity;
    let score = 0;
    for (let e = 0; e < size; e++) score += query.data[queryStart + e] * key.data[keyStart + j * size + e];
    score *= scale;
    if (!mask) return score;
    const masked = mask.data[maskPlace(row * keys + j)];
    return mask.dtype === "bool" ? (masked ? score : -Infinity) : score + masked;
  };
  const attend = (row) => {
    const queryStart = placeAt(row, rowsShape, queryStrides);
    const [keyStart, valueStart] = [matrixAt(key, row), matrixAt(value, row)];
    const scores = Float64Array.from({ length: keys }, (_, j) => scoreOf(row, j, queryStart, keyStart));
    const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    // A row in which everything is masked attends to nothing.
    const powers = scores.map((score) => (largest === -Infinity ? 0 : Math.exp(score - largest)));
    const sum = powers.reduce((a, b) => a + b, 0);
    return { row, queryStart, keyStart, valueStart, scores, weights: powers.map((p) => (sum === 0 ? 0 : p / sum)) };
  };
  let last = null;
  return {
    compute(flat) {
      const column = flat % columns;
      const row = (flat - column) / columns;
      if (last?.row !== row) last = attend(row);
      let sum = 0;
      let magnitude = 0;
      for (let j = 0; j < keys; j++) {
        const term = last.weights[j] * value.data[last.valueStart + j * columns + column];
        sum += term;
        magnitude += Math.abs(term);
      }
      return { ...last, column, value: sum, magnitude };
    },
    describe({ row, column, queryStart, keyStart, valueStart, scores, weights, value: sum }, maxTerms) {
      const reached = Array.from(scores.keys()).filter((j) => scores[j] !== -Infinity);
      const range = (start, length, stride = 1) => Array.from({ length }, (_, e) => start + e * stride);
      const cells = [
        { role: "query", flats: reached.length ? range(queryStart, size) : [] },
        { role: "key", flats: reached.flatMap((j) => range(keyStart + j * size, size)) },
        { role: "value", flats: reached.map((j) => valueStart + j * columns + column) },
      ];
      if (mask) {
        const flats = range(row * keys, keys).map(maskPlace);
        cells.push({ role: "attn_mask", flats: [...new Set(flats)] });
      }
      const all = (numbers) => series(keys, maxTerms, (j) => [constant(numbers[j])], ", ");
      const terms = series(keys, maxTerms, (j) => {
        if (scores[j] === -Infinity) return [text("0 (masked)")];
        const v = cellToken("value", value, valueStart + j * columns + column);
        return write("{w}·{v}", { w: constant(weights[j]), v });
      });
      return {
        cells,
        lines: [
          [text("query · key"), text(mask ? " · scale + mask = " : " · scale = "), ...all(scores)],
          [text("softmax = "), ...all(weights)],
          [...terms, text(" = "), constant(sum)],
        ],
      };
    },
  };
}

const causal = (step) => (step.input.attn_mask ? " + mask" : step.attrs.is_causal ? " + causal mask" : "");

export const ATTENTION = {
  scaled_dot_product_attention: {
    view: attentionView,
    formula: (step) => `softmax(query · keyᵀ ${step.attrs.scale == null ? "/ √d" : "· scale"}${causal(step)}) · value`,
  },
};

// Which lines to draw. Weights are (heads, T, S), flat; a line is its flat index.

const MOST_LINES = { word: 160, least: 80, each: 4, all: 2000 }; // more cannot be told apart: of one word; of all words together

const LARGEST = 0x7f800000; // the bits of infinity: those of positive numbers are below, and in the numbers' order

/** The `most` strongest of these lines, the strongest last, so that it is drawn on top. */
function ordered(weights, lines, most) {
  let few = lines;
  if (lines.length > most) {
    const sorted = Float32Array.from(lines, (flat) => weights[flat]).sort(); // numbers alone sort much faster
    const least = sorted[sorted.length - most];
    few = lines.filter((flat) => weights[flat] >= least);
  }
  return few.sort((a, b) => weights[b] - weights[a] || a - b).slice(0, most).reverse();
}

/** Lines of a word, {side, place}: {lines, found}, found being how many there are at this threshold. */
function ofWord({ weights, heads, rows, cols, focus, threshold }) {
  const found = [];
  const asks = focus.side === "query";
  for (const head of heads) {
    const start = head * rows * cols + (asks ? focus.place * cols : focus.place);
    const stride = asks ? 1 : cols;
    for (let i = 0, flat = start; i < (asks ? cols : rows); i++, flat += stride) {
      if (weights[flat] > 0 && weights[flat] >= threshold) found.push(flat); // NaN fails both
    }
  }
  return { lines: ordered(weights, found, MOST_LINES.word), found: found.length };
}

/** Lines of all words, of millions perhaps: weights are counted by their first 16 bits, so that only the strongest are sorted. */
function ofAll({ weights, heads, rows, cols, threshold }) {
  const bits = new Uint32Array(weights.buffer, weights.byteOffset, weights.length);
  const least = Math.max(1, new Uint32Array(Float32Array.of(threshold).buffer)[0]);
  const counts = new Uint32Array((LARGEST >>> 16) + 1);
  let found = 0;
  for (const head of heads) {
    for (let flat = head * rows * cols, end = flat + rows * cols; flat < end; flat++) {
      if (bits[flat] < least || bits[flat] > LARGEST) continue;
      counts[bits[flat] >>> 16] += 1;
      found += 1;
    }
  }
  const most = Math.min(MOST_LINES.all, Math.max(MOST_LINES.least, MOST_LINES.each * Math.max(rows, cols)));
  let bucket = counts.length;
  for (let sum = 0; bucket > 0 && sum < most; ) sum += counts[--bucket];
  const from = Math.max(least, bucket * 0x10000);
  const lines = [];
  for (const head of heads) {
    for (let flat = head * rows * cols, end = flat + rows * cols; flat < end; flat++) {
      if (bits[flat] >= from && bits[flat] <= LARGEST) lines.push(flat);
    }
  }
  return { lines: ordered(weights, lines, most), found };
}

/** Lines of a word, {side, place}, or of all words if focus is null. weights: Float32Array, none negative. */
export const chooseLines = (asked) => (asked.focus ? ofWord(asked) : ofAll(asked));

/** Mean weight of a pair over heads; NaN where a query may look nowhere. */
export function meanWeight(weights, heads, rows, cols, query, key) {
  let sum = 0;
  for (const head of heads) sum += weights[(head * rows + query) * cols + key];
  return heads.length ? sum / heads.length : 0;
}

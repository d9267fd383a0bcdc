// Which lines to draw. Weights are (heads, T, S), flat; a line is its flat index.

const MOST_LINES = { all: 80, word: 240 }; // more cannot be told apart: of all words together, of one word

/** The strongest of some lines, the weakest first, so that the strong ones are drawn on top; and how many there were. */
function strongest(weights, candidates, threshold, most) {
  const found = candidates.filter((flat) => weights[flat] > 0 && weights[flat] >= threshold); // NaN fails both
  found.sort((a, b) => weights[b] - weights[a]);
  return { lines: found.slice(0, most).reverse(), found: found.length };
}

/** Lines of a word, {side, place}, or of all words if focus is null. */
export function chooseLines({ weights, heads, rows, cols, focus, threshold }) {
  const candidates = [];
  for (const head of heads) {
    const start = head * rows * cols;
    if (focus?.side === "query") for (let s = 0; s < cols; s++) candidates.push(start + focus.place * cols + s);
    else if (focus) for (let t = 0; t < rows; t++) candidates.push(start + t * cols + focus.place);
    else for (let flat = start; flat < start + rows * cols; flat++) candidates.push(flat);
  }
  return strongest(weights, candidates, threshold, focus ? MOST_LINES.word : MOST_LINES.all);
}

/** Mean weight of a pair over heads; NaN where a query may look nowhere. */
export function meanWeight(weights, heads, rows, cols, query, key) {
  let sum = 0;
  for (const head of heads) sum += weights[(head * rows + query) * cols + key];
  return heads.length ? sum / heads.length : 0;
}

// Where lines run and how they look: on the page, in a PNG and as SVG alike.
//
// scene: {weights, rows, cols, heads, names, lines, row, width, colours}: lines as in strongest.js; row: pixels from word to
// word; width: pixels from side to side.

export const COLOURS = 12;
export const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]]; // beside the colours, for who cannot tell these apart
const DASHED = { all: 80, some: 8 }; // dashes take long to draw: of more lines than `all`, only the strongest have them
const LEVELS = 10; // steps of strength; all lines of one step and head are stroked at once

export const pairOf = ({ rows, cols }, flat) => [Math.floor(flat / cols) % rows, flat % cols];

const headOf = ({ rows, cols }, flat) => Math.floor(flat / (rows * cols));

/** Pixels by which a head's lines are moved, so that those of several heads lie side by side. */
function apart({ heads, row }, head) {
  if (heads.length < 2) return 0;
  return (heads.indexOf(head) - (heads.length - 1) / 2) * Math.min(3, (0.6 * row) / heads.length);
}

/** [y on the left, y on the right] of a line. */
function endsOf(scene, flat) {
  const [query, key] = pairOf(scene, flat);
  const moved = apart(scene, headOf(scene, flat));
  return [(query + 0.5) * scene.row + moved, (key + 0.5) * scene.row + moved];
}

/** 0–1: the weight as a share of the strongest line that is drawn. */
const strength = ({ weights, lines }, flat) => weights[flat] / weights[lines.at(-1)];

const look = (share) => ({ width: 0.6 + 5.4 * share, opacity: 0.12 + 0.83 * share });

/** From which of scene.lines on they are dashed. */
const dashedFrom = ({ lines }) => (lines.length > DASHED.all ? lines.length - DASHED.some : 0);

/** Line i as SVG has it: {d, head, dash, width, opacity}. */
export function curveOf(scene, i) {
  const flat = scene.lines[i];
  const [from, to] = endsOf(scene, flat).map((y) => Math.round(100 * y) / 100);
  const { width } = scene;
  const head = headOf(scene, flat);
  const dash = i < dashedFrom(scene) ? [] : DASHES[head % DASHES.length];
  return { d: `M0 ${from}C${width / 2} ${from} ${width / 2} ${to} ${width} ${to}`, head, dash, ...look(strength(scene, flat)) };
}

/** Draws the lines that reach between `top` and `top` + `height` pixels, the weak ones first. */
export function paintLines(context, scene, top, height) {
  const { width, row } = scene;
  const groups = new Map();
  const dashed = dashedFrom(scene);
  scene.lines.forEach((flat, i) => {
    const [from, to] = endsOf(scene, flat);
    if (Math.max(from, to) < top - 4 || Math.min(from, to) > top + height + 4) return;
    const head = headOf(scene, flat);
    const level = Math.ceil(strength(scene, flat) * LEVELS);
    const dash = i < dashed ? [] : DASHES[head % DASHES.length];
    const key = `${level} ${head} ${dash}`;
    if (!groups.has(key)) groups.set(key, { head, dash, share: level / LEVELS, path: new Path2D() });
    const { path } = groups.get(key);
    path.moveTo(0, from - top);
    path.bezierCurveTo(width / 2, from - top, width / 2, to - top, width, to - top);
  });
  const thin = Math.min(1, Math.max(0.35, row / 12)); // of words that lie close
  for (const { head, dash, share, path } of groups.values()) {
    const { width: thickness, opacity } = look(share);
    stroke(context, scene.colours[head % COLOURS], dash, path, thickness * thin, opacity);
  }
}

/** Draws one line so that it stands out. */
export function paintLine(context, scene, flat, top) {
  const [from, to] = endsOf(scene, flat);
  const path = new Path2D();
  path.moveTo(0, from - top);
  path.bezierCurveTo(scene.width / 2, from - top, scene.width / 2, to - top, scene.width, to - top);
  stroke(context, scene.colours[headOf(scene, flat) % COLOURS], [], path, look(strength(scene, flat)).width + 1.5, 1);
}

function stroke(context, colour, dash, path, thickness, opacity) {
  context.lineWidth = thickness;
  context.globalAlpha = opacity;
  context.strokeStyle = colour;
  context.setLineDash(dash);
  context.stroke(path);
  context.setLineDash([]);
  context.globalAlpha = 1;
}

const NEAR = 5; // pixels from a line that still point at it

/** The line under a point, y counted from the first word, or null. All curves have one shape, so x is solved for only once. */
export function lineAt(scene, x, y) {
  const across = Math.min(1, Math.max(0, x / scene.width));
  let t = across;
  for (let i = 0; i < 6; i++) t -= (t * (1.5 - t * (1.5 - t)) - across) / (1.5 - 3 * t + 3 * t * t);
  const share = t * t * (3 - 2 * t); // how far from one end to the other
  let [best, nearest] = [null, NEAR];
  for (const flat of scene.lines) {
    const [from, to] = endsOf(scene, flat);
    const distance = Math.abs(from + (to - from) * share - y);
    if (distance <= nearest) [best, nearest] = [flat, distance];
  }
  return best;
}

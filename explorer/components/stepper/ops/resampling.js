// Interpolation: an image made larger or smaller, in 1, 2 or 3 dimensions: each is worked as one in 3.

import { padShape } from "./indexing.js";
import { cellToken, constant, series, text, write } from "./tokens.js";

const float = Math.fround; // torch counts places in float32

/** For each dimension and output place what it is mixed of: [[input place, share], …]. */
function mixtures(step) {
  const { mode, align_corners: aligned, scales } = step.attrs;
  const n = scales.length;
  const inside = padShape(step.input.input.shape.slice(-n), 3);
  const outside = padShape(step.outputs[0].shape.slice(-n), 3);
  const ratio = padShape(scales, 3);
  const one = (d, place) => {
    const last = inside[d] - 1;
    if (mode === "nearest") return [[Math.min(Math.floor(float(place * float(ratio[d]))), last), 1]];
    if (mode === "nearest-exact") return [[Math.min(Math.floor(float((place + 0.5) * float(ratio[d]))), last), 1]];
    const step = aligned ? (outside[d] > 1 ? last / (outside[d] - 1) : 0) : ratio[d];
    const at = aligned ? place * step : Math.max((place + 0.5) * step - 0.5, 0);
    const below = Math.min(Math.floor(at), last);
    const share = below < last ? at - below : 0;
    return share === 0 ? [[below, 1]] : [[below, 1 - share], [below + 1, share]];
  };
  return { inside, outside, parts: outside.map((length, d) => Array.from({ length }, (_, place) => one(d, place))) };
}

const MODES = new Set(["nearest", "nearest-exact", "linear", "bilinear", "trilinear"]);

function resamplingView(step) {
  if (!MODES.has(step.attrs.mode) || step.attrs.antialias) return null;
  const input = step.input.input;
  const { inside, outside, parts } = mixtures(step);
  const [, Y, X] = inside;
  const [outZ, outY, outX] = outside;
  const size = inside[0] * Y * X;
  return {
    compute(flat) {
      const x = parts[2][flat % outX];
      const y = parts[1][Math.floor(flat / outX) % outY];
      const z = parts[0][Math.floor(flat / (outX * outY)) % outZ];
      const start = Math.floor(flat / (outX * outY * outZ)) * size;
      const terms = [];
      let [value, magnitude] = [0, 0];
      for (const [i, a] of z) {
        for (const [j, b] of y) {
          for (const [k, c] of x) {
            const place = start + (i * Y + j) * X + k;
            const share = a * b * c;
            terms.push({ place, share });
            value += share * input.data[place];
            magnitude += Math.abs(share * input.data[place]);
          }
        }
      }
      return { terms, value, magnitude };
    },
    describe({ terms, value }, maxTerms) {
      const cells = [{ role: "input", flats: terms.map(({ place }) => place) }];
      if (terms.length === 1) return { cells, lines: [[text("the nearest cell: "), cellToken("input", input, terms[0].place)]] };
      const term = (k) => write("{s}·{x}", { s: constant(terms[k].share), x: cellToken("input", input, terms[k].place) });
      return { cells, lines: [[...series(terms.length, maxTerms, term), text(" = "), constant(value)]] };
    },
  };
}

function resamplingFormula({ attrs: { mode, align_corners: aligned } }) {
  if (mode.startsWith("nearest")) return "out[…] = the cell of input that lies nearest";
  if (!MODES.has(mode)) return "";
  const around = { linear: "2", bilinear: "4", trilinear: "8" }[mode];
  return `out[…] = the ${around} nearest cells of input, each by its nearness${aligned ? "; corners on corners" : ""}`;
}

export const RESAMPLINGS = { interpolate: { view: resamplingView, formula: resamplingFormula } };

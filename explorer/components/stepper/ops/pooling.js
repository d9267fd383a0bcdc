// Pooling: the maximum or the average of a window, in 1, 2 or 3 dimensions: each is worked as one in 3.

import { windowIndex } from "./convolution.js";
import { padShape } from "./indexing.js";
import { cellToken, constant, series, text } from "./tokens.js";

/** For each dimension and output place the input places that its window looks at: −1 for padding. */
function windows(step) {
  const { attrs } = step;
  const input = step.input.input;
  const out = step.outputs[0];
  const n = attrs.output_size ? attrs.output_size.length : attrs.kernel_size.length;
  const inside = padShape(input.shape.slice(-n), 3);
  const outside = padShape(out.shape.slice(-n), 3);
  if (attrs.output_size) {
    const ranges = outside.map((length, d) =>
      Array.from({ length }, (_, o) => {
        const first = Math.floor((o * inside[d]) / length);
        const end = Math.ceil(((o + 1) * inside[d]) / length);
        return Array.from({ length: end - first }, (_, k) => first + k);
      }),
    );
    return { inside, outside, ranges };
  }
  const kernel = padShape(attrs.kernel_size, 3);
  const stride = padShape(attrs.stride, 3);
  const dilation = padShape(attrs.dilation, 3);
  const padding = padShape(attrs.padding, 3, [0, 0]);
  const ranges = outside.map((length, d) =>
    Array.from({ length }, (_, o) => {
      const first = o * stride[d] - padding[d][0];
      const places = Array.from({ length: kernel[d] }, (_, k) => first + k * dilation[d]);
      // What ceil_mode adds beyond the padding is no part of the window.
      const reached = places.filter((place) => place < inside[d] + padding[d][1]);
      return reached.map((place) => (place >= 0 && place < inside[d] ? place : -1));
    }),
  );
  return { inside, outside, ranges };
}

/** The windows of a pooling step: gather(flat) gives the flat input places of one, −1 for padding. */
function windowReader(step) {
  const { inside, outside, ranges } = windows(step);
  const [, Y, X] = inside;
  const [outZ, outY, outX] = outside;
  const size = inside[0] * Y * X;
  return {
    size,
    gather(flat) {
      const x = ranges[2][flat % outX];
      const y = ranges[1][Math.floor(flat / outX) % outY];
      const z = ranges[0][Math.floor(flat / (outX * outY)) % outZ];
      const start = Math.floor(flat / (outX * outY * outZ)) * size;
      const places = new Int32Array(z.length * y.length * x.length);
      let k = 0;
      for (const i of z) {
        for (const j of y) {
          for (const l of x) places[k++] = i < 0 || j < 0 || l < 0 ? -1 : start + (i * Y + j) * X + l;
        }
      }
      return places;
    },
  };
}

const inputCells = (places) => [{ role: "input", flats: Array.from(places.filter((place) => place >= 0)) }];

/** Output 0 is the maximum, output 1 its place within the channel. */
function maxPoolView(step, outputNumber) {
  const { gather, size } = windowReader(step);
  const input = step.input.input;
  const out = step.outputs[outputNumber];
  return {
    compute(flat) {
      const places = gather(flat);
      let best = -1;
      for (const place of places) {
        if (place < 0) continue;
        const number = input.data[place];
        if (best < 0 || number > input.data[best] || Number.isNaN(number)) best = place;
      }
      // Of equal maxima torch may name any.
      const start = best - (best % size);
      const named = start + out.data[flat];
      if (outputNumber === 1 && places.includes(named) && input.data[named] === input.data[best]) best = named;
      const value = outputNumber === 1 ? best % size : input.data[best];
      return { places, best, value, magnitude: 0 };
    },
    describe({ places, best, value }, maxTerms) {
      const term = (k) => [places[k] < 0 ? text("−∞ (padding)") : cellToken("input", input, places[k])];
      const winner = cellToken("input", input, best);
      const lines = [[text("max("), ...series(places.length, maxTerms, term, ", "), text(") = "), winner]];
      if (outputNumber === 1) lines.push([text("place of "), winner, text(" in its channel = "), constant(value)]);
      return { cells: inputCells(places), lines };
    },
  };
}

function averagePoolView(step) {
  const { gather } = windowReader(step);
  const input = step.input.input;
  const { divisor_override: override, count_include_pad: includePadding = true } = step.attrs;
  return {
    compute(flat) {
      const places = gather(flat);
      let sum = 0;
      let magnitude = 0;
      let inside = 0;
      for (const place of places) {
        if (place < 0) continue;
        sum += input.data[place];
        magnitude += Math.abs(input.data[place]);
        inside++;
      }
      const divisor = override ?? (includePadding ? places.length : inside);
      return { places, divisor, value: sum / divisor, magnitude: Math.abs(magnitude / divisor) };
    },
    describe({ places, divisor, value }, maxTerms) {
      const term = (k) => [places[k] < 0 ? text("0 (padding)") : cellToken("input", input, places[k])];
      const sum = series(places.length, maxTerms, term);
      return {
        cells: inputCells(places),
        lines: [[text("("), ...sum, text(") / "), constant(divisor), text(" = "), constant(value)]],
      };
    },
  };
}

const NAMES = { out: ["z", "y", "x"], inner: ["h", "i", "j"] };

function poolFormula(step, kind) {
  const { attrs } = step;
  if (attrs.output_size) {
    const all = attrs.output_size.every((length) => length === 1);
    const region = all ? "the whole channel" : `its part when each channel is cut into ${attrs.output_size.join("×")}`;
    return `out[…] = ${kind} of input over ${region}`;
  }
  const n = attrs.kernel_size.length;
  const [outNames, innerNames] = [NAMES.out.slice(-n), NAMES.inner.slice(-n)];
  const looks = innerNames.map((inner, d) =>
    windowIndex(outNames[d], inner, attrs.stride[d], attrs.dilation[d], attrs.padding[d][0]),
  );
  const limits = innerNames.map((name, d) => `${name}<${attrs.kernel_size[d]}`).join(", ");
  return `out[…,${outNames.join(",")}] = ${kind} of input[…,${looks.join(",")}] over ${limits}`;
}

const max = { view: maxPoolView, formula: (step) => poolFormula(step, "max") };
const average = { view: averagePoolView, formula: (step) => poolFormula(step, "average") };

export const POOLINGS = {
  max_pool1d: max,
  max_pool2d: max,
  max_pool3d: max,
  avg_pool1d: average,
  avg_pool2d: average,
  avg_pool3d: average,
  adaptive_max_pool1d: max,
  adaptive_max_pool2d: max,
  adaptive_max_pool3d: max,
  adaptive_avg_pool1d: average,
  adaptive_avg_pool2d: average,
  adaptive_avg_pool3d: average,
};

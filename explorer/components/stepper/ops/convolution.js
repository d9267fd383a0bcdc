// Convolutions and transposed convolutions, in 1, 2 or 3 dimensions: each is worked as one in 3.

import { sumOfProducts } from "./contraction.js";
import { padShape } from "./indexing.js";

/** What both kinds need to know, all lists of 3: batch and channels apart. */
function geometry(step) {
  const { input, weight, bias } = step.input;
  const out = step.outputs[0];
  const n = weight.shape.length - 2;
  const batched = input.shape.length === n + 2;
  const { attrs } = step;
  return {
    input,
    weight,
    bias: bias ?? null,
    groups: attrs.groups,
    channels: input.shape.at(-n - 1),
    outChannels: out.shape.at(-n - 1),
    batched,
    inside: padShape(input.shape.slice(-n), 3),
    outside: padShape(out.shape.slice(-n), 3),
    kernel: padShape(weight.shape.slice(2), 3),
    stride: padShape(attrs.stride, 3),
    before: padShape(
      attrs.padding.map((pair) => pair[0]),
      3,
      0,
    ),
    dilation: padShape(attrs.dilation, 3),
  };
}

/**
 * forward: a term for every input channel of the group and every place of the kernel, padding included.
 * transposed: only those where an input cell reaches the output cell.
 */
function convolutionView(step, transposed) {
  const { input, weight, bias, groups, channels, outChannels, inside, outside, kernel, stride, before, dilation } =
    geometry(step);
  const [Z, Y, X] = inside;
  const [outZ, outY, outX] = outside;
  const [kZ, kY, kX] = kernel;
  const perGroup = channels / groups;
  const outPerGroup = outChannels / groups;
  const kernelSize = kZ * kY * kX;
  const inputPlaces = new Int32Array(perGroup * kernelSize);
  const weightPlaces = new Int32Array(perGroup * kernelSize);
  const plane = outZ * outY * outX;
  const channelOf = (flat) => Math.floor(flat / plane) % outChannels;

  /**
   * Where in dimension d of the input kernel place k looks from output place o: −1 for padding, null for between cells.
   */
  const look = (d, o, k) => {
    let at = transposed ? o + before[d] - k * dilation[d] : o * stride[d] - before[d] + k * dilation[d];
    if (transposed) {
      if (at % stride[d] !== 0) return null;
      at /= stride[d];
    }
    if (at >= 0 && at < inside[d]) return at;
    return transposed ? null : -1;
  };

  return sumOfProducts({
    factors: [
      { role: "input", tensor: input, places: inputPlaces },
      { role: "weight", tensor: weight, places: weightPlaces },
    ],
    bias: bias && { role: "bias", tensor: bias, place: channelOf },
    gather(flat) {
      const x = flat % outX;
      const y = Math.floor(flat / outX) % outY;
      const z = Math.floor(flat / (outX * outY)) % outZ;
      const channel = channelOf(flat);
      const batch = Math.floor(flat / (plane * outChannels));
      const group = Math.floor(channel / outPerGroup);
      const first = (batch * channels + group * perGroup) * Z * Y * X;
      const firstWeight = transposed
        ? (group * perGroup * outPerGroup + (channel % outPerGroup)) * kernelSize
        : channel * perGroup * kernelSize;
      // The terms of the group's first channel; those of the others stand a channel further each.
      let count = 0;
      for (let i = 0; i < kZ; i++) {
        const inZ = look(0, z, i);
        if (inZ === null) continue;
        for (let j = 0; j < kY; j++) {
          const inY = look(1, y, j);
          if (inY === null) continue;
          for (let k = 0; k < kX; k++) {
            const inX = look(2, x, k);
            if (inX === null) continue;
            inputPlaces[count] = inZ < 0 || inY < 0 || inX < 0 ? -1 : first + (inZ * Y + inY) * X + inX;
            weightPlaces[count++] = firstWeight + (i * kY + j) * kX + k;
          }
        }
      }
      const ofChannel = count;
      for (let c = 1; c < perGroup; c++) {
        const inputStep = c * Z * Y * X;
        const weightStep = c * (transposed ? outPerGroup : 1) * kernelSize;
        for (let k = 0; k < ofChannel; k++) {
          inputPlaces[count] = inputPlaces[k] < 0 ? -1 : inputPlaces[k] + inputStep;
          weightPlaces[count++] = weightPlaces[k] + weightStep;
        }
      }
      return count;
    },
  });
}

const OUT_NAMES = ["z", "y", "x"];
const KERNEL_NAMES = ["h", "i", "j"];
const SUBSCRIPT = { h: "ₕ", i: "ᵢ", j: "ⱼ" };

const times = (factor, name) => (factor === 1 ? name : `${factor}${name}`);
const shift = (amount) => (amount === 0 ? "" : amount > 0 ? `+${amount}` : `−${-amount}`);

/** Where a window looks in one dimension: "2y+i−1". */
export const windowIndex = (name, inner, stride, dilation, before) =>
  `${times(stride, name)}+${times(dilation, inner)}${shift(-before)}`;

function convolutionFormula(step, transposed) {
  const { bias, batched, groups, channels, stride, before, dilation } = geometry(step);
  const n = step.attrs.stride.length;
  const dims = [0, 1, 2].slice(-n);
  const look = dims.map((d) => {
    if (!transposed) return windowIndex(OUT_NAMES[d], KERNEL_NAMES[d], stride[d], dilation[d], before[d]);
    const top = `${OUT_NAMES[d]}${shift(before[d])}−${times(dilation[d], KERNEL_NAMES[d])}`;
    return stride[d] === 1 ? top : `(${top})/${stride[d]}`;
  });
  const batch = batched ? "b," : "";
  const inner = dims.map((d) => KERNEL_NAMES[d]);
  const sum = `Σₖ${inner.map((name) => SUBSCRIPT[name]).join("")}`;
  const out = `out[${batch}o,${dims.map((d) => OUT_NAMES[d]).join(",")}]`;
  const weight = `weight[${transposed ? "k,o" : "o,k"},${inner.join(",")}]`;
  const notes = [];
  const own = channels / groups === 1 ? "the one input channel" : `the ${channels / groups} input channels`;
  if (groups > 1) notes.push(`k: ${own} of o’s group`);
  if (transposed && stride.some((s) => s > 1)) notes.push("only where the division leaves no remainder");
  const note = notes.length ? ` (${notes.join("; ")})` : "";
  return `${out} = ${sum} input[${batch}k,${look.join(",")}] · ${weight}${bias ? " + bias[o]" : ""}${note}`;
}

const forward = { view: (step) => convolutionView(step, false), formula: (step) => convolutionFormula(step, false) };
const transposed = { view: (step) => convolutionView(step, true), formula: (step) => convolutionFormula(step, true) };

export const CONVOLUTIONS = {
  conv1d: forward,
  conv2d: forward,
  conv3d: forward,
  conv_transpose1d: transposed,
  conv_transpose2d: transposed,
  conv_transpose3d: transposed,
};

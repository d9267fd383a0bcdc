// Normalisation: a cell minus the mean, over the deviation, scaled and shifted. They differ in what is averaged over.

import { axisOf, groupsOf, runsOf } from "./indexing.js";
import { groupReader, norm } from "./reduction.js";
import { cellToken, constant, text, write } from "./tokens.js";

/**
 * groups: the cells that share their mean and variance; centred: whether a mean is taken off (not in RMS norm).
 * parameter: flat → place in weight and bias. running: {place} in running_mean and running_var, used in place of the
 * groups.
 */
function normalisation(step, { groups, eps, parameter, centred = true, running = null }) {
  const { input, weight, bias, running_mean: runningMean, running_var: runningVar } = step.input;
  const reader = groups && groupReader("input", input, groups);
  let last = null;

  const statistics = (flat) => {
    if (running) {
      const place = running(flat);
      return { place, mean: runningMean.data[place], variance: runningVar.data[place], largest: 0 };
    }
    const start = groups.ofCell(flat);
    if (last?.start === start) return last;
    const numbers = reader.read(start);
    let [mean, variance, largest] = [0, 0, 0];
    if (centred) for (let k = 0; k < numbers.length; k++) mean += numbers[k] / numbers.length;
    for (let k = 0; k < numbers.length; k++) {
      variance += (numbers[k] - mean) ** 2 / numbers.length;
      largest = Math.max(largest, Math.abs(numbers[k]));
    }
    last = { start, mean, variance, largest };
    return last;
  };

  return {
    compute(flat) {
      const { start, place, mean, variance, largest } = statistics(flat);
      const deviation = Math.sqrt(variance + eps);
      const normalised = (input.data[flat] - mean) / deviation;
      const at = parameter(flat);
      const scale = weight ? weight.data[at] : 1;
      const shift = bias ? bias.data[at] : 0;
      const terms = (Math.abs(input.data[flat]) + Math.abs(mean) + largest) / deviation;
      const magnitude = terms * Math.abs(scale) + Math.abs(shift);
      return { flat, start, place, at, mean, variance, normalised, value: normalised * scale + shift, magnitude };
    },

    describe({ flat, start, place, at, mean, variance, normalised, value }, maxTerms) {
      const cells = [running ? { role: "input", flats: [flat] } : reader.cells(start)];
      const names = {
        x: cellToken("input", input, flat),
        mean: running ? cellToken("running_mean", runningMean, place) : constant(mean),
        variance: running ? cellToken("running_var", runningVar, place) : constant(variance),
        eps: constant(eps),
        normalised: constant(normalised),
        value: constant(value),
      };
      const lines = [];
      if (running) {
        cells.push({ role: "running_mean", flats: [place] }, { role: "running_var", flats: [place] });
        lines.push(write("μ = {mean}, σ² = {variance} (kept from training)", names));
      } else {
        const list = reader.list(start, maxTerms);
        const count = text(`) / ${groups.offsets.length} = `);
        if (centred) lines.push([text("μ = ("), ...list("{x}"), count, constant(mean)]);
        const squares = centred ? list("({x} − μ)²") : list("{x}²");
        lines.push([text(centred ? "σ² = (" : "x̅² = ("), ...squares, count, constant(variance)]);
      }
      lines.push(write(`${centred ? "({x} − {mean})" : "{x}"} / √({variance} + {eps}) = {normalised}`, names));
      if (weight || bias) {
        if (weight) names.weight = cellToken("weight", weight, at);
        if (bias) names.bias = cellToken("bias", bias, at);
        const template = `{normalised}${weight ? "·{weight}" : ""}${bias ? " + {bias}" : ""} = {value}`;
        lines.push(write(template, names));
      }
      if (weight) cells.push({ role: "weight", flats: [at] });
      if (bias) cells.push({ role: "bias", flats: [at] });
      return { cells, lines };
    },
  };
}

/** F.normalize: a cell over the norm of those along dim. */
function unitView(step) {
  const input = step.input.input;
  const p = Number(step.attrs.p ?? 2);
  const eps = Number(step.attrs.eps ?? 1e-12);
  const groups = groupsOf(input, [axisOf(step.attrs.dim ?? 1, input.shape.length)]);
  const reader = groupReader("input", input, groups);
  let last = null;
  return {
    compute(flat) {
      const start = groups.ofCell(flat);
      if (last?.start !== start) last = { start, size: norm.work(reader.read(start), { p }).value };
      const value = input.data[flat] / Math.max(last.size, eps);
      return { flat, start, size: last.size, value, magnitude: Math.abs(value) };
    },
    describe({ flat, start, size, value }, maxTerms) {
      const [line] = norm.lines({ value: size }, reader.list(start, maxTerms), { p });
      const names = { x: cellToken("input", input, flat), n: constant(Math.max(size, eps)), v: constant(value) };
      return { cells: [reader.cells(start)], lines: [[text("‖x‖ = "), ...line], write("{x} / {n} = {v}", names)] };
    },
  };
}

/** flat → channel, for (batch, channel, …). */
const channelOf = (input) => (flat) => Math.floor(flat / input.strides[1]) % input.shape[1];

const rowLength = (step) => step.attrs.normalized_shape.reduce((product, length) => product * length, 1);

const DEFAULT_EPS = { float64: 2 ** -52, float32: 2 ** -23, float16: 2 ** -23, bfloat16: 2 ** -23 };

const VIEWS = {
  layer_norm(step) {
    const length = rowLength(step);
    return normalisation(step, {
      groups: runsOf(length),
      eps: step.attrs.eps ?? 1e-5,
      parameter: (flat) => flat % length,
    });
  },
  rms_norm(step) {
    const length = rowLength(step);
    const eps = step.attrs.eps ?? DEFAULT_EPS[step.input.input.dtype];
    return normalisation(step, { groups: runsOf(length), eps, parameter: (flat) => flat % length, centred: false });
  },
  batch_norm(step) {
    const input = step.input.input;
    const channel = channelOf(input);
    const own = step.attrs.training || !step.input.running_mean;
    const groups =
      own &&
      groupsOf(
        input,
        input.shape.map((_, d) => d).filter((d) => d !== 1),
      );
    return normalisation(step, {
      groups,
      eps: step.attrs.eps ?? 1e-5,
      parameter: channel,
      running: own ? null : channel,
    });
  },
  instance_norm(step) {
    const input = step.input.input;
    const channel = channelOf(input);
    const own = step.attrs.use_input_stats ?? true;
    const groups = own && runsOf(input.strides[1]);
    return normalisation(step, {
      groups,
      eps: step.attrs.eps ?? 1e-5,
      parameter: channel,
      running: own ? null : channel,
    });
  },
  group_norm(step) {
    const input = step.input.input;
    const groups = runsOf((input.strides[0] ?? input.size) / step.attrs.num_groups);
    return normalisation(step, { groups, eps: step.attrs.eps ?? 1e-5, parameter: channelOf(input) });
  },
};

const OVER = {
  layer_norm: () => "μ and σ² over each row",
  rms_norm: () => "x̅² over each row",
  batch_norm: (step) =>
    step.attrs.training ? "μ and σ² over each channel of the batch" : "μ and σ² kept from training",
  instance_norm: (step) =>
    (step.attrs.use_input_stats ?? true) ? "μ and σ² over each channel of each sample" : "μ and σ² kept from training",
  group_norm: (step) => `μ and σ² over each of ${step.attrs.num_groups} groups of channels of each sample`,
};

function normalisationFormula(op, step) {
  const core = op === "rms_norm" ? "x / √(x̅² + ε)" : "(x − μ) / √(σ² + ε)";
  return `${core}${step.input.weight ? " · γ" : ""}${step.input.bias ? " + β" : ""}, ${OVER[op](step)}`;
}

export const NORMALISATIONS = {
  ...Object.fromEntries(
    Object.keys(VIEWS).map((op) => [op, { view: VIEWS[op], formula: (step) => normalisationFormula(op, step) }]),
  ),
  normalize: { view: unitView, formula: (step) => `x / ‖x‖, over dim ${step.attrs.dim ?? 1}` },
};

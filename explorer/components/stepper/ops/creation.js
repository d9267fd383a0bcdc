// New tensors whose numbers their arguments say.

import { constant, plain, text, write } from "./tokens.js";

/** value(flat) of each cell and how it is told, a template with names. */
const creation = (tell, formula) => ({
  creates: true,
  formula,
  view: (step) => {
    const told = tell(step);
    return told && {
      compute: (flat) => ({ flat, ...told(flat) }),
      describe: ({ template, names, value }) => ({
        cells: [],
        lines: [template ? [...write(template, names), text(" = "), constant(value)] : [constant(value)]],
      }),
    };
  },
});

const filled = creation(
  ({ attrs }) => attrs.fill_value !== undefined && (() => ({ value: Number(attrs.fill_value), magnitude: 0 })),
  ({ attrs }) => (attrs.fill_value === undefined ? "" : `${plain(Number(attrs.fill_value))} in every cell`),
);

const counted = creation(
  ({ attrs: { start, step } }) =>
    start !== undefined &&
    ((flat) => ({
      template: "{start} + {flat}·{step}",
      names: { start: constant(start), flat: constant(flat), step: constant(step) },
      value: start + flat * step,
      magnitude: Math.abs(start) + Math.abs(flat * step),
    })),
  ({ attrs: { start, step } }) => (start === undefined ? "" : `out[i] = ${plain(start)} + i · ${plain(step)}`),
);

const identity = creation(
  ({ outputs: [{ shape }] }) => (flat) => ({ value: Math.floor(flat / shape[1]) === flat % shape[1] ? 1 : 0, magnitude: 0 }),
  () => "1 where i = j, otherwise 0",
);

export const CREATIONS = {
  ...Object.fromEntries("zeros ones full zeros_like ones_like full_like new_zeros new_ones new_full".split(" ").map((op) => [op, filled])),
  arange: counted,
  linspace: counted,
  eye: identity,
};

const CHANCE = new Set("rand randn randint randperm rand_like randn_like randint_like normal uniform bernoulli multinomial dropout".split(" "));
const TYPED = new Set("tensor as_tensor asarray from_numpy".split(" "));

/** Why an op has no arithmetic, where that can be said better than that it has none. */
export const reason = (op) => (CHANCE.has(op) ? "drawn at random" : TYPED.has(op) ? "these numbers were handed in as they are" : "");

// Reads the traces that payload.py writes.

import { sizeOf, unpack } from "../shared/packing.js";

/** Row-major strides of a shape. */
export function stridesOf(shape) {
  const strides = new Array(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}

/**
 * bytes: Uint8Array → {name, options, leftOut, sources, tensors, steps}.
 * A tensor is {id, shape, strides, size, dtype, data: typed array or null, omitted: reason or null}.
 * A step is the header's, with inputs [{role, name, from, tensor}] and outputs [tensor] pointing at tensors, source too,
 * and `input`, an object role → tensor. `original` and `given` are as in payload.py, with tensors in place of numbers.
 */
export function decode(bytes) {
  const { body, arrays } = unpack(bytes);
  const tensors = body.tensors.map(({ shape, dtype, array, omitted }, id) => ({
    id, shape, strides: stridesOf(shape), size: sizeOf(shape), dtype, data: array == null ? null : arrays[array].data, omitted,
  }));
  const steps = body.steps.map((step, index) => {
    const inputs = step.inputs.map((input) => ({ ...input, tensor: tensors[input.tensor] }));
    return {
      ...step,
      index,
      inputs,
      input: Object.fromEntries(inputs.map((input) => [input.role, input.tensor])),
      outputs: step.outputs.map((place) => tensors[place]),
      source: step.source == null ? null : tensors[step.source],
      original: step.original && {
        inputs: Object.fromEntries(Object.entries(step.original.inputs).map(([role, place]) => [role, tensors[place]])),
        outputs: step.original.outputs.map((place) => (place == null ? null : tensors[place])),
      },
      given: step.given?.map((place) => tensors[place]),
    };
  });
  return { name: body.name, options: body.options, leftOut: body.left_out, sources: body.sources, tensors, steps };
}

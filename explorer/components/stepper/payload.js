// Reads the bytes that payload.py writes.

const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };

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

/** Number of cells of a shape. */
export const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1);

/**
 * bytes: Uint8Array → {name, leftOut, sources, tensors, steps}.
 * A tensor is {id, shape, strides, size, dtype, data: typed array or null, omitted: reason or null}.
 * A step is the header's, with inputs [{role, name, from, tensor}] and outputs [tensor] pointing at tensors, source too,
 * and `input`, an object role → tensor.
 */
export function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  // Typed arrays need aligned offsets: copy once where the message did not begin at one.
  const start = bytes.byteOffset + 4 + length;
  const aligned = start % 8 === 0;
  const buffer = aligned ? bytes.buffer : bytes.slice(4 + length).buffer;
  const base = aligned ? start : 0;
  const tensors = header.tensors.map((record, id) => {
    const size = sizeOf(record.shape);
    const data = record.omitted == null ? new TYPES[record.code](buffer, base + record.offset, size) : null;
    return { id, shape: record.shape, strides: stridesOf(record.shape), size, dtype: record.dtype, data, omitted: record.omitted };
  });
  const steps = header.steps.map((step, index) => {
    const inputs = step.inputs.map((input) => ({ ...input, tensor: tensors[input.tensor] }));
    return {
      ...step,
      index,
      inputs,
      input: Object.fromEntries(inputs.map((input) => [input.role, input.tensor])),
      outputs: step.outputs.map((place) => tensors[place]),
      source: step.source == null ? null : tensors[step.source],
    };
  });
  return { name: header.name, leftOut: header.left_out, sources: header.sources, tensors, steps };
}

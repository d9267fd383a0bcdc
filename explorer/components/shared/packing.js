// Reads the bytes that packing.py writes.

const ARRAY_TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };

/** Number of cells of a shape. */
export const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1);

/** bytes: Uint8Array → {body, arrays: [{shape, data}]}; data are views, nothing is copied where the bytes are aligned. */
export function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  const { arrays, body } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const start = bytes.byteOffset + 4 + length;
  const aligned = start % 8 === 0; // typed arrays need it
  const buffer = aligned ? bytes.buffer : bytes.slice(4 + length).buffer;
  const base = aligned ? start : 0;
  return {
    body,
    arrays: arrays.map(({ shape, code, offset }) => ({ shape, data: new ARRAY_TYPES[code](buffer, base + offset, sizeOf(shape)) })),
  };
}

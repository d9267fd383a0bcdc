// What the number types of torch keep, and how closely a recomputed number has to meet one.

const EPSILON = { float64: 2 ** -52, float32: 2 ** -23, float16: 2 ** -10, bfloat16: 2 ** -7 };
/** The largest number of a type; float64 has JavaScript's. */
export const LARGEST = { float32: (2 - 2 ** -23) * 2 ** 127, float16: 65504, bfloat16: (2 - 2 ** -7) * 2 ** 127 };
const SMALLEST = { float64: 2 ** -1022, float32: 2 ** -126, float16: 2 ** -24, bfloat16: 2 ** -126 };
// Below this torch may give 0, as where an intermediate result is too large for the type.
const VANISHING = { ...SMALLEST, float32: 2 ** -115, bfloat16: 2 ** -115 };
const BITS = { uint8: 8, int8: 8, uint16: 16, int16: 16, uint32: 32, int32: 32 };

export const isFloat = (dtype) => dtype.startsWith("float") || dtype === "bfloat16";

/** The number as a tensor of this dtype keeps it: to the nearest float, wrapped around for ints, 0 or 1 for bool. */
export function asStored(value, dtype) {
  if (dtype === "float64") return value;
  if (dtype === "float32") return Math.fround(value);
  if (!isFloat(dtype)) return asRepresented(value, dtype);
  if (value === 0 || !Number.isFinite(value)) return value;
  const step = Math.max(2 ** Math.floor(Math.log2(Math.abs(value))) * EPSILON[dtype], SMALLEST[dtype]);
  return asRepresented(halfToEven(value / step) * step, dtype);
}

/** As asStored, but a float keeps all its digits; only what is too large becomes ∞. */
export function asRepresented(value, dtype) {
  if (dtype === "bool") return value === 0 ? 0 : 1;
  if (isFloat(dtype))
    return Math.abs(value) > LARGEST[dtype] * (1 + EPSILON[dtype] / 4) ? Math.sign(value) * Infinity : value;
  const whole = Math.trunc(value);
  const bits = BITS[dtype];
  if (bits === undefined) return whole;
  const range = 2 ** bits;
  const wrapped = ((whole % range) + range) % range;
  return dtype.startsWith("int") && wrapped >= range / 2 ? wrapped - range : wrapped;
}

/** The nearest whole number; of two that are equally near, the even one. */
export function halfToEven(x) {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/**
 * How far torch's number may be from ours.
 *
 * A float may be off by a ten-thousandth (or what its type rounds away), and by what rounding the summed terms adds up
 * to: that part grows with their magnitude, Σ|term|, and stays when the sum itself cancels to almost nothing.
 */
export function tolerance(dtype, actual, magnitude) {
  if (!isFloat(dtype)) return 0;
  const epsilon = EPSILON[dtype] ?? 0.25;
  const summing = 16 * Math.min(epsilon, EPSILON.float32); // sums of halves are kept in float32
  return Math.max(1e-4, 2 * epsilon) * Math.abs(actual) + summing * magnitude + (VANISHING[dtype] ?? 0);
}

/** A difference as a share of torch's number, or of what was summed where that is larger. */
export function relative(difference, dtype, actual, magnitude) {
  return difference / Math.max(Math.abs(actual), magnitude, 1e4 * (VANISHING[dtype] ?? 0), Number.MIN_VALUE);
}

const category = (dtype) => (dtype === "bool" ? 0 : isFloat(dtype) ? 2 : 1);
const width = (dtype) => Number(dtype.match(/\d+/) ?? 0);

/**
 * The dtype in which torch works on these tensors and Python numbers together: that of the tensors with dimensions,
 * unless a single number (without dimensions, or Python's) is of a higher kind (bool < whole < float).
 */
export function commonDtype(tensors, numbers) {
  let common = null;
  for (const { dtype, shape } of tensors.toSorted((a, b) => (b.shape.length > 0) - (a.shape.length > 0))) {
    const higher = common === null || category(dtype) > category(common);
    if (higher || (category(dtype) === category(common) && shape.length > 0 && width(dtype) > width(common)))
      common = dtype;
  }
  const fraction = numbers.some((number) => !Number.isInteger(number));
  return fraction && !isFloat(common) ? "float32" : common;
}

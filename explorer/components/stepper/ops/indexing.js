// Flat places of cells: everything here counts cells row by row, as payload.js does.

import { stridesOf } from "../payload.js";

/** Σ index·stride for the cell of `shape` with this flat place. */
export function placeAt(flat, shape, strides) {
  let place = 0;
  for (let d = shape.length - 1; d >= 0; d--) {
    const index = flat % shape[d];
    place += index * strides[d];
    flat = (flat - index) / shape[d];
  }
  return place;
}

/** The index in each dimension of the cell of `shape` with this flat place. */
export function indexOf(flat, shape) {
  const index = new Array(shape.length);
  for (let d = shape.length - 1; d >= 0; d--) {
    index[d] = flat % shape[d];
    flat = (flat - index[d]) / shape[d];
  }
  return index;
}

/** placeAt for every cell of `shape`, in order. */
export function allPlaces(shape, strides) {
  let places = Int32Array.of(0);
  shape.forEach((length, d) => {
    const next = new Int32Array(places.length * length);
    for (let i = 0, k = 0; i < places.length; i++) {
      for (let j = 0; j < length; j++) next[k++] = places[i] + j * strides[d];
    }
    places = next;
  });
  return places;
}

/** flat place in an output of `shape` → flat place in a tensor that is broadcast to it. */
export function broadcast(tensor, shape) {
  if (tensor.size === 1) return () => 0;
  const missing = shape.length - tensor.shape.length;
  if (missing === 0 && tensor.shape.every((length, d) => length === shape[d])) return (flat) => flat;
  const strides = shape.map((_, d) =>
    d < missing || tensor.shape[d - missing] === 1 ? 0 : tensor.strides[d - missing],
  );
  return (flat) => placeAt(flat, shape, strides);
}

/**
 * The cells of a tensor in groups: those that differ only in `dims`. offsets: from the first of a group to each of it.
 * ofReduced, ofCell: the first of the group that a flat place belongs to, in a tensor without `dims` (or with 1 there)
 * and in this tensor.
 */
export function groupsOf(tensor, dims) {
  const { shape, strides } = tensor;
  const inside = shape.map((_, d) => dims.includes(d));
  const pick = (values, wanted) => values.filter((_, d) => inside[d] === wanted);
  const keptShape = pick(shape, false);
  const keptStrides = pick(strides, false);
  const ownStrides = strides.map((stride, d) => (inside[d] ? 0 : stride));
  return {
    offsets: allPlaces(pick(shape, true), pick(strides, true)),
    ofReduced: (flat) => placeAt(flat, keptShape, keptStrides),
    ofCell: (flat) => placeAt(flat, shape, ownStrides),
  };
}

/** Groups of `length` neighbouring cells, in the form of groupsOf. */
export function runsOf(length) {
  return {
    offsets: allPlaces([length], [1]),
    ofReduced: (flat) => flat * length,
    ofCell: (flat) => flat - (flat % length),
  };
}

/** dim with negative ones counted from the end. */
export const axisOf = (dim, dimensions) => (dim < 0 ? dim + dimensions : dim);

/** The shape with 1 in front until it has this many dimensions. */
export const padShape = (shape, dimensions, value = 1) => [
  ...new Array(dimensions - shape.length).fill(value),
  ...shape,
];

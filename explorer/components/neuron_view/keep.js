// The table to keep: as a picture with all lines, and its sums as CSV. view: the Neurons.

import { formatNumber } from "../shared/number.js";
import { asCsv, LONGEST_SIDE, paintedPng } from "../shared/tools.js";

const EDGES = [16, 156, 396, 636, 716, 796, 1000]; // left edges of the columns, and the right one
const PADDING = 8;

/** Promise of a PNG. Of very many keys, lines stand closer, as a PNG can only be so high. */
export function pictureOf(view) {
  const { palette, order, found, body, row, keys, query, titles } = view;
  const width = keys.shape[1];
  const high = Math.min(20, (LONGEST_SIDE - 80) / order.length);
  const size = Math.max(9, Math.min(13, high * 0.7));
  return paintedPng({ width: EDGES.at(-1) + 16, height: 68 + order.length * high, ground: palette.page }, (context) => {
    const write = (text, column, y, { right = false, colour = palette.ink, weight = 400 } = {}) => {
      context.font = `${weight} ${size}px sans-serif`;
      context.fillStyle = colour;
      context.textAlign = right ? "right" : "left";
      context.fillText(text, right ? EDGES[column + 1] - PADDING : EDGES[column], y + high * 0.5 + size * 0.35, EDGES[column + 1] - EDGES[column] - PADDING);
    };
    const strip = new OffscreenCanvas(width, 1);
    const pen = strip.getContext("2d");
    const numbers = (data, place, scale, column, y) => {
      pen.putImageData(view.colours(data, place * width, scale), 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(strip, EDGES[column], y + 2, EDGES[column + 1] - EDGES[column] - PADDING, high - 4);
    };
    titles.forEach((title, column) => write(title, column, 12, { weight: 700, right: column === 3 || column === 4 }));
    write(`q: ${body.queries[row]}`, 0, 36, { colour: palette.role("query"), weight: 700 });
    numbers(query.data, row, view.vectors, 1, 36);
    order.forEach((place, i) => {
      const y = 60 + i * high;
      write(body.keys[place], 0, y);
      numbers(keys.data, place, view.vectors, 1, y);
      numbers(found.products, place, view.products, 2, y);
      write(formatNumber(found.dots[place]), 3, y, { right: true });
      write(formatNumber(found.scores[place]), 4, y, { right: true });
      context.fillStyle = palette.accent;
      context.fillRect(EDGES[5], y + high * 0.3, found.weights[place] * 130, high * 0.4);
      write(formatNumber(found.weights[place], 3, 1e-5), 5, y, { right: true });
    });
  });
}

/** Sums, scaled scores and weights of all keys, in the order of the table. */
export function sumsOf({ order, found, body, titles }) {
  const lines = order.map((place) => [found.dots[place], found.scores[place], found.weights[place]]);
  return asCsv(lines, { rows: order.map((place) => body.keys[place]), columns: titles.slice(3) });
}

// What is seen, to keep: the whole text with the lines of now, as lines and letters (SVG), as pixels (PNG), and all numbers (CSV).
// view: the AttentionLines.

import { asCsv, LONGEST_SIDE, paintedPng } from "../shared/tools.js";
import { COLOURS, curveOf, DASHES, paintLines } from "./curves.js";

const SIDE = { room: 170, gap: 8, most: 24 }; // pixels for the words of a side; letters of a long one
const ACROSS = 480; // pixels from side to side
const MARGIN = 16;
const LEGEND = { line: 20, item: 130 };
const TYPE = { family: "sans-serif", size: 14, least: 9 };

const cut = (text) => {
  const signs = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  return signs.length > SIDE.most ? `${signs.slice(0, SIDE.most - 1).join("")}…` : text;
};

/** Where everything stands: {width, height, row, size, left, top, texts, legend}, texts: [{x, y, text, anchor, colour, bold}]. */
function layout(view, row) {
  const { inks, heads, names, count } = view;
  const left = MARGIN + SIDE.room;
  const width = ACROSS + 2 * left;
  const each = Math.floor((width - 2 * MARGIN) / LEGEND.item);
  const shown = count > 1 ? heads : [];
  const legend = shown.map((head, i) => ({ head, text: cut(names[head]), x: MARGIN + (i % each) * LEGEND.item, y: MARGIN + 8 + Math.floor(i / each) * LEGEND.line }));
  const titles = MARGIN + 12 + Math.ceil(shown.length / each) * LEGEND.line;
  const top = titles + 12;
  const size = Math.max(TYPE.least, Math.min(TYPE.size, row * 0.75));
  const sides = [["query", left - SIDE.gap, "end", "From (query)"], ["key", left + ACROSS + SIDE.gap, "start", "To (key)"]];
  const texts = sides.flatMap(([side, x, anchor, title]) => [
    { x, y: titles, text: title, anchor, colour: inks[`role-${side}`], bold: true, size: 13 },
    ...view.text[side].map((text, place) => ({
      x, y: top + (place + 0.5) * row + size * 0.35, text: cut(text), anchor, size,
      colour: view.focus?.side === side && view.focus.place === place ? inks[`role-${side}`] : inks.ink,
      bold: view.focus?.side === side && view.focus.place === place,
    })),
  ]);
  return { width, height: top + row * Math.max(view.rows, view.cols) + MARGIN, left, top, texts, legend };
}

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Text of an SVG, in the colours of now. */
export function drawingOf(view) {
  const row = 26;
  const { width, height, left, top, texts, legend } = layout(view, row);
  const { colours, inks, lines } = view;
  const scene = view.scene(row, ACROSS);
  const penOf = (head, dash) => `stroke="${colours[head % COLOURS]}" stroke-dasharray="${dash.join(" ") || "none"}"`;
  const paths = lines.map((_, i) => {
    const { d, head, dash, width: thickness, opacity } = curveOf(scene, i);
    return `<path d="${d}" ${penOf(head, dash)} stroke-width="${thickness.toFixed(2)}" stroke-opacity="${opacity.toFixed(3)}"/>`;
  });
  const samples = legend.map(({ head, x, y }) => `<path d="M${x} ${y - 4}h26" ${penOf(head, DASHES[head % DASHES.length])} stroke-width="3"/>`);
  const letters = [...texts, ...legend.map(({ text, x, y }) => ({ text, x: x + 32, y, anchor: "start", colour: inks.ink, size: 13 }))]
    .map(({ x, y, text, anchor, colour, bold, size }) => `<text x="${x}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${colour}" font-size="${size}"${bold ? ' font-weight="700"' : ""}>${escaped(text)}</text>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${TYPE.family}">`,
    `<rect width="${width}" height="${height}" fill="${inks.page}"/>`,
    `<g fill="none" transform="translate(${left} ${top})">`, ...paths, "</g>", ...samples, ...letters, "</svg>\n",
  ].join("\n");
}

/** Promise of a PNG. Of a very long text, words stand closer, as a PNG can only be so high. */
export function pictureOf(view) {
  const count = Math.max(view.rows, view.cols);
  const row = Math.min(26, (LONGEST_SIDE - 200) / count);
  const { width, height, left, top, texts, legend } = layout(view, row);
  const { colours, inks } = view;
  return paintedPng({ width, height, ground: inks.page }, (context) => {
    context.save();
    context.translate(left, top);
    paintLines(context, view.scene(row, ACROSS), 0, height);
    context.restore();
    for (const { text, x, y, anchor, colour, bold, size } of [...texts, ...legend.map((item) => ({ ...item, x: item.x + 32, anchor: "start", colour: inks.ink, size: 13 }))]) {
      context.font = `${bold ? 700 : 400} ${size}px ${TYPE.family}`;
      context.textAlign = anchor;
      context.fillStyle = colour;
      context.fillText(text, x, y);
    }
    context.lineWidth = 3;
    for (const { head, x, y } of legend) {
      context.strokeStyle = colours[head % COLOURS];
      context.setLineDash(DASHES[head % DASHES.length]);
      context.beginPath();
      context.moveTo(x, y - 4);
      context.lineTo(x + 26, y - 4);
      context.stroke();
    }
  });
}

/** All weights of the layer as CSV: a line for each pair, a column for each head. */
export function numbersOf(view) {
  const pairs = view.text.query.flatMap((_, query) => view.text.key.map((__, key) => [query, key]));
  const rows = pairs.map(([query, key]) => `${view.text.query[query]} → ${view.text.key[key]}`);
  const lines = pairs.map((pair) => [...pair, ...view.names.map((_, head) => view.weight(head, pair))]);
  return asCsv(lines, { rows, columns: ["query", "key", ...view.names] });
}

// What is seen, to keep. view: the AttentionLines.

import { saveBlob } from "../shared/dom.js";
import { asCsv } from "../shared/tools.js";
import { ROW, SIDES, SVG, svgElement } from "./svg.js";

const ROOM = 150; // pixels for the words of a side

/** Lines and words as SVG, in the colours of now. */
export function savePicture(view) {
  const [width, height] = [view.width + 2 * ROOM, ROW * Math.max(view.rows, view.cols)];
  const style = getComputedStyle(view.root);
  const picture = svgElement("svg", { xmlns: SVG, viewBox: `0 0 ${width} ${height}`, width, height });
  const lines = svgElement("g", { transform: `translate(${ROOM} 0)` });
  for (const line of view.svg.children) {
    const copy = line.cloneNode();
    copy.setAttribute("stroke", style.getPropertyValue(copy.getAttribute("stroke").slice(4, -1))); // var(--head-0) → its colour
    lines.append(copy);
  }
  picture.append(svgElement("rect", { width, height, fill: style.getPropertyValue("--page") }), lines);
  for (const side of SIDES) {
    const [x, anchor] = side === "query" ? [ROOM - 8, "end"] : [width - ROOM + 8, "start"];
    view.text[side].forEach((text, place) => {
      const look = { "text-anchor": anchor, fill: style.getPropertyValue("--ink"), "font-family": "sans-serif", "font-size": 14 };
      const label = svgElement("text", { x, y: (place + 0.5) * ROW + 4, ...look });
      label.textContent = text;
      picture.append(label);
    });
  }
  saveBlob(new Blob([new XMLSerializer().serializeToString(picture)], { type: "image/svg+xml" }), "attention.svg");
}

/** All weights as CSV: a line for each pair, a column for each head. */
export function saveNumbers(view) {
  const pairs = view.text.query.flatMap((_, query) => view.text.key.map((__, key) => [query, key]));
  const rows = pairs.map(([query, key]) => `${view.text.query[query]} → ${view.text.key[key]}`);
  const lines = pairs.map((pair) => [...pair, ...view.names.map((_, head) => view.weight(head, pair))]);
  const text = asCsv(lines, { rows, columns: ["query", "key", ...view.names] });
  saveBlob(new Blob([text], { type: "text/csv" }), "attention.csv");
}

// What pictures of numbers have beside them: a colour bar with its ends, and buttons to keep the picture and the numbers.

import { el, saveBlob, setText } from "./dom.js";
import { formatNumber } from "./number.js";

/** A name that every file system takes. */
const fileName = (title, otherwise) => title.replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_|_$/g, "").slice(0, 60) || otherwise;

/**
 * Buttons that keep what is seen. title() → what the files are called, otherwise: where it has no letters; and of these, those that
 * there are: picture() → Promise of a PNG as a Blob, or null for none; drawing() → text of an SVG; numbers() → text of a CSV, or null.
 */
export function keepButtons({ title, otherwise, picture, drawing, numbers }) {
  const named = (ending) => `${fileName(title(), otherwise)}.${ending}`;
  const button = (text, hint, action) => el("button", { class: "small", title: hint, onclick: action }, text);
  const saveText = (text, type, ending) => text != null && saveBlob(new Blob([text], { type }), named(ending));
  return el("span", { class: "tools" },
    drawing && button("SVG", "Save the picture as lines and letters", () => saveText(drawing(), "image/svg+xml", "svg")),
    picture && button("PNG", "Save the picture", async () => {
      const blob = await picture();
      if (blob) saveBlob(blob, named("png"));
    }),
    numbers && button("CSV", "Save the numbers", () => saveText(numbers(), "text/csv", "csv")));
}

/** Buttons for those who have neither wheel nor keys. zoom(factor), reset(). */
export function zoomButtons({ zoom, reset }) {
  const button = (text, name, action) => el("button", { class: "small", title: name, "aria-label": name, onclick: action }, text);
  return el("span", { class: "zoom", role: "group", "aria-label": "Zoom" },
    button("−", "Zoom out", () => zoom(1 / 1.5)), button("+", "Zoom in", () => zoom(1.5)), button("Reset", "Reset zoom", reset));
}

const SHARP = 2; // pixels of a PNG for each of the page
export const LONGEST_SIDE = 16000 / SHARP; // more than browsers draw on

/** A PNG of width × height pixels of the page, twice as sharp, on a ground of its own; paint(context) draws it → Promise of a Blob. */
export function paintedPng({ width, height, ground }, paint) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height].map((side) => Math.round(side * SHARP));
  const context = canvas.getContext("2d");
  context.scale(SHARP, SHARP);
  context.fillStyle = ground;
  context.fillRect(0, 0, width, height);
  paint(context);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

const quoted = (cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Lines of numbers as CSV. lines: lists; rows, columns: a text before each line and above each column, where there are some. */
export function asCsv(lines, { rows = [], columns = [] } = {}) {
  const table = lines.map((line, r) => (rows.length ? [quoted(rows[r] ?? ""), ...line] : line));
  if (columns.length) table.unshift([...(rows.length ? [""] : []), ...columns.map(quoted)]);
  return `${table.map((line) => Array.from(line).join(",")).join("\n")}\n`;
}

/** low ▭▭▭ high. */
export class ColourBar {
  constructor() {
    this.low = el("span", { class: "mono" });
    this.high = el("span", { class: "mono" });
    this.bar = el("div", { class: "bar" });
    this.element = el("div", { class: "bar-row faint" }, this.low, this.bar, this.high);
  }

  /** scale: as in colour.js, or null where no number is shown; unit: written behind the ends. */
  show(scale, unit = "") {
    setText(this.low, scale ? formatNumber(scale.low) + unit : "");
    setText(this.high, scale ? formatNumber(scale.high) + unit : "");
    this.bar.className = `bar ${scale?.kind ?? ""}`;
  }
}

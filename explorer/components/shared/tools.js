// What pictures of numbers have beside them: a colour bar with its ends, and buttons to keep the picture and the numbers.

import { el, saveBlob, setText } from "./dom.js";
import { formatNumber } from "./number.js";

/** A name that every file system takes. */
const fileName = (title, otherwise) => title.replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_|_$/g, "").slice(0, 60) || otherwise;

/**
 * The buttons PNG and CSV. title() → what the files are called, otherwise() where it has no letters; picture() → Promise of a
 * Blob, or null for none; numbers() → the text of the CSV, or null.
 */
export function keepButtons({ title, otherwise, picture, numbers }) {
  const named = (ending) => `${fileName(title(), otherwise)}.${ending}`;
  const button = (text, hint, action) => el("button", { class: "small", title: hint, onclick: action }, text);
  return el("span", { class: "tools" },
    button("PNG", "Save the picture", async () => {
      const blob = await picture();
      if (blob) saveBlob(blob, named("png"));
    }),
    button("CSV", "Save the numbers", () => {
      const text = numbers();
      if (text != null) saveBlob(new Blob([text], { type: "text/csv" }), named("csv"));
    }));
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

// One tensor of a step: its name, shape, picture, colour bar, slice choosers and downloads.

import { el, setText } from "../shared/dom.js";
import { extent, scaleFor } from "../shared/colour.js";
import { Grid } from "../shared/grid.js";
import { cellName, labelsText } from "../shared/labels.js";
import { allDigits, formatNumber } from "../shared/number.js";
import { asCsv, ColourBar, keepButtons } from "../shared/tools.js";

const MAX_TILES = 16;
const MAX_TILED_CELLS = 60000;
const WRAP_FROM = 40; // a longer vector is shown in several rows

/** How a shape is laid out: rows, cols, and the leading dims (those before the last two). */
export function planeOf(shape) {
  const lead = shape.slice(0, -2);
  let [rows, cols] = shape.length === 0 ? [1, 1] : shape.length === 1 ? [1, shape[0]] : shape.slice(-2);
  if (rows === 1 && cols > WRAP_FROM && lead.every((n) => n === 1)) {
    let wrapped = cols;
    for (let width = 8; width <= 48; width++) if (cols % width === 0 && cols / width <= width) wrapped = width;
    if (cols / wrapped > 1) [rows, cols] = [cols / wrapped, wrapped];
  }
  return { rows, cols, lead };
}

/** Flat index → "[0, 2, 1]". */
export function subscript(tensor, flat) {
  let rest = flat;
  return `[${tensor.strides.map((stride) => {
    const index = Math.floor(rest / stride);
    rest -= index * stride;
    return index;
  }).join(", ")}]`;
}

const cachedExtent = (tensor) => (tensor.extent ??= tensor.data ? extent(tensor.data) : { low: 0, high: 0 });

/** The colour scale shared by these tensors. */
export function commonScale(tensors) {
  const ends = tensors.filter((t) => t.data).map(cachedExtent);
  if (!ends.length) return scaleFor({ low: 0, high: 0 });
  return scaleFor({ low: Math.min(...ends.map((e) => e.low)), high: Math.max(...ends.map((e) => e.high)) });
}

export class TensorBox {
  constructor({ onHover, onPick, onSlice }) {
    this.name = el("span", { class: "tensor-name mono" });
    this.shape = el("span", { class: "faint mono tensor-shape" });
    this.badge = el("span", { class: "badge" });
    this.tools = keepButtons({
      title: () => this.label, otherwise: "tensor", picture: () => (this.tensor.data ? this.grid.toBlob() : null), numbers: () => this.numbers(),
    });
    this.holder = el("div", { class: "tensor-grid" });
    this.choosers = el("div", { class: "choosers" });
    this.bar = new ColourBar();
    this.missing = el("p", { class: "missing faint" });
    this.element = el("section", { class: "tensor" },
      el("header", {}, this.name, this.shape, this.badge, this.tools), this.holder, this.choosers,
      this.bar.element, this.missing);
    this.grid = new Grid(this.holder, { onHover: (flat) => onHover(this, flat), onPick: (flat) => onPick(this, flat) });
    this.onSlice = onSlice;
    this.chosen = [];
  }

  /**
   * role: palette role of the tensor; key: its role in the step ("input", "weight" …), or "output"; labels: {rows, columns},
   * what the last two dims stand for; badge: what befell it, in a word or two; corners: a Set of cells to mark; hint: what else
   * keys do here.
   */
  show({ tensor, label, role, key, scale, palette, labels = {}, badge = "", corners = null, hint = "" }) {
    const sameShape = this.tensor && String(this.tensor.shape) === String(tensor.shape);
    Object.assign(this, { tensor, role, key, scale, palette, label, corners, hint, labels: labelsFor(tensor.shape, labels) });
    if (!sameShape) this.chosen = tensor.shape.slice(0, -2).map(() => 0);
    this.element.style.setProperty("--role", `var(--role-${role})`);
    setText(this.name, label);
    this.name.title = label;
    setText(this.shape, tensor.shape.length ? `${tensor.shape.join(" × ")}` : "one number");
    this.shape.title = `shape (${tensor.shape.join(", ")}), ${tensor.dtype}`;
    setText(this.badge, badge);
    setText(this.missing, tensor.data ? "" : `Not shown: ${tensor.omitted}.`);
    this.bar.show(tensor.data ? scale : null);
    this.grid.setLabel(this.describe());
    this.drawChoosers();
    this.draw();
  }

  describe() {
    const { low, high } = cachedExtent(this.tensor);
    const size = this.tensor.shape.join(" by ") || "one number";
    const words = labelsText(this.labels);
    return `${this.label}, ${size}, values from ${formatNumber(low)} to ${formatNumber(high)}. ${words && `${words} `}Arrow keys move from cell to cell, Enter pins one.${this.hint && ` ${this.hint}`}`;
  }

  /** How many of the leading dims are spread out as tiles, counted from the last. */
  tiled() {
    const { lead, rows, cols } = planeOf(this.tensor.shape);
    let count = 1;
    let dims = 0;
    for (let d = lead.length - 1; d >= 0; d--) {
      count *= lead[d];
      if (count > MAX_TILES || count * rows * cols > MAX_TILED_CELLS) break;
      dims++;
    }
    return dims;
  }

  slices() {
    const { lead } = planeOf(this.tensor.shape);
    const spread = this.tiled();
    let offsets = [0];
    lead.forEach((length, d) => {
      const stride = this.tensor.strides[d];
      const indices = d >= lead.length - spread ? [...Array(length).keys()] : [this.chosen[d]];
      offsets = offsets.flatMap((offset) => indices.map((index) => offset + index * stride));
    });
    return offsets;
  }

  draw() {
    const { rows, cols } = planeOf(this.tensor.shape);
    this.grid.show({
      data: this.tensor.data, rows, cols, slices: this.slices(), scale: this.scale, palette: this.palette, labels: this.labels, corners: this.corners, highlight: "--role",
    });
  }

  drawChoosers() {
    const { lead } = planeOf(this.tensor.shape);
    const hidden = lead.length - this.tiled();
    const wanted = String(lead.slice(0, hidden));
    if (this.choosers.dataset.for !== wanted) {
      this.choosers.dataset.for = wanted;
      this.choosers.replaceChildren(...lead.slice(0, hidden).map((length, d) => length === 1 ? null : el("label", { class: "faint" },
        `dim ${d} `,
        el("input", { type: "number", min: 0, max: length - 1, value: this.chosen[d], class: "mono", oninput: (event) => {
          this.chosen[d] = Math.max(0, Math.min(length - 1, Math.trunc(Number(event.target.value) || 0)));
          this.draw();
          this.onSlice();
        } }), ` of ${length}`)).filter(Boolean));
    }
    [...this.choosers.querySelectorAll("input")].forEach((input) => {
      const d = lead.slice(0, hidden).map((n, i) => [n, i]).filter(([n]) => n > 1)[[...this.choosers.querySelectorAll("input")].indexOf(input)][1];
      if (input.value !== String(this.chosen[d])) input.value = this.chosen[d];
    });
  }

  /** Turns to the slice that holds this cell, if it is not on show. */
  reveal(flat) {
    if (!this.tensor.data || this.grid.place(flat)) return;
    const { lead } = planeOf(this.tensor.shape);
    let rest = flat;
    let moved = false;
    lead.forEach((_, d) => {
      const index = Math.floor(rest / this.tensor.strides[d]);
      rest -= index * this.tensor.strides[d];
      if (d < lead.length - this.tiled() && this.chosen[d] !== index) {
        this.chosen[d] = index;
        moved = true;
      }
    });
    if (moved) {
      this.drawChoosers();
      this.draw();
    }
  }

  light(flats) {
    if (flats?.length && !flats.some((flat) => this.grid.place(flat))) this.reveal(flats[0]);
    this.grid.light(flats);
  }

  /** "weights[0, 2] (The → sat)". */
  cellText(flat) {
    const { cols } = planeOf(this.tensor.shape);
    const { rows, columns } = this.labels;
    const [row, column] = [Math.floor(flat / cols) % Math.max(planeOf(this.tensor.shape).rows, 1), flat % cols];
    const words = rows.length || columns.length ? ` (${cellName(this.labels, row, column)})` : "";
    return `${this.label}${subscript(this.tensor, flat)}${words}`;
  }

  number(flat) {
    return allDigits(this.tensor.data[flat], this.tensor.data instanceof Float32Array);
  }

  valueText(flat) {
    return `${this.cellText(flat)} = ${this.number(flat)}`;
  }

  numbers() {
    if (!this.tensor.data) return null;
    const cols = this.tensor.shape.at(-1) ?? 1;
    const lines = Array.from({ length: this.tensor.size / cols || 0 }, (_, i) => this.tensor.data.slice(i * cols, (i + 1) * cols));
    const { rows, columns } = this.labels;
    const head = `# ${this.label.replaceAll("\n", " ")}, shape (${this.tensor.shape.join(", ")}), ${this.tensor.dtype}\n`;
    return head + asCsv(lines, { rows: rows.length ? lines.map((_, i) => rows[i % rows.length]) : [], columns });
  }
}

/** The labels that fit a tensor of this shape: names in the source may come back with another one. */
function labelsFor(shape, { rows = [], columns = [] }) {
  const plane = planeOf(shape);
  const whole = shape.length > 0 && plane.cols === shape.at(-1); // a long vector is wrapped into rows
  return {
    rows: shape.length > 1 && rows.length === plane.rows ? rows : [],
    columns: whole && columns.length === plane.cols ? columns : [],
  };
}

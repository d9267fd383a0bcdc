// One tensor of a step: its name, shape, picture, colour bar, slice choosers and downloads.

import { el, saveBlob, setText } from "../shared/dom.js";
import { extent, scaleFor } from "../shared/colour.js";
import { Grid } from "../shared/grid.js";
import { allDigits, formatNumber } from "../shared/number.js";

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
    this.tools = el("span", { class: "tensor-tools" },
      el("button", { class: "small", title: "Save the picture", onclick: () => this.savePicture() }, "PNG"),
      el("button", { class: "small", title: "Save the numbers", onclick: () => this.saveNumbers() }, "CSV"));
    this.holder = el("div", { class: "tensor-grid" });
    this.choosers = el("div", { class: "choosers" });
    this.barLow = el("span", { class: "mono" });
    this.barHigh = el("span", { class: "mono" });
    this.bar = el("div", { class: "bar" });
    this.missing = el("p", { class: "missing faint" });
    this.element = el("section", { class: "tensor" },
      el("header", {}, this.name, this.shape, this.tools), this.holder, this.choosers,
      el("div", { class: "bar-row faint" }, this.barLow, this.bar, this.barHigh), this.missing);
    this.grid = new Grid(this.holder, { onHover: (flat) => onHover(this, flat), onPick: (flat) => onPick(this, flat) });
    this.onSlice = onSlice;
    this.chosen = [];
  }

  /** role: palette role of the tensor; key: its role in the step ("input", "weight" …), or "output". */
  show({ tensor, label, role, key, scale, palette }) {
    const sameShape = this.tensor && String(this.tensor.shape) === String(tensor.shape);
    Object.assign(this, { tensor, role, key, scale, palette, label });
    if (!sameShape) this.chosen = tensor.shape.slice(0, -2).map(() => 0);
    this.element.style.setProperty("--role", `var(--role-${role})`);
    setText(this.name, label);
    this.name.title = label;
    setText(this.shape, tensor.shape.length ? `${tensor.shape.join(" × ")}` : "one number");
    this.shape.title = `shape (${tensor.shape.join(", ")}), ${tensor.dtype}`;
    setText(this.missing, tensor.data ? "" : `Not shown: ${tensor.omitted}.`);
    setText(this.barLow, tensor.data ? formatNumber(scale.low) : "");
    setText(this.barHigh, tensor.data ? formatNumber(scale.high) : "");
    this.bar.className = `bar ${scale.kind}`;
    this.grid.setLabel(this.describe());
    this.drawChoosers();
    this.draw();
  }

  describe() {
    const { low, high } = cachedExtent(this.tensor);
    return `${this.label}, ${this.tensor.shape.join(" by ") || "one number"}, values from ${formatNumber(low)} to ${formatNumber(high)}. Arrow keys move from cell to cell, Enter pins one.`;
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
      data: this.tensor.data, rows, cols, slices: this.slices(), scale: this.scale, palette: this.palette, highlight: "--role",
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

  valueText(flat) {
    return `${this.label}${subscript(this.tensor, flat)} = ${allDigits(this.tensor.data[flat])}`;
  }

  async savePicture() {
    if (this.tensor.data) saveBlob(await this.grid.toBlob(), `${fileName(this.label)}.png`);
  }

  saveNumbers() {
    if (!this.tensor.data) return;
    const cols = this.tensor.shape.at(-1) ?? 1;
    const rows = [];
    for (let i = 0; i < this.tensor.size; i += cols) rows.push([...this.tensor.data.slice(i, i + cols)].join(","));
    const head = `# ${this.label.replaceAll("\n", " ")}, shape (${this.tensor.shape.join(", ")}), ${this.tensor.dtype}\n`;
    saveBlob(new Blob([head, rows.join("\n"), "\n"], { type: "text/csv" }), `${fileName(this.label)}.csv`);
  }
}

const fileName = (label) => label.replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_|_$/g, "").slice(0, 60) || "tensor";

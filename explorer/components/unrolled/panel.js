// The current step of the large cell, unit by unit: states as coloured numbers, gates as bars, and the weights that all steps share.

import { colourIndex, extent, scaleFor } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { allDigits, formatNumber } from "../shared/number.js";
import { arithmetic } from "./cells.js";

const SYMBOL_ROLES = { x: "input", W: "weight", b: "weight", h: "hidden", c: "value", g: "value", n: "value", i: "mask", f: "mask", o: "mask", r: "mask", z: "mask" };
const SYMBOLS = /(tanh|relu|σ)|([a-zA-Z])(?:_\{([^}]*)\}|_(\w+))?/g;

/** "h_t = o ⊙ tanh(c_{t−1})" → nodes, each symbol in the colour of its role. */
export function setFormula(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(SYMBOLS)) {
    nodes.push(text.slice(end, match.index));
    const [whole, name, symbol, braced, bare] = match;
    if (name) nodes.push(name);
    else nodes.push(el("span", { class: "symbol", style: { color: `var(--role-${SYMBOL_ROLES[symbol]})` } }, el("i", {}, symbol), braced ?? bare ? el("sub", {}, braced ?? bare) : null));
    end = match.index + whole.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

/** Tokens of cells.js → nodes. */
export const setTokens = (tokens) => tokens.map((token) => token.number == null ? token.text
  : el("b", { style: { color: token.role ? `var(--role-${token.role})` : null }, title: token.title ?? allDigits(token.number) }, token.text));

/** The weights of one scan on a canvas: W_ih, W_hh and the biases side by side, a block of rows for each gate. */
class Weights {
  constructor(onUnit) {
    this.canvas = el("canvas", { class: "weights", role: "img", tabindex: -1 });
    this.readout = el("div", { class: "weight-readout mono faint" });
    this.element = el("div", { class: "weights-box" }, el("div", { class: "panel-title" }, "Shared weights ", el("span", { class: "faint" }, "the same at every step")), this.canvas, this.readout);
    this.canvas.onpointermove = (event) => this.point(event, onUnit);
    this.canvas.onpointerleave = () => {
      setText(this.readout, this.rest);
      onUnit(null);
    };
  }

  show(scan, palette, width) {
    Object.assign(this, { scan, palette });
    const { ih, hh, bih, bhh } = scan.weights;
    this.blocks = [
      { name: "W_ih", data: ih, cols: scan.width, under: scan.layer ? "h below" : "x" },
      { name: "W_hh", data: hh, cols: scan.hidden, under: "h" },
      { name: "b_ih", data: bih, cols: 1, under: "" },
      { name: "b_hh", data: bhh, cols: 1, under: "" },
    ];
    const ends = this.blocks.map((block) => extent(block.data));
    this.scale = scaleFor({ low: Math.min(...ends.map((e) => e.low)), high: Math.max(...ends.map((e) => e.high)) });
    this.gateCount = scan.rows / scan.hidden;
    const cols = scan.width + scan.hidden + 2;
    this.gutter = this.gateCount > 1 ? 18 : 4;
    const fits = Math.min((width - this.gutter - 44) / cols, (232 - 3 * this.gateCount) / scan.rows, 26);
    this.size = Math.max(5, Math.floor(fits));
    this.blocks.reduce((x, block) => Object.assign(block, { x }).x + block.cols * this.size + 14, this.gutter);
    this.top = 18;
    const wide = this.blocks.at(-1).x + this.size + 14;
    const tall = this.top + scan.rows * this.size + (this.gateCount - 1) * 4 + 2;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(wide * ratio);
    this.canvas.height = Math.round(tall * ratio);
    this.canvas.style.width = `${wide}px`;
    this.canvas.style.height = `${tall}px`;
    this.canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    const count = scan.rows * cols;
    this.rest = `${count} numbers, ${formatNumber(this.scale.low)} … ${formatNumber(this.scale.high)}`;
    setText(this.readout, this.rest);
    this.canvas.setAttribute("aria-label", `The ${count} weights and biases that every step uses: ${scan.rows} rows, one for each unit${this.gateCount > 1 ? " and gate" : ""}.`);
  }

  rowTop(row) {
    return this.top + row * this.size + Math.floor(row / this.scan.hidden) * 4;
  }

  /** rows: of the weights, that are in use. */
  light(rows) {
    const { scan, palette, size } = this;
    const pen = this.canvas.getContext("2d");
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const table = palette[this.scale.kind];
    for (const { data, cols, x } of this.blocks) {
      for (let row = 0; row < scan.rows; row++) {
        pen.globalAlpha = rows.length && !rows.includes(row) ? 0.4 : 1;
        for (let col = 0; col < cols; col++) {
          const index = 3 * colourIndex(data[row * cols + col], this.scale);
          pen.fillStyle = `rgb(${table[index]}, ${table[index + 1]}, ${table[index + 2]})`;
          pen.fillRect(x + col * size, this.rowTop(row), size, size);
        }
      }
      pen.globalAlpha = 1;
      for (let gate = 0; gate < this.gateCount; gate++) {
        pen.strokeStyle = palette.line;
        pen.strokeRect(x - 0.5, this.rowTop(gate * scan.hidden) - 0.5, cols * size + 1, scan.hidden * size + 1);
      }
      pen.strokeStyle = palette.role("weight");
      pen.lineWidth = 2;
      for (const row of rows) pen.strokeRect(x, this.rowTop(row), cols * size, size);
      pen.lineWidth = 1;
    }
    this.drawNames(pen);
  }

  drawNames(pen) {
    const { scan, palette, size } = this;
    pen.textBaseline = "alphabetic";
    pen.textAlign = "center";
    pen.fillStyle = palette.role("weight");
    for (const { name, x, cols } of this.blocks) {
      const [letter, sub] = name.split("_");
      pen.font = 'italic 13px "Source Serif", Georgia, serif';
      pen.fillText(letter, x + (cols * size) / 2 - 4, 11);
      pen.font = 'italic 9px "Source Serif", Georgia, serif';
      pen.fillText(sub, x + (cols * size) / 2 + 6, 14);
    }
    if (this.gateCount < 2) return;
    scan.quantities.forEach(({ symbol, role }, gate) => {
      pen.fillStyle = palette.role(role);
      pen.font = 'italic 13px "Source Serif", Georgia, serif';
      pen.fillText(symbol, 7, this.rowTop(gate * scan.hidden) + (scan.hidden * size) / 2 + 4);
    });
  }

  point(event, onUnit) {
    const box = this.canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const { scan, size } = this;
    const row = Array.from({ length: scan.rows }, (_, r) => r).find((r) => py >= this.rowTop(r) && py < this.rowTop(r) + size);
    const block = this.blocks.find(({ x, cols }) => px >= x && px < x + cols * size);
    if (row == null || !block) return;
    const col = Math.floor((px - block.x) / size);
    const place = block.cols > 1 ? `[${row}, ${col}]` : `[${row}]`;
    setText(this.readout, `${block.name}${place} = ${allDigits(block.data[row * block.cols + col])}`);
    onUnit({ unit: row % scan.hidden, gate: this.gateCount > 1 ? Math.floor(row / scan.hidden) : null });
  }
}

export class Panel {
  /** onFocus(focus or null), onPick(focus), onCode(): the visitor wants this step in the stepper. */
  constructor({ onFocus, onPick, onCode }) {
    Object.assign(this, { onFocus, onPick });
    this.title = el("div", { class: "step-title" });
    this.codeButton = el("button", { class: "small", onclick: onCode }, "This step in the code ↓");
    this.weights = new Weights((hit) => this.onFocus(hit && this.focusOn(hit.gate == null ? "h" : `g${hit.gate}`, hit.unit)));
    this.vector = el("div", { class: "vector" });
    this.table = el("div", { class: "units", role: "table", "aria-label": "The current step, unit by unit" });
    this.formulas = el("div", { class: "formulas" });
    this.element = el("section", { class: "panel" },
      el("header", { class: "panel-head" }, this.title, this.codeButton),
      el("div", { class: "panel-body" }, this.weights.element, this.vector, this.table), this.formulas);
  }

  focusOn(kind, unit) {
    const { cell, layer, direction } = this.scan;
    return { cell, layer, direction, kind, place: this.place, unit };
  }

  /** Another step, or another reading. labels: {title, vector}. */
  show(scan, place, scales, palette, labels) {
    const anew = this.scan !== scan || this.palette !== palette;
    Object.assign(this, { scan, place, scales, palette });
    this.title.replaceChildren(...labels.title);
    if (anew) this.weights.show(scan, palette, Math.max(180, Math.min(this.element.clientWidth - 24, 300)));
    this.fillVector(labels.vector);
    this.fillTable();
  }

  number(kind, place, unit, label) {
    const { scan, palette } = this;
    const value = scan.value(kind, place, unit);
    const scale = kind === "x" && !scan.layer ? this.scales.x : this.scales.state;
    const table = palette[scale.kind];
    const index = 3 * colourIndex(value, scale);
    const bright = table[index] * 0.299 + table[index + 1] * 0.587 + table[index + 2] * 0.114 > 140;
    return this.live(el("div", { class: "number-cell mono", role: "cell", title: `${label}[${unit}] = ${allDigits(value)}`,
      style: { background: `rgb(${table[index]}, ${table[index + 1]}, ${table[index + 2]})`, color: bright ? "#111" : "#fff" } }, formatNumber(value, 2, 1e-9)), kind, place, unit);
  }

  gateBar(kind, unit) {
    const { scan, place } = this;
    const { symbol, role, signed } = scan.quantity(kind);
    const value = scan.value(kind, place, unit);
    const bar = el("div", { class: `fill ${signed ? "signed" : ""}`, style: signed
      ? { left: `${50 + Math.min(0, value) * 50}%`, width: `${Math.abs(value) * 50}%`, background: `var(--role-${role})` }
      : { left: 0, width: `${value * 100}%`, background: `var(--role-${role})` } });
    return this.live(el("div", { class: `gate mono ${signed ? "signed" : ""}`, role: "cell", title: `${symbol}[${unit}] = ${allDigits(value)}` },
      el("div", { class: "track" }, bar), el("span", {}, formatNumber(value, 2, 1e-9))), kind, place, unit);
  }

  /** A cell that can be pointed at and picked. */
  live(node, kind, place, unit) {
    const focus = { ...this.focusOn(kind, unit), place };
    node.onpointerenter = () => this.onFocus(focus);
    node.onpointerleave = (event) => event.pointerType !== "touch" && this.onFocus(null);
    node.onclick = () => this.onPick(focus);
    node.dataset.kind = kind;
    node.dataset.place = place;
    node.dataset.unit = unit;
    return node;
  }

  fillVector(label) {
    const { scan, place } = this;
    const { role } = scan.quantity("x");
    this.vector.classList.toggle("dense", scan.width > 8);
    this.vector.replaceChildren(el("div", { class: "column-head", style: { color: `var(--role-${role})` }, title: label }, el("span", {}, el("i", {}, "x"), el("sub", {}, "t"))),
      ...Array.from({ length: scan.width }, (_, k) => this.number("x", place, k, "x_t")));
  }

  fillTable() {
    const { scan, place } = this;
    const before = scan.before(place);
    const columns = [{ kind: "h", at: before, sub: "t−1" }, ...(scan.c ? [{ kind: "c", at: before, sub: "t−1" }] : []),
      ...scan.quantities.map((_, k) => ({ kind: `g${k}`, at: place, bar: true })),
      ...(scan.quantities.length ? [] : [{ note: true }]),
      ...(scan.c ? [{ kind: "c", at: place, sub: "t" }] : []), { kind: "h", at: place, sub: "t" }];
    this.table.style.gridTemplateColumns = `16px ${columns.map((column) => (column.bar || column.note ? "minmax(40px, 1.5fr)" : "minmax(36px, 1fr)")).join(" ")}`;
    const heads = columns.map((column) => {
      if (column.note) return el("div", { class: "column-head faint" }, "no gates");
      const { symbol, name, role } = scan.quantity(column.kind);
      return el("div", { class: "column-head", role: "columnheader", style: { color: `var(--role-${role})` }, title: name },
        el("span", {}, el("i", {}, symbol), column.sub ? el("sub", {}, column.sub) : null), column.bar ? el("small", {}, name.replace(" gate", "")) : null);
    });
    const rows = Array.from({ length: scan.hidden }, (_, unit) => [
      el("div", { class: "unit-name faint mono", role: "rowheader", title: `unit ${unit}` }, String(unit)),
      ...columns.map((column) => column.note ? el("div", { class: "no-gates faint" }, "→")
        : column.bar ? this.gateBar(column.kind, unit) : this.number(column.kind, column.at, unit, `${column.kind}_${column.sub}`)),
    ]);
    this.table.replaceChildren(el("div", {}), ...heads, ...rows.flat());
  }

  /** focus: of this scan, or of another one (then only the weights rest). uses, row: see cells.js. */
  light(focus, told) {
    const { scan } = this;
    const mine = focus.cell === scan.cell && focus.layer === scan.layer && focus.direction === scan.direction;
    const rows = !mine || focus.kind === "x" ? [] : told?.row != null ? [told.row] : Array.from({ length: scan.rows / scan.hidden }, (_, gate) => gate * scan.hidden + focus.unit);
    this.weights.light(rows);
    const uses = mine ? (told?.uses ?? []) : [];
    for (const node of this.element.querySelectorAll("[data-kind]")) {
      const { kind } = node.dataset;
      const [place, unit] = [Number(node.dataset.place), Number(node.dataset.unit)];
      node.classList.toggle("looked-at", mine && kind === focus.kind && place === focus.place && unit === focus.unit);
      node.classList.toggle("used", uses.some((use) => use.kind === kind && use.place === place && (use.unit == null || use.unit === unit)));
    }
    this.fillFormulas(mine && focus.kind !== "x" ? focus.unit : (this.unit ?? 0), mine ? focus.kind : null);
  }

  /** The step's formulas for one unit, with their numbers. */
  fillFormulas(unit, kind) {
    this.unit = Math.min(unit, this.scan.hidden - 1);
    const { scan, place } = this;
    const lines = scan.kinds.flatMap((each) => {
      const told = arithmetic(scan, each, place, this.unit);
      const { role } = scan.quantity(each);
      return [...this.sums(told), this.formula(told, role, each === kind)];
    });
    this.formulas.replaceChildren(el("div", { class: "formula-head faint" }, `With the numbers of unit ${this.unit} at this step`), ...lines);
  }

  /** A plain RNN has room for its two sums in full. */
  sums(told) {
    if (this.scan.cell !== "rnn") return [];
    return ["W_ih x_t + b_ih", "W_hh h_{t−1} + b_hh"].map((general, n) => el("div", { class: "formula" }, el("span", { class: "general" }, ...setFormula(general)),
      el("span", { class: "numbers mono" }, "= ", ...setTokens(told.steps[n].slice(1)))));
  }

  formula(told, role, looked) {
    return el("div", { class: `formula ${looked ? "looked-at" : ""}` },
      el("span", { class: "general" }, ...setFormula(told.general)),
      el("span", { class: "numbers mono" }, "= ", ...setTokens(told.short), " = ", el("b", { style: { color: `var(--role-${role})` } }, formatNumber(told.actual))));
  }
}

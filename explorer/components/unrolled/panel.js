// The current step of the large cell, unit by unit: states as coloured numbers, gates as bars, and its formulas with their numbers.

import { colourIndex } from "../shared/colour.js";
import { el } from "../shared/dom.js";
import { allDigits, formatNumber } from "../shared/number.js";
import { arithmetic } from "./cells.js";
import { Weights } from "./weights.js";
import { briefNumber, setFormula, setTokens } from "./writing.js";

export class Panel {
  /** onFocus(focus or null), onPick(focus), onCode(): the visitor wants this step in the stepper. */
  constructor({ onFocus, onPick, onCode }) {
    Object.assign(this, { onFocus, onPick });
    this.title = el("div", { class: "step-title" });
    this.codeButton = el("button", { class: "small", onclick: onCode }, "This step in the code ↓");
    this.weights = new Weights((hit) => this.onFocus(hit && this.focusOn(hit.gate == null ? "h" : `g${hit.gate}`, hit.unit)));
    this.vector = el("div", { class: "vector" });
    this.table = el("div", { class: "units", role: "table", tabindex: 0, "aria-label": "The current step, unit by unit. Arrow keys go from number to number." });
    this.table.onkeydown = (event) => this.press(event);
    this.table.onblur = () => this.onFocus(null);
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
      style: { background: `rgb(${table[index]}, ${table[index + 1]}, ${table[index + 2]})`, color: bright ? "#111" : "#fff" } }, briefNumber(value)), kind, place, unit);
  }

  gateBar(kind, unit) {
    const { scan, place } = this;
    const { symbol, role, signed } = scan.quantity(kind);
    const value = scan.value(kind, place, unit);
    const bar = el("div", { class: `fill ${signed ? "signed" : ""}`, style: signed
      ? { left: `${50 + Math.min(0, value) * 50}%`, width: `${Math.abs(value) * 50}%`, background: `var(--role-${role})` }
      : { left: 0, width: `${value * 100}%`, background: `var(--role-${role})` } });
    return this.live(el("div", { class: `gate mono ${signed ? "signed" : ""}`, role: "cell", title: `${symbol}[${unit}] = ${allDigits(value)}` },
      el("div", { class: "track" }, bar), el("span", {}, briefNumber(value))), kind, place, unit);
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
    this.table.style.gridTemplateColumns = `16px ${columns.map((column) => (column.bar || column.note ? "minmax(30px, var(--bar-share))" : "minmax(36px, 1fr)")).join(" ")}`;
    const heads = columns.map((column) => {
      if (column.note) return el("div", { class: "column-head faint", role: "columnheader" }, "no gates");
      const { symbol, name, role } = scan.quantity(column.kind);
      return el("div", { class: "column-head", role: "columnheader", style: { color: `var(--role-${role})` }, title: name },
        el("span", {}, el("i", {}, symbol), column.sub ? el("sub", {}, column.sub) : null), column.bar ? el("small", {}, name.replace(" gate", "")) : null);
    });
    this.columns = columns.filter((column) => !column.note);
    const rows = Array.from({ length: scan.hidden }, (_, unit) => el("div", { class: "row", role: "row" },
      el("div", { class: "unit-name faint mono", role: "rowheader", title: `unit ${unit}` }, String(unit)),
      ...columns.map((column) => column.note ? el("div", { class: "no-gates faint", role: "cell" }, "→")
        : column.bar ? this.gateBar(column.kind, unit) : this.number(column.kind, column.at, unit, `${column.kind}_${column.sub}`))));
    this.table.replaceChildren(el("div", { class: "row", role: "row" }, el("div", { role: "columnheader" }), ...heads), ...rows);
  }

  /** Arrow keys go from number to number of the table, Enter picks; they do not step. */
  press(event) {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move && event.key !== "Enter") return;
    const last = [this.scan.hidden - 1, this.columns.length - 1];
    const from = this.at ?? [0, last[1]]; // the new state of the first unit
    this.at = move ? from.map((here, axis) => Math.max(0, Math.min(last[axis], here + move[axis]))) : from.map((here, axis) => Math.min(last[axis], here));
    const { kind, at } = this.columns[this.at[1]];
    const focus = { ...this.focusOn(kind, this.at[0]), place: at };
    if (move) this.onFocus(focus);
    else this.onPick(focus);
    event.preventDefault();
    event.stopPropagation();
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

// The network unrolled: a column for each step, a row for each cell, on one canvas; what is not computed yet is empty.

import { colourIndex } from "../shared/colour.js";
import { el, reducedMotion } from "../shared/dom.js";
import { formatNumber } from "../shared/number.js";
import { TITLES } from "./cells.js";

const CELL_ROW = { 1: 138, 2: 108 }; // pixels, by how many rows of cells there are
const LOW_CELL_ROW = 80;
const INPUT_ROW = 64;
const WORD_ROW = 26;
const LOCK_ROW = { 1: 58, 2: 76 };
const LOCK_HEAD = 26;
const EDGE = 8;
const START = 11; // width of a state before the first step
const APART = 2; // between what is decided and what is kept
const HEAD = 17; // for the letters above the columns of a box
const FILL_MS = 200;
const SERIF = '"Source Serif", Georgia, serif';

const clamp = (x, low, high) => Math.max(low, Math.min(high, x));

export class Diagram {
  /** onFocus(focus or null), onPick(focus), onGo(tick). A focus is {cell, layer, direction, kind, place, unit}. */
  constructor({ onFocus, onPick, onGo }) {
    Object.assign(this, { onFocus, onPick, onGo });
    this.labels = el("div", { class: "row-labels", "aria-hidden": "true" });
    this.base = el("canvas", { class: "under-layer" });
    this.top = el("canvas", { class: "over-layer", tabindex: 0, role: "img" });
    this.sheet = el("div", { class: "sheet" }, this.base, this.top);
    this.scroller = el("div", { class: "scroller" }, this.sheet);
    this.element = el("div", { class: "diagram" }, this.labels, this.scroller);
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(this.scroller);
    this.listen();
  }

  destroy() {
    this.watcher.disconnect();
    cancelAnimationFrame(this.frame);
  }

  /** body, scans: see unrolled.js; scales: {state, gate, x}; palette: as in colour.js. */
  load(body, scans, scales, palette) {
    Object.assign(this, { body, scans, scales, palette });
    this.layout();
    this.resize();
  }

  // ---- geometry

  /** The rows from the top: the layers of the large cell, last one first; the input; the words; the three cells in lockstep. */
  layout() {
    const { layers, directions, cell } = this.body;
    const many = layers * directions;
    const rows = [];
    let top = 4;
    const add = (row, height) => {
      rows.push({ ...row, top, height });
      top += height;
    };
    for (let layer = layers - 1; layer >= 0; layer--) {
      for (let direction = directions - 1; direction >= 0; direction--) {
        const part = [layers > 1 ? `layer ${layer + 1}` : "", directions > 1 ? (direction ? "←" : "→") : ""].filter(Boolean).join(" ");
        add({ type: "cell", scan: this.scans[cell][layer][direction], name: part ? `${TITLES[cell]}\n${part}` : TITLES[cell], strong: true }, CELL_ROW[many] ?? LOW_CELL_ROW);
      }
    }
    add({ type: "input", scan: this.scans[cell][0][0], name: "x" }, INPUT_ROW);
    add({ type: "words" }, WORD_ROW);
    add({ type: "head" }, LOCK_HEAD);
    for (const key of Object.keys(TITLES)) add({ type: "lock", cell: key, name: TITLES[key], strong: key === cell }, LOCK_ROW[directions]);
    this.rows = rows;
    this.height = top + 6;
    this.labels.replaceChildren(...rows.filter((row) => row.name || row.type === "head").map((row) =>
      el("span", { class: `row-label ${row.strong ? "strong" : ""} ${row.type}`, style: { top: `${row.top}px`, height: `${row.height}px` } }, row.name ?? "h")));
  }

  resize() {
    if (!this.rows) return;
    const room = this.scroller.clientWidth;
    if (!room) return;
    const { words, directions, cell } = this.body;
    const strips = this.scans[cell][0][0].kinds.length;
    const states = this.scans[cell][0][0].c ? 2 : 1;
    const least = Math.max(22, 4 * strips + 9);
    this.ends = states * START + 14;
    this.column = clamp((room - 2 * EDGE - this.ends * directions) / words.length, least, 120);
    const drawn = 2 * EDGE + this.ends * directions + this.column * words.length;
    this.left = EDGE + this.ends + Math.max(0, (room - drawn) / 2);
    this.width = Math.max(room, Math.ceil(drawn));
    const gap = clamp(this.column * 0.2, 8, 30);
    this.strip = clamp(Math.floor((this.column - gap - APART) / strips), 3, 20);
    this.box = this.strip * strips + (strips > states ? APART : 0);
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.base, this.top]) {
      if (canvas.width !== Math.round(this.width * ratio) || canvas.height !== Math.round(this.height * ratio)) {
        canvas.width = Math.round(this.width * ratio);
        canvas.height = Math.round(this.height * ratio);
        canvas.style.width = `${this.width}px`;
        canvas.style.height = `${this.height}px`;
      }
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.element.style.height = `${this.height + (this.width > room ? 14 : 0)}px`;
    this.draw();
  }

  columnLeft(place) {
    return this.left + place * this.column;
  }

  middle(place) {
    return this.columnLeft(place) + this.column / 2;
  }

  /** Height of a unit, and where the first begins, in a row of the diagram. */
  units(row, count) {
    if (row.type === "lock") {
      const half = (row.height - 8) / this.body.directions;
      const height = Math.min(24, Math.floor((half - 2) / count));
      return { height, top: row.top + 3 + (row.half ?? 0) * half + (half - height * count) / 2 };
    }
    const head = row.type === "cell" ? HEAD : 4;
    const height = Math.min(24, Math.floor((row.height - head - 9) / count));
    return { height, top: row.top + head + (row.height - head - 9 - height * count) / 2 };
  }

  /** The strips of one scan in one row: [{kind, place, x, width}], the state before the first step included. */
  strips(row) {
    if (!this.column) return [];
    const { scan } = row;
    const found = [];
    if (row.type === "input") {
      const width = Math.min(this.column - 4, scan.width === 1 ? 22 : 18);
      for (let place = 0; place < scan.length; place++) found.push({ kind: "x", place, x: this.middle(place) - width / 2, width });
      return found;
    }
    if (row.type === "lock") {
      for (let place = 0; place < scan.length; place++) found.push({ kind: "h", place, x: this.columnLeft(place) + 2, width: this.column - 4 });
      return found;
    }
    const { kinds } = scan;
    for (let place = 0; place < scan.length; place++) {
      const start = this.middle(place) - this.box / 2;
      kinds.forEach((kind, k) => {
        const nth = scan.direction ? kinds.length - 1 - k : k; // the state is on the side to which it goes
        const state = kind === "h" || kind === "c";
        const apart = state !== Boolean(scan.direction) && scan.quantities.length ? APART : 0;
        found.push({ kind, place, x: start + nth * this.strip + apart, width: this.strip });
      });
    }
    const width = START;
    const before = scan.direction ? scan.length : -1;
    const states = scan.c ? ["c", "h"] : ["h"];
    states.forEach((kind, k) => {
      const nth = scan.direction ? states.length - 1 - k : k;
      const from = scan.direction ? this.columnLeft(scan.length) + 6 : this.left - 6 - states.length * width;
      found.push({ kind, place: before, x: from + nth * width, width });
    });
    return found;
  }

  /** Rows that show scans, with the scan in them; in lockstep that of the layer now computed, both directions. */
  scanRows() {
    const found = [];
    for (const row of this.rows) {
      if (row.type === "cell" || row.type === "input") found.push(row);
      if (row.type !== "lock") continue;
      this.scans[row.cell][this.layer].forEach((scan, half) => found.push({ ...row, scan, half }));
    }
    return found;
  }

  /** Whether this place of a scan has been computed at the current tick. */
  done(scan, place) {
    if (place < 0 || place >= scan.length) return true;
    return scan.layer < this.layer || (scan.layer === this.layer && scan.order(place) <= this.order);
  }

  isNow(scan, place) {
    return scan.layer === this.layer && scan.order(place) === this.order;
  }

  // ---- drawing

  /** Goes to a tick: step `order` of layer `layer`. moving: let the new column fade in. */
  show(layer, order, moving) {
    Object.assign(this, { layer, order });
    cancelAnimationFrame(this.frame);
    this.fade = 1;
    if (moving && !reducedMotion()) {
      const start = performance.now();
      const tick = (now) => {
        this.fade = clamp((now - start) / FILL_MS, 0, 1);
        this.draw();
        if (this.fade < 1) this.frame = requestAnimationFrame(tick);
      };
      this.fade = 0;
      this.frame = requestAnimationFrame(tick);
    }
    this.draw();
    this.bringIntoView();
  }

  bringIntoView() {
    if (!this.column || this.width <= this.scroller.clientWidth) return;
    const { scrollLeft, clientWidth } = this.scroller;
    const left = this.columnLeft(this.order) - this.ends;
    const right = left + this.column + 2 * this.ends;
    if (left < scrollLeft) this.scroller.scrollLeft = left;
    else if (right > scrollLeft + clientWidth) this.scroller.scrollLeft = right - clientWidth;
  }

  draw() {
    if (!this.rows || this.layer == null || !this.column) return;
    const pen = this.base.getContext("2d");
    pen.clearRect(0, 0, this.width, this.height);
    this.drawBand(pen);
    for (const row of this.rows) {
      if (row.type === "words") this.drawWords(pen, row);
      if (row.type === "cell") this.drawArrows(pen, row);
      if (row.type === "head") this.drawLockHead(pen, row);
    }
    for (const row of this.scanRows()) {
      const first = this.units(row, row.scan.units(row.type === "input" ? "x" : "h"));
      if (row.type === "input" && row.scan.width === 1) this.drawBars(pen, row);
      else for (const strip of this.strips(row)) this.drawStrip(pen, row, strip, first);
    }
    this.drawFocus();
  }

  /** The current step: a band behind its column. */
  drawBand(pen) {
    const { rows, body, order } = this;
    const last = body.words.length - 1;
    pen.fillStyle = this.palette.accent;
    for (const row of rows) {
      if (row.type === "head" || (row.type === "cell" && row.scan.layer !== this.layer)) continue;
      const backwards = row.type === "cell" && row.scan.direction;
      const places = backwards ? [last - order] : row.type === "cell" || body.directions === 1 ? [order] : [order, last - order];
      for (const place of new Set(places)) {
        pen.globalAlpha = 0.11;
        pen.fillRect(this.columnLeft(place), row.top, this.column, row.height);
      }
    }
    pen.globalAlpha = 1;
  }

  drawWords(pen, row) {
    const { words, directions } = this.body;
    const family = getComputedStyle(this.element).fontFamily;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    words.forEach((word, place) => {
      const now = place === this.order || (directions > 1 && place === words.length - 1 - this.order);
      pen.font = `${now ? 700 : 400} ${this.column < 34 ? 11 : 13}px ${family}`;
      pen.fillStyle = now ? this.palette.accent : this.palette.ink;
      let text = word;
      const room = this.column - 3;
      if (pen.measureText(text).width > room) {
        const signs = Array.from(new Intl.Segmenter().segment(word), ({ segment }) => segment);
        while (signs.length > 1 && pen.measureText(`${signs.join("")}…`).width > room) signs.pop();
        text = `${signs.join("")}…`;
      }
      pen.fillText(text, this.middle(place), row.top + row.height / 2);
    });
  }

  drawLockHead(pen, row) {
    const family = getComputedStyle(this.element).fontFamily;
    pen.fillStyle = this.palette.faint;
    pen.font = `12px ${family}`;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    const layer = this.body.layers > 1 ? ` of layer ${this.layer + 1}` : "";
    pen.fillText(this.column * this.body.words.length > 340 ? `The hidden states${layer} of all three cells, step by step` : `hidden states${layer}, all three`, EDGE, row.top + row.height / 2 + 2);
  }

  drawStrip(pen, row, { kind, place, x, width }, { top, height }) {
    const { scan } = row;
    const count = scan.units(kind);
    const input = kind === "x";
    if (!input && !this.done(scan, place)) {
      pen.globalAlpha = 0.8;
      pen.strokeStyle = this.palette.line;
      pen.strokeRect(x + 0.5, top + 0.5, width - 1, height * count - 1);
      pen.globalAlpha = 1;
      return;
    }
    const now = this.isNow(scan, place);
    if (now && !input) pen.globalAlpha = this.fade;
    if (input && this.layer === 0 && place > this.order && this.body.directions === 1) pen.globalAlpha = 0.35;
    const scale = this.scaleOf(scan, kind);
    const table = scale.table ?? this.palette[scale.kind];
    for (let unit = 0; unit < count; unit++) {
      const index = 3 * colourIndex(scan.value(kind, place, unit), scale);
      pen.fillStyle = `rgb(${table[index]}, ${table[index + 1]}, ${table[index + 2]})`;
      pen.fillRect(x, top + unit * height, width, height);
      if (width >= 34 && height >= 12) this.drawNumber(pen, scan.value(kind, place, unit), table, index, x + width / 2, top + (unit + 0.5) * height, width);
    }
    pen.strokeStyle = row.type === "lock" ? this.palette.line : this.palette.role(scan.quantity(kind).role);
    pen.lineWidth = kind === "h" && row.type === "cell" ? 1.5 : 0.75;
    pen.strokeRect(x + 0.5, top + 0.5, width - 1, height * count - 1);
    pen.lineWidth = 1;
    if (row.type === "cell" && width >= 7) this.drawLetter(pen, scan, kind, place, x + width / 2, top, now);
    pen.globalAlpha = 1;
  }

  drawLetter(pen, scan, kind, place, x, top, now) {
    const initial = place < 0 || place >= scan.length;
    if (!now && !initial && this.strip < 10) return; // room for the current step's letters only
    pen.font = `italic ${now ? 700 : 400} ${this.strip < 10 && !initial ? 11 : 12}px ${SERIF}`;
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    pen.fillStyle = this.palette.role(scan.quantity(kind).role);
    pen.fillText(scan.quantity(kind).symbol + (initial ? "₀" : ""), x, top - 4);
  }

  drawNumber(pen, value, table, index, x, y, width) {
    const bright = table[index] * 0.299 + table[index + 1] * 0.587 + table[index + 2] * 0.114 > 140;
    pen.font = `${Math.min(11, width / 3.6)}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = bright ? "#111" : "#fff";
    pen.fillText(formatNumber(value, 2, 1e-9), x, y, width - 2);
  }

  /** A series of single numbers as bars up and down from zero. */
  drawBars(pen, row) {
    const { scan } = row;
    const most = Math.max(this.scales.x.high, -this.scales.x.low) || 1;
    const zero = row.top + row.height / 2;
    const half = row.height / 2 - 5;
    pen.strokeStyle = this.palette.line;
    pen.beginPath();
    pen.moveTo(this.columnLeft(0), zero + 0.5);
    pen.lineTo(this.columnLeft(scan.length), zero + 0.5);
    pen.stroke();
    for (const { place, x, width } of this.strips(row)) {
      const tall = (half * scan.value("x", place, 0)) / most;
      pen.globalAlpha = this.layer === 0 && place > this.order && this.body.directions === 1 ? 0.35 : 1;
      pen.fillStyle = this.palette.role("input");
      pen.fillRect(x, Math.min(zero, zero - tall), width, Math.max(1, Math.abs(tall)));
    }
    pen.globalAlpha = 1;
  }

  /** State to state, and input to cell. */
  drawArrows(pen, row) {
    const { scan } = row;
    const { top, height } = this.units(row, scan.hidden);
    const tall = height * scan.hidden;
    const step = scan.direction ? -1 : 1;
    const states = scan.c ? [["c", 0.3], ["h", 0.7]] : [["h", 0.5]];
    for (let place = 0; place < scan.length; place++) {
      const before = scan.before(place);
      const known = this.done(scan, place);
      const now = this.isNow(scan, place);
      const initial = before < 0 || before >= scan.length;
      const from = initial ? (scan.direction ? this.columnLeft(scan.length) + 4 : this.left - 4) : this.middle(before) + (step * this.box) / 2;
      const to = this.middle(place) - (step * this.box) / 2;
      for (const [kind, share] of states) {
        this.arrow(pen, from + step, top + tall * share, to - step, top + tall * share, known ? scan.quantity(kind).role : null, now);
      }
      const x = this.middle(place);
      this.arrow(pen, x, row.top + row.height + 5, x, top + tall + 2, known ? (scan.layer ? "hidden" : "input") : null, now);
    }
  }

  arrow(pen, x0, y0, x1, y1, role, now) {
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (length < 3) return;
    const part = now ? this.fade : 1;
    const [x, y] = [x0 + (x1 - x0) * part, y0 + (y1 - y0) * part];
    pen.strokeStyle = role ? this.palette.role(role) : this.palette.line;
    pen.fillStyle = pen.strokeStyle;
    pen.lineWidth = now ? 2 : 1;
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x, y);
    pen.stroke();
    pen.lineWidth = 1;
    const size = Math.min(now ? 5 : 4, length * 0.6);
    const [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length];
    pen.beginPath();
    pen.moveTo(x + dx, y + dy);
    pen.lineTo(x - size * dx - size * 0.7 * dy, y - size * dy + size * 0.7 * dx);
    pen.lineTo(x - size * dx + size * 0.7 * dy, y - size * dy - size * 0.7 * dx);
    pen.fill();
  }

  scaleOf(scan, kind) {
    if (kind === "x") return scan.layer ? this.scales.state : this.scales.x;
    return kind === "h" || kind === "c" || scan.quantity(kind).signed ? this.scales.state : this.scales.gate;
  }

  // ---- light

  /** focus: the number looked at; uses: what made it, see cells.js. throughout: outline the same unit at every step. */
  light(focus, uses, throughout) {
    this.focus = focus;
    this.throughout = throughout;
    this.uses = uses ?? [];
    this.drawFocus();
  }

  drawFocus() {
    const pen = this.top.getContext("2d");
    pen.clearRect(0, 0, this.width, this.height);
    const { focus } = this;
    if (!focus || this.layer == null) return;
    for (const row of this.scanRows()) {
      const { scan } = row;
      const count = scan.units(row.type === "input" ? "x" : "h");
      const { top, height } = this.units(row, count);
      const mine = scan.cell === focus.cell && scan.layer === focus.layer && scan.direction === focus.direction;
      const asInput = row.type === "input" && focus.layer === 0;
      if (!mine && !asInput) continue;
      for (const { kind, place, x, width } of this.strips(row)) {
        const outline = (unit, colour, thick) => {
          const [from, tall] = unit == null ? [0, count] : [unit, 1];
          pen.strokeStyle = colour;
          pen.lineWidth = thick;
          pen.strokeRect(x - 0.5, top + from * height - 0.5, width + 1, tall * height + 1);
        };
        const same = kind === focus.kind && place === focus.place && mine;
        if (this.throughout && mine && row.type !== "input" && kind === focus.kind && this.done(scan, place) && !same) outline(focus.unit, this.palette.accent, 1);
        for (const use of this.uses) {
          if (use.kind === kind && use.place === place) outline(use.unit, this.palette.role(scan.quantity(kind).role), 2);
        }
        if (same) outline(focus.unit, this.palette.ink, 2.5);
      }
    }
    pen.lineWidth = 1;
  }

  // ---- hands

  at(event) {
    const box = this.top.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    for (const row of this.scanRows()) {
      const { scan } = row;
      const count = scan.units(row.type === "input" ? "x" : "h");
      const { top, height } = this.units(row, count);
      const bars = row.type === "input" && count === 1;
      const unit = bars ? (py >= row.top && py < row.top + row.height ? 0 : -1) : Math.floor((py - top) / height);
      if (unit < 0 || unit >= count) continue;
      const strip = this.strips(row).find(({ x, width }) => px >= x && px < x + width);
      if (!strip || (strip.kind !== "x" && !this.done(scan, strip.place))) continue;
      return { cell: scan.cell, layer: scan.layer, direction: scan.direction, kind: strip.kind, place: strip.place, unit };
    }
    return null;
  }

  placeAt(event) {
    const place = Math.floor((event.clientX - this.top.getBoundingClientRect().left - this.left) / this.column);
    return place >= 0 && place < this.body.words.length ? place : null;
  }

  listen() {
    this.top.onpointermove = (event) => {
      const focus = this.at(event);
      this.top.style.cursor = focus ? "crosshair" : this.placeAt(event) == null ? "default" : "pointer";
      this.onFocus(focus);
    };
    this.top.onpointerleave = (event) => {
      if (event.pointerType !== "touch") this.onFocus(null);
    };
    this.top.onclick = (event) => {
      const focus = this.at(event);
      const place = this.placeAt(event);
      if (focus) this.onPick(focus);
      else if (place != null) this.onGo(this.layer * this.body.words.length + place);
    };
  }

  setLabel(label) {
    this.top.setAttribute("aria-label", label);
  }

  /** Promise of a PNG of what is seen. */
  toBlob() {
    const copy = document.createElement("canvas");
    copy.width = this.base.width;
    copy.height = this.base.height;
    const pen = copy.getContext("2d");
    pen.fillStyle = this.palette.page;
    pen.fillRect(0, 0, copy.width, copy.height);
    pen.drawImage(this.base, 0, 0);
    pen.drawImage(this.top, 0, 0);
    return new Promise((resolve) => copy.toBlob(resolve));
  }
}

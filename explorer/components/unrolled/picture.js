// Draws the unrolled network on two canvases: what is computed below, what is looked at above.

import { colourIndex } from "../shared/colour.js";
import { EDGE, Layout } from "./layout.js";
import { briefNumber } from "./writing.js";

const SERIF = '"Source Serif", Georgia, serif';

/** base, top: its canvases. scales: {state, gate, x}; palette: as in colour.js. fade: how far the newest column has come, 0–1. */
export class Picture extends Layout {
  constructor(base, top) {
    super();
    Object.assign(this, { base, top, fade: 1 });
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
    pen.fillText(briefNumber(value), x, y, width - 2);
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
      const below = row.type === "cell" && scan.cell === focus.cell && scan.layer === focus.layer - 1;
      if (!mine && !asInput && !below) continue;
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
          if (use.place !== place) continue;
          const colour = this.palette.role(scan.quantity(kind).role);
          if (use.kind === kind && !below) outline(use.unit, colour, 2);
          // The input of a higher layer: the states of the one below, both directions side by side.
          else if (below && use.kind === "x" && kind === "h" && use.unit == null) outline(null, colour, 2);
        }
        if (same) outline(focus.unit, this.palette.ink, 2.5);
      }
    }
    pen.lineWidth = 1;
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

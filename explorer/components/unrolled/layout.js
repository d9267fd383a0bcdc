// Where everything of the unrolled network stands: a row for each cell, a column for each step, strips of units in each.

import { TITLES } from "./cells.js";

const CELL_ROW = { 1: 138, 2: 108 }; // pixels, by how many rows of cells there are
const LOW_CELL_ROW = 80;
const INPUT_ROW = 64;
const WORD_ROW = 26;
const LOCK_ROW = { 1: 58, 2: 76 };
const LOCK_HEAD = 26;
export const EDGE = 8;
const START = 13; // width of a state before the first step
const APART = 2; // between what is decided and what is kept
const HEAD = 17; // for the letters above the columns of a box

export const clamp = (x, low, high) => Math.max(low, Math.min(high, x));

/** Geometry in pixels, and the tick that the network has come to: step `order` of layer `layer`. */
export class Layout {
  /** body, scans: see unrolled.js. Lays out the rows. */
  setContent(body, scans) {
    Object.assign(this, { body, scans });
    this.rows = this.makeRows();
    const last = this.rows.at(-1);
    this.height = last.top + last.height + 6;
  }

  /** The rows from the top: the layers of the large cell, last one first; the input; the words; the three cells in lockstep. */
  makeRows() {
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
    add({ type: "head", name: "h" }, LOCK_HEAD);
    for (const key of Object.keys(TITLES)) add({ type: "lock", cell: key, name: TITLES[key], strong: key === cell }, LOCK_ROW[directions]);
    return rows;
  }

  /** How wide columns and strips are where so many pixels are there; more where they would get too narrow. */
  setRoom(room) {
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
}

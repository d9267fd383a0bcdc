// What is known of RNN, LSTM and GRU: their quantities, the numbers of a reading, and the arithmetic behind each of them.

import { formatNumber } from "../shared/number.js";

const sigma = (x) => 1 / (1 + Math.exp(-x));
const relu = (x) => Math.max(x, 0);
const SQUASH = { σ: sigma, tanh: Math.tanh, relu };

/**
 * kind → {symbol, name, role, squash}. Gates come in the order of their rows in the weights. signed: from −1 to 1, not 0 to 1.
 * gated: the part of h_{t−1} is multiplied by this gate before it is added.
 */
export const QUANTITIES = {
  rnn: { gates: [], cell: false },
  lstm: {
    gates: [
      { symbol: "i", name: "input gate", role: "mask", squash: "σ" },
      { symbol: "f", name: "forget gate", role: "mask", squash: "σ" },
      { symbol: "g", name: "candidate", role: "value", squash: "tanh", signed: true },
      { symbol: "o", name: "output gate", role: "mask", squash: "σ" },
    ],
    cell: true,
  },
  gru: {
    gates: [
      { symbol: "r", name: "reset gate", role: "mask", squash: "σ" },
      { symbol: "z", name: "update gate", role: "mask", squash: "σ" },
      { symbol: "n", name: "candidate", role: "value", squash: "tanh", signed: true, gated: 0 },
    ],
    cell: false,
  },
};
export const TITLES = { rnn: "RNN", lstm: "LSTM", gru: "GRU" };

/** One direction of one layer of a cell: its numbers by kind, place and unit. kind: "x", "h", "c" or "g0", "g1" … for gates. */
export class Scan {
  constructor(record, arrays, { cell, layer, direction, activation }) {
    const of = (name) => (record[name] == null ? null : arrays[record[name]].data);
    Object.assign(this, { cell, layer, direction, activation });
    Object.assign(this, { x: of("x"), h0: of("h0"), h: of("h"), c0: of("c0"), c: of("c"), gates: of("gates") });
    this.weights = { ih: of("w_ih"), hh: of("w_hh"), bih: of("b_ih"), bhh: of("b_hh") };
    [this.length, this.width] = arrays[record.x].shape;
    this.hidden = arrays[record.h0].shape[0];
    this.quantities = QUANTITIES[cell].gates;
    this.rows = this.weights.bih.length; // gates · hidden
  }

  /** The place that is read just before; −1 or length before the first step. */
  before(place) {
    return this.direction ? place + 1 : place - 1;
  }

  /** How many steps were taken before this place is read. */
  order(place) {
    return this.direction ? this.length - 1 - place : place;
  }

  value(kind, place, unit) {
    if (kind === "x") return this.x[place * this.width + unit];
    if (kind === "h" || kind === "c") {
      if (place < 0 || place >= this.length) return this[`${kind}0`][unit];
      return this[kind][place * this.hidden + unit];
    }
    return this.gates[(Number(kind.slice(1)) * this.length + place) * this.hidden + unit];
  }

  /** How many units a column of this kind has. */
  units(kind) {
    return kind === "x" ? this.width : this.hidden;
  }

  /** The columns of a step, in the order of computing. */
  get kinds() {
    return [...this.quantities.map((_, k) => `g${k}`), ...(this.c ? ["c"] : []), "h"];
  }

  quantity(kind) {
    if (kind === "x") return { symbol: "x", name: this.layer ? "output of the layer below" : "input", role: this.layer ? "hidden" : "input" };
    if (kind === "h") return { symbol: "h", name: "hidden state", role: "hidden" };
    if (kind === "c") return { symbol: "c", name: "cell state", role: "value" };
    return this.quantities[Number(kind.slice(1))];
  }

  /** Σ w x + b and Σ u h + b of a row of the weights at a place, with their terms. */
  sums(row, place) {
    const { ih, hh, bih, bhh } = this.weights;
    const fromX = [];
    const fromH = [];
    for (let k = 0; k < this.width; k++) fromX.push([ih[row * this.width + k], this.value("x", place, k)]);
    for (let k = 0; k < this.hidden; k++) fromH.push([hh[row * this.hidden + k], this.value("h", this.before(place), k)]);
    const add = (terms, bias) => terms.reduce((total, [w, v]) => total + w * v, bias);
    return { fromX, fromH, biasX: bih[row], biasH: bhh[row], x: add(fromX, bih[row]), h: add(fromH, bhh[row]) };
  }
}

const TERM = 3; // significant digits of a number in a sum
const paren = (token) => (token.number < 0 ? [say("("), token, say(")")] : [token]);
const say = (text) => ({ text });
const number = (value, role, title, look = null) => ({ text: formatNumber(value, TERM, 1e-9), number: value, role, title, look });
const plain = (value) => ({ text: formatNumber(value, TERM, 1e-9), number: value });

/** Sets numbers into a pattern such as "{f}·{c} + {i}·{g}"; a negative one gets brackets unless it begins one. */
function fill(pattern, tokens) {
  const parts = pattern.split(/(\{\w+\})/).filter(Boolean);
  return parts.flatMap((part, i) => {
    if (!part.startsWith("{")) return [say(part)];
    const token = tokens[part.slice(1, -1)];
    return i === 0 || parts[i - 1].endsWith("(") ? [token] : paren(token);
  });
}

/**
 * What one number was made of: {general, steps: [tokens], value, actual, ok, uses: [{kind, place, unit}]}; kinds in `uses` with
 * unit null are used whole. Null for inputs and for the state before the first step.
 */
export function arithmetic(scan, kind, place, unit) {
  if (kind === "x" || place < 0 || place >= scan.length) return null;
  const told = kind.startsWith("g") ? gate(scan, kind, place, unit) : kind === "c" ? memory(scan, place, unit) : state(scan, place, unit);
  const actual = scan.value(kind, place, unit);
  const ok = Math.abs(told.value - actual) <= 1e-5 + 1e-4 * Math.abs(actual);
  return { ...told, actual, ok };
}

/** A number of the reading as a token that knows where it stands. at: "now" or "before". */
function read(scan, kind, place, unit, at = "now") {
  const where = at === "before" ? scan.before(place) : place;
  const { symbol, role } = scan.quantity(kind);
  const subscript = at === "before" ? "t−1" : "t";
  return number(scan.value(kind, where, unit), role, `${symbol}_${subscript}[${unit}] = ${scan.value(kind, where, unit)}`, { kind, place: where, unit });
}

function weighted(scan, terms, bias, kind, place) {
  const tokens = terms.flatMap(([weight, value], k) => {
    const { role, symbol } = scan.quantity(kind);
    const factor = number(value, role, `${symbol}[${k}] = ${value}`, { kind, place, unit: k });
    return [...(k ? [say(" + ")] : []), ...paren(number(weight, "weight", `weight = ${weight}`)), say("·"), ...paren(factor)];
  });
  return [...tokens, say(" + "), ...paren(number(bias, "weight", `bias = ${bias}`))];
}

function gate(scan, kind, place, unit) {
  const index = Number(kind.slice(1));
  const { symbol, squash, gated } = scan.quantities[index];
  const sums = scan.sums(index * scan.hidden + unit, place);
  const reset = gated == null ? null : read(scan, `g${gated}`, place, unit);
  const total = sums.x + (reset ? reset.number : 1) * sums.h;
  const value = SQUASH[squash](total);
  const x = plain(sums.x);
  const h = plain(sums.h);
  const whole = reset ? fill("{x} + {r}·{h}", { x, r: reset, h }) : fill("{x} + {h}", { x, h });
  return {
    general: reset ? `${symbol} = tanh(W_in x + b_in + r ⊙ (W_hn h_{t−1} + b_hn))` : `${symbol} = ${squash}(W_i${symbol} x + b_i${symbol} + W_h${symbol} h_{t−1} + b_h${symbol})`,
    short: [say(`${squash}(`), ...whole, say(")")],
    steps: [
      [say("from x: "), ...weighted(scan, sums.fromX, sums.biasX, "x", place), say(" = "), x],
      [say("from h: "), ...weighted(scan, sums.fromH, sums.biasH, "h", scan.before(place)), say(" = "), h],
      [say(`${squash}(`), ...whole, say(`) = ${squash}(`), plain(total), say(") = "), plain(value)],
    ],
    value,
    uses: [{ kind: "x", place, unit: null }, { kind: "h", place: scan.before(place), unit: null }, ...(reset ? [reset.look] : [])],
    row: index * scan.hidden + unit,
  };
}

function memory(scan, place, unit) {
  const f = read(scan, "g1", place, unit);
  const c = read(scan, "c", place, unit, "before");
  const i = read(scan, "g0", place, unit);
  const g = read(scan, "g2", place, unit);
  const value = f.number * c.number + i.number * g.number;
  const short = fill("{f}·{c} + {i}·{g}", { f, c, i, g });
  return { general: "c_t = f ⊙ c_{t−1} + i ⊙ g", short, steps: [[...short, say(" = "), plain(value)]], value, uses: [f.look, c.look, i.look, g.look], row: null };
}

function state(scan, place, unit) {
  if (scan.cell === "lstm") {
    const o = read(scan, "g3", place, unit);
    const c = read(scan, "c", place, unit);
    const value = o.number * Math.tanh(c.number);
    const short = fill("{o}·tanh({c})", { o, c });
    const middle = fill("{o}·{t}", { o, t: plain(Math.tanh(c.number)) });
    return { general: "h_t = o ⊙ tanh(c_t)", short, steps: [[...short, say(" = "), ...middle, say(" = "), plain(value)]], value, uses: [o.look, c.look], row: null };
  }
  if (scan.cell === "gru") {
    const z = read(scan, "g1", place, unit);
    const n = read(scan, "g2", place, unit);
    const h = read(scan, "h", place, unit, "before");
    const value = (1 - z.number) * n.number + z.number * h.number;
    const short = [say("(1 − "), z, say(")·"), ...paren(n), say(" + "), z, say("·"), ...paren(h)];
    return { general: "h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}", short, steps: [[...short, say(" = "), plain(value)]], value, uses: [z.look, n.look, h.look], row: null };
  }
  const sums = scan.sums(unit, place);
  const squash = scan.activation;
  const value = SQUASH[squash](sums.x + sums.h);
  const whole = fill("{x} + {h}", { x: plain(sums.x), h: plain(sums.h) });
  return {
    general: `h_t = ${squash}(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh)`,
    short: [say(`${squash}(`), ...whole, say(")")],
    steps: [
      [say("from x: "), ...weighted(scan, sums.fromX, sums.biasX, "x", place), say(" = "), plain(sums.x)],
      [say("from h: "), ...weighted(scan, sums.fromH, sums.biasH, "h", scan.before(place)), say(" = "), plain(sums.h)],
      [say(`${squash}(`), ...whole, say(`) = ${squash}(`), plain(sums.x + sums.h), say(") = "), plain(value)],
    ],
    value,
    uses: [{ kind: "x", place, unit: null }, { kind: "h", place: scan.before(place), unit: null }],
    row: unit,
  };
}

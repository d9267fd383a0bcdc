// Multi-head attention as linked pictures. Each head's columns are outlined in its colour; pointing at a cell lights its sources.

import { applyTheme, extent, readPalette, scaleFor } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { Grid } from "../shared/grid.js";
import { allDigits } from "../shared/number.js";
import { asCsv, ColourBar, keepButtons } from "../shared/tools.js";
import { unpack } from "../shared/packing.js";

const WIDEST_CELL = 36;
const THINNEST_CELL = 6;
const BESIDE = 34; // pixels between two pictures, with the sign there
const STRIP = 20; // pixels for the heads' numbers
const EDGE = 2; // pixels that a grid needs around its cells
const BAR = 92; // pixels that a colour bar with its ends needs
const GUTTER = 10; // pixels between two boxes, as in the stylesheet
const NAMES = ["x", "query", "key", "value", "weights", "heads", "joined", "w_out", "b_out", "output"];

const range = (start, end) => Array.from({ length: end - start }, (_, i) => start + i);
const headColour = (head) => `var(--head-${head})`;

/** A Grid that outlines the cells of each head. bands: [{head, axis: "columns" or "rows", start, count}]. */
class BandedGrid extends Grid {
  constructor(holder, hands, onDraw) {
    super(holder, hands);
    this.bands = [];
    this.raised = null;
    this.onDraw = onDraw;
  }

  raise(head) {
    this.raised = head;
    this.drawTop();
  }

  draw() {
    super.draw();
    this.onDraw?.();
  }

  /** A band as {x, y, width, height} in pixels. */
  boxOf({ axis, start, count }) {
    const { scale } = this.view;
    const { x, y } = this.pixelOf(axis === "columns" ? { x: start, y: 0 } : { x: 0, y: start });
    return { x, y, width: (axis === "columns" ? count : this.cols) * scale, height: (axis === "rows" ? count : this.rows) * scale };
  }

  drawTop() {
    super.drawTop();
    if (!this.view || !this.rows || !this.bands) return;
    const context = this.top.getContext("2d");
    const style = getComputedStyle(this.holder);
    for (const band of this.bands) {
      const wide = this.raised === band.head ? 4 : 2;
      const { x, y, width, height } = this.boxOf(band);
      context.strokeStyle = style.getPropertyValue(`--head-${band.head}`);
      context.lineWidth = wide;
      context.strokeRect(x + wide / 2, y + wide / 2, width - wide, height - wide);
    }
    context.lineWidth = 1;
  }
}

/** One picture: its name, the heads' numbers along it, the cells, the colour bar. */
class FlowBox {
  constructor(flow, name) {
    this.flow = flow;
    this.name = name;
    this.title = el("span", { class: "flow-name" });
    this.holder = el("div", { class: "flow-grid" });
    this.strip = el("div", { class: "flow-strip", "aria-hidden": "true" });
    this.bar = new ColourBar();
    this.tools = keepButtons({
      title: () => this.label, otherwise: "tensor", picture: () => this.grid.toBlob(),
      numbers: () => asCsv(range(0, this.rows).map((r) => this.data.subarray(r * this.cols, (r + 1) * this.cols)), { rows: this.words }),
    });
    this.frame = el("div", { class: "flow-frame" }, this.strip, this.holder);
    this.element = el("figure", { class: "flow-box" }, el("header", {}, this.title, this.tools), this.frame, this.bar.element);
    const at = (flat) => flat == null ? null : { box: this, row: Math.floor(flat / this.cols), column: flat % this.cols };
    this.grid = new BandedGrid(this.holder, { onHover: (flat) => flow.hover(at(flat)), onPick: (flat) => flow.pick(at(flat)) }, () => this.placeStrip());
  }

  /** tensor: {data, rows, cols}; label: how it is called; words: of its rows; head: whose it is, or null. */
  show({ data, rows, cols, label, role, scale, words = [], bands = [], head = null, palette }) {
    Object.assign(this, { data, rows, cols, label, words, head });
    this.element.style.setProperty("--role", `var(--role-${role})`);
    setText(this.title, label);
    this.title.title = label;
    this.bar.show(scale);
    this.grid.bands = bands;
    this.grid.setLabel(`${label}, ${rows} by ${cols}. ${this.flow.texts.hint}`);
    if (this.strip.children.length !== bands.length) {
      this.strip.replaceChildren(...bands.map(() => el("span", { class: "flow-mark" })));
    }
    bands.forEach((band, i) => {
      const mark = this.strip.children[i];
      setText(mark, String(band.head + 1));
      mark.style.setProperty("--head", headColour(band.head));
    });
    this.frame.classList.toggle("beside", bands[0]?.axis === "rows");
    this.scale = scale;
    this.grid.show({ data, rows, cols, scale, palette, labels: { rows: words, columns: [] }, highlight: "--ink" });
  }

  /** Room for cells of so many pixels, and for what stands around them. left: of the words. */
  size(cell, left) {
    const width = this.cols * cell + left + EDGE;
    this.holder.style.width = `${width}px`;
    this.holder.style.height = `${this.rows * cell + EDGE}px`;
    this.element.style.width = `${Math.max(width + (this.grid.bands[0]?.axis === "rows" ? STRIP : 0), BAR)}px`;
    this.grid.resize();
  }

  /** Numbers of the heads beside the cells that are theirs. */
  placeStrip() {
    if (!this.grid?.view) return;
    this.grid.bands.forEach((band, i) => {
      const { x, y, width, height } = this.grid.boxOf(band);
      const style = this.strip.children[i]?.style;
      if (!style) return;
      if (band.axis === "columns") Object.assign(style, { left: `${x}px`, top: "0", width: `${width}px`, height: "" });
      else Object.assign(style, { left: "0", top: `${y}px`, width: "", height: `${height}px` });
    });
  }

  flat(row, column) {
    return row * this.cols + column;
  }
}

class Flow {
  constructor(root) {
    this.root = root;
    this.focus = null;
    this.pinned = null;
    this.boxes = Object.fromEntries(["x", "query", "key", "value", "joined", "w_out", "b_out", "output"].map((name) => [name, new FlowBox(this, name)]));
    this.cards = [];
    const { x, query, key, value, joined, w_out: wOut, b_out: bOut, output } = this.boxes;
    const sign = (text) => el("span", { class: "flow-sign faint", "aria-hidden": "true" }, text);
    this.titles = ["project", "attend", "join"].map(() => el("h4", { class: "flow-title" }));
    this.first = el("div", { class: "flow-row" }, x.element, sign("→"), query.element, key.element, value.element);
    this.middle = el("div", { class: "flow-row cards" });
    this.last = el("div", { class: "flow-row" }, joined.element, sign("·"), el("div", { class: "flow-stack" }, wOut.element, bOut.element), sign("="), output.element);
    this.readout = el("div", { class: "flow-readout mono", "aria-live": "polite" });
    root.replaceChildren(this.titles[0], this.first, this.titles[1], this.middle, this.titles[2], this.last, this.readout);
    root.onkeydown = (event) => {
      if (event.key === "Escape" && this.pinned) this.pick(null);
    };
    this.watcher = new ResizeObserver(() => this.arrange());
    this.watcher.observe(root);
  }

  destroy() {
    this.watcher.disconnect();
    this.all().forEach((box) => box.grid.destroy());
  }

  all() {
    return [...Object.values(this.boxes), ...this.cards.flatMap((card) => [card.weights, card.heads])];
  }

  show(body, arrays) {
    const { words, heads, d_head: width, texts } = body;
    Object.assign(this, { words, heads, width, texts, pinned: null });
    const palette = readPalette(this.root);
    const tensors = Object.fromEntries(NAMES.map((name, i) => [name, arrays[i]]));
    const common = (...names) => {
      const ends = names.map((name) => extent(tensors[name].data));
      return scaleFor({ low: Math.min(...ends.map((e) => e.low)), high: Math.max(...ends.map((e) => e.high)) });
    };
    const bands = (axis) => range(0, heads).map((head) => ({ head, axis, start: head * width, count: width }));
    const projected = common("query", "key", "value");
    const given = common("heads", "joined");
    ["project", "attend", "join"].forEach((name, i) => setText(this.titles[i], texts[name]));
    const plan = {
      x: ["X", "input", common("x"), words, []],
      query: ["Q = X W_Q + b_Q", "query", projected, [], bands("columns")],
      key: ["K = X W_K + b_K", "key", projected, [], bands("columns")],
      value: ["V = X W_V + b_V", "value", projected, [], bands("columns")],
      joined: ["concat", "hidden", given, words, bands("columns")],
      w_out: ["W_O", "weight", common("w_out"), [], bands("rows")],
      b_out: ["+ b_O", "weight", common("b_out"), [], []],
      output: ["output", "output", common("output"), words, []],
    };
    for (const [name, [label, role, scale, rows, parts]] of Object.entries(plan)) {
      const { data, shape } = tensors[name];
      this.boxes[name].show({ data, rows: shape[0], cols: shape[1], label, role, scale, words: rows, bands: parts, palette });
    }
    this.showCards(tensors, { weights: common("weights"), heads: given }, palette);
    this.arrange();
    this.hover(null);
  }

  showCards(tensors, scales, palette) {
    while (this.cards.length > this.heads) this.cards.pop().destroy();
    while (this.cards.length < this.heads) this.cards.push(this.newCard());
    this.middle.replaceChildren(...this.cards.map((card) => card.element));
    this.cards.forEach((card, head) => {
      setText(card.title, this.texts.head.replace("{n}", head + 1));
      card.element.style.setProperty("--head", headColour(head));
      for (const name of ["weights", "heads"]) {
        const { data, shape: [, rows, cols] } = tensors[name];
        card[name].show({
          data: data.subarray(head * rows * cols, (head + 1) * rows * cols), rows, cols, head, palette, scale: scales[name],
          label: name === "weights" ? this.texts.weights : `head ${head + 1}`, role: "hidden", words: name === "weights" ? this.words : [],
        });
      }
    });
  }

  newCard() {
    const weights = new FlowBox(this, "weights");
    const heads = new FlowBox(this, "heads");
    const title = el("div", { class: "card-title" });
    const sign = el("span", { class: "flow-sign faint", "aria-hidden": "true" }, "→");
    const element = el("div", { class: "card" }, title, el("div", { class: "card-row" }, weights.element, sign, heads.element));
    return { element, title, weights, heads, destroy: () => [weights, heads].forEach((box) => box.grid.destroy()) };
  }

  /** Cells as large as the width of the page lets them be, the same in all pictures of a row. */
  arrange() {
    const room = this.root.clientWidth;
    if (!this.words || !room) return;
    const columns = this.boxes.x.cols;
    const left = Math.ceil(this.boxes.x.grid.labels?.longest.rows ?? 0) + 10;
    const fitting = (free, cells) => Math.max(THINNEST_CELL, Math.min(WIDEST_CELL, Math.floor(free / cells)));
    // A grid gives labels at most 36 % of its width, and cells what is left: room for both is made here.
    const wordsOf = (cells, cell) => Math.min(left, Math.ceil(((cells * cell + EDGE) * 0.36) / 0.64));
    const wide = room >= 640;
    const across = wide ? 4 : 2;
    const cell = fitting(room - left - across * (EDGE + GUTTER) - BESIDE, across * columns);
    for (const name of ["x", "query", "key", "value"]) this.boxes[name].size(cell, name === "x" ? wordsOf(columns, cell) : 0);
    const last = Math.min(cell, fitting(room - 2 * left - STRIP - 2 * BESIDE - 3 * EDGE, 3 * columns));
    const mixed = wide ? last : cell;
    for (const name of ["joined", "output"]) this.boxes[name].size(mixed, wordsOf(columns, mixed));
    for (const name of ["w_out", "b_out"]) this.boxes[name].size(mixed, 0);
    const spent = (size) => left + this.words.length * size + Math.max(this.width * size, BAR) + BESIDE + 2 * EDGE + 2 * GUTTER;
    const fits = (size, cards) => cards * spent(size) - GUTTER <= room;
    let cards = Math.min(this.heads, 4);
    const many = this.heads > 4; // then smaller cells, so that all cards can be seen together
    while (cards > 1 && !fits(many ? 9 : 14, cards)) cards -= 1;
    let small = many ? 20 : WIDEST_CELL;
    while (small > THINNEST_CELL && !fits(small, cards)) small -= 1;
    for (const card of this.cards) {
      card.weights.size(small, wordsOf(this.words.length, small));
      card.heads.size(small, 0);
    }
  }

  // ---- pointing

  pick(place) {
    const same = place && this.pinned && place.box === this.pinned.box && place.row === this.pinned.row && place.column === this.pinned.column;
    this.pinned = same ? null : place;
    this.root.classList.toggle("pinned", this.pinned != null);
    this.point(place);
  }

  hover(place) {
    if (!this.pinned) this.point(place);
  }

  point(place) {
    const lit = new Map(place ? this.sources(place) : []);
    const head = place ? this.headOf(place) : null;
    for (const box of this.all()) {
      box.grid.setFocus(box === place?.box ? box.flat(place.row, place.column) : null);
      box.grid.light(lit.get(box) ?? null);
      box.grid.raise(head);
    }
    this.cards.forEach((card, i) => card.element.classList.toggle("raised", i === head));
    setText(this.readout, place ? this.say(place) : this.texts.hint);
  }

  headOf({ box, row, column }) {
    if (box.head != null) return box.head;
    if (["query", "key", "value", "joined"].includes(box.name)) return Math.floor(column / this.width);
    return box.name === "w_out" ? Math.floor(row / this.width) : null;
  }

  /** What a cell was made from: [[box, flat indices], …]. */
  sources({ box, row, column }) {
    const { x, query, key, value, joined, w_out: wOut, b_out: bOut } = this.boxes;
    const line = (other, r) => range(0, other.cols).map((c) => other.flat(r, c));
    const column_ = (other, c) => range(0, other.rows).map((r) => other.flat(r, c));
    const slice = (other, r, head) => range(head * this.width, (head + 1) * this.width).map((c) => other.flat(r, c));
    if (["query", "key", "value"].includes(box.name)) return [[x, line(x, row)]];
    if (box.name === "weights") return [[query, slice(query, row, box.head)], [key, slice(key, column, box.head)]];
    if (box.name === "heads") return [[this.cards[box.head].weights, line(this.cards[box.head].weights, row)], [value, column_(value, box.head * this.width + column)]];
    if (box.name === "joined") {
      const { heads } = this.cards[Math.floor(column / this.width)];
      return [[heads, [heads.flat(row, column % this.width)]]];
    }
    if (box.name === "output") return [[joined, line(joined, row)], [wOut, column_(wOut, column)], [bOut, [bOut.flat(0, column)]]];
    return [];
  }

  /** Which number it is, and how it was made. */
  say({ box, row, column }) {
    const word = (place) => `“${this.words[place]}”`;
    const value = allDigits(box.data[box.flat(row, column)]);
    const head = this.headOf({ box, row, column });
    const whose = head == null ? "" : ` · ${this.texts.head.replace("{n}", head + 1)}`;
    const dot = (left, right) => ` = ${left} · ${right}`;
    const symbols = { query: "Q", key: "K", value: "V" };
    const symbol = symbols[box.name];
    if (symbol) return `${symbol}[${word(row)}, ${column}]${dot(`X[${word(row)}]`, `W_${symbol}[:, ${column}]`)} + b_${symbol}[${column}] = ${value}${whose}`;
    if (box.name === "weights") return `${word(row)} → ${word(column)}: softmax of q · k / √${this.width} = ${value}${whose}`;
    if (box.name === "heads") return `head ${box.head + 1}[${word(row)}, ${column}]${dot(`weights[${word(row)}]`, `V[:, ${box.head * this.width + column}]`)} = ${value}`;
    if (box.name === "joined") return `concat[${word(row)}, ${column}] = head ${head + 1}[${word(row)}, ${column % this.width}] = ${value}`;
    if (box.name === "output") return `output[${word(row)}, ${column}]${dot(`concat[${word(row)}]`, `W_O[:, ${column}]`)} + b_O[${column}] = ${value}`;
    if (box.name === "w_out") return `W_O[${row}, ${column}] = ${value}${whose}`;
    return box.name === "b_out" ? `b_O[${column}] = ${value}` : `X[${word(row)}, ${column}] = ${value}`;
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".root");
  applyTheme(root);
  const { body, arrays } = unpack(data);
  root.flow ??= new Flow(root);
  root.flow.show(body, arrays);
  root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  return () => {
    root.flow?.destroy();
    root.flow = undefined;
  };
}

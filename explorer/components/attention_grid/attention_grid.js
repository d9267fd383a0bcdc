// Thumbnails of all heads on one canvas; a second one above it carries the marks of what is pointed at and chosen.

import { readPalette } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { moveAbout, pixelAt, zoomByKey } from "../shared/hands.js";
import { formatNumber } from "../shared/number.js";
import { unpack } from "../shared/packing.js";
import { asCsv, keepButtons, paintedPng, zoomButtons } from "../shared/tools.js";

const GAP = 6;
const BAR = 4; // height of the statistic's bar
const LABEL = 16; // height of a line of text above a row of thumbnails
const MARGIN = 26; // width of the layers' numbers
const CLOSEST = 12;

class Heads {
  constructor(root) {
    this.under = el("canvas", { "aria-hidden": "true" });
    this.over = el("canvas", { class: "over", tabindex: "0", role: "img" });
    this.stage = el("div", { class: "stage" }, this.under, this.over);
    this.high = el("span", { class: "mono" });
    this.readout = el("span", { class: "readout mono", "aria-live": "polite" });
    this.hands = { zoom: (factor, x, y) => this.zoom(factor, x, y), reset: () => this.reset() };
    const keep = keepButtons({ title: () => "heads", otherwise: "heads", picture: () => this.picture(), numbers: () => this.numbers() });
    const foot = el("div", { class: "foot faint" }, el("span", { class: "mono" }, "0"), el("div", { class: "bar sequential" }), this.high,
      zoomButtons({ zoom: (factor) => this.zoom(factor, this.width / 2, this.height / 2), reset: () => this.reset() }), keep, this.readout);
    root.replaceChildren(this.stage, foot);
    this.hand = moveAbout(this.over, { ...this.hands, pan: (dx, dy) => this.pan(dx, dy) });
    this.over.onpointermove = (event) => this.point(this.hand.dragged < 4 ? this.at(event) : null);
    this.over.onpointerleave = () => this.point(null);
    this.over.onclick = (event) => this.hand.dragged < 4 && this.choose(this.at(event));
    this.over.onkeydown = (event) => this.key(event);
    this.watch = new ResizeObserver(() => this.layout());
    this.watch.observe(this.stage);
    this.hovered = null;
    this.view = { scale: 1, x: 0, y: 0 };
  }

  show(body, arrays, palette, pick) {
    [this.images, this.statistic] = arrays;
    this.body = body;
    this.palette = palette;
    this.pick = pick;
    const [layers, heads] = this.images.shape;
    if (layers !== this.layers || heads !== this.heads) this.view = { scale: 1, x: 0, y: 0 };
    this.layers = layers;
    this.heads = heads;
    const places = Array.from({ length: layers * heads }, (_, i) => i);
    if (body.order === "statistic") places.sort((a, b) => this.statistic.data[b] - this.statistic.data[a] || a - b);
    this.places = places;
    this.most = Math.max(...this.statistic.data, 0) || 1;
    this.chosen = places.indexOf(body.selected[0] * heads + body.selected[1]);
    setText(this.high, formatNumber(body.limit));
    this.over.setAttribute("aria-label", body.alt);
    this.paintSheet();
    this.width = 0;
    this.layout();
    this.describe();
  }

  layout() {
    const width = this.stage.clientWidth;
    if (!this.images || !width || width === this.width) return;
    if (this.width) this.view = { scale: 1, x: 0, y: 0 };
    this.width = width;
    this.ranked = this.body.order === "statistic";
    this.left = this.ranked ? 0 : MARGIN;
    this.side = Math.max(16, Math.min(88, Math.floor((width - this.left) / this.heads) - GAP));
    this.columns = this.ranked ? Math.max(1, Math.floor((width - this.left) / (this.side + GAP))) : this.heads;
    this.line = this.side + BAR + GAP + 2 + (this.ranked && this.side >= 40 ? LABEL : 0);
    this.top = this.ranked ? 0 : LABEL + 4;
    this.height = this.top + Math.ceil(this.places.length / this.columns) * this.line;
    this.stage.style.height = `${this.height}px`;
    this.ratio = devicePixelRatio || 1;
    for (const canvas of [this.under, this.over]) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(this.height * this.ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${this.height}px`;
    }
    this.draw();
  }

  box(place) {
    const extra = this.ranked && this.side >= 40 ? LABEL : 0;
    return [this.left + (place % this.columns) * (this.side + GAP), this.top + Math.floor(place / this.columns) * this.line + extra];
  }

  // ---- zoom and pan

  zoom(factor, px, py) {
    const { view } = this;
    const scale = Math.max(1, Math.min(CLOSEST, view.scale * factor));
    const ratio = scale / view.scale;
    this.look({ scale, x: px - (px - view.x) * ratio, y: py - (py - view.y) * ratio });
  }

  pan(dx, dy) {
    const { view } = this;
    if (view.scale <= 1.01) return false;
    this.look({ scale: view.scale, x: view.x + dx, y: view.y + dy });
    return true;
  }

  reset() {
    this.look({ scale: 1, x: 0, y: 0 });
  }

  /** Sees this part of the picture, whose edges stay outside of what is seen. */
  look({ scale, x, y }) {
    const within = (place, size) => Math.max(size - size * scale, Math.min(0, place));
    this.view = { scale, x: within(x, this.width), y: within(y, this.height) };
    this.over.style.touchAction = scale > 1 ? "none" : "";
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  pen(canvas) {
    const context = canvas.getContext("2d");
    const { scale, x, y } = this.view;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(this.ratio * scale, 0, 0, this.ratio * scale, this.ratio * x, this.ratio * y);
    return context;
  }

  // ---- drawing

  /** All images in colours, on one sheet: a row for each layer. */
  paintSheet() {
    const { palette, images, layers, heads } = this;
    const [, , rows, cols] = images.shape;
    const table = palette.sequential;
    const packed = Uint32Array.from({ length: 256 }, (_, i) => ((255 << 24) | (table[3 * i + 2] << 16) | (table[3 * i + 1] << 8) | table[3 * i]) >>> 0);
    this.sheet = new OffscreenCanvas(heads * cols, layers * rows);
    const pen = this.sheet.getContext("2d");
    const tile = new ImageData(cols, rows);
    const pixels = new Uint32Array(tile.data.buffer);
    for (let index = 0; index < layers * heads; index++) {
      const start = index * rows * cols;
      for (let i = 0; i < rows * cols; i++) pixels[i] = packed[images.data[start + i]];
      pen.putImageData(tile, (index % heads) * cols, Math.floor(index / heads) * rows);
    }
  }

  draw() {
    this.frame = null;
    this.paint(this.pen(this.under));
    this.mark();
  }

  paint(context) {
    const { palette } = this;
    const [, , rows, cols] = this.images.shape;
    context.imageSmoothingEnabled = this.side * this.view.scale * this.ratio < Math.max(rows, cols);
    context.font = "11px system-ui, sans-serif";
    context.lineWidth = 1;
    context.fillStyle = palette.faint;
    context.textBaseline = "middle";
    context.textAlign = "center";
    if (!this.ranked) {
      for (let head = 0; head < this.heads; head++) context.fillText(head + 1, this.box(head)[0] + this.side / 2, LABEL / 2);
      for (let layer = 0; layer < this.layers; layer++) context.fillText(layer + 1, MARGIN / 2 - 3, this.box(layer * this.heads)[1] + this.side / 2);
    }
    this.places.forEach((index, place) => {
      const [x, y] = this.box(place);
      context.drawImage(this.sheet, (index % this.heads) * cols, Math.floor(index / this.heads) * rows, cols, rows, x, y, this.side, this.side);
      context.strokeStyle = palette.line;
      context.strokeRect(x - 0.5, y - 0.5, this.side + 1, this.side + 1);
      context.fillStyle = palette.line;
      context.fillRect(x, y + this.side + 2, this.side, BAR);
      context.fillStyle = palette.accent;
      context.fillRect(x, y + this.side + 2, (this.side * Math.max(this.statistic.data[index], 0)) / this.most, BAR);
      if (this.ranked && this.side >= 40) {
        context.fillStyle = palette.faint;
        context.fillText(`${Math.floor(index / this.heads) + 1}·${(index % this.heads) + 1}`, x + this.side / 2, y - LABEL / 2);
      }
    });
  }

  mark() {
    const context = this.pen(this.over);
    const outline = (place, width, colour) => {
      const [x, y] = this.box(place);
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.strokeRect(x - 2, y - 2, this.side + 4, this.side + 4);
    };
    if (this.chosen >= 0) outline(this.chosen, 3, this.palette.accent);
    if (this.hovered != null) outline(this.hovered, 2, this.palette.ink);
  }

  // ---- hands

  at(event) {
    const [px, py] = pixelAt(this.over, event);
    const { scale, x, y } = this.view;
    const [across, down] = [(px - x) / scale, (py - y) / scale];
    const column = Math.floor((across - this.left + GAP / 2) / (this.side + GAP));
    const place = Math.floor((down - this.top) / this.line) * this.columns + column;
    return column < 0 || column >= this.columns || down < this.top || place >= this.places.length ? null : place;
  }

  point(place) {
    if (place === this.hovered) return;
    this.hovered = place;
    this.mark();
    this.describe();
  }

  describe() {
    const index = this.places[this.hovered ?? this.chosen];
    const value = `${formatNumber(this.statistic.data[index])}${this.body.unit}`;
    setText(this.readout, `layer ${Math.floor(index / this.heads) + 1}, head ${(index % this.heads) + 1}: ${this.body.name} ${value}`);
  }

  choose(place) {
    if (place == null) return;
    this.chosen = place;
    this.mark();
    this.describe();
    const index = this.places[place];
    this.pick({ layer: Math.floor(index / this.heads), head: index % this.heads, count: (this.count = (this.count ?? 0) + 1) });
  }

  key(event) {
    const from = this.hovered ?? this.chosen;
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns }[event.key];
    if (move != null) {
      if (from + move >= 0 && from + move < this.places.length) this.reach(from + move);
    } else if (event.key === "Enter" || event.key === " ") {
      this.choose(from);
    } else if (event.key === "Escape") {
      this.point(null);
    } else if (!zoomByKey(event, this.hands, this.width / 2, this.height / 2)) {
      return;
    }
    event.preventDefault();
  }

  /** Points at a head and, where the picture is zoomed, brings it into view. */
  reach(place) {
    const { scale, x, y } = this.view;
    const [left, top] = this.box(place).map((edge) => edge * scale);
    const side = this.side * scale;
    const inside = (from, edge, size) => Math.max(-edge, Math.min(size - side - edge, from));
    if (scale > 1) this.look({ scale, x: inside(x, left, this.width), y: inside(y, top, this.height) });
    this.point(place);
  }

  // ---- to keep

  /** All heads, however far the picture is zoomed. */
  picture() {
    const { view, width, height, palette } = this;
    this.view = { scale: 1, x: 0, y: 0 };
    const png = paintedPng({ width, height, ground: palette.page }, (context) => this.paint(context));
    this.view = view;
    return png;
  }

  /** The statistic: a line for each layer, a column for each head. */
  numbers() {
    const { layers, heads, statistic } = this;
    const names = (word, count) => Array.from({ length: count }, (_, i) => `${word} ${i + 1}`);
    const lines = names("", layers).map((_, layer) => statistic.data.slice(layer * heads, (layer + 1) * heads));
    return asCsv(lines, { rows: names("Layer", layers), columns: names("Head", heads) });
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  const palette = readPalette(root);
  const heads = (root.heads ??= new Heads(root));
  const { body, arrays } = unpack(data);
  heads.show(body, arrays, palette, (picked) => setStateValue("picked", picked));
  root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  return () => {
    heads.watch.disconnect();
    root.heads = undefined;
  };
}

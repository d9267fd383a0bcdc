// Thumbnails of all heads on one canvas; a second one above it carries the marks of what is pointed at and chosen.

import { readPalette } from "../shared/colour.js";
import { el, saveBlob, setText } from "../shared/dom.js";
import { formatNumber } from "../shared/number.js";
import { unpack } from "../shared/packing.js";

const GAP = 6;
const BAR = 4; // height of the statistic's bar
const LABEL = 16; // height of a line of text above a row of thumbnails
const MARGIN = 26; // width of the layers' numbers

class Heads {
  constructor(root) {
    this.under = el("canvas", { "aria-hidden": "true" });
    this.over = el("canvas", { class: "over", tabindex: "0", role: "img" });
    this.stage = el("div", { class: "stage" }, this.under, this.over);
    this.high = el("span", { class: "mono" });
    this.readout = el("span", { class: "readout mono", "aria-live": "polite" });
    const foot = el("div", { class: "foot faint" }, el("span", { class: "mono" }, "0"), el("div", { class: "bar sequential" }), this.high,
      el("button", { class: "small", title: "Save the picture", onclick: () => this.save() }, "PNG"), this.readout);
    root.replaceChildren(this.stage, foot);
    this.over.onpointermove = (event) => this.point(this.at(event));
    this.over.onpointerleave = () => this.point(null);
    this.over.onclick = (event) => this.choose(this.at(event));
    this.over.onkeydown = (event) => this.key(event);
    this.watch = new ResizeObserver(() => this.layout());
    this.watch.observe(this.stage);
    this.hovered = null;
  }

  show(body, arrays, palette, pick) {
    [this.images, this.statistic] = arrays;
    this.body = body;
    this.palette = palette;
    this.pick = pick;
    const [layers, heads] = this.images.shape;
    this.layers = layers;
    this.heads = heads;
    const places = Array.from({ length: layers * heads }, (_, i) => i);
    if (body.order === "statistic") places.sort((a, b) => this.statistic.data[b] - this.statistic.data[a] || a - b);
    this.places = places;
    this.most = Math.max(...this.statistic.data, 0) || 1;
    this.chosen = places.indexOf(body.selected[0] * heads + body.selected[1]);
    setText(this.high, formatNumber(body.limit));
    this.over.setAttribute("aria-label", body.alt);
    this.width = 0;
    this.layout();
    this.describe();
  }

  layout() {
    const width = this.stage.clientWidth;
    if (!this.images || !width || width === this.width) return;
    this.width = width;
    this.ranked = this.body.order === "statistic";
    this.left = this.ranked ? 0 : MARGIN;
    this.side = Math.max(16, Math.min(88, Math.floor((width - this.left) / this.heads) - GAP));
    this.columns = this.ranked ? Math.max(1, Math.floor((width - this.left) / (this.side + GAP))) : this.heads;
    this.line = this.side + BAR + GAP + 2 + (this.ranked && this.side >= 40 ? LABEL : 0);
    this.top = this.ranked ? 0 : LABEL + 4;
    const height = this.top + Math.ceil(this.places.length / this.columns) * this.line;
    this.stage.style.height = `${height}px`;
    this.ratio = devicePixelRatio || 1;
    for (const canvas of [this.under, this.over]) {
      canvas.width = Math.round(width * this.ratio);
      canvas.height = Math.round(height * this.ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      canvas.getContext("2d").setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    }
    this.draw();
    this.mark();
  }

  box(place) {
    const extra = this.ranked && this.side >= 40 ? LABEL : 0;
    return [this.left + (place % this.columns) * (this.side + GAP), this.top + Math.floor(place / this.columns) * this.line + extra];
  }

  draw() {
    const context = this.under.getContext("2d");
    const { palette } = this;
    const [, , rows, cols] = this.images.shape;
    context.clearRect(0, 0, this.width, this.under.height);
    context.imageSmoothingEnabled = false;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = palette.faint;
    context.textBaseline = "middle";
    context.textAlign = "center";
    if (!this.ranked) {
      for (let head = 0; head < this.heads; head++) context.fillText(head + 1, this.box(head)[0] + this.side / 2, LABEL / 2);
      for (let layer = 0; layer < this.layers; layer++) context.fillText(layer + 1, MARGIN / 2 - 3, this.box(layer * this.heads)[1] + this.side / 2);
    }
    const tile = new OffscreenCanvas(cols, rows);
    const pen = tile.getContext("2d");
    const pixels = pen.createImageData(cols, rows);
    this.places.forEach((index, place) => {
      const start = index * rows * cols;
      for (let i = 0; i < rows * cols; i++) {
        const colour = 3 * this.images.data[start + i];
        pixels.data[4 * i] = palette.sequential[colour];
        pixels.data[4 * i + 1] = palette.sequential[colour + 1];
        pixels.data[4 * i + 2] = palette.sequential[colour + 2];
        pixels.data[4 * i + 3] = 255;
      }
      pen.putImageData(pixels, 0, 0);
      const [x, y] = this.box(place);
      context.drawImage(tile, x, y, this.side, this.side);
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
    const context = this.over.getContext("2d");
    context.clearRect(0, 0, this.width, this.over.height);
    const outline = (place, width, colour) => {
      const [x, y] = this.box(place);
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.strokeRect(x - 2, y - 2, this.side + 4, this.side + 4);
    };
    if (this.chosen >= 0) outline(this.chosen, 3, this.palette.accent);
    if (this.hovered != null) outline(this.hovered, 2, this.palette.ink);
  }

  at(event) {
    const column = Math.floor((event.offsetX - this.left + GAP / 2) / (this.side + GAP));
    const place = Math.floor((event.offsetY - this.top) / this.line) * this.columns + column;
    return column < 0 || column >= this.columns || event.offsetY < this.top || place >= this.places.length ? null : place;
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
      if (from + move >= 0 && from + move < this.places.length) this.point(from + move);
    } else if (event.key === "Enter" || event.key === " ") {
      this.choose(from);
    } else if (event.key === "Escape") {
      this.point(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  save() {
    this.under.toBlob((blob) => saveBlob(blob, "heads.png"));
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

// A network's layers in a row on one canvas: a block as tall as the map is large, and bars for what the layer costs.

import { readPalette } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { unpack } from "../shared/packing.js";

const HEADING = 20; // above the blocks: the size of the maps
const BLOCKS = 66;
const BAND_TITLE = 17;
const BAND = 34;
const BETWEEN = 7; // pixels between layers of one size and those of the next
const NARROWEST = 4; // of a column, with its gap
const PALE = 0.4;
const AROUND = 3; // room for the mark of the first and the last

class Strip {
  constructor(root) {
    this.canvas = el("canvas", { role: "slider", tabindex: "0", "aria-orientation": "horizontal" });
    this.stage = el("div", { class: "strip" }, this.canvas);
    this.name = el("b");
    this.about = el("span", { class: "faint" });
    this.legend = el("div", { class: "strip-foot faint" });
    root.replaceChildren(this.stage, el("div", { class: "strip-said" }, this.name, " ", this.about), this.legend);
    this.canvas.onpointermove = (event) => this.point(this.at(event));
    this.canvas.onpointerleave = () => this.point(null);
    this.canvas.onclick = (event) => this.choose(this.at(event));
    this.canvas.onkeydown = (event) => this.key(event);
    this.watcher = new ResizeObserver(() => this.layout());
    this.watcher.observe(this.stage);
    this.hovered = null;
  }

  show(body, palette, pick) {
    Object.assign(this, { body, palette, pick, width: 0 });
    this.chosen = body.columns.findIndex((column) => column.name === body.selected);
    this.most = body.bands.map((_, band) => Math.max(...body.columns.map((column) => column.bars[band])) || 1);
    this.legend.replaceChildren(...body.legend.map(([role, pale, text]) =>
      el("span", { class: "key" }, el("i", { style: { background: palette.role(role), opacity: pale ? PALE : 1 } }), text)));
    this.canvas.setAttribute("aria-label", `${body.texts.layer}. ${body.alt}`);
    this.canvas.setAttribute("aria-valuemin", 0);
    this.canvas.setAttribute("aria-valuemax", body.columns.length - 1);
    this.layout();
    this.describe();
    this.reveal();
  }

  /** Where each column begins, and the groups with their first and last column. */
  layout() {
    const room = this.stage.clientWidth;
    if (!this.body || !room || room === this.width) return;
    this.width = room;
    const { columns, bands } = this.body;
    this.groups = [];
    columns.forEach((column, i) => {
      const last = this.groups.at(-1);
      if (last?.text === column.group) last.end = i;
      else this.groups.push({ text: column.group, start: i, end: i });
    });
    const free = room - BETWEEN * (this.groups.length - 1) - 2 * AROUND;
    this.pitch = Math.max(NARROWEST, Math.min(40, free / columns.length));
    this.lefts = [];
    this.groups.forEach(({ start, end }, g) => {
      for (let i = start; i <= end; i++) this.lefts.push(AROUND + i * this.pitch + g * BETWEEN);
    });
    const wide = Math.ceil(this.lefts.at(-1) + this.pitch + AROUND);
    this.height = HEADING + BLOCKS + bands.length * (BAND_TITLE + BAND) + 4;
    const ratio = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: Math.round(wide * ratio), height: Math.round(this.height * ratio) });
    Object.assign(this.canvas.style, { width: `${wide}px`, height: `${this.height}px` });
    this.pen = this.canvas.getContext("2d");
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.wide = wide;
    this.draw();
  }

  draw() {
    const { pen, palette, body, pitch, lefts } = this;
    const gap = pitch > 8 ? 2 : 1;
    pen.clearRect(0, 0, this.wide, this.height);
    pen.font = "11.5px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    for (const { text, start, end } of this.groups) {
      const left = lefts[start];
      const room = lefts[end] + pitch - left;
      const wide = pen.measureText(text).width;
      pen.fillStyle = palette.faint;
      // The last one may begin further to the left, so as not to leave the canvas.
      if (wide <= room + BETWEEN) pen.fillText(text, Math.min(left, this.wide - 1 - wide), HEADING / 2 - 1);
      pen.fillStyle = palette.line;
      pen.fillRect(left, HEADING + BLOCKS, room - gap, 1);
    }
    body.columns.forEach((column, i) => {
      const tall = Math.max(3, column.height * (BLOCKS - 4));
      pen.globalAlpha = column.pale ? PALE : 1;
      pen.fillStyle = palette.role(column.role);
      pen.fillRect(lefts[i], HEADING + BLOCKS - tall, pitch - gap, tall);
      pen.globalAlpha = 1;
    });
    body.bands.forEach(([title, role], band) => {
      const base = HEADING + BLOCKS + (band + 1) * (BAND_TITLE + BAND);
      pen.fillStyle = palette.line;
      pen.fillRect(AROUND, base, this.wide - 2 * AROUND, 1);
      pen.fillStyle = palette.role(role);
      body.columns.forEach((column, i) => {
        const tall = ((BAND - 3) * column.bars[band]) / this.most[band];
        if (tall > 0) pen.fillRect(lefts[i], base - Math.max(tall, 1), pitch - gap, Math.max(tall, 1));
      });
    });
    const outline = (place, colour, width) => {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.strokeRect(lefts[place] - 1.5, HEADING - 1, pitch - gap + 3, this.height - HEADING - 1);
    };
    if (this.hovered != null && this.hovered !== this.chosen) outline(this.hovered, palette.faint, 1);
    outline(this.chosen, palette.accent, 2.5);
    // Over the outline, with a rim in the page's colour, so that they stay legible.
    body.bands.forEach(([title], band) => {
      const place = [title, AROUND, HEADING + BLOCKS + band * (BAND_TITLE + BAND) + BAND_TITLE / 2 + 2];
      pen.strokeStyle = palette.page;
      pen.lineWidth = 4;
      pen.strokeText(...place);
      pen.fillStyle = palette.faint;
      pen.fillText(...place);
    });
  }

  at(event) {
    const across = event.clientX - this.canvas.getBoundingClientRect().left;
    let place = 0;
    while (place + 1 < this.lefts.length && this.lefts[place + 1] <= across) place += 1;
    return place;
  }

  point(place) {
    if (place === this.hovered) return;
    this.hovered = place;
    this.draw();
    this.describe();
  }

  describe() {
    const { name, about } = this.body.columns[this.hovered ?? this.chosen];
    setText(this.name, name);
    setText(this.about, about);
    const chosen = this.body.columns[this.chosen];
    this.canvas.setAttribute("aria-valuenow", this.chosen);
    this.canvas.setAttribute("aria-valuetext", `${chosen.name}. ${chosen.about}`);
  }

  choose(place) {
    if (place === this.chosen) return;
    this.chosen = place;
    this.draw();
    this.describe();
    this.reveal();
    // Its time tells a second click on the same layer from the first.
    this.pick({ name: this.body.columns[place].name, time: Date.now() });
  }

  /** Scrolls a long strip to the marked layer. */
  reveal() {
    if (!this.lefts) return;
    const left = this.lefts[this.chosen];
    const { scrollLeft, clientWidth } = this.stage;
    if (left < scrollLeft || left + this.pitch > scrollLeft + clientWidth) this.stage.scrollLeft = left - clientWidth / 2;
  }

  key(event) {
    const last = this.body.columns.length - 1;
    const to = {
      ArrowLeft: this.chosen - 1, ArrowDown: this.chosen - 1, ArrowRight: this.chosen + 1, ArrowUp: this.chosen + 1,
      PageUp: this.chosen + 10, PageDown: this.chosen - 10, Home: 0, End: last,
    }[event.key];
    if (to == null) return;
    event.preventDefault();
    this.hovered = null;
    this.choose(Math.max(0, Math.min(last, to)));
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  const palette = readPalette(root);
  const strip = (root.strip ??= new Strip(root));
  strip.show(unpack(data).body, palette, (picked) => setStateValue("picked", picked));
  root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  return () => {
    strip.watcher.disconnect();
    root.strip = undefined;
  };
}

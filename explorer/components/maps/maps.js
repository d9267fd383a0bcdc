// A grid of pictures. One Picture per map; data come as bytes and are drawn on canvas, so a new value only repaints.

import { applyTheme, extent, readPalette, scaleFor } from "../shared/colour.js";
import { el, saveBlob, setText } from "../shared/dom.js";
import { Grid } from "../shared/grid.js";
import { allDigits, formatNumber } from "../shared/number.js";
import { unpack } from "../shared/packing.js";

class Picture {
  constructor(onPick) {
    this.title = el("span", { class: "map-title" });
    this.readout = el("span", { class: "map-readout mono faint" });
    this.tools = el("span", { class: "map-tools" },
      el("button", { class: "small", title: "Save the picture", onclick: () => this.savePicture() }, "PNG"),
      el("button", { class: "small", title: "Save the numbers", onclick: () => this.saveNumbers() }, "CSV"));
    this.holder = el("div", { class: "map-grid" });
    this.low = el("span", { class: "mono" });
    this.high = el("span", { class: "mono" });
    this.bar = el("div", { class: "bar" });
    this.barRow = el("div", { class: "bar-row faint" }, this.low, this.bar, this.high);
    this.caption = el("figcaption", { class: "faint" });
    this.element = el("figure", { class: "map" }, el("header", {}, this.title, this.tools), this.holder,
      el("div", { class: "under" }, this.barRow, this.readout), this.caption);
    this.grid = new Grid(this.holder, { onHover: (flat) => this.hover(flat), onPick: (flat) => onPick(this.cell(flat)) });
  }

  cell(flat) {
    return { row: Math.floor(flat / this.cols), column: flat % this.cols };
  }

  show(map, arrays, palette, scale, thumbnail) {
    const values = arrays[map.values];
    this.map = map;
    [this.rows, this.cols] = values.shape;
    this.photo = values.shape.length === 3;
    const colours = this.photo ? values.data : map.rgb == null ? null : arrays[map.rgb].data;
    this.values = values.data;
    this.element.style.setProperty("--role", `var(--role-${map.role})`);
    setText(this.title, map.title);
    setText(this.caption, map.caption);
    this.barRow.hidden = colours != null;
    this.bar.className = `bar ${scale.kind}`;
    setText(this.low, formatNumber(scale.low) + map.unit);
    setText(this.high, formatNumber(scale.high) + map.unit);
    setText(this.readout, "");
    const [deadRows, deadCols] = map.dropped;
    this.grid.setLabel(`${map.title}. ${map.caption} ${this.rows} by ${this.cols} cells.`);
    this.grid.show({
      data: this.photo ? new Float32Array(this.rows * this.cols) : values.data,
      rows: this.rows, cols: this.cols, scale, palette, highlight: "--role",
      colour: colours && ((flat) => [colours[3 * flat], colours[3 * flat + 1], colours[3 * flat + 2]]),
      plain: this.photo || thumbnail,
      frame: map.frame,
      padding: map.padding,
      marks: map.marks == null ? null : arrays[map.marks].data,
      faded: deadRows || deadCols ? (row, col) => row >= this.rows - deadRows || col >= this.cols - deadCols : null,
    });
  }

  hover(flat) {
    this.grid.setFocus(flat);
    if (flat == null) {
      setText(this.readout, "");
      return;
    }
    const { row, column } = this.cell(flat);
    const value = this.photo ? `(${[0, 1, 2].map((c) => this.values[3 * flat + c]).join(", ")})` : allDigits(this.values[flat]) + this.map.unit;
    setText(this.readout, `[${row}, ${column}] = ${value}`);
  }

  name() {
    return this.map.title.replace(/[^\p{L}\p{N}]+/gu, "_").slice(0, 60) || "map";
  }

  async savePicture() {
    saveBlob(await this.grid.toBlob(), `${this.name()}.png`);
  }

  saveNumbers() {
    const width = this.cols * (this.photo ? 3 : 1);
    const lines = Array.from({ length: this.rows }, (_, r) => [...this.values.slice(r * width, (r + 1) * width)].join(","));
    saveBlob(new Blob([lines.join("\n"), "\n"], { type: "text/csv" }), `${this.name()}.csv`);
  }
}

/** One colour scale for each group of maps that share one; a map without a group has its own. */
function scales(body, arrays) {
  const groups = new Map();
  return body.maps.map((map, i) => {
    const values = arrays[map.values];
    if (values.shape.length === 3) return scaleFor({ low: 0, high: 1 });
    const group = map.share || `own ${i}`;
    if (!groups.has(group)) {
      const members = body.maps.filter((m, k) => (m.share || `own ${k}`) === group);
      const ends = members.map((m) => extent(arrays[m.values].data));
      const top = map.limit ?? Math.max(...ends.map((e) => Math.max(-e.low, e.high)));
      const low = Math.min(...ends.map((e) => e.low));
      const signed = map.signed ?? low < 0;
      groups.set(group, scaleFor({ low: signed ? -top || -1 : 0, high: top }));
    }
    return groups.get(group);
  });
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  applyTheme(root);
  const state = (root.maps ??= { pictures: [] });
  const { body, arrays } = unpack(data);
  root.classList.toggle("small", body.size === "small");
  root.classList.toggle("thumbnail", body.size === "thumbnail");
  root.classList.toggle("pick", body.pick);
  root.style.setProperty("--columns", body.columns);
  // All pictures get the same box, as tall as the tallest needs and no taller than was asked for.
  const aspects = body.maps.map((map) => arrays[map.values].shape).map(([rows, cols]) => cols / rows);
  root.style.setProperty("--aspect", Math.max(0.4, Math.min(...aspects)));
  root.style.setProperty("--tallest", `${body.height}px`);
  while (state.pictures.length < body.maps.length) {
    const place = state.pictures.length;
    const picture = new Picture((cell) => state.pick?.({ map: place, ...cell }));
    state.pictures.push(picture);
  }
  // Its time tells a second click on the same cell from the first.
  state.pick = body.pick ? (cell) => setStateValue("picked", { ...cell, time: Date.now() }) : null;
  const palette = readPalette(root);
  const shared = scales(body, arrays);
  const wanted = state.pictures.slice(0, body.maps.length).map((picture) => picture.element);
  if (root.children.length !== wanted.length || wanted.some((element, i) => root.children[i] !== element)) root.replaceChildren(...wanted);
  body.maps.forEach((map, i) => state.pictures[i].show(map, arrays, palette, shared[i], body.size === "thumbnail"));
  root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  return () => {
    state.pictures.forEach((picture) => picture.grid.destroy());
    root.maps = undefined;
  };
}

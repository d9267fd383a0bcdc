// A grid of pictures. One Picture per map; data come as bytes and are drawn on canvas, so a new value only repaints.

import { Boxes } from "../shared/boxes.js";
import { applyTheme, extent, readPalette, scaleFor } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { Grid } from "../shared/grid.js";
import { cellName, Labels, labelsText } from "../shared/labels.js";
import { allDigits, formatNumber } from "../shared/number.js";
import { asCsv, ColourBar, keepButtons } from "../shared/tools.js";
import { unpack } from "../shared/packing.js";

class Picture {
  constructor(onPick) {
    this.title = el("span", { class: "map-title" });
    this.pointed = el("span", { class: "pointed" });
    this.value = el("span", { class: "value" });
    this.readout = el("span", { class: "map-readout mono faint", "aria-live": "polite" }, this.pointed, this.value);
    this.tools = keepButtons({
      title: () => this.map.title, otherwise: "map", picture: () => this.grid.toBlob(), numbers: () => this.numbers(),
    });
    this.holder = el("div", { class: "map-grid" });
    this.bar = new ColourBar();
    this.caption = el("figcaption", { class: "faint" });
    this.under = el("div", { class: "under" }, this.bar.element, this.readout);
    this.element = el("figure", { class: "map" }, el("header", {}, this.title, this.tools), this.holder, this.under, this.caption);
    this.grid = new Grid(this.holder, { onHover: (flat, box) => this.hover(flat, box), onPick: (flat, box) => onPick(this.picked(flat, box)) });
  }

  cell(flat) {
    return { row: Math.floor(flat / this.cols), column: flat % this.cols };
  }

  /** What a click means: the cell, and the box round it if there is one. */
  picked(flat, box = this.boxAt(flat)) {
    return { ...this.cell(flat), box };
  }

  /** The number of the box round a cell, or null. */
  boxAt(flat) {
    if (!this.overlay || flat == null) return null;
    const { row, column } = this.cell(flat);
    return this.overlay.at(column + 0.5, row + 0.5);
  }

  show(map, arrays, palette, scale, thumbnail) {
    const values = arrays[map.values];
    this.map = map;
    [this.rows, this.cols] = values.shape;
    this.photo = values.shape.length === 3;
    const colours = this.photo ? values.data : map.rgb == null ? null : arrays[map.rgb].data;
    this.values = values.data;
    this.names = map.names ?? [];
    this.beside = map.beside == null ? null : arrays[map.beside].data;
    this.element.style.setProperty("--role", `var(--role-${map.role})`);
    this.element.classList.toggle("headed", map.head != null);
    this.element.style.setProperty("--head", map.head == null ? "" : `var(--head-${map.head})`);
    setText(this.title, map.title);
    setText(this.caption, map.caption);
    this.bar.element.hidden = colours != null;
    this.bar.show(scale, map.unit);
    this.under.classList.toggle("labelled", map.rows.length + map.columns.length > 0);
    this.say("", "");
    const boxes = map.boxes ?? [];
    this.overlay = boxes.length || map.lattice ? new Boxes({ edges: boxes.length ? arrays[map.edges].data : [], boxes, role: map.role, lattice: map.lattice }) : null;
    const [deadRows, deadCols] = map.dropped;
    this.grid.setLabel([`${map.title}.`, map.caption, `${this.rows} by ${this.cols} cells.`, labelsText(map), this.overlay?.text()].filter(Boolean).join(" "));
    this.grid.show({
      data: this.photo ? new Float32Array(this.rows * this.cols) : values.data,
      rows: this.rows, cols: this.cols, scale, palette, highlight: "--role",
      colour: colours && ((flat) => [colours[3 * flat], colours[3 * flat + 1], colours[3 * flat + 2]]),
      plain: this.photo || this.names.length > 0 || thumbnail,
      frame: map.frame,
      padding: map.padding,
      labels: thumbnail ? undefined : map,
      marks: map.marks == null ? null : arrays[map.marks].data,
      overlay: this.overlay,
      faded: deadRows || deadCols ? (row, col) => row >= this.rows - deadRows || col >= this.cols - deadCols : null,
    });
  }

  hover(flat, box = this.boxAt(flat)) {
    if (this.overlay && this.overlay.focus !== box) {
      this.overlay.focus = box;
      this.grid.drawTop();
    }
    this.grid.setFocus(flat);
    if (flat == null) return this.say("", "");
    if (box != null) return this.say(this.overlay.boxes[box].label, ` ${this.overlay.boxes[box].about}`);
    const { row, column } = this.cell(flat);
    this.say(cellName(this.map, row, column), this.valueOf(flat));
  }

  /** What a cell holds: colours, a name, or a number. */
  valueOf(flat) {
    if (this.photo) return ` = (${[0, 1, 2].map((c) => this.values[3 * flat + c]).join(", ")})`;
    if (!this.names.length) return ` = ${allDigits(this.values[flat], true)}${this.map.unit}`;
    const name = this.names[this.values[flat]] ?? "";
    return `  ${name}${this.beside ? ` ${formatNumber(this.beside[flat])}` : ""}`;
  }

  /** Under the picture: which cell, cut where there is no room, and its value, never cut. */
  say(pointed, value) {
    setText(this.pointed, pointed);
    setText(this.value, value);
    this.readout.title = pointed;
    this.readout.classList.toggle("said", value !== "");
  }

  numbers() {
    const width = this.cols * (this.photo ? 3 : 1);
    return asCsv(Array.from({ length: this.rows }, (_, r) => this.values.slice(r * width, (r + 1) * width)), this.map);
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

const ROW = 20; // pixels of height for a row of a labelled map, for the first dozen

/** The height that a flat map with words above its columns needs, in pixels; 0 for one without. */
function lowest(map, rows, family) {
  if (!map.rows.length && !map.columns.length) return 0;
  return new Labels(map.rows, map.columns, family).heightAbove() + ROW * Math.min(rows, 12);
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
  const family = getComputedStyle(root).fontFamily;
  const least = Math.max(0, ...body.maps.map((map) => lowest(map, arrays[map.values].shape[0], family)));
  root.style.setProperty("--lowest", `${Math.min(least, body.height)}px`);
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

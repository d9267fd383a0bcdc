// Blocks and arrows as one SVG, bottom to top. Each block shows a column of heat for every word; blocks are buttons.

import { readPalette } from "../shared/colour.js";
import { el, saveBlob } from "../shared/dom.js";
import { unpack } from "../shared/packing.js";
import { across, flow, headAt, residual } from "./routes.js";

const SVG = "http://www.w3.org/2000/svg";
const LABEL = 17; // pixels of a box's height for its name
const INSET = 6; // beside and below the heat
const WIDEST = 330;
const FRAME_LABEL = 16;
const ACROSS = 16; // pixels of a picture for each word: enough that they do not run into each other when it is scaled
const SIZE = 12.5; // of text, pixels
const SMALLEST = 10.5;

/** svg("rect", {x: 1}, child) → an SVG element. */
function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) if (value != null) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const clampTo = (x, low, high) => Math.max(low, Math.min(high, x));

class Diagram {
  constructor(root) {
    this.root = root;
    this.pen = document.createElement("canvas").getContext("2d");
    this.picture = svg("svg", { role: "group" });
    const save = el("button", { class: "small", onclick: () => this.save() }, "SVG");
    this.saveButton = save;
    root.replaceChildren(this.picture, el("span", { class: "tools diagram-tools" }, save));
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(root);
    this.picture.addEventListener("click", (event) => this.pick(this.blockOf(event)));
    this.picture.addEventListener("keydown", (event) => this.key(event));
    this.picture.addEventListener("pointermove", (event) => this.follow(event));
    this.picture.addEventListener("pointerleave", () => this.follow(null));
  }

  destroy() {
    this.watcher.disconnect();
  }

  show(body, arrays, palette, onPick) {
    Object.assign(this, { body, palette, onPick, selected: body.selected, width: 0 });
    this.saveButton.title = body.texts.save;
    this.images = body.boxes.map((box) => (box.heat == null ? null : this.image(arrays[box.heat], box.signed)));
    this.draw();
  }

  /** The bytes as a picture, one pixel high for each number, with an address of its own. */
  image({ shape: [rows, cols], data }, signed) {
    const table = this.palette[signed ? "diverging" : "sequential"];
    const canvas = document.createElement("canvas");
    const width = cols * ACROSS;
    Object.assign(canvas, { width, height: rows });
    const pen = canvas.getContext("2d");
    const pixels = pen.createImageData(width, rows);
    for (let i = 0; i < width * rows; i++) {
      const value = data[Math.floor(i / ACROSS)];
      for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = table[3 * value + c];
      pixels.data[4 * i + 3] = 255;
    }
    pen.putImageData(pixels, 0, 0);
    return { href: canvas.toDataURL(), cols };
  }

  // ---- geometry

  layout() {
    const { boxes, height } = this.body;
    const columns = 1 + Math.max(...boxes.map((box) => box.column));
    const rows = Math.max(...boxes.map((box) => box.row + box.rows));
    const side = clampTo(this.width * 0.045, 18, 36);
    const gap = clampTo(this.width * 0.11, 42, 84);
    const wide = Math.min(WIDEST, (this.width - 2 * side - (columns - 1) * gap) / columns);
    const left = (this.width - columns * wide - (columns - 1) * gap) / 2;
    this.pitch = (height - 4) / rows;
    this.between = clampTo(this.pitch * 0.3, 13, 20); // free above each box, for the arrows
    this.side = side;
    this.gap = gap;
    this.areas = new Map(boxes.map((box) => [box.id, {
      x: left + box.column * (wide + gap), y: 2 + box.row * this.pitch + this.between, width: wide,
      height: box.rows * this.pitch - this.between, column: box.column,
    }]));
  }

  // ---- drawing

  draw() {
    const width = this.root.clientWidth;
    if (!this.body || !width || width === this.width) return;
    this.width = width;
    this.layout();
    const focused = this.picture.querySelector(".block:focus")?.dataset.id;
    const { boxes, arrows, frames, height, alt } = this.body;
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.picture.setAttribute("height", height);
    this.picture.setAttribute("aria-label", alt);
    this.band = svg("rect", { class: "follow", fill: this.palette.accent, opacity: 0 });
    this.picture.replaceChildren(
      ...frames.map((frame) => this.frame(frame)), ...arrows.map((arrow) => this.arrow(arrow)), ...frames.map((frame) => this.frameLabel(frame)),
      ...boxes.map((box, i) => this.block(box, this.images[i])), this.band,
    );
    if (focused) this.blocks().find((block) => block.dataset.id === focused)?.focus();
  }

  blocks() {
    return [...this.picture.querySelectorAll(".block.opens")];
  }

  /** What a frame surrounds, with room for the arrows beside the boxes and for its label. */
  around({ boxes }) {
    const areas = boxes.map((id) => this.areas.get(id));
    const top = Math.min(...areas.map((area) => area.y)) - this.between - FRAME_LABEL;
    const bottom = Math.max(...areas.map((area) => area.y + area.height)) + this.between * 0.7;
    const reach = this.side - 3;
    return { x: areas[0].x - reach, y: top, width: areas[0].width + 2 * reach, height: bottom - top };
  }

  frame(frame) {
    return svg("rect", { ...this.around(frame), rx: 10, fill: this.palette.panel, stroke: this.palette.faint, "stroke-dasharray": "4 3" });
  }

  frameLabel(frame) {
    const { x, y } = this.around(frame);
    const { faint, panel } = this.palette;
    return svg("text", { class: "frame-label", x: x + 9, y: y + 15, fill: faint, stroke: panel, "stroke-width": 5, "paint-order": "stroke" }, frame.label);
  }

  arrow({ from, to, kind, side, prongs }) {
    const route = { flow, residual, across }[kind];
    const { lines, heads } = route(this.areas.get(from), this.areas.get(to), { side, prongs, channel: this.side * 0.52, between: this.between, gap: this.gap });
    const colour = (role) => (role ? this.palette.role(role) : this.palette.faint);
    const group = svg("g", { "aria-hidden": "true" });
    for (const { path, role } of lines) group.append(svg("path", { d: path, fill: "none", stroke: colour(role), "stroke-width": 1.4, "stroke-linejoin": "round" }));
    for (const { x, y, turn, role, letter, below } of heads) {
      group.append(svg("path", { d: headAt(x, y, turn), fill: colour(role) }));
      if (letter) group.append(svg("text", { class: "prong-label", x: turn ? x - 9 : x + 5, y: turn ? y + (below ? 11 : -3) : y + 9, fill: colour(role), "text-anchor": turn ? "end" : "start" }, letter));
    }
    return group;
  }

  block(box, image) {
    const { x, y, width, height } = this.areas.get(box.id);
    const { palette } = this;
    const open = box.id === this.selected;
    const colour = palette.role(box.role);
    const group = svg("g", { class: `block ${box.opens ? "opens" : ""}`, "data-id": box.id });
    if (box.opens) {
      group.setAttribute("role", "button");
      group.setAttribute("tabindex", open ? 0 : -1);
      group.setAttribute("aria-pressed", open);
      group.setAttribute("aria-label", [box.label, box.about].filter(Boolean).join(". "));
    }
    if (box.about) group.append(svg("title", {}, `${box.label}. ${box.about}`));
    group.append(svg("rect", { class: "face", x, y, width, height, rx: 5, fill: palette.page, stroke: box.words.length ? "none" : colour, "stroke-width": 1.2 }));
    if (box.words.length) group.append(...this.words(box, x, y, width, height, colour));
    else {
      const room = width - 8;
      const size = clampTo((SIZE * room) / this.widthOf(box.label, 600), SMALLEST, SIZE);
      const [label] = this.fitting(box.label, (room * SIZE) / size, 600);
      group.append(svg("text", { class: "name", x: x + width / 2, y: y + (image ? 13 : height / 2 + 4), fill: colour, "text-anchor": "middle", style: `font-size: ${size}px` }, label));
    }
    if (image) {
      const inside = { x: x + INSET, y: y + LABEL, width: width - 2 * INSET, height: height - LABEL - INSET };
      group.append(svg("image", { ...inside, href: image.href, preserveAspectRatio: "none" }));
      group.append(svg("rect", { ...inside, fill: "none", stroke: palette.line, "stroke-width": 0.6 }));
    }
    if (open) group.append(svg("path", { d: `M${x + width - 15} ${y + 5}h10l-5 7z`, fill: colour }));
    return group;
  }

  /** A text for each column of heat, written upwards where there is no room; what they are stands beyond, away from the heat. */
  words({ label, words, strong, above }, x, y, width, height, colour) {
    const room = (width - 2 * INSET) / words.length;
    const upright = words.every((word) => this.widthOf(word, 700) < room - 3);
    const [title] = this.fitting(label, width + this.gap / 2, 400);
    const name = svg("text", { class: "words-label", x: x + width / 2, y: above ? y + 10 : y + height - 3, fill: this.palette.faint, "text-anchor": "middle" }, title);
    return [name, ...words.map((word, i) => {
      const [text, whole] = this.fitting(word, upright ? room - 2 : height - LABEL - 4, i === strong ? 700 : 400);
      const middle = x + INSET + (i + 0.5) * room;
      const place = upright ? { x: middle, y: above ? y + height - 5 : y + 14, "text-anchor": "middle" } : above ? {
        transform: `translate(${middle + 4} ${y + height - 3}) rotate(-90)`, "text-anchor": "start",
      } : { transform: `translate(${middle + 4} ${y + 2}) rotate(-90)`, "text-anchor": "end" };
      const node = svg("text", { class: `word ${i === strong ? "strong" : ""}`, ...place, fill: colour }, text);
      if (!whole) node.append(svg("title", {}, word));
      return node;
    })];
  }

  widthOf(text, weight) {
    this.family ??= getComputedStyle(this.root).fontFamily;
    this.pen.font = `${weight} ${SIZE}px ${this.family}`;
    return this.pen.measureText(text).width;
  }

  /** [the text, shortened where it is wider than the room; whether it is whole] */
  fitting(text, room, weight) {
    if (this.widthOf(text, weight) <= room) return [text, true];
    const signs = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
    while (signs.length > 1 && this.widthOf(`${signs.join("")}…`, weight) > room) signs.pop();
    return [`${signs.join("")}…`, false];
  }

  // ---- hands

  blockOf(event) {
    return event.target.closest(".block.opens")?.dataset.id ?? null;
  }

  pick(id) {
    if (id == null) return;
    this.selected = id;
    this.width = 0; // draws anew
    this.draw();
    this.blocks().find((block) => block.dataset.id === id)?.focus({ preventScroll: true });
    this.keepInAddress(id);
    this.onPick(id);
  }

  keepInAddress(id) {
    if (!this.body.url) return;
    const url = new URL(location.href);
    url.searchParams.set(this.body.url, id);
    history.replaceState(history.state, "", url);
  }

  key(event) {
    const id = this.blockOf(event);
    const turns = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    if (id == null || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") this.pick(id);
    else if (turns[event.key]) this.nearest(id, ...turns[event.key])?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The next block in a direction: of the same column up and down, of another sideways, at the most similar height. */
  nearest(id, right, down) {
    const here = this.areas.get(id);
    const middle = (area) => area.y + area.height / 2;
    const distance = (area) => Math.abs(middle(area) - middle(here));
    const fits = (area) => right ? Math.sign(area.column - here.column) === right
      : area.column === here.column && Math.sign(middle(area) - middle(here)) === down;
    const others = this.blocks().map((block) => ({ block, area: this.areas.get(block.dataset.id) })).filter(({ area }) => fits(area));
    return others.sort((a, b) => distance(a.area) - distance(b.area))[0]?.block;
  }

  /** The column of one word, through all blocks above it, under the pointer. */
  follow(event) {
    const id = event?.target.closest(".block")?.dataset.id;
    const place = this.body.boxes.findIndex((box) => box.id === id);
    const tokens = place < 0 ? 0 : this.images[place]?.cols ?? this.body.boxes[place].words.length;
    if (!tokens) return this.band?.setAttribute("opacity", 0);
    const { x, width, column } = this.areas.get(id);
    const inside = event.clientX - this.picture.getBoundingClientRect().left - x - INSET;
    const each = (width - 2 * INSET) / tokens;
    const token = clampTo(Math.floor(inside / each), 0, tokens - 1);
    const areas = [...this.areas.values()].filter((area) => area.column === column);
    const top = Math.min(...areas.map((area) => area.y));
    const bottom = Math.max(...areas.map((area) => area.y + area.height));
    const band = { x: x + INSET + token * each, y: top, width: each, height: bottom - top, opacity: 0.14 };
    for (const [name, value] of Object.entries(band)) this.band.setAttribute(name, value);
  }

  /** A file of its own: the page's styles are written into it. */
  save() {
    const copy = this.picture.cloneNode(true);
    const { height } = this.body;
    copy.setAttribute("xmlns", SVG);
    copy.setAttribute("width", this.width);
    copy.prepend(svg("rect", { width: this.width, height, fill: this.palette.page }));
    copy.prepend(svg("style", {}, "text { font-family: sans-serif; font-size: 12.5px } .name { font-weight: 600 } .strong { font-weight: 700 } .frame-label, .prong-label, .words-label { font-size: 11px }"));
    saveBlob(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }), "diagram.svg");
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  const palette = readPalette(root);
  palette.panel = getComputedStyle(root).getPropertyValue("--panel").trim();
  const { body, arrays } = unpack(data);
  root.diagram ??= new Diagram(root);
  // Its time tells a second click on the same block from the first.
  root.diagram.show(body, arrays, palette, (id) => setStateValue("picked", { id, time: Date.now() }));
  root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  return () => {
    root.diagram?.destroy();
    root.diagram = undefined;
  };
}

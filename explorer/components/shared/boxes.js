// Rectangles over a picture, each with a name: what was found there, what was left out, or a part that is meant.

import { brightness } from "./colour.js";

const TAG = { type: 12, height: 17, pad: 4 }; // pixels
const THIN_FROM = 60; // more boxes than these are drawn with thin lines
const HATCH = 7; // pixels between the lines of a shaded part
const BOXES_SAID = 24; // how many are named to those who cannot see them

const tagsMeet = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** What lies over one picture: boxes, the most important first, and a lattice. focus: the box that is pointed at, or null. */
export class Boxes {
  /**
   * edges: x0, y0, x1, y1 of each in cells; boxes: of each {label, about, style, colour}: style "box", "struck" (crossed out),
   * "waiting" (a thin line) or "area" (shaded; it cannot be pointed at); colour: a colour of palette.head, null: that of the role.
   * lattice: [width, height] in cells of the larger cells that lines part, or null.
   */
  constructor({ edges = [], boxes = [], role = "output", lattice = null }) {
    this.boxes = boxes.map((box, k) => ({ ...box, edges: edges.slice(4 * k, 4 * k + 4) }));
    this.role = role;
    this.lattice = lattice;
    this.focus = null;
    this.tags = [];
  }

  get length() {
    return this.boxes.length;
  }

  /** The smallest box round a place in cells: its number, or null. */
  at(x, y) {
    let [found, least] = [null, Infinity];
    this.boxes.forEach(({ edges: [x0, y0, x1, y1], style }, k) => {
      const size = (x1 - x0) * (y1 - y0);
      if (style !== "area" && x >= x0 && x <= x1 && y >= y0 && y <= y1 && size < least) [found, least] = [k, size];
    });
    return found;
  }

  /** The box so many places after the one in focus, round and round; null where none can be pointed at. */
  after(step) {
    const able = this.boxes.map((_, k) => k).filter((k) => this.boxes[k].style !== "area");
    if (!able.length) return null;
    const here = able.indexOf(this.focus);
    return able[here < 0 ? (step > 0 ? 0 : able.length - 1) : (here + step + able.length) % able.length];
  }

  /** The cell in the middle of a box, {row, col}, inside a picture of so many cells. */
  middle(k, rows, cols) {
    const [x0, y0, x1, y1] = this.boxes[k].edges;
    const within = (value, size) => Math.max(0, Math.min(size - 1, Math.floor(value)));
    return { row: within((y0 + y1) / 2, rows), col: within((x0 + x1) / 2, cols) };
  }

  /** All of them as a sentence. */
  text() {
    const named = this.boxes.filter((box) => box.about);
    const list = named.slice(0, BOXES_SAID).map((box) => `${box.label} ${box.about}`.trim());
    return list.length ? `${list.join("; ")}${named.length > BOXES_SAID ? ` and ${named.length - BOXES_SAID} more` : ""}.` : "";
  }

  colourOf({ colour }, palette) {
    return colour == null ? palette.role(this.role) : palette.head(colour);
  }

  /** Pixels of the canvas, sharp edges. */
  pixels({ edges: [x0, y0, x1, y1] }, { x, y, scale }) {
    const [left, top] = [Math.round(x + x0 * scale), Math.round(y + y0 * scale)];
    return { x: left, y: top, width: Math.max(1, Math.round(x + x1 * scale) - left), height: Math.max(1, Math.round(y + y1 * scale) - top) };
  }

  /** The best is drawn last, over the others; a tag that would cover another's is left out, and said on hover. */
  draw(context, grid) {
    const { view, palette, size } = grid;
    const family = getComputedStyle(grid.holder).fontFamily;
    if (this.lattice) this.drawLattice(context, grid);
    const thin = this.boxes.length > THIN_FROM;
    for (const box of [...this.boxes].reverse()) this.outline(context, box, this.pixels(box, view), palette, thin);
    this.tags = [];
    for (const box of this.boxes) {
      if (!box.label) continue;
      const tag = this.tagOf(context, box, this.pixels(box, view), size, family);
      if (tag) this.write(context, tag, palette);
    }
  }

  /** The box that is pointed at, over everything, with its name. */
  drawFocus(context, { view, palette, size, holder }) {
    const box = this.boxes[this.focus];
    if (!box) return;
    const family = getComputedStyle(holder).fontFamily;
    const place = this.pixels(box, view);
    context.lineWidth = 6;
    context.strokeStyle = palette.page;
    context.strokeRect(place.x, place.y, place.width, place.height);
    context.lineWidth = 3;
    context.strokeStyle = this.colourOf(box, palette);
    context.strokeRect(place.x, place.y, place.width, place.height);
    context.lineWidth = 1;
    const [tag] = box.label ? this.places(context, box, place, size, family) : [];
    if (tag) this.write(context, tag, palette, false);
  }

  outline(context, box, place, palette, thin) {
    const colour = this.colourOf(box, palette);
    if (box.style === "area") this.shade(context, place, colour, palette);
    if (box.style === "struck") this.cross(context, place, colour, palette);
    const light = thin || box.style === "waiting";
    context.strokeStyle = palette.page;
    context.globalAlpha = light ? 0.6 : 0.9;
    context.lineWidth = light ? 2.5 : 4;
    context.strokeRect(place.x, place.y, place.width, place.height);
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = light ? 1 : 2;
    if (box.style === "struck") context.setLineDash([6, 4]);
    context.strokeRect(place.x, place.y, place.width, place.height);
    context.setLineDash([]);
    context.lineWidth = 1;
  }

  shade(context, place, colour, palette) {
    context.globalAlpha = 0.3;
    context.fillStyle = colour;
    context.fillRect(place.x, place.y, place.width, place.height);
    context.globalAlpha = 0.8;
    this.hatch(context, place, palette.page);
    context.globalAlpha = 1;
  }

  hatch(context, { x, y, width, height }, colour) {
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.beginPath();
    for (let start = -height; start < width; start += HATCH) {
      context.moveTo(x + start, y + height);
      context.lineTo(x + start + height, y);
    }
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.stroke();
    context.restore();
  }

  /** Two lines from corner to corner. */
  cross(context, { x, y, width, height }, colour, palette) {
    for (const [ink, weight] of [[palette.page, 2.5], [colour, 1]]) {
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + width, y + height);
      context.moveTo(x + width, y);
      context.lineTo(x, y + height);
      context.strokeStyle = ink;
      context.lineWidth = weight;
      context.stroke();
    }
  }

  /** Where a tag may stand: above the box, below its upper edge, or below it; inside the canvas. */
  places(context, box, place, size, family) {
    context.font = `600 ${TAG.type}px ${family}`;
    const width = Math.ceil(context.measureText(box.label).width) + 2 * TAG.pad;
    const x = Math.max(0, Math.min(place.x - 1, size.width - width));
    const tops = [place.y - TAG.height, place.y, place.y + place.height];
    const tags = tops.map((y) => ({ box, x, y, width, height: TAG.height, family }));
    return tags.filter((tag) => tag.y >= 0 && tag.y + TAG.height <= size.height);
  }

  tagOf(context, box, place, size, family) {
    return this.places(context, box, place, size, family).find((tag) => !this.tags.some((other) => tagsMeet(tag, other)));
  }

  write(context, tag, palette, kept = true) {
    const { box, x, y, width, height, family } = tag;
    const colour = this.colourOf(box, palette);
    context.fillStyle = colour;
    context.fillRect(x, y, width, height);
    context.fillStyle = brightness(colour) > 0.55 ? "#111" : "#fff";
    context.font = `600 ${TAG.type}px ${family}`;
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillText(box.label, x + TAG.pad, y + height / 2 + 0.5);
    if (kept) this.tags.push(tag);
  }

  /** Lines that part the picture into larger cells. */
  drawLattice(context, { view: { x, y, scale }, rows, cols, palette }) {
    const [width, height] = this.lattice;
    for (const [colour, weight, alpha] of [[palette.page, 2, 0.55], [palette.ink, 0.75, 0.6]]) {
      context.beginPath();
      for (let at = width; at < cols - 0.01; at += width) {
        context.moveTo(x + at * scale, y);
        context.lineTo(x + at * scale, y + rows * scale);
      }
      for (let at = height; at < rows - 0.01; at += height) {
        context.moveTo(x, y + at * scale);
        context.lineTo(x + cols * scale, y + at * scale);
      }
      context.strokeStyle = colour;
      context.lineWidth = weight;
      context.globalAlpha = alpha;
      context.stroke();
    }
    context.globalAlpha = 1;
    context.lineWidth = 1;
  }
}

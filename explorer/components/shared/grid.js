// One picture of numbers: slices of a tensor as cells on a canvas, with zoom, pan, numbers, highlights, mouse, touch and keys.

import { colourIndex } from "./colour.js";
import { listen } from "./hands.js";
import { Labels } from "./labels.js";
import { formatNumber } from "./number.js";

const NUMBERS_FROM = 30; // pixels: cells at least this wide show their number
const LINES_FROM = 7; // pixels: cells at least this wide are parted by lines
const MAX_CELL = 64;
const GAP = 1; // cells between two slices
const NO_MARGIN = { left: 0, top: 0, right: 0 };
const NO_LABELS = { rows: [], columns: [] };

/** The largest number of columns that keeps tiles of rows×cols near the given aspect (width / height). */
function tileColumns(count, rows, cols, aspect) {
  let best = 1;
  let bestScale = 0;
  for (let across = 1; across <= count; across++) {
    const down = Math.ceil(count / across);
    const scale = Math.min(aspect / (across * (cols + GAP)), 1 / (down * (rows + GAP)));
    if (scale > bestScale * 1.0001) [best, bestScale] = [across, scale];
  }
  return best;
}

/**
 * Draws into `holder` (a positioned element with a height of its own).
 * callbacks: onHover(flat or null), onPick(flat), onMove(key) for keys it does not use itself.
 */
export class Grid {
  constructor(holder, { onHover = () => {}, onPick = () => {}, label = "" } = {}) {
    this.holder = holder;
    this.onHover = onHover;
    this.onPick = onPick;
    this.base = document.createElement("canvas");
    this.top = document.createElement("canvas");
    this.base.className = "grid-base";
    this.top.className = "grid-top";
    this.top.tabIndex = 0;
    this.top.setAttribute("role", "img");
    this.setLabel(label);
    holder.classList.add("grid");
    holder.replaceChildren(this.base, this.top);
    this.view = null;
    this.focus = null;
    this.lit = null;
    this.labels = null;
    this.margin = NO_MARGIN;
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(holder);
    listen(this);
  }

  destroy() {
    this.watcher.disconnect();
  }

  setLabel(label) {
    this.top.setAttribute("aria-label", label);
  }

  /**
   * data: typed array or null; rows, cols; slices: flat offset of each slice shown; strides [row, column]; scale and palette as
   * in colour.js; colour(flat) → [r, g, b] in place of a scale; plain: never write numbers into cells; faded(row, col): the cell
   * was dropped; frame: [x, y, width, height] to outline; padding: [top, bottom, left, right] cells at the edge that were added;
   * marks: [row, col, row, col, …] of cells of the first slice that get a dot; labels: {rows, columns}, a text for each row and
   * column, either may be empty; corners: a Set of cells whose corner is marked; overlay: what lies over the first slice, Boxes.
   */
  show({ data, rows, cols, slices = [0], strides = [cols, 1], scale, palette, faded = null, colour = null, plain = false, frame = null, padding = null, marks = null, labels = NO_LABELS, corners = null, overlay = null, highlight = "--accent" }) {
    const same = this.rows === rows && this.cols === cols && this.slices?.length === slices.length;
    Object.assign(this, { data, rows, cols, slices, strides, scale, palette, faded, colour, plain, frame, padding, marks, corners, overlay, highlight });
    if (!same) {
      this.view = null;
      this.focus = null;
    }
    const family = getComputedStyle(this.holder).fontFamily;
    if (!Labels.same(this.labels, labels.rows, labels.columns, family)) {
      this.labels = labels.rows.length || labels.columns.length ? new Labels(labels.rows, labels.columns, family) : null;
    }
    this.paintImage();
    this.resize();
  }

  /** The cells that contributed to something: flat indices, or null for none. */
  light(flats) {
    this.lit = flats && flats.length ? flats : null;
    this.drawTop();
  }

  /** Outlines one cell, as the one being looked at; null for none. */
  setFocus(flat) {
    if (this.focus === flat) return;
    this.focus = flat;
    this.drawTop();
  }

  // ---- geometry: tiles of slices, in cells; then cells to pixels through this.view {scale, x, y}

  layout() {
    const scaleIn = (width, height) => this.arrange(Math.max(width, 1), Math.max(height, 1)).fitScale;
    this.margin = this.labels?.margins(this.size, scaleIn) ?? NO_MARGIN;
    const { left, top, right } = this.margin;
    Object.assign(this, this.arrange(Math.max(this.size.width - left - right, 1), Math.max(this.size.height - top, 1)));
  }

  /** How the tiles lie and how large cells are where all of them fit into so many pixels. */
  arrange(width, height) {
    const across = tileColumns(this.slices.length, this.rows, this.cols, width / height);
    const down = Math.ceil(this.slices.length / across);
    const gridCols = across * (this.cols + GAP) - GAP;
    const gridRows = down * (this.rows + GAP) - GAP;
    const fitScale = Math.min(width / gridCols, height / gridRows, MAX_CELL);
    return { across, down, gridCols, gridRows, fitScale: fitScale > 4 ? Math.floor(fitScale) : fitScale };
  }

  fit() {
    const scale = this.fitScale;
    const { left, top, right } = this.margin;
    const { width, height } = this.size;
    this.view = { scale, x: left + (width - left - right - this.gridCols * scale) / 2, y: top + (height - top - this.gridRows * scale) / 2 };
  }

  /** Where cells begin to be seen: the edge of the first one, or of the labels that it has gone behind. */
  edges() {
    return { left: Math.max(this.view.x, this.margin.left), top: Math.max(this.view.y, this.margin.top) };
  }

  tileLeft(tileColumn) {
    return tileColumn * (this.cols + GAP);
  }

  tileTop(tileRow) {
    return tileRow * (this.rows + GAP);
  }

  /** Cells of the tiling → pixels of the canvas. */
  pixelOf({ x, y }) {
    return { x: this.view.x + x * this.view.scale, y: this.view.y + y * this.view.scale };
  }

  flatAt(slice, row, col) {
    return this.slices[slice] + row * this.strides[0] + col * this.strides[1];
  }

  /** Flat index → {slice, row, col, x, y} with x, y in cells of the tiling, or null where it is not shown. */
  place(flat) {
    const [rowStride, colStride] = this.strides;
    for (let slice = 0; slice < this.slices.length; slice++) {
      const rest = flat - this.slices[slice];
      if (rest < 0) continue;
      const row = this.rows > 1 ? Math.floor(rest / rowStride) : 0;
      const col = this.cols > 1 ? (rest - row * rowStride) / colStride : 0;
      if (row < this.rows && col < this.cols && Number.isInteger(col) && rest === row * rowStride * (this.rows > 1) + col * colStride * (this.cols > 1)) {
        return { slice, row, col, ...this.tile(slice, row, col) };
      }
    }
    return null;
  }

  tile(slice, row, col) {
    return { x: this.tileLeft(slice % this.across) + col, y: this.tileTop(Math.floor(slice / this.across)) + row };
  }

  /** Pixel of the canvas → {slice, row, col} or null. */
  cellAt(px, py) {
    if (px < this.margin.left || py < this.margin.top) return null;
    const gx = Math.floor((px - this.view.x) / this.view.scale);
    const gy = Math.floor((py - this.view.y) / this.view.scale);
    const tileX = Math.floor(gx / (this.cols + GAP));
    const tileY = Math.floor(gy / (this.rows + GAP));
    const col = gx - tileX * (this.cols + GAP);
    const row = gy - tileY * (this.rows + GAP);
    const slice = tileY * this.across + tileX;
    const inside = gx >= 0 && gy >= 0 && tileX < this.across && col < this.cols && row < this.rows && slice < this.slices.length;
    return inside ? { slice, row, col } : null;
  }

  // ---- drawing

  resize() {
    const width = Math.max(this.holder.clientWidth, 1);
    const height = Math.max(this.holder.clientHeight, 1);
    const ratio = window.devicePixelRatio || 1;
    const changed = !this.size || this.size.width !== width || this.size.height !== height;
    this.size = { width, height };
    for (const canvas of [this.base, this.top]) {
      if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
        canvas.style.width = `${width}px`;
        canvas.style.height = `${height}px`;
      }
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    if (!this.rows) return;
    const before = this.margin;
    this.layout();
    const moved = ["left", "top", "right"].some((side) => before[side] !== this.margin[side]);
    if (!this.view || changed || moved) this.fit();
    this.draw();
  }

  /** One pixel a cell, slice below slice, drawn once; zooming only scales it. */
  paintImage() {
    const { rows, cols, slices, data, scale, palette } = this;
    const count = slices.length;
    const image = new ImageData(Math.max(cols, 1), Math.max(rows * count, 1));
    const pixels = new Uint32Array(image.data.buffer);
    if (data) {
      const table = scale ? palette[scale.kind] : null;
      const packed = table && Uint32Array.from({ length: 256 }, (_, i) => packRgb(table[3 * i], table[3 * i + 1], table[3 * i + 2]));
      let out = 0;
      for (let s = 0; s < count; s++) {
        for (let r = 0; r < rows; r++) {
          for (let c = 0; c < cols; c++, out++) {
            const flat = this.flatAt(s, r, c);
            if (this.colour) pixels[out] = packRgb(...this.colour(flat));
            else pixels[out] = packed[colourIndex(data[flat], scale)];
          }
        }
      }
    }
    this.image = document.createElement("canvas");
    this.image.width = image.width;
    this.image.height = image.height;
    this.image.getContext("2d").putImageData(image, 0, 0);
  }

  draw() {
    const context = this.base.getContext("2d");
    const { scale } = this.view;
    context.clearRect(0, 0, this.size.width, this.size.height);
    this.top.style.touchAction = scale > this.fitScale * 1.01 ? "none" : "pan-y"; // one finger pans what is zoomed
    if (this.data) this.paint(context);
    this.drawTop();
  }

  /** Cells, labels and marks, without light and focus. */
  paint(context) {
    const { scale, x, y } = this.view;
    this.labels?.draw(context, this, this.palette.ink);
    context.save();
    this.keepToCells(context);
    context.imageSmoothingEnabled = scale < 1;
    const count = this.slices.length;
    for (let s = 0; s < count; s++) {
      const { x: tx, y: ty } = this.tile(s, 0, 0);
      const [left, top] = [x + tx * scale, y + ty * scale];
      context.drawImage(this.image, 0, s * this.rows, this.cols, this.rows, left, top, this.cols * scale, this.rows * scale);
      context.strokeStyle = this.palette.line;
      context.strokeRect(left - 0.5, top - 0.5, this.cols * scale + 1, this.rows * scale + 1);
      if (scale >= LINES_FROM && !(this.plain && this.overlay)) this.drawLines(context, left, top);
    }
    this.drawMarks(context);
    if (scale >= NUMBERS_FROM) this.drawNumbers(context);
    this.overlay?.draw(context, this);
    if (this.marks) this.drawDots(context);
    if (this.corners) this.drawCorners(context);
    context.restore();
  }

  /** From here on nothing is drawn where labels stand, however far the cells are zoomed. */
  keepToCells(context) {
    if (!this.labels) return;
    const { left, top } = this.edges();
    context.beginPath();
    context.rect(left - 3, top - 3, this.size.width, this.size.height);
    context.clip();
  }

  drawLines(context, left, top) {
    const { scale } = this.view;
    context.beginPath();
    for (let c = 1; c < this.cols; c++) {
      context.moveTo(left + c * scale, top);
      context.lineTo(left + c * scale, top + this.rows * scale);
    }
    for (let r = 1; r < this.rows; r++) {
      context.moveTo(left, top + r * scale);
      context.lineTo(left + this.cols * scale, top + r * scale);
    }
    context.lineWidth = 0.5;
    context.stroke();
    context.lineWidth = 1;
  }

  /** Calls each(slice, row, col, left, top) for the cells inside the canvas. */
  visibleCells(each) {
    const { scale, x, y } = this.view;
    const count = this.slices.length;
    for (let s = 0; s < count; s++) {
      const { x: tx, y: ty } = this.tile(s, 0, 0);
      const [left, top] = [x + tx * scale, y + ty * scale];
      const c0 = Math.max(0, Math.floor(-left / scale));
      const c1 = Math.min(this.cols, Math.ceil((this.size.width - left) / scale));
      const r0 = Math.max(0, Math.floor(-top / scale));
      const r1 = Math.min(this.rows, Math.ceil((this.size.height - top) / scale));
      for (let r = r0; r < r1; r++) for (let c = c0; c < c1; c++) each(s, r, c, left + c * scale, top + r * scale);
    }
  }

  /** Hatches what is masked (−∞ or NaN) and fades what was dropped. */
  drawMarks(context) {
    const { scale } = this.view;
    if (scale < 2) return;
    context.strokeStyle = this.palette.faint;
    this.visibleCells((s, r, c, left, top) => {
      const value = this.data[this.flatAt(s, r, c)];
      if (this.faded?.(r, c)) {
        context.globalAlpha = 0.75;
        context.fillStyle = this.palette.page;
        context.fillRect(left, top, scale, scale);
        context.globalAlpha = 1;
      } else if (value !== -Infinity && !Number.isNaN(value)) return;
      context.beginPath();
      for (let k = 0.25; k < 2; k += 0.5) {
        context.moveTo(left + Math.max(0, k - 1) * scale, top + Math.min(1, k) * scale);
        context.lineTo(left + Math.min(1, k) * scale, top + Math.max(0, k - 1) * scale);
      }
      context.stroke();
    });
  }

  /** A dot in each marked cell, ringed so that it is seen on dark and light; at the foot where the cell shows its number. */
  drawDots(context) {
    const { scale, x, y } = this.view;
    const radius = Math.max(1, Math.min(scale * 0.17, 4));
    const height = scale >= NUMBERS_FROM && !this.plain ? 0.84 : 0.5;
    context.fillStyle = this.palette.accent;
    context.strokeStyle = this.palette.page;
    context.lineWidth = scale < 6 ? 0.5 : 1.5;
    for (let k = 0; k < this.marks.length; k += 2) {
      context.beginPath();
      context.arc(x + (this.marks[k + 1] + 0.5) * scale, y + (this.marks[k] + height) * scale, radius, 0, 2 * Math.PI);
      context.stroke();
      context.fill();
    }
    context.lineWidth = 1;
  }

  /** A triangle in the upper right corner of each marked cell, as notes have in spreadsheets; edged, to be seen on dark and light. */
  drawCorners(context) {
    const { scale } = this.view;
    const side = Math.max(4, Math.min(scale * 0.28, 12));
    for (const flat of this.corners) {
      const place = this.place(flat);
      if (!place) continue;
      const { x, y } = this.pixelOf(place);
      for (const [colour, size] of [[this.palette.page, side + 3], [this.palette.accent, side]]) {
        context.fillStyle = colour;
        context.beginPath();
        context.moveTo(x + scale - size, y);
        context.lineTo(x + scale, y);
        context.lineTo(x + scale, y + size);
        context.fill();
      }
    }
  }

  drawNumbers(context) {
    if (this.plain) return;
    const { scale } = this.view;
    const size = Math.min(13, scale / 2.9);
    context.font = `${size}px ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const table = this.scale ? this.palette[this.scale.kind] : null;
    const noise = this.scale ? 2e-6 * this.scale.limit : 0;
    this.visibleCells((s, r, c, left, top) => {
      const flat = this.flatAt(s, r, c);
      const value = this.data[flat];
      const [red, green, blue] = this.colour ? this.colour(flat) : [0, 1, 2].map((k) => table[3 * colourIndex(value, this.scale) + k]);
      context.fillStyle = red * 0.299 + green * 0.587 + blue * 0.114 > 140 ? "#111" : "#fff";
      context.fillText(formatNumber(value, scale < 40 ? 2 : 3, noise), left + scale / 2, top + scale / 2 + 0.5, scale - 2);
    });
  }

  /** The layer of light and focus; drawn on every hover, so it touches nothing else. */
  drawTop() {
    if (!this.view || !this.rows) return;
    const context = this.top.getContext("2d");
    const { scale, x, y } = this.view;
    context.clearRect(0, 0, this.size.width, this.size.height);
    const focused = this.focus == null ? null : this.place(this.focus);
    if (focused && this.data) this.labels?.drawFocus(context, this, focused, this.palette);
    context.save();
    this.keepToCells(context);
    this.drawLight(context);
    this.overlay?.drawFocus(context, this);
    if (focused) {
      context.strokeStyle = this.palette.ink;
      context.lineWidth = 2;
      const least = Math.max(scale, 5);
      context.strokeRect(x + focused.x * scale - (least - scale) / 2, y + focused.y * scale - (least - scale) / 2, least, least);
    }
    context.restore();
  }

  drawLight(context) {
    const { scale, x, y } = this.view;
    if (this.lit && this.data) {
      const places = [];
      for (const flat of this.lit) {
        const place = this.place(flat);
        if (place) places.push(place);
        if (places.length > 20000) break;
      }
      if (places.length) {
        context.fillStyle = this.palette.page;
        context.globalAlpha = 0.62;
        context.fillRect(x - 1, y - 1, this.gridCols * scale + 2, this.gridRows * scale + 2);
        context.globalAlpha = 1;
        for (const p of places) context.clearRect(x + p.x * scale, y + p.y * scale, scale, scale);
        context.strokeStyle = getComputedStyle(this.holder).getPropertyValue(this.highlight) || this.palette.accent;
        context.lineWidth = scale > 12 ? 2 : 1;
        if (places.length <= 600 && scale >= 4) {
          for (const p of places) context.strokeRect(x + p.x * scale + 1, y + p.y * scale + 1, scale - 2, scale - 2);
        } else {
          const xs = places.map((p) => p.x);
          const ys = places.map((p) => p.y);
          const [left, right] = [Math.min(...xs), Math.max(...xs) + 1];
          const [top, bottom] = [Math.min(...ys), Math.max(...ys) + 1];
          context.strokeRect(x + left * scale - 1, y + top * scale - 1, (right - left) * scale + 2, (bottom - top) * scale + 2);
        }
      }
    }
    if (this.frame) {
      const [fx, fy, width, height] = this.frame;
      context.lineWidth = 3;
      context.strokeStyle = this.palette.page;
      context.strokeRect(x + fx * scale, y + fy * scale, width * scale, height * scale);
      context.lineWidth = 1.5;
      context.strokeStyle = this.palette.accent;
      context.strokeRect(x + fx * scale, y + fy * scale, width * scale, height * scale);
    }
    if (this.padding?.some((n) => n > 0)) {
      const [up, down, left, right] = this.padding;
      context.setLineDash([5, 4]);
      context.lineWidth = 1.5;
      context.strokeStyle = this.palette.faint;
      context.strokeRect(x + left * scale, y + up * scale, (this.cols - left - right) * scale, (this.rows - up - down) * scale);
      context.setLineDash([]);
    }
  }

  // ---- hands (see hands.js)

  zoom(factor, px, py) {
    const scale = Math.max(this.fitScale, Math.min(MAX_CELL, this.view.scale * factor));
    const ratio = scale / this.view.scale;
    this.view = { scale, x: px - (px - this.view.x) * ratio, y: py - (py - this.view.y) * ratio };
    if (scale <= this.fitScale * 1.001) this.fit();
    this.draw();
  }

  reset() {
    this.fit();
    this.draw();
  }

  /** Moves what is zoomed so far that this cell of the tiling is seen. */
  bringIntoView(cell) {
    const { x, y } = this.pixelOf(cell);
    const { scale } = this.view;
    const within = (place, low, high) => Math.max(low, Math.min(Math.max(low, high - scale), place));
    const [dx, dy] = [within(x, this.margin.left, this.size.width) - x, within(y, this.margin.top, this.size.height) - y];
    if (Math.abs(dx) + Math.abs(dy) < 0.5) return;
    this.view.x += dx;
    this.view.y += dy;
    this.draw();
  }

  /** A PNG at least `least` pixels wide: the bare cells, or with labels or an overlay all but light and focus. → Promise of a Blob. */
  toBlob(least = 512) {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    if (this.labels) this.paintLabelled(canvas, context, least);
    else if (this.overlay) this.paintOverlaid(canvas, context, 2 * least);
    else this.paintBare(canvas, context, least);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  paintBare(canvas, context, least) {
    const factor = Math.max(1, Math.ceil(least / Math.max(this.gridCols, this.gridRows)));
    canvas.width = this.gridCols * factor;
    canvas.height = this.gridRows * factor;
    context.imageSmoothingEnabled = false;
    for (let s = 0; s < this.slices.length; s++) {
      const { x, y } = this.tile(s, 0, 0);
      context.drawImage(this.image, 0, s * this.rows, this.cols, this.rows, x * factor, y * factor, this.cols * factor, this.rows * factor);
    }
  }

  /** As on the page, but as large as the photo or larger, which leaves room for more tags. */
  paintOverlaid(canvas, context, least) {
    const scale = Math.max(1, least / Math.max(this.gridCols, this.gridRows));
    [canvas.width, canvas.height] = [Math.round(this.gridCols * scale), Math.round(this.gridRows * scale)];
    const size = { width: canvas.width, height: canvas.height };
    Object.assign(Object.create(this), { size, view: { scale, x: 0, y: 0 } }).paint(context);
    this.draw(); // the tags on the page are where they were
  }

  /** As on the page, but with room for every word. */
  paintLabelled(canvas, context, least) {
    const scale = Math.max(16, Math.min(48, Math.ceil(least / Math.max(this.gridCols, this.gridRows))));
    const sharp = 2;
    const endless = { width: Infinity, height: Infinity };
    const margin = this.labels.margins(endless, () => scale);
    const size = { width: margin.left + this.gridCols * scale + Math.max(margin.right, 2), height: margin.top + this.gridRows * scale + 2 };
    [canvas.width, canvas.height] = [size.width * sharp, size.height * sharp];
    context.scale(sharp, sharp);
    context.fillStyle = this.palette.page;
    context.fillRect(0, 0, size.width, size.height);
    const shown = this.labels.shown;
    Object.assign(Object.create(this), { size, margin, view: { scale, x: margin.left, y: margin.top } }).paint(context);
    this.labels.shown = shown;
  }
}

const packRgb = (r, g, b) => (255 << 24) | (b << 16) | (g << 8) | r;

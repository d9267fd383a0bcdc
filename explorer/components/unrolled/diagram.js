// The network unrolled: a column for each step, a row for each cell, on one canvas; what is not computed yet is empty.

import { el, reducedMotion } from "../shared/dom.js";
import { clamp } from "./layout.js";
import { Picture } from "./picture.js";

const FILL_MS = 200;

export class Diagram extends Picture {
  /** onFocus(focus or null), onPick(focus), onGo(tick). A focus is {cell, layer, direction, kind, place, unit}. */
  constructor({ onFocus, onPick, onGo }) {
    super(el("canvas", { class: "under-layer" }), el("canvas", { class: "over-layer", tabindex: 0, role: "img" }));
    Object.assign(this, { onFocus, onPick, onGo });
    this.labels = el("div", { class: "row-labels", "aria-hidden": "true" });
    this.scroller = el("div", { class: "scroller" }, el("div", { class: "sheet" }, this.base, this.top));
    this.element = el("div", { class: "diagram" }, this.labels, this.scroller);
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(this.scroller);
    this.listen();
  }

  destroy() {
    this.watcher.disconnect();
    cancelAnimationFrame(this.frame);
  }

  /** body, scans: see unrolled.js; scales, palette: see picture.js. */
  load(body, scans, scales, palette) {
    Object.assign(this, { scales, palette, layer: null }); // drawn once it is told where it stands
    this.setContent(body, scans);
    this.labels.replaceChildren(...this.rows.filter((row) => row.name).map((row) =>
      el("span", { class: `row-label ${row.strong ? "strong" : ""} ${row.type}`, style: { top: `${row.top}px`, height: `${row.height}px` } }, row.name)));
    this.resize();
  }

  resize() {
    const room = this.scroller.clientWidth;
    if (!this.rows || !room) return;
    this.setRoom(room);
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.base, this.top]) {
      if (canvas.width !== Math.round(this.width * ratio) || canvas.height !== Math.round(this.height * ratio)) {
        canvas.width = Math.round(this.width * ratio);
        canvas.height = Math.round(this.height * ratio);
        canvas.style.width = `${this.width}px`;
        canvas.style.height = `${this.height}px`;
      }
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.element.style.height = `${this.height + (this.width > room ? 14 : 0)}px`;
    this.draw();
  }

  /** Goes to a tick: step `order` of layer `layer`. moving: let the new column fade in. */
  show(layer, order, moving) {
    Object.assign(this, { layer, order });
    cancelAnimationFrame(this.frame);
    this.fade = 1;
    if (moving && !reducedMotion()) {
      const start = performance.now();
      const tick = (now) => {
        this.fade = clamp((now - start) / FILL_MS, 0, 1);
        this.draw();
        if (this.fade < 1) this.frame = requestAnimationFrame(tick);
      };
      this.fade = 0;
      this.frame = requestAnimationFrame(tick);
    }
    this.draw();
    this.bringIntoView();
  }

  bringIntoView() {
    if (!this.column || this.width <= this.scroller.clientWidth) return;
    const { scrollLeft, clientWidth } = this.scroller;
    const left = this.columnLeft(this.order) - this.ends;
    const right = left + this.column + 2 * this.ends;
    if (left < scrollLeft) this.scroller.scrollLeft = left;
    else if (right > scrollLeft + clientWidth) this.scroller.scrollLeft = right - clientWidth;
  }

  // ---- hands

  at(event) {
    const box = this.top.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    for (const row of this.scanRows()) {
      const { scan } = row;
      const count = scan.units(row.type === "input" ? "x" : "h");
      const { top, height } = this.units(row, count);
      const bars = row.type === "input" && count === 1;
      const unit = bars ? (py >= row.top && py < row.top + row.height ? 0 : -1) : Math.floor((py - top) / height);
      if (unit < 0 || unit >= count) continue;
      const strip = this.strips(row).find(({ x, width }) => px >= x && px < x + width);
      if (!strip || (strip.kind !== "x" && !this.done(scan, strip.place))) continue;
      return { cell: scan.cell, layer: scan.layer, direction: scan.direction, kind: strip.kind, place: strip.place, unit };
    }
    return null;
  }

  placeAt(event) {
    const place = Math.floor((event.clientX - this.top.getBoundingClientRect().left - this.left) / this.column);
    return place >= 0 && place < this.body.words.length ? place : null;
  }

  listen() {
    this.top.onpointermove = (event) => {
      const focus = this.at(event);
      this.top.style.cursor = focus ? "crosshair" : this.placeAt(event) == null ? "default" : "pointer";
      this.onFocus(focus);
    };
    this.top.onpointerleave = (event) => {
      if (event.pointerType !== "touch") this.onFocus(null);
    };
    this.top.onclick = (event) => {
      const focus = this.at(event);
      const place = this.placeAt(event);
      if (focus) this.onPick(focus);
      else if (place != null) this.onGo(this.layer * this.body.words.length + place);
    };
  }

  setLabel(label) {
    this.top.setAttribute("aria-label", label);
  }
}

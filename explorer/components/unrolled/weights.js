// The weights that all steps share, with the rows lit that the number looked at is made with.

import { colourIndex, extent, scaleFor } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { allDigits, formatNumber } from "../shared/number.js";

/** The weights of one scan on a canvas: W_ih, W_hh and the biases side by side, a block of rows for each gate. */
export class Weights {
  constructor(onUnit) {
    this.canvas = el("canvas", { class: "weights", role: "img", tabindex: -1 });
    this.readout = el("div", { class: "weight-readout mono faint" });
    this.element = el("div", { class: "weights-box" }, el("div", { class: "panel-title" }, "Shared weights ", el("span", { class: "faint" }, "the same at every step")), this.canvas, this.readout);
    this.canvas.onpointermove = (event) => this.point(event, onUnit);
    this.canvas.onpointerleave = () => {
      setText(this.readout, this.rest);
      onUnit(null);
    };
  }

  show(scan, palette, width) {
    Object.assign(this, { scan, palette });
    const { ih, hh, bih, bhh } = scan.weights;
    this.blocks = [
      { name: "W_ih", data: ih, cols: scan.width, under: scan.layer ? "h below" : "x" },
      { name: "W_hh", data: hh, cols: scan.hidden, under: "h" },
      { name: "b_ih", data: bih, cols: 1, under: "" },
      { name: "b_hh", data: bhh, cols: 1, under: "" },
    ];
    const ends = this.blocks.map((block) => extent(block.data));
    this.scale = scaleFor({ low: Math.min(...ends.map((e) => e.low)), high: Math.max(...ends.map((e) => e.high)) });
    this.gateCount = scan.rows / scan.hidden;
    const cols = scan.width + scan.hidden + 2;
    this.gutter = this.gateCount > 1 ? 18 : 4;
    const fits = Math.min((width - this.gutter - 44) / cols, (232 - 3 * this.gateCount) / scan.rows, 26);
    this.size = Math.max(5, Math.floor(fits));
    this.blocks.reduce((x, block) => Object.assign(block, { x }).x + block.cols * this.size + 14, this.gutter);
    this.top = 18;
    const wide = this.blocks.at(-1).x + this.size + 14;
    const tall = this.top + scan.rows * this.size + (this.gateCount - 1) * 4 + 2;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(wide * ratio);
    this.canvas.height = Math.round(tall * ratio);
    this.canvas.style.width = `${wide}px`;
    this.canvas.style.height = `${tall}px`;
    this.canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    const count = scan.rows * cols;
    this.rest = `${count} numbers, ${formatNumber(this.scale.low)} … ${formatNumber(this.scale.high)}`;
    setText(this.readout, this.rest);
    this.canvas.setAttribute("aria-label", `The ${count} weights and biases that every step uses: ${scan.rows} rows, one for each unit${this.gateCount > 1 ? " and gate" : ""}.`);
  }

  rowTop(row) {
    return this.top + row * this.size + Math.floor(row / this.scan.hidden) * 4;
  }

  /** rows: of the weights, that are in use. */
  light(rows) {
    const { scan, palette, size } = this;
    const pen = this.canvas.getContext("2d");
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const table = palette[this.scale.kind];
    for (const { data, cols, x } of this.blocks) {
      for (let row = 0; row < scan.rows; row++) {
        pen.globalAlpha = rows.length && !rows.includes(row) ? 0.4 : 1;
        for (let col = 0; col < cols; col++) {
          const index = 3 * colourIndex(data[row * cols + col], this.scale);
          pen.fillStyle = `rgb(${table[index]}, ${table[index + 1]}, ${table[index + 2]})`;
          pen.fillRect(x + col * size, this.rowTop(row), size, size);
        }
      }
      pen.globalAlpha = 1;
      for (let gate = 0; gate < this.gateCount; gate++) {
        pen.strokeStyle = palette.line;
        pen.strokeRect(x - 0.5, this.rowTop(gate * scan.hidden) - 0.5, cols * size + 1, scan.hidden * size + 1);
      }
      pen.strokeStyle = palette.role("weight");
      pen.lineWidth = 2;
      for (const row of rows) pen.strokeRect(x, this.rowTop(row), cols * size, size);
      pen.lineWidth = 1;
    }
    this.drawNames(pen);
  }

  drawNames(pen) {
    const { scan, palette, size } = this;
    pen.textBaseline = "alphabetic";
    pen.textAlign = "center";
    pen.fillStyle = palette.role("weight");
    const roomy = size >= 13;
    for (const { name, x, cols } of this.blocks) {
      if (cols === 1 && !roomy && name === "b_hh") continue; // its sign stands over both
      const [letter, sub] = cols > 1 || roomy ? name.split("_") : ["b", ""];
      pen.font = 'italic 13px "Source Serif", Georgia, serif';
      pen.fillText(letter, x + (cols * size) / 2 - 4, 11);
      pen.font = 'italic 9px "Source Serif", Georgia, serif';
      pen.fillText(sub, x + (cols * size) / 2 + 6, 14);
    }
    if (this.gateCount < 2) return;
    scan.quantities.forEach(({ symbol, role }, gate) => {
      pen.fillStyle = palette.role(role);
      pen.font = 'italic 13px "Source Serif", Georgia, serif';
      pen.fillText(symbol, 7, this.rowTop(gate * scan.hidden) + (scan.hidden * size) / 2 + 4);
    });
  }

  point(event, onUnit) {
    const box = this.canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const { scan, size } = this;
    const row = Array.from({ length: scan.rows }, (_, r) => r).find((r) => py >= this.rowTop(r) && py < this.rowTop(r) + size);
    const block = this.blocks.find(({ x, cols }) => px >= x && px < x + cols * size);
    if (row == null || !block) return;
    const col = Math.floor((px - block.x) / size);
    const place = block.cols > 1 ? `[${row}, ${col}]` : `[${row}]`;
    setText(this.readout, `${block.name}${place} = ${allDigits(block.data[row * block.cols + col])}`);
    onUnit({ unit: row % scan.hidden, gate: this.gateCount > 1 ? Math.floor(row / scan.hidden) : null });
  }
}

// The page that opens alone: the grid of all heads, and the lines and the matrix of the chosen one, from what the page itself holds.

import { readPalette, scaleFor } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { Grid } from "../shared/grid.js";
import { cellName } from "../shared/labels.js";
import { formatNumber } from "../shared/number.js";
import { asCsv, ColourBar, keepButtons } from "../shared/tools.js";

const MOST_LABELLED = 96; // tokens; a matrix of more has no room for their words

/** Bytes that the page holds packed, in the element with this id. */
async function unpacked(id) {
  const text = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** What attention_grid.js and attention_lines.js read, as packing.py writes it. arrays: [{shape, data}], Uint8Array or Float32Array. */
function packedFor(body, arrays) {
  let offset = 0;
  const records = arrays.map(({ shape, data }) => {
    const record = { shape, code: data instanceof Float32Array ? "f4" : "u1", offset };
    offset += Math.ceil(data.byteLength / 8) * 8;
    return record;
  });
  const header = new TextEncoder().encode(JSON.stringify({ arrays: records, body }));
  const start = Math.ceil((4 + header.length) / 8) * 8;
  const bytes = new Uint8Array(start + offset).fill(32, 0, start);
  new DataView(bytes.buffer).setUint32(0, start - 4, true);
  bytes.set(header, 4);
  arrays.forEach(({ data }, i) => bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + records[i].offset));
  return bytes;
}

/** A place for a component in the element with this id, apart from the rest of the page. */
function shadowOf(id, style) {
  const shadow = document.getElementById(id).attachShadow({ mode: "open" });
  shadow.append(el("style", {}, style), el("div", { class: "root" }));
  return shadow;
}

class AttentionPage {
  constructor() {
    this.facts = JSON.parse(document.getElementById("data").textContent);
    const { styles, most, queries, chosen } = this.facts;
    [this.layer, this.head] = chosen;
    this.layers = new Map();
    this.grid = shadowOf("heads", styles.attention_grid);
    this.lines = shadowOf("lines", styles.attention_lines);
    this.matrix = shadowOf("matrix", styles.attention_page);
    this.makeMatrix(this.matrix.querySelector(".root"));
    document.getElementById("sentence").textContent = queries.join(" ");
    document.getElementById("kept").textContent = `Weights are kept to the nearest 1/${most}; those that are kept as 0 have no line.`;
    matchMedia("(prefers-color-scheme: dark)").onchange = () => this.draw();
  }

  makeMatrix(root) {
    this.holder = el("div", { class: "matrix" });
    this.bar = new ColourBar();
    this.readout = el("span", { class: "mono", "aria-live": "polite" });
    const keep = keepButtons({ title: () => `layer ${this.layer + 1} head ${this.head + 1}`, otherwise: "matrix", picture: () => this.cells.toBlob(), numbers: () => this.numbers() });
    root.append(el("header", {}, el("strong", {}, "Matrix"), el("span", { class: "faint" }, "Ctrl and the wheel, or + and −, zoom."), keep), this.holder, el("div", { class: "under" }, this.bar.element, this.readout));
    this.cells = new Grid(this.holder, { onHover: (flat) => this.hover(flat) });
  }

  async draw() {
    const { facts } = this;
    const images = (this.images ??= await unpacked("images"));
    const body = { selected: [this.layer, this.head], name: "entropy", unit: " bits", order: "layers", limit: facts.brightest, alt: "All heads: arrow keys move, Enter chooses one." };
    window.mount_attention_grid({
      data: packedFor(body, [{ shape: facts.pooled, data: images }, { shape: facts.shape.slice(0, 2), data: Float32Array.from(facts.entropy.flat()) }]),
      parentElement: this.grid,
      setStateValue: (_, { layer, head }) => this.choose(layer, head),
    });
    await this.choose(this.layer, this.head);
  }

  /** The weights of a layer, Float32Array; those of the last few are held. */
  async weightsOf(layer) {
    if (!this.layers.has(layer)) {
      const bytes = await unpacked(`layer-${layer}`);
      const { most } = this.facts;
      const count = most === 255 ? bytes.length : bytes.length / 2;
      const weights = new Float32Array(count);
      if (most === 255) for (let i = 0; i < count; i++) weights[i] = bytes[i] / 255;
      else for (let i = 0; i < count; i++) weights[i] = (256 * bytes[i] + bytes[count + i]) / 65535;
      if (this.layers.size > 2) this.layers.delete(this.layers.keys().next().value);
      this.layers.set(layer, weights);
    }
    return this.layers.get(layer);
  }

  async choose(layer, head) {
    [this.layer, this.head] = [layer, head];
    const data = await this.weightsOf(layer);
    if (this.layer !== layer || this.head !== head) return; // another was chosen meanwhile
    const { shape, queries, keys, most } = this.facts;
    const [, heads, rows, cols] = shape;
    document.getElementById("which").textContent = `Layer ${layer + 1}, head ${head + 1}`;
    const names = Array.from({ length: heads }, (_, i) => `Head ${i + 1}`);
    window.mount_attention_lines({
      data: packedFor({ queries, keys, names, heads: [head], locked: null, url: "", pick: false, height: 560, step: 1 / most }, [{ shape: shape.slice(1), data }]),
      parentElement: this.lines,
      setStateValue: () => {},
    });
    this.weights = data.subarray(head * rows * cols, (head + 1) * rows * cols);
    const palette = readPalette(this.matrix.querySelector(".root"));
    const scale = scaleFor({ low: 0, high: this.weights.reduce((a, b) => Math.max(a, b), 0) });
    this.cells.setLabel(`Matrix of layer ${layer + 1}, head ${head + 1}, ${rows} by ${cols} cells.`);
    this.labels = { rows: queries, columns: keys };
    const few = Math.max(rows, cols) <= MOST_LABELLED;
    this.cells.show({ data: this.weights, rows, cols, scale, palette, labels: few ? this.labels : undefined });
    this.bar.show(scale);
  }

  hover(flat) {
    this.cells.setFocus(flat);
    if (flat == null) return setText(this.readout, "");
    const { shape, most } = this.facts;
    const digits = Math.ceil(Math.log10(most));
    const weight = `${this.weights[flat].toFixed(digits)} ± ${formatNumber(0.5 / most, 1)}`;
    setText(this.readout, `${cellName(this.labels, Math.floor(flat / shape[3]), flat % shape[3])}: ${weight}`);
  }

  numbers() {
    const cols = this.facts.shape[3];
    const lines = this.labels.rows.map((_, row) => Array.from(this.weights.subarray(row * cols, (row + 1) * cols), (weight) => weight.toFixed(6)));
    return asCsv(lines, this.labels);
  }
}

export default function () {
  new AttentionPage().draw();
}

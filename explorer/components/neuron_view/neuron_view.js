// query · key, element by element, for the chosen query against every key. All numbers are computed here from the model's own
// vectors and compared with the weights that the model computed.

import { colourIndex, readPalette, scaleFor } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { formatNumber } from "../shared/number.js";
import { unpack } from "../shared/packing.js";

const CLOSE = 1e-4; // float32 sums in another order

/** Products, their sum and the scaled score of a query with every key, and the softmax over them. */
export function neuronWeights(query, keys, row, scale, bias) {
  const [count, width] = keys.shape;
  const products = new Float32Array(count * width);
  const dots = new Float64Array(count);
  const scores = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < width; i++) {
      const product = query.data[row * width + i] * keys.data[k * width + i];
      products[k * width + i] = product;
      dots[k] += product;
    }
    scores[k] = dots[k] * scale + (bias ? bias.data[row * count + k] : 0);
  }
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return { products, dots, scores, weights: powers.map((power) => power / sum) };
}

class Neurons {
  constructor(root) {
    this.tokens = el("div", { class: "tokens", role: "group", "aria-label": "Query token" });
    this.head = el("thead");
    this.rows = el("tbody");
    this.sorted = el("input", { type: "checkbox", onchange: () => this.draw() });
    this.readout = el("span", { class: "mono", "aria-live": "polite" });
    this.check = el("span", { class: "check" });
    root.replaceChildren(this.tokens, el("div", { class: "scroll", tabindex: "0" }, el("table", {}, this.head, this.rows)),
      el("div", { class: "foot" }, el("label", {}, this.sorted, "Largest weight first"), this.check, this.readout));
  }

  show(body, [query, keys, weights, bias], palette) {
    const fresh = !this.body || body.queries.join("\n") !== this.body.queries.join("\n");
    Object.assign(this, { body, query, keys, weights, bias, palette });
    if (fresh || this.row >= body.queries.length) this.row = body.locked;
    this.tokens.replaceChildren(...body.queries.map((token, i) => el("button", { onclick: () => this.lock(i), "aria-pressed": String(i === this.row) }, token)));
    const scaled = `× ${formatNumber(body.scale, 4)}${bias ? " + bias" : ""}`;
    this.head.replaceChildren(el("tr", {}, ...[["Token", ""], ["Key, k", "key"], ["q × k", ""], ["Sum, q · k", ""], [scaled, ""], ["Softmax", ""]]
      .map(([text, kind]) => el("th", { class: kind, scope: "col" }, text))));
    this.draw();
  }

  lock(row) {
    this.row = row;
    [...this.tokens.children].forEach((button, i) => button.setAttribute("aria-pressed", String(i === row)));
    this.draw();
  }

  /** A strip of numbers as one row of pixels; pointing at one spells it out. */
  strip(data, start, scale, say) {
    const width = this.keys.shape[1];
    const canvas = el("canvas", { width, height: 1, "aria-hidden": "true" });
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(width, 1);
    for (let i = 0; i < width; i++) {
      const colour = 3 * colourIndex(data[start + i], scale);
      for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = this.palette.diverging[colour + c];
      pixels.data[4 * i + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    canvas.onpointermove = (event) => {
      const place = Math.min(width - 1, Math.max(0, Math.floor((event.offsetX / canvas.clientWidth) * width)));
      setText(this.readout, say(place));
    };
    canvas.onpointerleave = () => setText(this.readout, "");
    return canvas;
  }

  draw() {
    const { body, query, keys, weights, row } = this;
    const [count, width] = keys.shape;
    const found = neuronWeights(query, keys, row, body.scale, this.bias);
    const largest = (data) => scaleFor({ low: -data.reduce((most, x) => Math.max(most, Math.abs(x)), 0), high: 0 });
    const vectors = largest([largest(query.data).limit, largest(keys.data).limit]);
    const products = largest(found.products);
    const q = (i) => formatNumber(query.data[row * width + i]);
    const order = Array.from({ length: count }, (_, k) => k);
    if (this.sorted.checked) order.sort((a, b) => found.weights[b] - found.weights[a]);
    const lines = order.map((k) => {
      const key = (i) => formatNumber(keys.data[k * width + i]);
      const percent = 100 * found.weights[k];
      return el("tr", {},
        el("td", { class: "token", title: body.keys[k] }, body.keys[k]),
        el("td", {}, this.strip(keys.data, k * width, vectors, (i) => `k[${i}] = ${key(i)}`)),
        el("td", {}, this.strip(found.products, k * width, products, (i) => `q[${i}] × k[${i}] = ${q(i)} × ${key(i)} = ${formatNumber(found.products[k * width + i])}`)),
        el("td", { class: "number mono" }, formatNumber(found.dots[k])),
        el("td", { class: "number mono" }, formatNumber(found.scores[k])),
        el("td", { class: "weight" }, el("div", { class: "share" },
          el("div", { class: "track" }, el("div", { class: "fill", style: { width: `${percent}%` } })), el("span", { class: "mono" }, formatNumber(found.weights[k], 3, 1e-5)))));
    });
    const first = el("tr", { class: "query" }, el("td", { class: "token", title: body.queries[row] }, `q: ${body.queries[row]}`),
      el("td", {}, this.strip(query.data, row * width, vectors, (i) => `q[${i}] = ${q(i)}`)), el("td", { colspan: "4", class: "faint" }, "the query, element by element"));
    this.rows.replaceChildren(first, ...lines);
    const worst = found.weights.reduce((most, weight, k) => Math.max(most, Math.abs(weight - weights.data[row * count + k])), 0);
    setText(this.check, worst <= CLOSE ? `✓ equals the model's weights (within ${formatNumber(Math.max(worst, 1e-9), 1)})` : `differs from the model's weights by up to ${formatNumber(worst)}`);
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".root");
  const palette = readPalette(root);
  const neurons = (root.neurons ??= new Neurons(root));
  const { body, arrays } = unpack(data);
  neurons.show(body, arrays, palette);
  root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  return () => {
    root.neurons = undefined;
  };
}

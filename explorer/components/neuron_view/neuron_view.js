// query · key, element by element, for the chosen query against every key. All numbers are computed here from the model's own
// vectors and compared with the weights that the model computed. Only the lines that are seen are in the page.

import { colourIndex, readPalette, scaleFor } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { moveAbout, zoomByKey } from "../shared/hands.js";
import { formatNumber } from "../shared/number.js";
import { unpack } from "../shared/packing.js";
import { keepButtons, zoomButtons } from "../shared/tools.js";
import { pictureOf, sumsOf } from "./keep.js";
import { Line } from "./line.js";

const CLOSE = 1e-4; // float32 sums in another order
const HIGH = 24; // pixels of a line, not zoomed
const BEYOND = 6; // lines kept above and below what is seen
const FEW = 48; // so many lines are all kept in the page

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

/** A diverging scale as far as the largest magnitude. */
function largest(data) {
  let most = 0;
  for (const x of data) if (Math.abs(x) > most) most = Math.abs(x);
  return scaleFor({ low: -most, high: 0 });
}

class Neurons {
  constructor(root) {
    this.root = root;
    this.zoomed = 1;
    this.tokens = el("div", { class: "tokens", role: "group", "aria-label": "Query token" });
    this.tokens.onclick = (event) => event.target.dataset.place && this.lock(Number(event.target.dataset.place));
    this.head = el("thead");
    this.before = el("tr", { "aria-hidden": "true" }, el("td", { colspan: 6 }));
    this.after = el("tr", { "aria-hidden": "true" }, el("td", { colspan: 6 }));
    this.first = new Line(this, true);
    this.lines = [];
    this.rows = el("tbody", {}, this.first.element, this.before, this.after);
    this.scroll = el("div", { class: "scroll", tabindex: "0" }, el("table", {}, this.head, this.rows));
    this.sorted = el("input", { type: "checkbox", onchange: () => this.draw() });
    this.readout = el("span", { class: "mono", "aria-live": "polite" });
    this.check = el("span", { class: "check" });
    this.hands = { zoom: (factor, x, y) => this.zoom(factor, y), reset: () => this.zoom(1 / this.zoomed, 0) };
    const keep = keepButtons({ title: () => `neurons ${this.body.queries[this.row]}`, otherwise: "neurons", picture: () => pictureOf(this), numbers: () => sumsOf(this) });
    root.replaceChildren(this.tokens, this.scroll,
      el("div", { class: "foot" }, el("label", {}, this.sorted, "Largest weight first"), this.check,
        zoomButtons({ zoom: (factor) => this.zoom(factor, 0), reset: () => this.zoom(1 / this.zoomed, 0) }), keep, this.readout));
    this.scroll.addEventListener("scroll", () => (this.frame ??= requestAnimationFrame(() => this.place())));
    this.watcher = new ResizeObserver(() => this.order && this.place());
    this.watcher.observe(this.scroll);
    moveAbout(this.scroll, {
      ...this.hands,
      pan: (dx, dy, event) => {
        if (event.pointerType === "touch") return false; // a finger scrolls by itself
        this.scroll.scrollBy(-dx, -dy);
        return true;
      },
    });
    this.scroll.onkeydown = (event) => zoomByKey(event, this.hands, 0, 0) && event.preventDefault();
  }

  show(body, [query, keys, weights, bias], palette) {
    const fresh = !this.body || body.queries.join("\n") !== this.body.queries.join("\n");
    Object.assign(this, { body, query, keys, weights, bias, palette });
    if (fresh || this.row >= body.queries.length) this.row = body.locked;
    this.tokens.replaceChildren(...body.queries.map((token, i) => el("button", { "data-place": i, "aria-pressed": String(i === this.row) }, token)));
    const scaled = `× ${formatNumber(body.scale, 4)}${bias ? " + bias" : ""}`;
    this.titles = ["Token", "Key, k", "q × k", "Sum, q · k", scaled, "Softmax"];
    this.head.replaceChildren(el("tr", {}, ...this.titles.map((text, i) => el("th", { class: i === 1 ? "key" : "", scope: "col" }, text))));
    this.vectors = largest([largest(query.data).limit, largest(keys.data).limit]);
    this.draw();
  }

  lock(row) {
    this.tokens.children[this.row]?.setAttribute("aria-pressed", "false");
    this.row = row;
    this.tokens.children[row].setAttribute("aria-pressed", "true");
    this.draw();
  }

  /** About a pixel from the upper edge of what is seen. */
  zoom(factor, y) {
    const before = this.high;
    this.zoomed = Math.max(1, Math.min(4, this.zoomed * factor));
    this.place();
    this.scroll.scrollTop = ((this.scroll.scrollTop + y) * this.high) / before - y;
  }

  get high() {
    return Math.round(HIGH * (0.4 + 0.6 * this.zoomed));
  }

  draw() {
    const { body, query, keys, weights, row } = this;
    const [count] = keys.shape;
    this.found = neuronWeights(query, keys, row, body.scale, this.bias);
    this.products = largest(this.found.products);
    this.order = Array.from({ length: count }, (_, k) => k);
    if (this.sorted.checked) this.order.sort((a, b) => this.found.weights[b] - this.found.weights[a]);
    this.place();
    const worst = this.found.weights.reduce((most, weight, k) => Math.max(most, Math.abs(weight - weights.data[row * count + k])), 0);
    setText(this.check, worst <= CLOSE ? `✓ equals the model's weights (within ${formatNumber(Math.max(worst, 1e-9), 1)})` : `differs from the model's weights by up to ${formatNumber(worst)}`);
  }

  /** Fills the lines that are seen. */
  place() {
    this.frame = null;
    const { high, order } = this;
    this.root.style.setProperty("--high", `${high}px`);
    this.root.style.setProperty("--zoomed", this.zoomed);
    const all = order.length <= FEW;
    const many = all ? order.length : Math.min(order.length, Math.ceil(this.scroll.clientHeight / high) + 2 * BEYOND);
    const from = Math.max(0, Math.min(order.length - many, Math.floor(this.scroll.scrollTop / high) - BEYOND));
    const to = from + many;
    while (this.lines.length > to - from) this.lines.pop().element.remove();
    while (this.lines.length < to - from) {
      this.lines.push(new Line(this, false));
      this.after.before(this.lines.at(-1).element);
    }
    this.before.firstChild.style.height = `${from * high}px`;
    this.after.firstChild.style.height = `${(order.length - to) * high}px`;
    this.before.hidden = from === 0;
    this.after.hidden = to === order.length;
    this.first.show(this.row);
    this.lines.forEach((line, i) => line.show(order[from + i]));
  }

  /** Colours of a strip of numbers. */
  colours(data, start, scale) {
    const width = this.keys.shape[1];
    const image = new ImageData(width, 1);
    for (let i = 0; i < width; i++) {
      const colour = 3 * colourIndex(data[start + i], scale);
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = this.palette.diverging[colour + c];
      image.data[4 * i + 3] = 255;
    }
    return image;
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
    neurons.watcher.disconnect();
    root.neurons = undefined;
  };
}

// One line of the table: a key against the query, or the query itself. It is filled anew as the table scrolls.

import { el, setText } from "../shared/dom.js";
import { formatNumber } from "../shared/number.js";

export class Line {
  /** view: the Neurons; query: whether it is the query's own. */
  constructor(view, query) {
    this.view = view;
    this.query = query;
    this.token = el("td", { class: "token" });
    this.strips = Array.from({ length: query ? 1 : 2 }, (_, i) => this.strip(i));
    this.dot = el("td", { class: "number mono" });
    this.score = el("td", { class: "number mono" });
    this.fill = el("div", { class: "fill" });
    this.weight = el("span", { class: "mono" });
    const rest = query
      ? [el("td", { colspan: "4", class: "faint" }, "the query, element by element")]
      : [this.dot, this.score, el("td", { class: "weight" }, el("div", { class: "share" }, el("div", { class: "track" }, this.fill), this.weight))];
    this.element = el("tr", { class: query ? "query" : null }, this.token, ...this.strips.map((canvas) => el("td", {}, canvas)), ...rest);
  }

  /** Pointing at one of its numbers spells it out. */
  strip(which) {
    const canvas = el("canvas", { height: 1, "aria-hidden": "true" });
    canvas.onpointermove = (event) => {
      const width = this.view.keys.shape[1];
      const i = Math.min(width - 1, Math.max(0, Math.floor((event.offsetX / canvas.clientWidth) * width)));
      setText(this.view.readout, this.spell(which, i));
    };
    canvas.onpointerleave = () => setText(this.view.readout, "");
    return canvas;
  }

  spell(which, i) {
    const { query, keys, row, found } = this.view;
    const width = keys.shape[1];
    const q = formatNumber(query.data[row * width + i]);
    if (this.query) return `q[${i}] = ${q}`;
    const k = formatNumber(keys.data[this.place * width + i]);
    return which === 0 ? `k[${i}] = ${k}` : `q[${i}] × k[${i}] = ${q} × ${k} = ${formatNumber(found.products[this.place * width + i])}`;
  }

  /** place: of the key, or of the query. */
  show(place) {
    const { body, query, keys, found, vectors, products } = this.view;
    const width = keys.shape[1];
    this.place = place;
    const text = this.query ? body.queries[place] : body.keys[place];
    setText(this.token, this.query ? `q: ${text}` : text);
    this.token.title = text;
    const shown = this.query ? [[query.data, vectors]] : [[keys.data, vectors], [found.products, products]];
    shown.forEach(([data, scale], i) => {
      if (this.strips[i].width !== width) this.strips[i].width = width;
      this.strips[i].getContext("2d").putImageData(this.view.colours(data, place * width, scale), 0, 0);
    });
    if (this.query) return;
    setText(this.dot, formatNumber(found.dots[place]));
    setText(this.score, formatNumber(found.scores[place]));
    setText(this.weight, formatNumber(found.weights[place], 3, 1e-5));
    this.fill.style.width = `${100 * found.weights[place]}%`;
  }
}

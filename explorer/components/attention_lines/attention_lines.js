// Attention between words: pointing at a word or going there by keys shows its lines alone, a click holds it.

import { applyTheme } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { labelText } from "../shared/labels.js";
import { formatNumber } from "../shared/number.js";
import { unpack } from "../shared/packing.js";
import { saveNumbers, savePicture } from "./keep.js";
import { finding, howMany, sentence } from "./sentences.js";
import { chooseLines, meanWeight } from "./strongest.js";
import { ROW, SIDES, svgElement } from "./svg.js";

const COLOURS = 12;
const DASHES = ["", "7 3", "2 3", "9 3 2 3"]; // beside the colours, for who cannot tell these apart

class AttentionLines {
  constructor(root) {
    this.root = root;
    this.hovered = null;
    this.pair = null; // [query, key] under the pointer
    this.legend = el("div", { class: "legend", role: "group", "aria-label": "Heads" });
    this.threshold = el("input", { type: "range", min: 0, step: 0.01, value: 0, "aria-label": "Hide weights below" });
    this.thresholdText = el("span", { class: "mono" });
    this.threshold.oninput = () => this.draw();
    this.tools = el("span", { class: "tools" },
      el("button", { class: "small", title: "Save the picture", onclick: () => savePicture(this) }, "SVG"),
      el("button", { class: "small", title: "Save the numbers", onclick: () => saveNumbers(this) }, "CSV"));
    this.columns = Object.fromEntries(SIDES.map((side) => [side, el("div", { class: `words ${side}`, role: "group" })]));
    this.columns.query.setAttribute("aria-label", "Queries: words that look");
    this.columns.key.setAttribute("aria-label", "Keys: words that are looked at");
    this.svg = svgElement("svg", { role: "img" });
    this.picture = el("div", { class: "picture" }, this.columns.query, this.svg, this.columns.key);
    this.scroller = el("div", { class: "scroller" }, this.picture);
    this.readout = el("div", { class: "told" });
    this.note = el("div", { class: "note faint" });
    root.replaceChildren(
      el("div", { class: "bar-above" }, this.legend, el("label", { class: "faint" }, "Hide below", this.threshold, this.thresholdText), this.tools),
      el("div", { class: "heads-of-columns" }, el("span", { class: "of-query" }, "From (query)"), el("span", { class: "of-key" }, "To (key)")),
      this.scroller, this.readout, this.note);
    this.words = { query: [], key: [] };
    this.listen();
    this.watcher = new ResizeObserver(() => this.place());
    this.watcher.observe(this.scroller);
  }

  show(body, weights, onLock) {
    this.onLock = onLock;
    this.url = body.url;
    this.weights = weights.data;
    [this.count, this.rows, this.cols] = weights.shape;
    const asked = body.heads.join();
    if (this.asked !== asked || this.shown.some((head) => head >= this.count)) this.shown = [...body.heads];
    this.asked = asked;
    this.names = Array.from({ length: this.count }, (_, head) => body.names[head] ?? `Head ${head}`);
    if (this.locked === undefined) this.locked = this.fromAddress() ?? body.locked;
    if (this.locked && !(this.locked.place < this.length(this.locked.side))) this.locked = null;
    this.hovered = this.pair = this.ofAll = null;
    this.scroller.style.maxHeight = `${body.height}px`;
    this.text = { query: body.queries.map(labelText), key: body.keys.map(labelText) };
    SIDES.forEach((side) => this.writeWords(side));
    this.writeLegend();
    const largest = this.weights.reduce((most, weight) => (weight > most ? weight : most), 0);
    this.threshold.max = Math.max(0.01, Math.floor(largest * 100) / 100);
    this.place();
  }

  length(side) {
    return side === "query" ? this.rows : this.cols;
  }

  /** "q3" or "k0" in the address → the word. */
  fromAddress() {
    const found = this.url && /^([qk])(\d{1,4})$/.exec(new URLSearchParams(location.search).get(this.url) ?? "");
    const word = found && { side: found[1] === "q" ? "query" : "key", place: Number(found[2]) };
    return word && word.place < this.length(word.side) ? word : null;
  }

  get focus() {
    return this.hovered ?? this.locked;
  }

  /** The chosen heads, in order. */
  get heads() {
    return [...this.shown].sort((a, b) => a - b);
  }

  // ---- what stands still: words and the legend

  writeWords(side) {
    const texts = this.text[side];
    const words = this.words[side];
    while (words.length > texts.length) words.pop().button.remove();
    while (words.length < texts.length) {
      const place = words.length;
      const label = el("span", { class: "label", dir: "auto" });
      const number = el("span", { class: "number mono" });
      const bar = el("span", { class: "share" });
      const button = el("button", { class: "word", tabindex: -1 }, ...(side === "query" ? [bar, number, label] : [label, number, bar]));
      button.dataset.place = place;
      button.dataset.side = side;
      words.push({ button, label, number, bar });
      this.columns[side].append(button);
    }
    words.forEach((word, place) => {
      setText(word.label, texts[place]);
      word.button.title = texts[place];
    });
  }

  writeLegend() {
    this.legend.hidden = this.count < 2;
    this.legend.replaceChildren(...this.names.map((name, head) => {
      const swatch = svgElement("svg", { class: "swatch", viewBox: "0 0 26 8", "aria-hidden": "true" });
      swatch.append(svgElement("line", { x1: 0, x2: 26, y1: 4, y2: 4, ...this.stroke(head), "stroke-width": 3 }));
      const button = el("button", { class: "small head", "aria-pressed": String(this.shown.includes(head)), title: "Double-click: only this one" }, swatch, name);
      button.onclick = () => this.choose(this.shown.includes(head) ? this.shown.filter((h) => h !== head) : [...this.shown, head]);
      button.ondblclick = () => this.choose([head]);
      return button;
    }));
  }

  choose(heads) {
    this.shown = heads;
    [...this.legend.children].forEach((button, head) => button.setAttribute("aria-pressed", String(heads.includes(head))));
    this.draw();
  }

  stroke(head) {
    return { stroke: `var(--head-${head % COLOURS})`, "stroke-dasharray": DASHES[head % DASHES.length] };
  }

  // ---- what moves: lines, shares and sentences

  place() {
    if (!this.weights) return;
    this.width = this.svg.clientWidth;
    this.svg.style.height = `${ROW * Math.max(this.rows, this.cols)}px`;
    this.draw();
  }

  curve(flat) {
    const heads = this.heads;
    const head = Math.floor(flat / (this.rows * this.cols));
    const apart = heads.length < 2 ? 0 : (heads.indexOf(head) - (heads.length - 1) / 2) * Math.min(3, (0.6 * ROW) / heads.length);
    const [from, to] = this.pairOf(flat).map((place) => (place + 0.5) * ROW + apart);
    const share = this.weights[flat] / this.weights[this.lines.at(-1)]; // of the strongest line that is drawn
    return {
      d: `M0 ${from}C${this.width / 2} ${from} ${this.width / 2} ${to} ${this.width} ${to}`,
      ...this.stroke(head),
      "stroke-width": (0.6 + 5.4 * share).toFixed(2),
      "stroke-opacity": (0.12 + 0.83 * share).toFixed(3),
    };
  }

  pairOf(flat) {
    return [Math.floor(flat / this.cols) % this.rows, flat % this.cols];
  }

  draw() {
    const threshold = Number(this.threshold.value);
    setText(this.thresholdText, formatNumber(threshold));
    const { weights, rows, cols, heads, focus } = this;
    const choose = () => chooseLines({ weights, heads, rows, cols, focus, threshold });
    const asked = `${heads}|${threshold}`;
    if (!focus && this.ofAll?.asked !== asked) this.ofAll = { asked, ...choose() }; // the pointer leaves words all the time
    const { lines, found } = focus ? choose() : this.ofAll;
    this.lines = lines;
    while (this.svg.childElementCount > lines.length) this.svg.lastChild.remove();
    while (this.svg.childElementCount < lines.length) this.svg.append(svgElement("path", { fill: "none" }));
    lines.forEach((flat, i) => {
      for (const [name, value] of Object.entries(this.curve(flat))) this.svg.children[i].setAttribute(name, value);
    });
    this.svg.setAttribute("aria-label", finding(this));
    SIDES.forEach((side) => this.markWords(side));
    setText(this.readout, sentence(this));
    setText(this.note, howMany(this, found));
    this.root.dataset.drawn = String(Number(this.root.dataset.drawn ?? 0) + 1);
  }

  markWords(side) {
    const { focus, locked } = this;
    const other = focus && focus.side !== side;
    const pairs = other ? this.text[side].map((_, place) => (side === "key" ? [focus.place, place] : [place, focus.place])) : [];
    const means = pairs.map((pair) => this.mean(...pair));
    const longest = Math.max(...means.filter((weight) => weight > 0), 1e-9);
    this.words[side].forEach(({ button, number, bar }, place) => {
      const here = focus?.side === side && focus.place === place;
      button.classList.toggle("here", here);
      button.classList.toggle("aside", focus?.side === side && !here);
      button.setAttribute("aria-pressed", String(locked?.side === side && locked.place === place));
      button.tabIndex = place === (focus?.side === side ? focus.place : 0) ? 0 : -1;
      setText(number, other ? formatNumber(means[place], 2) : "");
      bar.style.background = other ? this.segments(pairs[place], longest) : "";
      bar.classList.toggle("empty", !other);
    });
  }

  mean(query, key) {
    return meanWeight(this.weights, this.heads, this.rows, this.cols, query, key);
  }

  weight(head, [query, key]) {
    return this.weights[(head * this.rows + query) * this.cols + key];
  }

  /** The weights of the heads, one after another, as parts of a bar; whole is the mean that fills it. */
  segments(pair, whole) {
    let end = 0;
    const parts = this.heads.map((head) => {
      const start = end;
      end += (100 * (this.weight(head, pair) || 0)) / (this.heads.length * whole);
      return `var(--head-${head % COLOURS}) ${start}% ${end}%`;
    });
    return `linear-gradient(90deg, ${[...parts, `transparent ${end}%`].join(", ")})`;
  }

  // ---- hands

  listen() {
    const wordAt = (event) => {
      const button = event.target.closest?.(".word");
      return button && { side: button.dataset.side, place: Number(button.dataset.place) };
    };
    this.picture.onpointerover = (event) => {
      if (event.pointerType === "touch") return; // a tap holds; there is no hovering
      const word = wordAt(event);
      if (word) this.point(word);
      else if (event.target.tagName === "path") this.pointAtLine([...this.svg.children].indexOf(event.target));
      else this.leave();
    };
    this.picture.onpointerleave = () => this.leave();
    this.picture.onclick = (event) => {
      const word = wordAt(event);
      if (word) this.lock(word);
    };
    this.picture.onkeydown = (event) => this.key(event);
    this.picture.addEventListener("focusin", (event) => {
      const word = wordAt(event);
      if (word && event.target.matches(":focus-visible")) this.point(word);
    });
    this.picture.addEventListener("focusout", () => this.leave());
  }

  /** A word in focus; while the other side holds one, the pair of both. */
  point(word) {
    const { locked } = this;
    const across = locked && locked.side !== word.side;
    this.hovered = across ? null : word;
    this.pair = across ? (word.side === "key" ? [locked.place, word.place] : [word.place, locked.place]) : null;
    this.draw();
  }

  pointAtLine(place) {
    this.pair = this.pairOf(this.lines[place]);
    setText(this.readout, sentence(this));
  }

  leave() {
    if (!this.hovered && !this.pair) return;
    this.hovered = this.pair = null;
    this.draw();
  }

  lock(word) {
    const same = word && this.locked?.side === word.side && this.locked.place === word.place;
    this.locked = same ? null : word;
    this.hovered = this.pair = null;
    this.draw();
    this.onLock(this.locked);
    if (!this.url) return;
    const url = new URL(location.href);
    if (this.locked) url.searchParams.set(this.url, `${this.locked.side[0]}${this.locked.place}`);
    else url.searchParams.delete(this.url);
    history.replaceState(history.state, "", url);
  }

  key(event) {
    const button = event.target.closest(".word");
    if (!button || event.altKey || event.ctrlKey || event.metaKey) return;
    const { side, place } = button.dataset;
    const go = { ArrowUp: [side, Number(place) - 1], ArrowDown: [side, Number(place) + 1], ArrowLeft: ["query", Number(place)], ArrowRight: ["key", Number(place)], Home: [side, 0], End: [side, Infinity] }[event.key];
    if (go) {
      const [to, wanted] = go;
      this.words[to][Math.max(0, Math.min(this.length(to) - 1, wanted))].button.focus();
    } else if (event.key === "Escape" && this.locked) this.lock(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  applyTheme(root);
  const { body, arrays } = unpack(data);
  const view = (root.view ??= new AttentionLines(root));
  view.show(body, arrays[0], (locked) => body.pick && setStateValue("locked", locked));
  return () => {
    view.watcher.disconnect();
    root.view = undefined;
  };
}

// Attention between words: pointing at a word or going there by keys shows its lines alone, a click holds it. Lines are drawn on
// canvas, and only what is seen of them and of the words, at most once in a frame: a text may have hundreds of words.

import { applyTheme, extent } from "../shared/colour.js";
import { el, setText } from "../shared/dom.js";
import { moveAbout, pixelAt, zoomByKey } from "../shared/hands.js";
import { labelText } from "../shared/labels.js";
import { formatNumber } from "../shared/number.js";
import { unpack } from "../shared/packing.js";
import { keepButtons, zoomButtons } from "../shared/tools.js";
import { COLOURS, DASHES, lineAt, paintLine, paintLines, pairOf } from "./curves.js";
import { drawingOf, numbersOf, pictureOf } from "./keep.js";
import { exactly, finding, howMany, sentence } from "./sentences.js";
import { chooseLines, meanWeight } from "./strongest.js";
import { fitSheet, Words } from "./words.js";

const ROW = 26; // pixels from word to word, before anybody zooms
const CLOSE_ROW = 18; // or so few, if all words are seen then
const FARTHEST = 60; // when zoomed in
const SIDES = ["query", "key"];
const EDGE = 40; // pixels of the longest bar beside words that are too close for theirs

class AttentionLines {
  constructor(root) {
    this.root = root;
    this.hovered = null;
    this.pair = null; // [query, key] under the pointer
    this.line = null; // the line under it
    this.legend = el("div", { class: "legend", role: "group", "aria-label": "Heads" });
    this.threshold = el("input", { type: "range", min: 0, step: 0.01, value: 0, "aria-label": "Hide weights below" });
    this.thresholdText = el("span", { class: "mono" });
    this.threshold.oninput = () => this.ask();
    this.hands = { zoom: (factor, x, y) => this.zoom(factor, y), reset: (event) => this.reset(event) };
    this.keep = keepButtons({ title: () => "attention", otherwise: "attention", drawing: () => drawingOf(this), picture: () => pictureOf(this), numbers: () => numbersOf(this) });
    this.columns = { query: new Words("query", "Queries: words that look"), key: new Words("key", "Keys: words that are looked at") };
    this.still = el("canvas", { class: "still", "aria-hidden": "true" });
    this.lit = el("canvas", { class: "lit", role: "img" });
    this.between = el("div", { class: "between" }, el("div", { class: "sheets" }, this.still, this.lit));
    this.picture = el("div", { class: "picture" }, this.columns.query.element, this.between, this.columns.key.element);
    this.scroller = el("div", { class: "scroller", tabindex: -1 }, this.picture);
    this.tip = el("div", { class: "tip mono", "aria-hidden": "true" });
    this.readout = el("div", { class: "told" });
    this.note = el("div", { class: "note faint" });
    root.replaceChildren(
      el("div", { class: "bar-above" }, this.legend, el("label", { class: "faint" }, "Hide below", this.threshold, this.thresholdText),
        el("span", { class: "right" }, zoomButtons({ zoom: (factor) => this.zoom(factor, this.seen / 2), reset: () => this.reset() }), this.keep)),
      el("div", { class: "heads-of-columns" }, el("span", { class: "of-query" }, "From (query)"), el("span", { class: "of-key" }, "To (key)")),
      el("div", { class: "stage" }, this.scroller, this.tip), this.readout, this.note);
    this.listen();
    this.watcher = new ResizeObserver(() => this.place());
    this.watcher.observe(this.scroller);
  }

  show(body, weights, onLock) {
    this.onLock = onLock;
    this.url = body.url;
    this.step = body.step;
    this.weights = weights.data;
    [this.count, this.rows, this.cols] = weights.shape;
    const asked = body.heads.join();
    if (this.asked !== asked || this.shown.some((head) => head >= this.count)) this.shown = [...body.heads];
    this.asked = asked;
    this.names = Array.from({ length: this.count }, (_, head) => body.names[head] ?? `Head ${head}`);
    if (this.locked === undefined) this.locked = this.fromAddress() ?? body.locked;
    if (this.locked && !(this.locked.place < this.length(this.locked.side))) this.locked = null;
    this.hovered = this.pair = this.line = this.ofAll = null;
    this.height = body.height;
    this.scroller.style.maxHeight = `${body.height}px`;
    const style = getComputedStyle(this.root);
    this.colours = Array.from({ length: COLOURS }, (_, head) => style.getPropertyValue(`--head-${head}`).trim());
    this.inks = Object.fromEntries(["page", "ink", "faint", "line", "accent", "role-query", "role-key"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.family = style.fontFamily;
    this.text = { query: body.queries.map(labelText), key: body.keys.map(labelText) };
    SIDES.forEach((side) => this.columns[side].setTexts(this.text[side]));
    const sizes = `${this.rows} ${this.cols} ${this.height}`;
    if (this.sizes !== sizes) this.row = this.start();
    this.sizes = sizes;
    this.writeLegend();
    this.threshold.max = Math.max(0.01, Math.floor(extent(this.weights).high * 100) / 100);
    this.place();
    if (this.locked) this.bring(this.locked);
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

  /** What curves.js wants to know. row, width: of another size than on the page. */
  scene(row = this.row, width = this.width) {
    const { weights, rows, cols, heads, names, lines, colours } = this;
    return { weights, rows, cols, heads, names, lines, colours, row, width };
  }

  // ---- the legend

  writeLegend() {
    this.legend.hidden = this.count < 2;
    this.legend.replaceChildren(...this.names.map((name, head) => {
      const colour = `var(--head-${head % COLOURS})`;
      const [dash, gap] = DASHES[head % DASHES.length];
      const swatch = el("span", { class: "swatch", "aria-hidden": "true", style: {
        background: dash ? `repeating-linear-gradient(90deg, ${colour} 0 ${dash}px, transparent ${dash}px ${dash + gap}px)` : colour } });
      const button = el("button", { class: "small head", "aria-pressed": String(this.shown.includes(head)), title: "Double-click: only this one" }, swatch, name);
      button.onclick = () => this.choose(this.shown.includes(head) ? this.shown.filter((h) => h !== head) : [...this.shown, head]);
      button.ondblclick = () => this.choose([head]);
      return button;
    }));
  }

  choose(heads) {
    this.shown = heads;
    [...this.legend.children].forEach((button, head) => button.setAttribute("aria-pressed", String(heads.includes(head))));
    this.ask();
  }

  // ---- where things are: `row` pixels from word to word, of which those from scrollTop on are seen

  /** The smallest distance between words: all of them are seen. */
  nearest() {
    return Math.min(ROW, this.height / Math.max(this.rows, this.cols));
  }

  /** The distance before anybody zooms: all words are seen, or they are easy to read. */
  start() {
    return this.nearest() >= CLOSE_ROW ? this.nearest() : ROW;
  }

  place() {
    if (!this.weights) return;
    this.picture.style.height = `${this.row * Math.max(this.rows, this.cols)}px`;
    this.width = this.between.clientWidth;
    this.seen = this.scroller.clientHeight;
    const ratio = devicePixelRatio || 1;
    for (const sheet of [this.still, this.lit]) fitSheet(sheet, this.width, this.seen, ratio);
    SIDES.forEach((side) => this.columns[side].resize(this.seen, ratio));
    this.between.firstChild.style.height = `${this.seen}px`;
    this.painted = "";
    this.draw();
  }

  /** About a pixel from the upper edge of what is seen. */
  zoom(factor, y) {
    this.space(Math.max(this.nearest(), Math.min(FARTHEST, this.row * factor)), y);
  }

  /** Sets words so many pixels apart; what is y pixels from the upper edge stays there. */
  space(row, y) {
    const top = ((this.scroller.scrollTop + y) * row) / this.row - y;
    this.row = row;
    this.picture.style.height = `${row * Math.max(this.rows, this.cols)}px`;
    this.scroller.scrollTop = top;
    this.place();
  }

  /** As it was before anybody zoomed; a second click on a word is no wish for that. */
  reset(event) {
    if (!event || !this.wordAt(event.clientX, event.clientY)) this.space(this.start(), this.seen / 2);
  }

  /** Scrolls as far as needed for a word to be seen. */
  bring({ place }) {
    const [low, high] = [place * this.row, (place + 1) * this.row - this.seen];
    const { scrollTop } = this.scroller;
    if (scrollTop > low || scrollTop < high) this.scroller.scrollTop = (low + high) / 2;
  }

  // ---- drawing

  ask() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.point();
    const threshold = Number(this.threshold.value);
    setText(this.thresholdText, formatNumber(threshold));
    const { weights, rows, cols, heads, focus } = this;
    const choose = () => chooseLines({ weights, heads, rows, cols, focus, threshold });
    const asked = `${heads}|${threshold}`;
    if (!focus && this.ofAll?.asked !== asked) this.ofAll = { asked, ...choose() }; // the pointer leaves words all the time
    const { lines, found } = focus ? choose() : this.ofAll;
    this.lines = lines;
    this.share = focus && this.shares(focus);
    this.paint(asked);
    this.markWords();
    setText(this.readout, sentence(this));
    setText(this.note, howMany(this, found));
    this.showTip();
    const said = finding(this);
    if (this.lit.getAttribute("aria-label") !== said) this.lit.setAttribute("aria-label", said);
    this.picture.dataset.lines = lines.length;
    this.root.dataset.drawn = String(Number(this.root.dataset.drawn ?? 0) + 1);
  }

  paint(asked) {
    const { focus, width, seen } = this;
    const top = this.scroller.scrollTop;
    const scene = this.scene();
    const [still, lit] = [this.still, this.lit].map((sheet) => sheet.getContext("2d"));
    const wanted = `${asked}|${this.row}|${top}|${width}|${seen}`;
    if (!focus && this.painted !== wanted) {
      still.clearRect(0, 0, width, seen);
      paintLines(still, scene, top, seen);
      this.painted = wanted;
    }
    this.still.style.visibility = focus ? "hidden" : "";
    lit.clearRect(0, 0, width, seen);
    if (focus) {
      paintLines(lit, scene, top, seen);
      if (Words.step(this.row) > 1) this.paintEdge(lit, top);
    }
    for (const flat of this.pointedAt()) if (this.weights[flat] > 0) paintLine(lit, scene, flat, top);
  }

  /** The line under the pointer, or those of the pair. */
  pointedAt() {
    const { line, pair, heads, rows, cols } = this;
    if (line != null) return [line];
    return pair ? heads.map((head) => (head * rows + pair[0]) * cols + pair[1]) : [];
  }

  /** The weights to or from the word in focus, where words are too close for bars of their own. */
  paintEdge(context, top) {
    const { focus, row, width, seen, share } = this;
    const asks = focus.side === "query";
    context.fillStyle = this.inks[asks ? "role-key" : "role-query"];
    const last = Math.min(share.means.length, Math.ceil((top + seen) / row));
    for (let place = Math.floor(top / row); place < last; place++) {
      const long = (EDGE * share.means[place]) / share.longest || 0;
      context.fillRect(asks ? width - long : 0, place * row - top, long, Math.max(1, row - 0.5));
    }
  }

  /** Mean weights over heads between the word in focus and each of the other side, and the largest. */
  shares(focus) {
    const { weights, rows, cols, heads } = this;
    const asks = focus.side === "query";
    const means = new Float64Array(asks ? cols : rows);
    for (let i = 0; i < means.length; i++) means[i] = meanWeight(weights, heads, rows, cols, ...(asks ? [focus.place, i] : [i, focus.place]));
    let longest = 1e-9;
    for (const mean of means) if (mean > longest) longest = mean;
    return { means, longest };
  }

  markWords() {
    const { focus, locked, share, pair, row, heads } = this;
    const top = this.scroller.scrollTop;
    for (const side of SIDES) {
      const own = focus?.side === side ? focus.place : null;
      const held = locked?.side === side ? locked.place : null;
      const pointed = pair ? pair[side === "query" ? 0 : 1] : null;
      const column = this.columns[side];
      column.lay(row, top, top + this.seen, [own, held, pointed].filter((place) => place != null));
      column.mark({ here: own, held, tabbed: own ?? column.first(top / row) });
      const pairWith = (place) => (side === "key" ? [focus.place, place] : [place, focus.place]);
      column.paintShares(focus && focus.side !== side ? share : null, {
        row, top, ink: this.inks.faint, family: this.family, colours: heads.map((head) => this.colours[head % COLOURS]),
        parts: (place) => heads.map((head) => this.weight(head, pairWith(place))),
      });
    }
  }

  weight(head, [query, key]) {
    return this.weights[(head * this.rows + query) * this.cols + key];
  }

  /** Beside the pointer: the pair and its exact weight, that of the line alone if it points at one. */
  showTip() {
    const { pair, line, pointer } = this;
    this.tip.hidden = !pair || !pointer;
    if (this.tip.hidden) return;
    const heads = line == null ? this.heads : [Math.floor(line / (this.rows * this.cols))];
    const told = heads.map((head) => `${this.count > 1 ? `${this.names[head]}: ` : ""}${exactly(this, this.weight(head, pair))}`);
    setText(this.tip, [`${this.text.query[pair[0]]} → ${this.text.key[pair[1]]}`, ...told].join("\n"));
    const box = this.scroller.getBoundingClientRect();
    const [x, y] = [pointer.x - box.left, pointer.y - box.top];
    this.tip.style.left = `${Math.max(0, Math.min(x + 14, box.width - this.tip.offsetWidth - 4))}px`;
    this.tip.style.top = `${y + 18 + this.tip.offsetHeight > box.height ? Math.max(0, y - this.tip.offsetHeight - 8) : y + 18}px`;
  }

  // ---- hands

  listen() {
    const { scroller, picture } = this;
    const hand = moveAbout(scroller, {
      ...this.hands,
      pan: (_, dy, event) => {
        if (event.pointerType === "touch" || scroller.scrollHeight <= scroller.clientHeight) return false; // a finger scrolls by itself
        scroller.scrollTop -= dy;
        return true;
      },
    });
    scroller.addEventListener("scroll", () => this.ask());
    picture.onpointermove = (event) => {
      if (event.pointerType === "touch") return; // a tap holds; there is no hovering
      this.pointer = { x: event.clientX, y: event.clientY };
      this.moved = true;
      this.ask();
    };
    picture.onpointerleave = () => this.leave();
    picture.onclick = (event) => {
      if (hand.dragged > 4) return;
      const button = event.target.closest?.(".word");
      const word = event.detail || !button ? this.wordAt(event.clientX, event.clientY) : { side: button.dataset.side, place: Number(button.dataset.place) };
      if (word) this.lock(word);
    };
    scroller.onkeydown = (event) => this.key(event);
    picture.addEventListener("focusin", (event) => {
      const button = event.target.closest?.(".word");
      if (button?.matches(":focus-visible")) this.look({ side: button.dataset.side, place: Number(button.dataset.place) });
    });
    picture.addEventListener("focusout", (event) => event.relatedTarget?.closest?.(".picture") !== picture && this.leave());
  }

  /** The word under a pixel of the window, or null. */
  wordAt(x, y) {
    const box = this.between.getBoundingClientRect();
    if (x >= box.left && x <= box.right) return null;
    const side = x < box.left ? "query" : "key";
    const place = Math.floor((y - box.top) / this.row);
    return place >= 0 && place < this.length(side) ? { side, place } : null;
  }

  /** Where the pointer has come to since the last frame. */
  point() {
    if (!this.moved) return;
    this.moved = false;
    const { x, y } = this.pointer;
    const word = this.wordAt(x, y);
    if (word) return this.look(word, false);
    const [across, down] = pixelAt(this.between, { clientX: x, clientY: y });
    this.hovered = null;
    this.line = this.lines && across >= 0 && across <= this.width ? lineAt(this.scene(), across, down) : null;
    this.pair = this.line == null ? null : pairOf(this, this.line);
  }

  /** A word in focus; while the other side holds one, the pair of both. */
  look(word, ask = true) {
    const { locked } = this;
    const across = locked && locked.side !== word.side;
    this.line = null;
    this.hovered = across ? null : word;
    this.pair = across ? (word.side === "key" ? [locked.place, word.place] : [word.place, locked.place]) : null;
    if (ask) {
      this.pointer = null;
      this.ask();
    }
  }

  leave() {
    this.moved = false;
    if (!this.hovered && !this.pair) return;
    this.hovered = this.pair = this.line = null;
    this.ask();
  }

  lock(word) {
    const same = word && this.locked?.side === word.side && this.locked.place === word.place;
    this.locked = same ? null : word;
    this.hovered = this.pair = this.line = null;
    this.draw();
    this.onLock(this.locked);
    if (!this.url) return;
    const url = new URL(location.href);
    if (this.locked) url.searchParams.set(this.url, `${this.locked.side[0]}${this.locked.place}`);
    else url.searchParams.delete(this.url);
    history.replaceState(history.state, "", url);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const button = event.target.closest(".word");
    const { side, place } = button?.dataset ?? {};
    const step = Words.step(this.row);
    const go = button && { ArrowUp: [side, Number(place) - step], ArrowDown: [side, Number(place) + step], ArrowLeft: ["query", Number(place)], ArrowRight: ["key", Number(place)], Home: [side, 0], End: [side, Infinity] }[event.key];
    if (go) {
      const [to, wanted] = go;
      const word = { side: to, place: Math.max(0, Math.min(this.length(to) - 1, wanted)) };
      this.bring(word);
      this.look(word);
      this.draw();
      this.columns[to].focus(word.place);
    } else if (event.key === "Escape" && this.locked) this.lock(null);
    else if (!zoomByKey(event, this.hands, 0, this.seen / 2)) return;
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

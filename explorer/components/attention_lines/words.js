// The words of one side, as buttons. Only those that are seen are in the page, and of close ones only every second, third …

import { el } from "../shared/dom.js";
import { formatNumber } from "../shared/number.js";

const APART = 14; // pixels that a word needs
const BEYOND = 6; // words kept above and below what is seen

const BAR = { width: 84, height: 9 };
const NARROW = 190; // pixels of a column without room for bars

/** Makes a canvas so large, drawn on in pixels of the page. */
export function fitSheet(sheet, width, height, ratio) {
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (sheet.width !== across || sheet.height !== down) {
    [sheet.width, sheet.height] = [across, down];
    sheet.style.cssText = `width:${width}px;height:${height}px`;
  }
  sheet.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
}

class Word {
  constructor(side, place, text) {
    this.label = el("span", { class: "label", dir: "auto" }, text);
    this.button = el("button", { class: "word", tabindex: -1, title: text }, this.label);
    this.button.dataset.place = place;
    this.button.dataset.side = side;
    this.place = place;
  }
}

export class Words {
  constructor(side, label) {
    this.side = side;
    this.sheet = el("canvas", { "aria-hidden": "true" }); // of the weights beside the words
    this.element = el("div", { class: `words ${side}`, role: "group", "aria-label": label }, el("div", { class: "behind" }, this.sheet));
    this.shown = new Map(); // place → Word
    this.texts = [];
  }

  setTexts(texts) {
    if (texts.length === this.texts.length && texts.every((text, i) => text === this.texts[i])) return;
    this.texts = texts;
    this.shown.clear();
    this.element.replaceChildren(this.element.firstChild);
  }

  /** `height` pixels of the column are seen. */
  resize(height, ratio) {
    const width = this.element.clientWidth;
    fitSheet(this.sheet, width, height, ratio);
    this.size = { width, height };
    this.empty = true;
  }

  /** Every how many-th word has room where words are `row` pixels apart. */
  static step(row) {
    return Math.max(1, Math.ceil(APART / row));
  }

  /** Places to be seen: those with room between `top` and `bottom` pixels, and the kept ones in place of their neighbours. */
  places(row, top, bottom, kept) {
    const step = Words.step(row);
    const beyond = BEYOND * step;
    const first = Math.max(0, Math.floor(top / row) - beyond);
    const last = Math.min(this.texts.length - 1, Math.ceil(bottom / row) + beyond);
    const must = [...new Set(kept)].filter((place) => place >= 0 && place < this.texts.length);
    const found = [...must];
    for (let place = Math.ceil(first / step) * step; place <= last; place += step) {
      if (must.every((other) => place !== other && Math.abs(place - other) >= step)) found.push(place);
    }
    return found.sort((a, b) => a - b);
  }

  /** Puts the words where they belong. kept: places to be shown in any case. */
  lay(row, top, bottom, kept) {
    const focused = this.element.getRootNode().activeElement;
    const held = focused?.parentNode === this.element ? [Number(focused.dataset.place)] : [];
    const wanted = this.places(row, top, bottom, [...kept, ...held]);
    const keep = new Set(wanted);
    for (const [place, word] of this.shown) {
      if (keep.has(place)) continue;
      word.button.remove();
      this.shown.delete(place);
    }
    const height = Math.max(APART, row);
    const lowest = this.texts.length * row - height;
    let next = this.element.firstChild.nextSibling;
    for (const place of wanted) {
      let word = this.shown.get(place);
      if (!word) {
        word = new Word(this.side, place, this.texts[place]);
        this.shown.set(place, word);
        this.element.insertBefore(word.button, next);
      } else next = word.button.nextSibling;
      const y = Math.max(0, Math.min(lowest, (place + 0.5) * row - height / 2)); // of the first and the last, nothing is cut off
      if (word.y !== y || word.height !== height) {
        word.button.style.cssText = `top:${y}px;height:${height}px`;
        Object.assign(word, { y, height });
      }
    }
    this.element.classList.toggle("close", row < 20);
  }

  /** here, held, tabbed: the places in focus, held by a click, and next for the tab key; null for none. */
  mark({ here, held, tabbed }) {
    this.element.classList.toggle("aside", here != null);
    for (const { button, place } of this.shown.values()) {
      button.classList.toggle("here", place === here);
      const pressed = String(place === held);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
      const tab = place === tabbed ? 0 : -1;
      if (button.tabIndex !== tab) button.tabIndex = tab;
    }
  }

  /**
   * The weight of each word, in number and as a bar, from `top` on; null for none. share: {means, longest}, whose mean fills a
   * bar; parts(place) → the weights of the heads, which add up to heads times the mean; colours: of the heads; ink: of the numbers.
   */
  paintShares(share, { row, top, parts, colours, ink, family }) {
    if (!share && this.empty) return;
    const { width, height } = this.size;
    const context = this.sheet.getContext("2d");
    context.clearRect(0, 0, width, height);
    this.empty = !share;
    if (!share || Words.step(row) > 1) return;
    const long = width > NARROW ? BAR.width : 0;
    const query = this.side === "query";
    context.font = `12px ${family}`;
    context.textBaseline = "middle";
    context.textAlign = query ? "left" : "right";
    const last = Math.min(this.texts.length, Math.ceil((top + height) / row));
    for (let place = Math.floor(top / row); place < last; place++) {
      const y = (place + 0.5) * row - top;
      const left = query ? 8 : width - 8 - long;
      context.fillStyle = ink;
      context.fillText(formatNumber(share.means[place], 2), query ? left + long + (long && 8) : left - (long && 8), y);
      if (!long) continue;
      let x = left;
      const all = parts(place);
      all.forEach((weight, i) => {
        const part = (long * weight) / (all.length * share.longest) || 0;
        context.fillStyle = colours[i];
        context.fillRect(x, y - BAR.height / 2, part, BAR.height);
        x += part;
      });
      context.strokeStyle = ink;
      context.lineWidth = 0.5;
      context.strokeRect(left - 0.5, y - BAR.height / 2 - 0.5, long + 1, BAR.height + 1);
    }
  }

  /** The first place that is shown from this one on. */
  first(from) {
    let found = null;
    for (const place of this.shown.keys()) if (place >= from && (found == null || place < found)) found = place;
    return found;
  }

  focus(place) {
    this.shown.get(place)?.button.focus();
  }
}

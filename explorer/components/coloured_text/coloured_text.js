// A text as one span for each character, coloured by its value. Text only ever goes in as text nodes.

import { colourIndex, readPalette } from "../shared/colour.js";
import { el, saveBlob, setText } from "../shared/dom.js";
import { formatNumber } from "../shared/number.js";
import { unpack } from "../shared/packing.js";

const UNDERLINED_FROM = 0.1; // share of the limit: what is nearly zero has no sign worth marking
const CONTEXT = 24; // characters before the chosen one that the bars name
const luminance = (r, g, b) => 0.299 * r + 0.587 * g + 0.114 * b;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const percent = (p) => (p >= 0.0005 ? `${(100 * p).toFixed(1)}%` : "< 0.1%");

class ColouredText {
  constructor(root) {
    this.root = root;
    this.title = el("span", { class: "coloured-title" });
    this.save = el("button", { class: "small", onclick: () => this.saveNumbers() }, "CSV");
    this.box = el("div", { class: "coloured-text mono", tabindex: 0, role: "group" });
    this.low = el("span", { class: "mono" });
    this.high = el("span", { class: "mono" });
    this.bar = el("div", { class: "bar" });
    this.readout = el("span", { class: "coloured-readout mono", "aria-live": "polite" });
    this.caption = el("figcaption", { class: "faint" });
    this.guesses = el("div", { class: "guesses" });
    this.element = el("figure", { class: "coloured" },
      el("header", {}, this.title, el("span", { class: "coloured-tools" }, this.save)), this.box,
      el("div", { class: "under" }, el("div", { class: "bar-row faint" }, this.low, this.bar, this.high), this.readout),
      this.caption, this.guesses);
    root.replaceChildren(this.element);
    this.spans = [];
    this.hovered = null;
    this.chosen = null;
    this.listen();
  }

  listen() {
    const at = (event) => (event.target.dataset?.place == null ? null : Number(event.target.dataset.place));
    this.box.onpointermove = (event) => event.pointerType === "mouse" && this.hover(at(event));
    this.box.onpointerleave = () => this.hover(null);
    this.box.onclick = (event) => at(event) != null && this.choose(at(event));
    this.box.onkeydown = (event) => {
      const to = this.moved(event.key);
      if (to == null) return;
      event.preventDefault();
      this.hovered = null;
      this.choose(to);
      this.spans[to].scrollIntoView({ block: "nearest" });
    };
  }

  /** Where a key leads from the chosen character, or null if it leads nowhere. */
  moved(key) {
    const last = this.spans.length - 1;
    const from = this.chosen ?? 0;
    if (key === "ArrowRight") return Math.min(from + 1, last);
    if (key === "ArrowLeft") return Math.max(from - 1, 0);
    if (key === "Home") return 0;
    if (key === "End") return last;
    if (key !== "ArrowUp" && key !== "ArrowDown") return null;
    // The nearest character of the next line as it is drawn, which need not be one of the text's own lines.
    const here = this.spans[from];
    const step = key === "ArrowDown" ? 1 : -1;
    let line = null;
    let best = from;
    for (let i = from + step; i >= 0 && i <= last; i += step) {
      const span = this.spans[i];
      if (span.offsetTop === here.offsetTop) continue;
      line ??= span.offsetTop;
      if (span.offsetTop !== line) break;
      if (best === from || Math.abs(span.offsetLeft - here.offsetLeft) < Math.abs(this.spans[best].offsetLeft - here.offsetLeft)) best = i;
    }
    return best;
  }

  show(body, arrays) {
    const fresh = this.body?.text !== body.text;
    this.body = body;
    [this.values, this.places, this.probabilities, this.given] = arrays.map((array) => array.data);
    this.count = body.characters ? arrays[1].shape[1] : 0;
    this.element.style.setProperty("--role", `var(--role-${body.role})`);
    this.element.style.setProperty("--tallest", `${body.height}px`);
    setText(this.title, body.title);
    setText(this.caption, body.caption);
    this.save.title = body.words.save;
    this.box.setAttribute("aria-label", `${body.title}. ${body.caption} ${body.words.hint}`);
    if (fresh) {
      this.write();
      this.hovered = null;
      this.chosen = this.opening();
    }
    this.colour();
    this.update();
  }

  /** The character to begin with: that of the address the first time, then the page's own choice; always one that is there. */
  opening() {
    const { url, chosen, text } = this.body;
    const kept = url && !this.opened ? Number(new URLSearchParams(location.search).get(url)) : NaN;
    this.opened = true;
    const wanted = Number.isInteger(kept) && kept > 0 ? kept - 1 : chosen;
    return wanted == null ? null : Math.min(wanted, text.length - 1);
  }

  write() {
    this.spans = [...this.body.text].map((character, place) => {
      const span = el("span", { "data-place": place, class: character === "\n" ? "break" : null }, character);
      return span;
    });
    this.box.replaceChildren(...this.spans);
    this.box.scrollTop = 0;
  }

  colour() {
    const { limit, signed, unit } = this.body;
    const palette = readPalette(this.root);
    const scale = { kind: signed ? "diverging" : "sequential", limit };
    const table = palette[scale.kind];
    const dark = palette.theme === "dark";
    this.bar.className = `bar ${scale.kind}`;
    setText(this.low, formatNumber(signed ? -limit : 0) + unit);
    setText(this.high, formatNumber(limit) + unit);
    this.spans.forEach((span, place) => {
      const value = this.values[place];
      span.classList.toggle("negative", signed && value < -UNDERLINED_FROM * limit);
      if (Number.isNaN(value)) {
        span.style.backgroundColor = span.style.color = "";
        return;
      }
      const at = 3 * colourIndex(value, scale);
      const [r, g, b] = table.subarray(at, at + 3);
      span.style.backgroundColor = `rgb(${r}, ${g}, ${b})`;
      // Letters in the page's colour where the background is as dark, or as light, as the letters would be.
      span.style.color = luminance(r, g, b) < 140 === dark ? palette.ink : palette.page;
    });
  }

  hover(place) {
    if (place === this.hovered) return;
    this.hovered = place;
    this.update();
  }

  choose(place) {
    this.chosen = place;
    this.update();
    if (!this.body.url) return;
    const url = new URL(location.href);
    url.searchParams.set(this.body.url, place + 1);
    history.replaceState(history.state, "", url);
  }

  /** “a”, or the name of a character that cannot be seen. */
  name(character) {
    const { words } = this.body;
    return character === " " ? words.space : character === "\n" ? words.break : `“${character}”`;
  }

  update() {
    const place = this.hovered ?? this.chosen;
    this.lit?.classList.remove("focused");
    this.lit = place == null ? null : this.spans[place];
    this.lit?.classList.add("focused");
    const { text, words, unit } = this.body;
    const value = this.values[place];
    setText(this.readout, place == null ? "" : fill(words.readout, {
      character: this.name(text[place]), place: place + 1, all: text.length,
      value: Number.isNaN(value) ? words.none : formatNumber(value) + unit,
    }));
    this.guesses.hidden = !this.count || place == null;
    if (!this.guesses.hidden) this.drawGuesses(place);
  }

  drawGuesses(place) {
    const { text, words, characters } = this.body;
    const next = text[place + 1];
    const start = Math.max(0, place + 1 - CONTEXT);
    const before = `“${start ? "…" : ""}${text.slice(start, place + 1).replaceAll("\n", "↵")}”`;
    const rows = Array.from({ length: this.count }, (_, k) => {
      const character = characters[this.places[place * this.count + k]];
      const share = this.probabilities[place * this.count + k];
      return el("div", { class: character === next ? "guess next" : "guess" },
        el("span", { class: "guess-name" }, this.name(character)),
        el("div", { class: "guess-track" }, el("div", { class: "guess-bar", style: { width: `${100 * share}%` } })),
        el("span", { class: "guess-share mono" }, percent(share)));
    });
    const end = next == null ? words.end : fill(words.comes, { character: this.name(next), probability: percent(this.given[place]) });
    this.guesses.replaceChildren(
      el("div", { class: "guesses-title" }, fill(words.after, { before })),
      el("div", { class: "guesses-rows" }, ...rows),
      el("div", { class: "guesses-end faint" }, end));
  }

  saveNumbers() {
    const quoted = (character) => (character === "\n" ? '"\\n"' : `"${character.replaceAll('"', '""')}"`);
    const lines = this.spans.map((span, place) => `${place + 1},${quoted(span.textContent)},${this.values[place]}`);
    const name = this.body.title.replace(/[^\p{L}\p{N}]+/gu, "_").slice(0, 60);
    saveBlob(new Blob(["place,character,value\n", lines.join("\n"), "\n"], { type: "text/csv" }), `${name}.csv`);
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".root");
  root.coloured ??= new ColouredText(root);
  const { body, arrays } = unpack(data);
  root.coloured.show(body, arrays);
  root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  return () => {
    root.coloured = undefined;
  };
}

// A recurrent network unrolled over its sequence: the diagram, a transport bar, and the current step taken apart.

import { extent, readPalette, scaleFor } from "../shared/colour.js";
import { el, reducedMotion, setText } from "../shared/dom.js";
import { formatNumber } from "../shared/number.js";
import { unpack } from "../shared/packing.js";
import { asCsv, ColourBar, keepButtons } from "../shared/tools.js";
import { Transport } from "../shared/transport.js";
import { arithmetic, Scan, TITLES } from "./cells.js";
import { Diagram } from "./diagram.js";
import { Panel } from "./panel.js";
import { setFormula, setTokens } from "./writing.js";

const WAY = ["→", "←"];

class Unrolled {
  constructor(root) {
    this.root = root;
    this.pinned = null;
    this.direction = 0;
    this.diagram = new Diagram({
      onFocus: (focus) => this.hover(focus),
      onPick: (focus) => this.pick(focus),
      onGo: (tick) => this.goTo(tick),
    });
    this.transport = new Transport({ onGo: (tick) => this.goTo(tick), pace: 1200 });
    this.panel = new Panel({ onFocus: (focus) => this.hover(focus), onPick: (focus) => this.pick(focus), onCode: () => this.toCode() });
    this.readout = el("div", { class: "readout mono", "aria-live": "polite" });
    this.verdict = el("div", { class: "sum-verdict mono" });
    this.bars = { x: new ColourBar(), state: new ColourBar(), gate: new ColourBar() };
    this.keep = keepButtons({ title: () => `${TITLES[this.body.cell]} unrolled`, otherwise: () => "unrolled", picture: () => this.diagram.toBlob(), numbers: () => this.asCsv() });
    this.legend = el("div", { class: "legend faint" });
    root.replaceChildren(this.legend, this.diagram.element, el("div", { class: "arithmetic" }, this.readout, this.verdict), this.transport.element, this.panel.element);
    root.onkeydown = (event) => this.key(event);
  }

  /** Takes a new payload, or the same one with a new theme; keeps the step where it can. */
  load(bytes) {
    this.palette = readPalette(this.root);
    const before = this.body;
    if (bytes !== this.bytes) this.read(bytes);
    const fromUrl = before ? NaN : Number(new URLSearchParams(location.search).get(this.body.url));
    const wanted = Number.isInteger(fromUrl) && fromUrl > 0 ? fromUrl - 1 : this.tick ?? this.body.start;
    this.tick = Math.max(0, Math.min(this.ticks - 1, wanted));
    this.direction = Math.min(this.direction, this.body.directions - 1);
    this.scales.gate = { kind: "sequential", limit: 1, low: 0, high: 1, table: this.greys() };
    this.fillLegend();
    this.diagram.load(this.body, this.scans, this.scales, this.palette);
    this.panel.scan = null;
    this.render(false);
  }

  read(bytes) {
    const { body, arrays } = unpack(bytes);
    this.bytes = bytes;
    this.body = body;
    this.scans = {};
    for (const [cell, layers] of Object.entries(body.cells)) {
      this.scans[cell] = layers.map((directions, layer) => directions.map((record, direction) => new Scan(record, arrays, { cell, layer, direction, activation: body.activation })));
    }
    this.ticks = body.layers * body.words.length;
    const all = Object.values(this.scans).flat(2);
    const whole = (arrays) => {
      const ends = arrays.filter(Boolean).map((data) => extent(data));
      return { low: Math.min(...ends.map((e) => e.low)), high: Math.max(...ends.map((e) => e.high)) };
    };
    const state = whole(all.flatMap((scan) => [scan.h, scan.c, scan.h0, scan.c0]));
    const x = whole([all[0].x]);
    this.scales = {
      state: scaleFor({ ...state, low: Math.min(state.low, -1e-9) }), // also where no state is negative: a state can be
      x: scaleFor({ ...x, low: Math.min(x.low, -1e-9) }),
    };
    const large = this.scans[body.cell][0][0];
    const fits = (pin) => pin && pin.cell in this.scans && this.scans[pin.cell][pin.layer]?.[pin.direction]
      && pin.unit < this.scans[pin.cell][pin.layer][pin.direction].units(pin.kind) && (pin.kind === "x" || this.scans[pin.cell][pin.layer][pin.direction].kinds.includes(pin.kind));
    if (!fits(this.pinned) || (this.pinned.kind !== "h" && this.pinned.cell !== large.cell)) this.release(false);
  }

  /** Gates in shades of their own role, from the page upwards, so that they are not taken for states. */
  greys() {
    const [from, to] = [this.palette.page, this.palette.role("mask")].map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
    return Uint8Array.from({ length: 768 }, (_, i) => Math.round(from[i % 3] + ((to[i % 3] - from[i % 3]) * Math.floor(i / 3)) / 255));
  }

  fillLegend() {
    const entry = (name, bar, scale) => {
      bar.show(scale);
      return el("span", { class: "legend-entry" }, el("span", {}, name), bar.element);
    };
    const gates = this.scans[this.body.cell][0][0].quantities.length > 0;
    this.bars.gate.bar.style.background = "linear-gradient(90deg, var(--page), var(--role-mask))";
    this.legend.replaceChildren(
      ...[entry("x", this.bars.x, this.scales.x), entry("states", this.bars.state, this.scales.state), gates ? entry("gates", this.bars.gate, this.scales.gate) : null].filter(Boolean), this.keep);
  }

  // ---- where we are

  get layer() {
    return Math.floor(this.tick / this.body.words.length);
  }

  get order() {
    return this.tick % this.body.words.length;
  }

  /** The scan that the panel shows, and the place that it reads now. */
  get scan() {
    return this.scans[this.body.cell][this.layer][this.direction];
  }

  placeOf(scan) {
    return scan.direction ? scan.length - 1 - this.order : this.order;
  }

  goTo(tick) {
    const next = Math.max(0, Math.min(this.ticks - 1, tick));
    if (next === this.tick) return;
    const moving = next === this.tick + 1;
    this.tick = next;
    if (this.pinned) this.pinned = this.carried(this.pinned);
    this.render(moving);
    if (this.body.url) {
      const url = new URL(location.href);
      url.searchParams.set(this.body.url, this.tick + 1);
      history.replaceState(history.state, "", url);
    }
  }

  /** What was pinned goes with the step: the same unit, now. */
  carried(pin) {
    const scan = this.scans[pin.cell][this.layer][pin.direction];
    const unit = Math.min(pin.unit, scan.units(pin.kind) - 1);
    return { ...pin, layer: this.layer, unit, place: this.placeOf(scan) };
  }

  // ---- drawing

  render(moving) {
    const { words, layers, directions } = this.body;
    const { scan } = this;
    const place = this.placeOf(scan);
    const where = `${layers > 1 ? `layer ${this.layer + 1}, ` : ""}step ${this.order + 1} of ${words.length}`;
    this.transport.show(this.tick, this.ticks, `${layers > 1 ? `layer ${this.layer + 1} · ` : ""}${this.order + 1} / ${words.length}`, `${where}: ${words[place]}`);
    this.diagram.show(this.layer, this.order, moving);
    const reads = this.layer ? ` reads what layer ${this.layer} gives for ` : " reads ";
    const title = [el("b", {}, TITLES[scan.cell]), reads, el("b", { class: "word" }, `“${words[place]}”`), ` · ${where}`];
    if (directions > 1) title.push(el("span", { class: "ways", role: "group", "aria-label": "Direction" }, ...WAY.map((way, d) =>
      el("button", { class: "small", "aria-pressed": String(d === this.direction), title: d ? "backwards" : "forwards", onclick: () => this.turn(d) }, way))));
    this.panel.show(scan, place, this.scales, this.palette, { title, vector: this.layer ? `output of layer ${this.layer}` : `the vector of “${words[place]}”` });
    this.diagram.setLabel(this.describe(scan, place, where));
    this.settle();
  }

  turn(direction) {
    this.direction = direction;
    this.release(false);
    this.render(false);
  }

  describe(scan, place, where) {
    const { unit } = this.rest();
    const { words } = this.body;
    return `${TITLES[scan.cell]} unrolled over ${words.length} steps: ${words.join(", ")}. Now ${where}, “${words[place]}”. `
      + `The unit with the largest hidden state is ${unit}, ${formatNumber(scan.value("h", place, unit))}. Arrow keys step.`;
  }

  /** While nothing is pointed at: the unit with the largest state. */
  rest() {
    const { scan } = this;
    const place = this.placeOf(scan);
    let unit = 0;
    for (let j = 1; j < scan.hidden; j++) if (Math.abs(scan.value("h", place, j)) > Math.abs(scan.value("h", place, unit))) unit = j;
    return { cell: scan.cell, layer: scan.layer, direction: scan.direction, kind: "h", place, unit };
  }

  /** Looks at what is pinned, or rests. */
  settle() {
    this.look(this.pinned ?? this.rest(), this.pinned != null);
  }

  /** chosen: pointed at or pinned, not where the eye merely rests. */
  look(focus, chosen = true) {
    const scan = this.scans[focus.cell][focus.layer][focus.direction];
    const told = arithmetic(scan, focus.kind, focus.place, focus.unit);
    this.diagram.light(focus, told?.uses, chosen);
    this.panel.light(focus, told);
    this.tell(scan, focus, told);
  }

  /** Spells out one number under the diagram. */
  tell(scan, { kind, place, unit }, told) {
    const { symbol, name } = scan.quantity(kind);
    const word = this.body.words[place];
    const value = scan.value(kind, place, unit);
    const head = el("div", { class: "cell-name" }, ...setFormula(told ? told.general : symbol), el("span", { class: "faint" }, ` · ${TITLES[scan.cell]}, unit ${unit}${word == null ? ", before the first step" : ` at “${word}”`}`));
    if (!told) {
      const said = kind === "x" ? `${name}: number ${unit} of ${scan.layer ? "what the layer below gives" : "the vector"} for “${word}”` : `${name} before the first step`;
      this.readout.replaceChildren(el("div", { class: "cell-name" }, ...setFormula(symbol), `[${unit}] = ${formatNumber(value, 6)}`), el("div", { class: "faint" }, said));
      setText(this.verdict, "");
      return;
    }
    this.readout.replaceChildren(head, ...told.steps.map((tokens) => el("div", {}, ...setTokens(tokens))));
    setText(this.verdict, told.ok ? `✓ torch has ${formatNumber(told.actual, 6)}` : `differs from torch’s ${formatNumber(told.actual, 6)}`);
    this.verdict.classList.toggle("wrong", !told.ok);
  }

  asCsv() {
    const rows = [];
    const lines = [];
    for (const scan of Object.values(this.scans).flat(2)) {
      for (const kind of scan.kinds) {
        for (let unit = 0; unit < scan.hidden; unit++) {
          rows.push(`${TITLES[scan.cell]} layer ${scan.layer + 1} ${WAY[scan.direction]} ${scan.quantity(kind).symbol}[${unit}]`);
          lines.push(this.body.words.map((_, place) => scan.value(kind, place, unit)));
        }
      }
    }
    return asCsv(lines, { rows, columns: this.body.words });
  }

  // ---- hands

  hover(focus) {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => (this.pinned || !focus ? this.settle() : this.look(focus)));
  }

  pick(focus) {
    const same = this.pinned && ["cell", "layer", "direction", "kind", "place", "unit"].every((name) => this.pinned[name] === focus[name]);
    this.pinned = same ? null : focus;
    this.root.classList.toggle("pinned", this.pinned != null);
    const turned = this.pinned && focus.cell === this.body.cell && focus.kind !== "x" && focus.direction !== this.direction;
    if (turned) {
      this.direction = focus.direction;
      this.render(false);
    }
    this.look(this.pinned ?? focus);
  }

  release(again = true) {
    this.pinned = null;
    this.root.classList.remove("pinned");
    if (again) this.settle();
  }

  key(event) {
    const handled = event.key === "Escape" ? (this.release(), true) : this.moveUnit(event) || this.transport.press(event);
    if (!handled) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Up and down on the diagram pin the unit above or below. */
  moveUnit(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || event.target !== this.diagram.top) return false;
    const from = this.pinned ?? this.rest();
    const count = this.scans[from.cell][from.layer][from.direction].units(from.kind);
    this.pinned = { ...from, unit: Math.max(0, Math.min(count - 1, from.unit + step)) };
    this.root.classList.add("pinned");
    this.look(this.pinned);
    return true;
  }

  /** Hands the step to the page, whose stepper opens on it, and goes there. */
  toCode() {
    const { scan } = this;
    this.setStepped?.({ place: this.placeOf(scan), layer: scan.layer, direction: scan.direction, time: Date.now() });
    document.querySelector(`.st-key-${this.body.stepper}`)?.scrollIntoView({ behavior: reducedMotion() ? "auto" : "smooth" });
  }

  destroy() {
    this.transport.stop();
    this.diagram.destroy();
    cancelAnimationFrame(this.frame);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  const unrolled = (root.unrolled ??= new Unrolled(root));
  root.classList.toggle("still", reducedMotion());
  unrolled.setStepped = (step) => setStateValue("stepped", step);
  unrolled.load(data);
  root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
  return () => {
    unrolled.destroy();
    root.unrolled = undefined;
  };
}

// The bar that moves through steps: first, back, play, forward, last, a scrub bar, a counter, the speed; and the keys for it.

import { el, setText } from "./dom.js";

const SHAPES = {
  first: "M3 2h2v12H3zM14 2v12L6 8z", back: "M10.5 2L4.5 8l6 6 1.6-1.6L7.7 8l4.4-4.4z", play: "M4 2v12l9-6z", pause: "M4 2h3v12H4zM9 2h3v12H9z",
  forward: "M5.5 2l6 6-6 6-1.6-1.6L8.3 8 3.9 3.6z", last: "M2 2v12l8-6zM11 2h2v12h-2z",
};
const RATES = [0.5, 1, 2, 4];

function drawIcon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  svg.firstChild.setAttribute("d", path);
  return svg;
}

export class Transport {
  /** onGo(index): another step is wanted. pace: milliseconds of a step at speed 1. unit: what a step is called. */
  constructor({ onGo, pace = 1000, unit = "Step" }) {
    this.onGo = onGo;
    this.pace = pace;
    this.rate = 1;
    this.index = 0;
    this.count = 1;
    const button = (label, shape, action) => el("button", { "aria-label": label, title: label, onclick: action }, drawIcon(shape));
    const lower = unit.toLowerCase();
    this.playButton = button("Play", SHAPES.play, () => this.toggle());
    this.scrub = el("input", { type: "range", min: 0, step: 1, "aria-label": unit, class: "scrub", oninput: () => this.go(Number(this.scrub.value)) });
    this.marks = el("div", { class: "scrub-marks", "aria-hidden": "true" });
    this.counter = el("span", { class: "counter mono" });
    const speeds = el("select", { "aria-label": "Speed", title: "Speed", onchange: (event) => this.setRate(Number(event.target.value)) },
      ...RATES.map((rate) => el("option", { value: rate, selected: rate === 1 }, `${rate}×`)));
    this.element = el("div", { class: "transport", role: "group", "aria-label": `${unit}s` },
      button(`First ${lower}`, SHAPES.first, () => this.go(0)), button(`${unit} back`, SHAPES.back, () => this.go(this.index - 1)), this.playButton,
      button(`${unit} forward`, SHAPES.forward, () => this.go(this.index + 1)), button(`Last ${lower}`, SHAPES.last, () => this.go(this.count - 1)),
      el("div", { class: "scrub-box" }, this.scrub, this.marks), this.counter, speeds);
  }

  /** Stands at a step. text: for the counter; spoken: the same for those who hear it. */
  show(index, count, text, spoken) {
    this.index = index;
    this.count = count;
    this.scrub.max = count - 1;
    this.scrub.value = index;
    this.scrub.setAttribute("aria-valuetext", spoken);
    setText(this.counter, text);
  }

  /** Marks steps under the scrub bar, and underlines those from `reach[0]` to `reach[1]`, or none where it is null. */
  mark(steps, reach, count) {
    const place = (index) => `calc(8px + (100% - 16px) * ${index / Math.max(1, count - 1)})`; // the thumb is 16 pixels wide
    const line = reach && el("span", { class: "reach", style: { left: place(reach[0]), right: `calc(100% - ${place(reach[1])})` } });
    this.marks.replaceChildren(...(line ? [line] : []), ...steps.map((step) => el("span", { class: "marked", style: { left: place(step) } })));
  }

  go(index) {
    const next = Math.max(0, Math.min(this.count - 1, index));
    if (next !== this.index) this.onGo(next);
  }

  /** Whether the key of this event was one of ours; then it has been acted on. */
  press(event) {
    if (event.target.matches("select") || event.altKey || event.ctrlKey || event.metaKey) return false;
    const actions = {
      ArrowRight: () => this.go(this.index + 1), ArrowLeft: () => this.go(this.index - 1),
      Home: () => this.go(0), End: () => this.go(this.count - 1), " ": event.target.matches("button") ? null : () => this.toggle(),
    };
    actions[event.key]?.();
    return actions[event.key] != null;
  }

  setRate(rate) {
    this.rate = rate;
    if (!this.timer) return;
    this.stop();
    this.play();
  }

  toggle() {
    if (this.timer) this.stop();
    else this.play();
  }

  /** Plays to the end; from the start where it stands at the end. */
  play() {
    if (this.index === this.count - 1) this.go(0);
    this.timer = setInterval(() => {
      if (this.index >= this.count - 1) this.stop();
      else this.go(this.index + 1);
    }, this.pace / this.rate);
    this.look("Pause", SHAPES.pause);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.look("Play", SHAPES.play);
  }

  look(label, shape) {
    this.playButton.replaceChildren(drawIcon(shape));
    this.playButton.setAttribute("aria-label", label);
    this.playButton.title = label;
  }
}

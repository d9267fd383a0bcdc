// Setting numbers by hand: which trace is seen, what was set, and the field in which a value is typed.

import { el, setText } from "../shared/dom.js";
import { EDIT_VIEWS } from "./variants.js";

const VIEW_NAMES = { original: "Original", edited: "Edited", difference: "Difference" };
const VIEW_MEANINGS = {
  original: "What the code gives without your edits", edited: "What it gives with them", difference: "Edited − original: zero has no colour",
};
const WAITING = "The code runs again …";

/** A typed number as the server reads it, or null. */
export function typedNumber(text) {
  const plain = text.trim().toLowerCase().replaceAll("−", "-").replace("∞", "inf");
  if (/^[+-]?inf(inity)?$/.test(plain)) return plain;
  const [, above, below] = /^([^/]+)(?:\/([^/]+))?$/.exec(plain) ?? [];
  if (above === undefined || !above.trim()) return null;
  const value = Number(above) / Number(below ?? 1);
  return Number.isFinite(Math.fround(value)) ? plain : null; // what float32 can hold
}

/** Which cell is the same as which, whatever its value. */
const sameCell = (a, b) => a.step === b.step && a.output === b.output && a.flat === b.flat;

export class EditBar {
  /** onView(view): another view is wanted; onEdits(edits): all edits that shall be; onLeave(): back to the picture. */
  constructor({ onView, onEdits, onLeave }) {
    this.onEdits = onEdits;
    this.edits = [];
    this.cell = null;
    this.view = "edited";
    this.wrong = false; // whether what was typed last is no number
    this.views = EDIT_VIEWS.map((view) => el("button", { class: "view", role: "radio", title: VIEW_MEANINGS[view], onclick: () => onView(view) }, VIEW_NAMES[view]));
    this.count = el("span", { class: "faint edit-count", "aria-live": "polite" });
    this.undoAll = el("button", { class: "view", title: "All numbers as the code gives them", onclick: () => this.send([]) }, "Undo edits");
    this.element = el("div", { class: "edit-bar" },
      el("div", { class: "views", role: "radiogroup", "aria-label": "Which numbers are shown" }, ...this.views), this.count, this.undoAll);
    this.element.onkeydown = (event) => this.turn(event, onView);
    this.field = el("input", { type: "text", class: "mono value-field", inputmode: "decimal", "aria-label": "Set this value", autocomplete: "off", spellcheck: "false", onfocus: () => this.field.select() });
    this.set = el("button", { class: "small" }, "Set");
    this.undoOne = el("button", { class: "small", type: "button", title: "This number as the code gives it", onclick: () => this.take(null) }, "Undo this");
    this.hint = el("span", { class: "faint edit-hint", "aria-live": "polite" });
    this.form = el("form", { class: "value-form", onsubmit: (event) => this.submit(event) },
      el("span", { "aria-hidden": "true" }, "Set this value"), this.field, this.set, this.undoOne, this.hint);
    this.field.onkeydown = (event) => {
      event.stopPropagation(); // neither the stepper's keys nor the app's
      if (event.key !== "Escape") return;
      event.preventDefault();
      onLeave();
    };
  }

  /** Arrow keys move through the views, as in any group of radio buttons. */
  turn(event, onView) {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const here = this.views.indexOf(event.target);
    if (!move || here < 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = (here + move + EDIT_VIEWS.length) % EDIT_VIEWS.length;
    onView(EDIT_VIEWS[next]);
    this.views[next].focus();
  }

  /** edits: those that hold, as the server sent them. */
  load(edits) {
    this.edits = edits;
    this.waiting = false;
    setText(this.count, edits.length === 0 ? "No number is set by hand." : edits.length === 1 ? "1 number set by hand" : `${edits.length} numbers set by hand`);
    this.undoAll.disabled = !edits.length;
    this.showView(edits.length ? this.view : "edited");
  }

  showView(view) {
    this.view = view;
    this.views.forEach((button, i) => {
      const chosen = EDIT_VIEWS[i] === view;
      button.setAttribute("aria-checked", chosen);
      button.tabIndex = chosen ? 0 : -1;
      button.disabled = !this.edits.length;
    });
  }

  /** cell: {step, output, flat, shape, op, expression, text: its number} that is pinned, or null; hint: what to do instead. */
  point(cell, hint) {
    const same = cell && this.cell && sameCell(cell, this.cell) && cell.text === this.cell.text;
    this.cell = cell;
    const off = !cell || this.waiting;
    this.field.disabled = off;
    this.set.disabled = off;
    this.undoOne.disabled = off || !this.find(cell);
    if (same && this.wrong) return; // the numbers are drawn again, which answers nothing
    this.field.value = same ? this.field.value : cell?.text ?? "";
    this.complain(false);
    setText(this.hint, this.waiting ? WAITING : cell ? "" : hint);
  }

  find(cell) {
    return this.edits.find((edit) => sameCell(edit, cell));
  }

  submit(event) {
    event.preventDefault();
    const value = typedNumber(this.field.value);
    if (value == null) this.complain(true);
    else this.take(value);
  }

  complain(wrong) {
    this.wrong = wrong;
    this.field.setAttribute("aria-invalid", wrong);
    if (wrong) setText(this.hint, "Type a number such as 0.5, or −inf.");
  }

  /** Sets the pinned cell, or frees it where value is null. */
  take(value) {
    const { step, output, flat, shape, op, expression } = this.cell;
    const others = this.edits.filter((edit) => !sameCell(edit, this.cell));
    this.send(value == null ? others : [...others, { step, output, flat, shape, op, expression, value }]);
  }

  send(edits) {
    this.waiting = true;
    this.complain(false);
    setText(this.hint, WAITING);
    this.onEdits(edits);
  }
}

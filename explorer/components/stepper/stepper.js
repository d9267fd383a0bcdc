// The stepper: source on the left, the tensors of the current step on the right, a transport bar under both.

import { el, reducedMotion, setText } from "../shared/dom.js";
import { readPalette } from "../shared/colour.js";
import { allDigits } from "../shared/number.js";
import { Transport } from "../shared/transport.js";
import { explain, hasArithmetic } from "./arithmetic.js";
import { EditBar } from "./edit_bar.js";
import { reason } from "./ops/creation.js";
import { isFloat } from "./numbers.js";
import { decode } from "./payload.js";
import { Readout } from "./readout.js";
import { SourcePane } from "./source_pane.js";
import { commonScale, TensorBox } from "./tensor_box.js";
import { differenceScale, isChanged, variantOf } from "./variants.js";

const ROLE_OF_INPUT = {
  input: "input", weight: "weight", bias: "weight", other: "hidden", mask: "mask", condition: "mask", attn_mask: "mask",
  query: "query", key: "key", value: "value", running_mean: "hidden", running_var: "hidden",
};
const STEP_MS = 1400;
const MOST_OUTPUTS = 12; // boxes for what one call gives

/** The cell that the arithmetic shows while nothing is pointed at: the largest number. */
function restingCell(tensor) {
  if (!tensor?.data || !tensor.size) return null;
  let best = 0;
  const count = Math.min(tensor.size, 100000);
  for (let i = 0; i < count; i++) {
    const size = Math.abs(tensor.data[i]);
    if (size > Math.abs(tensor.data[best]) && size !== Infinity) best = i;
  }
  return best;
}

class Stepper {
  constructor(root) {
    this.root = root;
    this.inputBoxes = [];
    this.outputBoxes = [];
    this.pinned = null;
    this.scope = "tensor";
    this.view = "edited"; // of what was set by hand; the only one where nothing was
    this.build();
  }

  build() {
    this.source = new SourcePane({
      onLine: (file, line) => this.goToLine(file, line),
      roleOf: (name) => this.options.roles[name],
    });
    this.heading = el("div", { class: "heading" });
    this.inputsPane = el("div", { class: "inputs" });
    this.arrow = el("div", { class: "arrow faint", "aria-hidden": "true" }, "→");
    this.outputsPane = el("div", { class: "outputs" });
    this.editing = new EditBar({
      onView: (view) => this.showView(view),
      onEdits: (edits) => this.sendEdits(edits),
      onLeave: () => this.outputsShown[this.pinned?.output ?? 0]?.grid.top.focus(),
    });
    this.readout = new Readout({ onCheck: () => this.checkEveryCell(), more: this.editing.form });
    const tensors = el("section", { class: "tensors" },
      this.heading, this.editing.element, el("div", { class: "flow" }, this.inputsPane, this.arrow, this.outputsPane), this.readout.element);
    this.root.replaceChildren(el("div", { class: "panes" }, this.source.element, tensors), this.buildTransport(), this.buildNotes());
    this.root.onkeydown = (event) => this.key(event);
  }

  buildTransport() {
    this.transport = new Transport({ onGo: (index) => this.goTo(index), pace: STEP_MS });
    const chooser = el("select", { "aria-label": "Colour range", title: "Colour range", onchange: (event) => { this.scope = event.target.value; this.render(); } },
      el("option", { value: "tensor" }, "Colours: each tensor"), el("option", { value: "step" }, "Colours: this step"), el("option", { value: "trace" }, "Colours: whole trace"));
    this.transport.element.append(chooser);
    return this.transport.element;
  }

  buildNotes() {
    this.notes = el("p", { class: "notes faint" });
    return this.notes;
  }

  /** Takes a new payload, or the same one with a new theme; keeps the step where it can. */
  load(bytes) {
    this.palette = readPalette(this.root);
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.trace = decode(bytes);
      const before = this.options?.subject;
      this.options = { roles: {}, labels: {}, url: "", subject: "", edit: false, edits: [], ...this.trace.options };
      if (before != null && before !== this.options.subject) this.beginAnew();
      const stops = this.trace.sources.map(() => new Set());
      const edited = this.trace.sources.map(() => new Set());
      for (const step of this.trace.steps) {
        stops[step.file].add(step.line);
        if (step.edited) edited[step.file].add(step.line);
      }
      this.source.setSources(this.trace.sources, stops, edited);
      this.wholeScale = commonScale(this.trace.tensors.filter((tensor) => tensor.dtype.startsWith("float")));
      const fromUrl = this.index == null && this.options.url ? Number(new URLSearchParams(location.search).get(this.options.url)) : NaN;
      this.index = this.clamp(Number.isInteger(fromUrl) && fromUrl > 0 ? fromUrl - 1 : (this.index ?? this.options.start ?? 0));
      this.loadEdits();
      setText(this.notes, this.trace.leftOut.length > 3 ? `${this.trace.leftOut.slice(0, 3).join(" ")} ${this.trace.leftOut.length - 3} more are left out.` : this.trace.leftOut.join(" "));
    } else if (this.source.file != null) {
      this.source.file = null;
    }
    this.render();
  }

  /** What was set by hand in this trace. A pinned cell stays pinned where it still is one, so that it can be set again. */
  loadEdits() {
    const { edit, edits, url } = this.options;
    this.root.classList.toggle("editable", edit);
    this.editing.load(edits);
    this.view = this.editing.view;
    if (!edit || this.pinned?.shape !== String(this.step?.outputs[this.pinned?.output]?.shape)) this.unpin();
    this.renderMarks();
    if (!edit || !url) return;
    const address = new URL(location.href);
    if (edits.length) address.searchParams.set(`${url}_edits`, this.options.edits_text);
    else address.searchParams.delete(`${url}_edits`);
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  }

  clamp(index) {
    return Math.max(0, Math.min(this.trace.steps.length - 1, index));
  }

  get step() {
    return this.trace.steps[this.index];
  }

  goTo(index) {
    const next = this.clamp(index);
    if (next === this.index) return;
    cancelAnimationFrame(this.frame); // it would show a cell of the step before
    this.index = next;
    this.unpin();
    this.render();
    this.saveToUrl();
  }

  goToLine(file, line) {
    const here = this.trace.steps.filter((step) => step.file === file && step.line === line);
    const later = here.find((step) => step.index > this.index) ?? here[0];
    if (later) this.goTo(later.index);
  }

  /** Other code than before: the step and the cell that were looked at mean nothing in it. */
  beginAnew() {
    this.index = this.options.start ?? 0;
    this.pinned = null;
    this.root.classList.remove("pinned");
    const url = new URL(location.href);
    url.searchParams.delete(this.options.url);
    history.replaceState(history.state, "", url);
  }

  saveToUrl() {
    if (!this.options.url) return;
    const url = new URL(location.href);
    url.searchParams.set(this.options.url, this.index + 1);
    history.replaceState(history.state, "", url);
  }

  // ---- numbers set by hand

  showView(view) {
    this.view = view;
    this.editing.showView(view);
    this.render();
  }

  sendEdits(edits) {
    if (edits.length && this.view === "original") this.showView("edited");
    this.updateForm();
    this.onEdits?.(edits);
  }

  /** The pinned cell as something that can be set, or null. */
  editableCell() {
    if (!this.options.edit || !this.pinned) return null;
    const { step } = this;
    const { output, flat } = this.pinned;
    const { data, dtype, shape } = step.outputs[output];
    if (!data || !isFloat(dtype)) return null;
    const text = allDigits(data[flat], data instanceof Float32Array);
    return { step: step.index, output, flat, shape, op: step.op, expression: step.expression, text };
  }

  updateForm() {
    if (!this.options.edit) return;
    const settable = this.step.outputs.some(({ data, dtype }) => data && isFloat(dtype));
    this.editing.point(this.editableCell(), settable ? "Pin a cell of the output first." : "This step gives no real numbers.");
  }

  /** Places of the cells of an output that were set by hand. */
  editedCells(output) {
    const flats = this.options.edits.filter((edit) => edit.step === this.index && edit.output === output).map((edit) => edit.flat);
    return flats.length ? new Set(flats) : null;
  }

  /** Where in the trace numbers were set, and how far they reach, under the scrub bar. */
  renderMarks() {
    const { steps } = this.trace;
    const changed = steps.filter(isChanged).map((step) => step.index);
    this.transport.mark(steps.filter((step) => step.edited).map((step) => step.index), changed.length ? [changed[0], changed.at(-1)] : null, steps.length);
  }

  // ---- drawing

  render() {
    const { step } = this;
    if (!step) return;
    this.source.show(step);
    this.renderHeading(step);
    this.renderBoxes(step);
    const spoken = `step ${this.index + 1}: ${step.expression}${step.edited ? ", edited" : ""}`;
    this.transport.show(this.index, this.trace.steps.length, `${this.index + 1} / ${this.trace.steps.length}`, spoken);
    this.readout.check.disabled = this.view === "difference" || !hasArithmetic(step.op) || step.outputs.some((t) => !t.data);
    this.look(this.pinned ?? this.rest());
  }

  renderHeading(step) {
    const target = step.target === "return" ? "return " : step.target ? `${step.target} = ` : "";
    const where = [step.op, step.iteration == null ? "" : `pass ${step.iteration + 1} of its loop`, step.outputs.length > MOST_OUTPUTS ? `the first ${MOST_OUTPUTS} of ${step.outputs.length} outputs` : "", step.edited ? "you set numbers here" : isChanged(step) ? "changed by your edits" : ""].filter(Boolean).join(" · ");
    this.heading.replaceChildren(
      el("div", { class: "expression mono" }, el("span", { class: "target" }, target), step.expression.replace(/\s+/g, " ")),
      el("div", { class: "faint" }, `${where} ${hasArithmetic(step.op) ? "" : `· ${reason(step.op) || "this operation has no arithmetic view: inputs and output are shown as they are"}`}`),
    );
    this.heading.firstChild.title = step.expression;
  }

  roleOf(name, fallback) {
    const plain = name.replace(/^self\./, "");
    return this.options.roles[name] ?? this.options.roles[plain] ?? fallback;
  }

  renderBoxes(step) {
    const handlers = {
      onHover: (box, flat) => this.hover(box, flat),
      onPick: (box, flat) => this.pick(box, flat),
      onSlice: () => this.look(this.shown),
    };
    const fill = (boxes, pane, items) => {
      while (boxes.length < items.length) boxes.push(new TensorBox(handlers));
      boxes.forEach((box, i) => {
        if (i >= items.length) box.element.remove();
        else if (box.element.parentNode !== pane) pane.append(box.element);
      });
      items.forEach((item, i) => boxes[i].show({ ...item, palette: this.palette }));
      return boxes.slice(0, items.length);
    };
    const [seen, scales] = [variantOf(step, this.view), this.scales(step)];
    const badge = (tensor, then) => (then ? (this.view === "original" ? "before your edits" : "changed") : "");
    const inputs = seen.inputs.map((input, i) => ({
      tensor: input.tensor, label: input.name.replace(/^self\./, ""), key: input.role, scale: scales.inputs[i], labels: this.options.labels[input.name],
      role: this.roleOf(input.name, ROLE_OF_INPUT[input.role] ?? "input"), badge: badge(input.tensor, step.original?.inputs[input.role]),
    }));
    const looped = step.op === "unbind" && /^for (\w+) in /.exec(step.expression)?.[1];
    const name = looped || (step.target && step.target !== "return" ? step.target : "");
    const names = step.outputs.length > 1 && name.split(",").length === step.outputs.length ? name.split(",").map((n) => n.trim()) : null;
    const several = (i) => (looped ? `${looped}, pass ${i + 1}` : `output ${i}`);
    const outputs = seen.outputs.slice(0, MOST_OUTPUTS).map((tensor, i) => ({
      tensor, key: "output", scale: scales.outputs[i], label: names?.[i] ?? (step.outputs.length > 1 || looped ? several(i) : name || "output"),
      role: this.roleOf(names?.[i] ?? name, "output"), labels: this.options.labels[names?.[i] ?? step.target ?? step.expression],
      badge: this.editedCells(i) && this.view !== "original" ? "set by hand" : badge(tensor, step.original?.outputs[i]),
      corners: this.editedCells(i), hint: this.options.edit ? "E then sets its value." : "",
    }));
    this.inputsShown = fill(this.inputBoxes, this.inputsPane, inputs);
    this.outputsShown = fill(this.outputBoxes, this.outputsPane, outputs);
    this.arrow.hidden = !inputs.length;
    this.inputsPane.hidden = !inputs.length;
    this.inputsPane.dataset.count = Math.min(inputs.length, 6);
    this.outputsPane.dataset.count = Math.min(outputs.length, 4);
  }

  /** The colour scales of a step's tensors. Before and after the edits have one scale, so that they can be held side by side. */
  scales(step) {
    const tensors = (variant) => [...variant.inputs.map((input) => input.tensor), ...variant.outputs];
    const apart = this.view === "difference";
    const [now, then] = apart ? [tensors(variantOf(step, "difference")), []] : [tensors(step), tensors(variantOf(step, "original"))];
    const common = apart ? differenceScale : commonScale;
    const whole = () => apart ? common(this.trace.steps.flatMap((each) => tensors(variantOf(each, "difference")))) : this.wholeScale;
    const shared = this.scope === "step" ? common([...now, ...then]) : this.scope === "trace" ? whole() : null;
    const all = now.map((tensor, i) => shared ?? common(then[i] ? [tensor, then[i]] : [tensor]));
    return { inputs: all.slice(0, step.inputs.length), outputs: all.slice(step.inputs.length) };
  }

  rest() {
    const flat = restingCell(variantOf(this.step, this.view).outputs[0]);
    return flat == null ? null : { output: 0, flat };
  }

  /** Shows the arithmetic of one output cell and lights what it came from. look: {output, flat} or null. */
  look(look) {
    this.shown = look;
    this.updateForm();
    // An edited output is held against what the code gave there.
    const step = variantOf(this.step, this.view === "original" ? "original" : "given");
    if (!look) return this.readout.showFormula(step);
    const box = this.outputsShown[look.output];
    box.reveal(look.flat);
    const told = explain(step, look.output, look.flat);
    const moved = this.view !== "difference" || box.tensor.data?.[look.flat] !== 0;
    const byRole = Object.fromEntries((moved && told ? told.cells : []).map((cell) => [cell.role, cell.flats]));
    for (const input of this.inputsShown) {
      input.light(byRole[input.key] ?? null);
      input.grid.setFocus(null);
    }
    this.outputsShown.forEach((other, i) => other.grid.setFocus(i === look.output ? look.flat : null));
    if (this.view === "difference") return this.readout.showDifference(box, look.flat);
    const byHand = this.view === "edited" && this.editedCells(look.output)?.has(look.flat);
    if (told) this.readout.show(step, box, look.flat, told, this.inputsShown, byHand);
    else this.readout.showValue(box, look.flat, byHand ? step.outputs[look.output].data[look.flat] : null);
  }

  // ---- hands

  hover(box, flat) {
    const output = this.outputsShown.indexOf(box);
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      if (output >= 0) this.look(this.pinned ?? (flat == null ? this.rest() : { output, flat }));
      else if (flat != null) this.readout.say(box.valueText(flat));
      else this.look(this.pinned ?? this.shown ?? this.rest());
    });
  }

  pick(box, flat) {
    const output = this.outputsShown.indexOf(box);
    if (output < 0) return this.goToProducer(box);
    const same = this.pinned && this.pinned.flat === flat && this.pinned.output === output;
    this.pinned = same ? null : { output, flat, shape: String(box.tensor.shape) };
    this.root.classList.toggle("pinned", this.pinned != null);
    this.look(this.pinned ?? { output, flat });
  }

  /** A click on an input goes to the step that made it. */
  goToProducer(box) {
    const from = this.step.inputs[this.inputsShown.indexOf(box)]?.from;
    if (from) this.goTo(from[0]);
  }

  key(event) {
    if (event.target.matches("input:not([type=range]), select") || event.altKey || event.ctrlKey || event.metaKey) return;
    const own = { Escape: () => this.release(), e: this.editableCell() && (() => this.editing.field.focus()) }[event.key];
    own?.();
    if (!own && !this.transport.press(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  release() {
    this.unpin();
    this.look(this.rest());
  }

  unpin() {
    this.pinned = null;
    this.root.classList.remove("pinned");
  }

  checkEveryCell() {
    const { step, view } = this;
    this.readout.checkStep(variantOf(step, view === "original" ? "original" : "given"), () => this.step === step && this.view === view);
  }

  destroy() {
    this.transport.stop();
    for (const box of [...this.inputBoxes, ...this.outputBoxes]) box.grid.destroy();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".root");
  const stepper = (root.stepper ??= new Stepper(root));
  root.classList.toggle("still", reducedMotion());
  stepper.onEdits = (edits) => setStateValue("edits", edits);
  stepper.load(data);
  return () => {
    stepper.destroy();
    root.stepper = undefined;
  };
}

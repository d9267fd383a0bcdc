// Under the tensors: the arithmetic of one cell, and whether torch's number agrees.

import { el, setText } from "../shared/dom.js";
import { formatNumber, groupDigits } from "../shared/number.js";
import { checkAll, formula } from "./arithmetic.js";

const CHECK_CHUNK = 2000; // cells, after which the page may do something else

export class Readout {
  /** onCheck(): every cell of the step is to be checked. more: what stands below, if anything. */
  constructor({ onCheck, more = null }) {
    this.text = el("div", { class: "readout mono", "aria-live": "polite" });
    this.verdict = el("div", { class: "verdict mono" });
    this.check = el("button", { class: "small check", onclick: onCheck }, "Check every cell");
    this.element = el("div", { class: "arithmetic" }, this.text, el("div", { class: "verdict-row" }, this.verdict, this.check), more);
  }

  /** Beside the check: a sentence; wrong: whether it is a fault. */
  say(text, wrong = false) {
    setText(this.verdict, text);
    this.verdict.classList.toggle("wrong", wrong);
  }

  fill(...lines) {
    this.text.replaceChildren(...lines.filter((line) => line != null));
  }

  /** What a step calculates, where no cell is looked at. */
  showFormula(step) {
    this.fill(el("div", { class: "faint" }, formula(step)));
    this.say("");
  }

  /** A cell of `box` without arithmetic. gave: what the code gave where the number was set by hand, or null. */
  showValue(box, flat, gave) {
    this.fill(el("div", {}, box.tensor.data ? box.valueText(flat) : ""),
      gave == null ? null : el("div", { class: "by-hand" }, `You set this number. The code gave ${formatNumber(gave)}.`));
    this.say("");
  }

  /** A cell of `box` and what explain() told of it. inputs: the boxes that its numbers point to; byHand: the visitor set it. */
  show(step, box, flat, told, inputs, byHand) {
    const general = formula(step);
    this.fill(
      el("div", { class: "cell-name" }, box.cellText(flat), general ? el("span", { class: "faint" }, `   ${general}`) : null),
      byHand ? el("div", { class: "by-hand" }, `You set this number to ${box.number(flat)}. The code gave ${formatNumber(told.actual)}:`) : null,
      ...told.lines.map((tokens) => el("div", {}, ...tokens.map((token) => tokenNode(token, inputs)))),
      told.note ? el("div", { class: "faint" }, told.note) : null);
    const torch = byHand ? formatNumber(told.actual, 6) : box.number(flat);
    this.say(told.ok ? `✓ torch ${byHand ? "gave" : "has"} ${torch}` : `differs from torch’s ${formatNumber(told.actual, 6)} by ${formatNumber(told.difference)}`, !told.ok);
    this.verdict.dataset.difference = told.difference;
  }

  /** "0.9 − 0.412 = 0.488". box: of a difference. */
  showDifference(box, flat) {
    const [now, then] = box.tensor.pair.map((tensor) => tensor.data[flat]);
    const wrapped = then < 0 ? `(${formatNumber(then)})` : formatNumber(then);
    const same = Object.is(now, then) || now === then;
    this.fill(
      el("div", { class: "cell-name" }, box.cellText(flat), el("span", { class: "faint" }, "   edited − original")),
      el("div", {}, same ? `Your edits do not change this number: ${formatNumber(now)}.` : `${formatNumber(now)} − ${wrapped} = ${formatNumber(box.tensor.data[flat])}`));
    this.say("");
  }

  /** Recomputes every cell of a step, a chunk at a time so that the page stays alive. isWanted(): whether to go on. */
  async checkStep(step, isWanted) {
    let [checked, worst, wrong] = [0, 0, 0];
    this.check.disabled = true;
    for (let output = 0; output < step.outputs.length; output++) {
      for (let from = 0; from < step.outputs[output].size; from += CHECK_CHUNK) {
        const result = checkAll(step, output, { from, count: CHECK_CHUNK });
        if (!result) break; // such as dropout while training: no arithmetic for this call
        checked += result.checked;
        wrong += result.wrong.length;
        worst = Math.max(worst, result.worst);
        this.say(`${groupDigits(checked)} cells checked …`);
        await new Promise((resolve) => setTimeout(resolve));
        if (!isWanted()) return;
      }
    }
    this.check.disabled = false;
    if (!checked) this.say("This call has no arithmetic to check.");
    else if (wrong) this.say(`${groupDigits(wrong)} of ${groupDigits(checked)} cells differ from torch by up to ${formatNumber(worst)}`, true);
    else this.say(`✓ all ${groupDigits(checked)} cells agree with torch; largest difference ${formatNumber(worst)}`);
  }
}

/** A token of the arithmetic; one that stands for a cell has its input's colour and points at the cell. */
function tokenNode(token, inputs) {
  if (token.number === undefined) return document.createTextNode(token.text);
  const text = token.text ?? formatNumber(token.number);
  if (token.role === undefined) return document.createTextNode(text);
  const box = inputs.find((input) => input.key === token.role);
  return el("span", {
    class: "number", style: { color: `var(--role-${box?.role ?? "input"})` }, title: box ? box.valueText(token.flat) : String(token.number),
    onpointerenter: () => box?.grid.setFocus(token.flat), onpointerleave: () => box?.grid.setFocus(null),
  }, text);
}

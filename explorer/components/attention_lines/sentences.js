// What is seen, in words. view: the AttentionLines.

import { allDigits, formatNumber } from "../shared/number.js";
import { pairOf } from "./curves.js";

const TOLD = 4; // words named when one word is in focus

/** Decimals that are right of weights that were kept to the nearest multiple of `step`. */
const decimals = (step) => Math.ceil(-Math.log10(step));

/** All digits that the weight has; view.step: what it is a multiple of, if it is not a float32. */
export function exactly({ step }, weight) {
  return step ? `${weight.toFixed(decimals(step))} ± ${formatNumber(step / 2, 1)}` : allDigits(Number(weight.toPrecision(7)));
}

/** Its first digits. */
const shortly = ({ step }, weight) => (step ? weight.toFixed(Math.min(3, decimals(step))) : formatNumber(weight));

const quotedWord = (view, side, place) => `“${view.text[side][place]}”`;

/** The pair under the pointer with every head's weight, or where the word in focus looks, or the strongest line. */
export function sentence(view) {
  const { pair, focus, heads } = view;
  if (pair) {
    const told = heads.map((head) => `${view.count > 1 ? `${view.names[head]}: ` : ""}${exactly(view, view.weight(head, pair))}`);
    return `From ${quotedWord(view, "query", pair[0])} to ${quotedWord(view, "key", pair[1])}: ${told.join(" · ")}`;
  }
  if (!focus) return finding(view);
  const asks = focus.side === "query";
  const word = quotedWord(view, focus.side, focus.place);
  const other = asks ? "key" : "query";
  const { means } = view.share;
  const ranked = Array.from(means, (weight, place) => ({ place, weight })).filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight);
  if (!ranked.length) return asks ? `${word} looks at nothing.` : `Nothing looks at ${word}.`;
  const told = ranked.slice(0, TOLD).map(({ place, weight }) => `${quotedWord(view, other, place)} ${shortly(view, weight)}`).join(", ");
  const rest = ranked.length > TOLD ? ` and ${ranked.length - TOLD} more` : "";
  return `${word} ${asks ? "looks at" : "is looked at by"} ${told}${rest}${heads.length > 1 ? ` (mean of ${heads.length})` : ""}.`;
}

/** The strongest line. */
export function finding(view) {
  const top = view.lines.at(-1);
  if (top == null) return "There is no line to show.";
  const [query, key] = pairOf(view, top);
  const head = view.count > 1 ? `, ${view.names[Math.floor(top / (view.rows * view.cols))]}` : "";
  return `The strongest line: from ${quotedWord(view, "query", query)} to ${quotedWord(view, "key", key)}, ${shortly(view, view.weights[top])}${head}.`;
}

/** How many lines are drawn, of how many, and what to do. */
export function howMany(view, found) {
  if (view.count && !view.heads.length) return "No head is chosen: choose one above.";
  const which = found > view.lines.length ? `The strongest ${view.lines.length} of ${found} lines.` : `${found} ${found === 1 ? "line" : "lines"}.`;
  const thickest = view.lines.length ? ` The thickest is ${shortly(view, view.weights[view.lines.at(-1)])}.` : "";
  return `${which}${thickest} Point at a word to see its lines alone, click to hold it.`;
}

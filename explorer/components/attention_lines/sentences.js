// What is seen, in words. view: the AttentionLines.

import { allDigits, formatNumber } from "../shared/number.js";

const TOLD = 4; // words named when one word is in focus

/** All digits that a float32 has. */
const exact = (weight) => allDigits(Number(weight.toPrecision(7)));

const quotedWord = (view, side, place) => `“${view.text[side][place]}”`;

/** The pair under the pointer with every head's weight, or where the word in focus looks, or the strongest line. */
export function sentence(view) {
  const { pair, focus, heads } = view;
  if (pair) {
    const told = heads.map((head) => `${view.count > 1 ? `${view.names[head]}: ` : ""}${exact(view.weight(head, pair))}`);
    return `From ${quotedWord(view, "query", pair[0])} to ${quotedWord(view, "key", pair[1])}: ${told.join(" · ")}`;
  }
  if (!focus) return finding(view);
  const asks = focus.side === "query";
  const word = quotedWord(view, focus.side, focus.place);
  const other = asks ? "key" : "query";
  const ranked = view.text[other]
    .map((_, place) => ({ place, weight: asks ? view.mean(focus.place, place) : view.mean(place, focus.place) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  if (!ranked.length) return asks ? `${word} looks at nothing.` : `Nothing looks at ${word}.`;
  const told = ranked.slice(0, TOLD).map(({ place, weight }) => `${quotedWord(view, other, place)} ${formatNumber(weight)}`).join(", ");
  const rest = ranked.length > TOLD ? ` and ${ranked.length - TOLD} more` : "";
  return `${word} ${asks ? "looks at" : "is looked at by"} ${told}${rest}${heads.length > 1 ? ` (mean of ${heads.length})` : ""}.`;
}

/** The strongest line. */
export function finding(view) {
  const top = view.lines.at(-1);
  if (top == null) return "There is no line to show.";
  const [query, key] = view.pairOf(top);
  const head = view.count > 1 ? `, ${view.names[Math.floor(top / (view.rows * view.cols))]}` : "";
  return `The strongest line: from ${quotedWord(view, "query", query)} to ${quotedWord(view, "key", key)}, ${formatNumber(view.weights[top])}${head}.`;
}

/** How many lines are drawn, of how many, and what to do. */
export function howMany(view, found) {
  if (view.count && !view.heads.length) return "No head is chosen: choose one above.";
  const which = found > view.lines.length ? `The strongest ${view.lines.length} of ${found} lines.` : `${found} ${found === 1 ? "line" : "lines"}.`;
  const thickest = view.lines.length ? ` The thickest is ${formatNumber(view.weights[view.lines.at(-1)])}.` : "";
  return `${which}${thickest} Point at a word to see its lines alone, click to hold it.`;
}

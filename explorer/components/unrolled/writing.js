// Numbers and formulas as they are written in cells and under them.

import { el } from "../shared/dom.js";
import { allDigits, formatNumber } from "../shared/number.js";

/** Two or three decimals, six characters at most where the number is not large. */
export function briefNumber(x) {
  const size = Math.abs(x);
  if (size >= 100) return formatNumber(x, 2);
  const text = size.toFixed(size >= 9.995 ? 1 : size >= 0.0995 ? 2 : 3);
  return x < 0 && Number(text) ? `−${text}` : Number(text) ? text : "0";
}

const SYMBOL_ROLES = { x: "input", W: "weight", b: "weight", h: "hidden", c: "value", g: "value", n: "value", i: "mask", f: "mask", o: "mask", r: "mask", z: "mask" };
const SYMBOLS = /(tanh|relu|σ)|([a-zA-Z])(?:_\{([^}]*)\}|_(\w+))?/g;

/** "h_t = o ⊙ tanh(c_{t−1})" → nodes, each symbol in the colour of its role. */
export function setFormula(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(SYMBOLS)) {
    nodes.push(text.slice(end, match.index));
    const [whole, name, symbol, braced, bare] = match;
    if (name) nodes.push(name);
    else nodes.push(el("span", { class: "symbol", style: { color: `var(--role-${SYMBOL_ROLES[symbol]})` } }, el("i", {}, symbol), braced ?? bare ? el("sub", {}, braced ?? bare) : null));
    end = match.index + whole.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

/** Tokens of cells.js → nodes. */
export const setTokens = (tokens) => tokens.map((token) => token.number == null ? token.text
  : el("b", { style: { color: token.role ? `var(--role-${token.role})` : null }, title: token.title ?? allDigits(token.number) }, token.text));

// The worked arithmetic: a line is a list of tokens, {text}, {number} or {number, role, flat}.

/** No more cells than this are pointed at. */
export const MAX_CELLS = 200_000;

export const text = (words) => ({ text: words });
export const constant = (number) => ({ number });
export const cellToken = (role, tensor, flat) => ({ number: tensor.data[flat], role, flat });

const OPERATOR_BEFORE = /[+−·/^√]\s?$/;
const OPERATOR_AFTER = /^\s?[·^/²³]/;
const templates = new Map();

/**
 * "{a}·{b}" with the tokens a and b in place, lists of tokens too. A negative number beside an operator gets
 * parentheses.
 */
export function write(template, values) {
  let parts = templates.get(template);
  if (parts === undefined) {
    parts = template.split(/\{(\w+)\}/);
    templates.set(template, parts);
  }
  const tokens = [];
  parts.forEach((part, i) => {
    if (i % 2 === 0) {
      if (part) tokens.push(text(part));
      return;
    }
    const value = values[part];
    if (Array.isArray(value)) tokens.push(...value);
    else if (isNegative(value) && (OPERATOR_BEFORE.test(parts[i - 1]) || OPERATOR_AFTER.test(parts[i + 1]))) {
      tokens.push(text("("), value, text(")"));
    } else tokens.push(value);
  });
  return tokens;
}

const isNegative = (token) => token.number < 0;

/** The first maxTerms of count terms, and how many are left out. term(k): the k-th, a list of tokens. */
export function series(count, maxTerms, term, separator = " + ") {
  const shown = Math.min(count, maxTerms);
  const tokens = [];
  for (let k = 0; k < shown; k++) {
    if (k > 0) tokens.push(text(separator));
    const [first, ...rest] = term(k);
    const bare = (k === 0 && separator !== "·") || separator === ", " || !isNegative(first) || rest.length > 0;
    tokens.push(...(bare ? [first] : [text("("), first, text(")")]), ...rest);
  }
  if (count > shown) tokens.push(text(`${shown > 0 ? separator : ""}… (${count - shown} more)`));
  return tokens;
}

/** A template with names and plain numbers in it, as a formula. */
export const spell = (template, names) => template.replace(/\{(\w+)\}/g, (_, name) => plain(names[name]));

/** A number as it was typed, with a minus sign. */
export function plain(value) {
  if (typeof value !== "number") return value;
  const typed = Math.abs(value) >= 1e6 ? value.toExponential().replace("+", "") : String(value);
  return typed.replace("Infinity", "∞").replaceAll("-", "−");
}

/** What the source calls an input, where it is a plain name, otherwise its role. */
export function nameOf(step, role) {
  const { name } = step.inputs.find((input) => input.role === role);
  return /^[\w.[\]]+$/.test(name) ? name : role;
}

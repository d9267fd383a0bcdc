// Numbers as a printed book writes them.

/** Three significant digits (or as many as asked), a real minus sign; what is smaller than noise is written 0. */
export function formatNumber(x, digits = 3, noise = 1e-12) {
  if (Number.isNaN(x)) return "NaN";
  if (x === Infinity) return "∞";
  if (x === -Infinity) return "−∞";
  const size = Math.abs(x);
  if (Number.isInteger(x) && size < 1e6) return x < 0 ? `−${size}` : `${size}`;
  if (size < noise) return "0";
  let text;
  if (size >= 1e6 || size < 1e-3) {
    const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
    text = `${mantissa}e${exponent.replace("+", "").replace("-", "−")}`;
  } else {
    text = size.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(size))));
  }
  return x < 0 ? `−${text}` : text;
}

/** All digits that the number has, for a tooltip; single: no more than tell a float32 from its neighbours. */
export function allDigits(x, single = false) {
  if (Object.is(x, -0)) return "0";
  let shortest = x;
  for (let digits = 6; single && digits <= 9; digits++) {
    shortest = Number(x.toPrecision(digits));
    if (Math.fround(shortest) === x) break;
  }
  return String(shortest).replace("Infinity", "∞").replaceAll("-", "−");
}

/** Thousands apart: 11227812 → "11 227 812" with thin spaces. */
export const groupDigits = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009");

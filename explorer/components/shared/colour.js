// Colours of the page's theme, from the CSS variables that the palette module writes.

const parseHex = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** "#rgb", "#rrggbb" or "rgb(…)" → relative brightness 0–1. */
export function brightness(colour) {
  const hex = /^#(.)(.)(.)$/.exec(colour);
  const full = hex ? `#${hex[1]}${hex[1]}${hex[2]}${hex[2]}${hex[3]}${hex[3]}` : colour;
  const [r, g, b] = full.startsWith("#") ? parseHex(full) : (full.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

/** Marks root with the theme that the page really has, so that the right block of palette variables applies. */
export function applyTheme(root) {
  const page = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  const theme = page && brightness(page) < 0.5 ? "dark" : "light";
  root.dataset.theme = theme;
  return theme;
}

function readStops(root, name) {
  const style = getComputedStyle(root);
  const stops = [];
  for (let i = 0; ; i++) {
    const stop = style.getPropertyValue(`--map-${name}-${i}`).trim();
    if (!stop) return stops;
    stops.push(parseHex(stop));
  }
}

/** The map as 256 RGB triples, Uint8Array of 768. kind: "diverging" or "sequential". */
function colourTable(root, kind) {
  const stops = readStops(root, kind);
  const table = new Uint8Array(768);
  for (let i = 0; i < 256; i++) {
    const where = (i / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(where), stops.length - 2);
    for (let c = 0; c < 3; c++) {
      table[3 * i + c] = Math.round(stops[low][c] + (where - low) * (stops[low + 1][c] - stops[low][c]));
    }
  }
  return table;
}

/** All colours that drawing needs, read once for a theme. */
export function readPalette(root) {
  applyTheme(root);
  const style = getComputedStyle(root);
  const get = (name) => style.getPropertyValue(name).trim();
  return {
    theme: root.dataset.theme,
    diverging: colourTable(root, "diverging"),
    sequential: colourTable(root, "sequential"),
    page: get("--page"),
    ink: get("--ink"),
    faint: get("--faint"),
    line: get("--line"),
    accent: get("--accent"),
    role: (name) => get(`--role-${name}`) || get("--ink"),
    head: (number) => get(`--head-${number}`) || get("--ink"),
  };
}

/** Smallest and largest finite number of data, {low, high}; {0, 0} where there is none. */
export function extent(data, start = 0, end = data.length) {
  let low = Infinity;
  let high = -Infinity;
  for (let i = start; i < end; i++) {
    const value = data[i];
    if (value < low && value !== -Infinity) low = value;
    if (value > high && value !== Infinity) high = value;
  }
  return low > high ? { low: 0, high: 0 } : { low, high };
}

/** {kind, limit, low, high}: signed data get the diverging map, symmetric about zero; the rest the sequential, from zero. */
export function scaleFor({ low, high }) {
  return low < 0
    ? { kind: "diverging", limit: Math.max(-low, high), low: -Math.max(-low, high), high: Math.max(-low, high) }
    : { kind: "sequential", limit: high, low: 0, high };
}

/** Place of a value in a table of 256 colours; that of zero for what is masked, −∞ or NaN. */
export function colourIndex(value, scale) {
  if (!(scale.limit > 0) || value === -Infinity || Number.isNaN(value)) return scale.kind === "diverging" ? 128 : 0;
  const place = scale.kind === "diverging" ? 127.5 + (127.5 * value) / scale.limit : (255 * value) / scale.limit;
  return Math.max(0, Math.min(255, Math.round(place)));
}

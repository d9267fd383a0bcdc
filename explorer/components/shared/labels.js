// What the rows and columns of a picture stand for: words beside its cells, on the same canvas. They are drawn, never parsed.

const LARGEST_TYPE = 12; // pixels of type
const SMALLEST_TYPE = 10;
const LEADING = 1.2;
const PAD = 6; // pixels between label and cells
const SLANT = Math.PI / 4;
const SIN = Math.sin(SLANT); // and the cosine
const LONGEST = 110; // pixels that one label may take; a longer one is cut
const MOST = { width: 0.36, height: 0.4 }; // share of the picture that labels may take
const LEAST = { width: 80, height: 36 }; // pixels of a picture that has room for words beside its cells
const WORTH = { share: 0.6, cell: 20 }; // words above cells may not make them smaller than both of these
const REGULAR = 400;
const BOLD = 700;
const BOLDER = 1.08; // by how much bold type is wider
const INVISIBLE = { "\n": "⏎", "\r": "⏎", "\t": "⇥", " ": "␣", "\u00a0": "␣" };

/** A label as it is written: on one line, and blanks seen where there is nothing else. */
export function labelText(label) {
  const text = String(label);
  return text.trim() ? text.replace(/\s+/g, " ").trim() : text.replace(/\s/g, (blank) => INVISIBLE[blank] ?? "␣");
}

const graphemes = (text) => Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);

/** Largest type that stands in lines this many pixels apart. */
const typeFor = (apart) => Math.max(SMALLEST_TYPE, Math.min(LARGEST_TYPE, Math.floor(apart / LEADING)));

/** Draws as if the label's line were the x axis and its anchor the origin. */
function onLine(context, { x, y, angle }, draw) {
  context.save();
  context.translate(x, y);
  context.rotate(angle);
  draw();
  context.restore();
}

/** Whether two labels of one direction overlap. */
function touch(a, b) {
  if (a.axis !== b.axis) return false;
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = dx * Math.cos(a.angle) + dy * Math.sin(a.angle);
  const across = dy * Math.cos(a.angle) - dx * Math.sin(a.angle);
  const beside = b.start + along > a.start + a.width + 2 || b.start + along + b.width < a.start - 2;
  return !beside && Math.abs(across) < 0.6 * (a.size + b.size);
}

/** Labels of one grid. rows, columns: lists of texts, either may be empty. */
export class Labels {
  constructor(rows, columns, family) {
    this.texts = { rows: rows.map(labelText), columns: columns.map(labelText) };
    this.family = family;
    this.pen = document.createElement("canvas").getContext("2d");
    this.widths = new Map();
    this.longest = { rows: this.longestOf(this.texts.rows), columns: this.longestOf(this.texts.columns) };
    this.shown = [];
  }

  /** Whether these are the labels of such rows and columns. */
  static same(labels, rows, columns, family) {
    if (!labels) return !rows.length && !columns.length;
    const { texts } = labels;
    const equal = (mine, other) => mine.length === other.length && mine.every((text, i) => text === labelText(other[i]));
    return labels.family === family && equal(texts.rows, rows) && equal(texts.columns, columns);
  }

  font(size, weight = REGULAR) {
    return `${weight} ${size}px ${this.family}`;
  }

  /** Width of a text in pixels at a size of type. */
  width(text, size = LARGEST_TYPE, weight = REGULAR) {
    const key = weight + text;
    let width = this.widths.get(key);
    if (width === undefined) {
      this.pen.font = this.font(LARGEST_TYPE, weight);
      width = this.pen.measureText(text).width;
      this.widths.set(key, width);
    }
    return (width * size) / LARGEST_TYPE;
  }

  longestOf(texts) {
    return Math.min(LONGEST, texts.reduce((most, text) => Math.max(most, this.width(text)), 0));
  }

  /** The text, or as much of it as fits into so many pixels, with an ellipsis. */
  fitted(text, room, size, weight) {
    if (this.width(text, size, weight) <= room) return text;
    const signs = graphemes(text);
    let [low, high] = [0, signs.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.width(`${signs.slice(0, middle).join("")}…`, size, weight) <= room) low = middle;
      else high = middle - 1;
    }
    return `${signs.slice(0, low).join("")}…`;
  }

  /** How columns are written where cells are so wide: in line with the rows, or slanted; and every how many-th. */
  columnStyle(scale) {
    const size = typeFor(scale * SIN);
    const slantedStep = Math.max(1, Math.ceil((size * LEADING) / (scale * SIN)));
    const flatSize = typeFor(Math.max(scale, SMALLEST_TYPE * LEADING));
    const flatStep = Math.max(1, Math.ceil(((this.longest.columns * flatSize) / LARGEST_TYPE + 8) / scale));
    return flatStep <= slantedStep ? { slanted: false, size: flatSize, step: flatStep } : { slanted: true, size, step: slantedStep };
  }

  /** Room that slanted words need above the cells, in pixels. */
  heightAbove() {
    return this.longest.columns ? Math.ceil((this.longest.columns + LARGEST_TYPE) * SIN + PAD) : 0;
  }

  /**
   * Room that the labels take of a picture of `size`: {left, top, right} in pixels, and whether `rows` and `columns` have room
   * at all. scaleIn(width, height): how wide cells are in what is left.
   */
  margins(size, scaleIn) {
    const rows = this.longest.rows > 0 && size.width >= LEAST.width;
    const columns = this.longest.columns > 0 && size.height >= LEAST.height;
    const left = rows ? Math.ceil(Math.min(this.longest.rows * BOLDER, MOST.width * size.width)) + PAD + 2 : 0;
    const bare = { left, top: 0, right: 0, rows, columns };
    if (!columns) return bare;
    const flat = { ...bare, top: LARGEST_TYPE + PAD + 2 };
    if (!this.columnStyle(scaleIn(size.width - left, size.height - flat.top)).slanted) return flat;
    const top = Math.min(this.heightAbove(), Math.ceil(MOST.height * size.height));
    const longest = Math.min(this.longest.columns, (top - PAD) / SIN);
    let right = 0;
    for (let round = 0; round < 3; round++) { // less room on the right makes smaller cells, over whose edge more hangs
      const scale = scaleIn(size.width - left - right, size.height - top);
      const { texts } = this;
      const over = texts.columns.map((text, c) => Math.min(this.width(text), longest) * SIN - (texts.columns.length - c - 0.5) * scale);
      right = Math.ceil(Math.max(0, Math.min(MOST.width * size.width, Math.max(...over) + PAD)));
    }
    const scale = scaleIn(size.width - left - right, size.height - top);
    if (scale < WORTH.cell && scale < WORTH.share * scaleIn(size.width - left, size.height)) return { ...bare, columns: false };
    return { ...bare, top, right };
  }

  /** Draws all labels that have room. grid: the Grid whose view says where cells are. */
  draw(context, grid, colour) {
    this.shown = [];
    context.fillStyle = colour;
    context.textBaseline = "middle";
    const { scale } = grid.view;
    const rowSize = typeFor(scale);
    const rowStep = Math.max(1, Math.ceil((rowSize * LEADING) / scale));
    if (grid.margin.rows) {
      for (let tile = 0; tile < grid.down; tile++) {
        for (let row = 0; row < grid.rows; row += rowStep) this.drawRow(context, grid, tile, row, rowSize);
      }
    }
    if (grid.margin.columns) {
      const style = this.columnStyle(scale);
      for (let tile = 0; tile < grid.across; tile++) {
        for (let column = 0; column < grid.cols; column += style.step) this.drawColumn(context, grid, tile, column, style);
      }
    }
  }

  /** Writes the labels of one cell over the others, so that they can be read in full where there is room. */
  drawFocus(context, grid, place, palette) {
    const { scale } = grid.view;
    const emphasis = { weight: BOLD, ground: palette.page };
    context.fillStyle = palette.accent;
    context.textBaseline = "middle";
    if (grid.margin.rows) this.drawRow(context, grid, Math.floor(place.slice / grid.across), place.row, typeFor(scale), emphasis);
    if (grid.margin.columns) this.drawColumn(context, grid, place.slice % grid.across, place.col, this.columnStyle(scale), emphasis);
  }

  drawRow(context, grid, tile, row, size, emphasis = null) {
    const text = this.texts.rows[row];
    const { y } = grid.pixelOf({ x: 0, y: grid.tileTop(tile) + row + 0.5 });
    if (!text || y < grid.margin.top + size / 2 || y > grid.size.height - size / 2) return;
    const x = grid.edges().left - PAD;
    this.write(context, { axis: "rows", index: row, text, x, y, room: Math.min(x - 1, LONGEST * BOLDER), size, angle: 0, align: "right", ...emphasis });
  }

  drawColumn(context, grid, tile, column, { slanted, size, step }, emphasis = null) {
    const text = this.texts.columns[column];
    const { left, top } = grid.edges();
    const { x } = grid.pixelOf({ x: grid.tileLeft(tile) + column + 0.5, y: 0 });
    if (!text || x < left || x > grid.size.width) return;
    if (slanted) {
      const y = top - PAD;
      const room = Math.min(LONGEST, (y - 1) / SIN - size / 2, (grid.size.width - x - 1) / SIN - size / 2);
      this.write(context, { axis: "columns", index: column, text, x, y, room, size, angle: -SLANT, align: "left", ...emphasis });
    } else {
      const half = Math.min(x, grid.size.width - x);
      const room = emphasis ? 2 * half : Math.min(2 * half, step * grid.view.scale - 2);
      this.write(context, { axis: "columns", index: column, text, x, y: top - PAD / 2 - size / 2, room, size, angle: 0, align: "center", ...emphasis });
    }
  }

  write(context, { axis, index, text, x, y, room, size, angle, align, weight = REGULAR, ground = null }) {
    if (room < size) return;
    const shown = this.fitted(text, room, size, weight);
    const width = this.width(shown, size, weight);
    const start = align === "right" ? -width : align === "center" ? -width / 2 : 0;
    const label = { axis, index, text: shown, whole: shown === text, x, y, start, width, size, angle };
    if (ground) this.clear(context, ground, [label, ...this.shown.filter((other) => touch(label, other))]);
    else this.shown.push(label);
    onLine(context, label, () => {
      context.font = this.font(size, weight);
      context.textAlign = align;
      context.direction = "ltr";
      context.fillText(shown, 0, 0);
    });
  }

  /** Covers labels whole: half a word beside another is worse than none. */
  clear(context, ground, labels) {
    const ink = context.fillStyle;
    context.fillStyle = ground;
    for (const label of labels) {
      const { start, width, size, angle } = label;
      onLine(context, label, () => context.fillRect(start - (angle ? 0 : 1), -size * 0.62, width + 1, size * 1.24));
    }
    context.fillStyle = ink;
  }

  /** The label that stands under a pixel: {axis, index} or null, those left out for want of room included. */
  at(grid, px, py) {
    const { left, top } = grid.edges();
    const { scale } = grid.view;
    if (px < left && py > top && grid.margin.rows) {
      const cell = grid.cellAt(left + 1, py);
      return cell ? { axis: "rows", index: cell.row } : null;
    }
    if (py < top && px > left && grid.margin.columns) {
      const x = this.columnStyle(scale).slanted ? px - (top - py) : px; // along the slant
      const cell = grid.cellAt(x, top + 1);
      return cell ? { axis: "columns", index: cell.col } : null;
    }
    return null;
  }
}

/** What a cell is called: "it → cat" where rows and columns have words, with the place where one of them has none. */
export function cellName({ rows, columns }, row, column) {
  if (rows.length && columns.length) return `${labelText(rows[row])} → ${labelText(columns[column])}`;
  if (rows.length) return `${labelText(rows[row])}, column ${column}`;
  if (columns.length) return `row ${row}, ${labelText(columns[column])}`;
  return `[${row}, ${column}]`;
}

const MANY = 24;

/** The words of rows and columns as a sentence for those who cannot see them; "" where there are none. */
export function labelsText({ rows, columns }) {
  const list = (name, labels) => labels.length ? `${name}: ${labels.slice(0, MANY).map(labelText).join(", ")}${labels.length > MANY ? ` and ${labels.length - MANY} more` : ""}.` : "";
  return [list("Rows", rows), list("Columns", columns)].filter(Boolean).join(" ");
}

// How pictures are used by mouse, touch and keys. moveAbout: drag, pinch, wheel, double click, for any picture; listen: a Grid.

/** A pixel of an element, from its upper left corner. */
export function pixelAt(element, event) {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/**
 * Moves and zooms a picture. zoom(factor, x, y): about a pixel; pan(dx, dy) → whether it could move; reset().
 * → {dragged}: how many pixels the pointer has been dragged since it went down.
 */
export function moveAbout(element, { zoom, pan, reset }) {
  const pointers = new Map();
  const state = { dragged: 0 };
  let pinch = 0;
  const at = (event) => pixelAt(element, event);
  element.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, at(event));
    state.dragged = 0;
    pinch = 0;
  });
  element.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) {
      state.dragged = 0;
      return;
    }
    const now = at(event);
    if (pointers.size === 2) {
      const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
      const distance = Math.hypot(now[0] - other[0], now[1] - other[1]);
      if (pinch) zoom(distance / pinch, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      pinch = distance;
      state.dragged = 99;
    } else if (pan(now[0] - before[0], now[1] - before[1], event)) {
      state.dragged += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
      if (state.dragged >= 4) element.setPointerCapture(event.pointerId); // a drag goes on beyond the edge
    }
    pointers.set(event.pointerId, now);
  });
  const release = (event) => pointers.delete(event.pointerId);
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) element.addEventListener(kind, release);
  element.addEventListener(
    "wheel",
    (event) => {
      if (!(event.ctrlKey || event.metaKey)) return; // plain wheel scrolls the page
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 200), ...at(event));
    },
    { passive: false },
  );
  element.addEventListener("dblclick", reset);
  return state;
}

/** + − 0 zoom about a pixel; whether the key was one of these. */
export function zoomByKey(event, { zoom, reset }, x, y) {
  if (event.altKey || event.ctrlKey || event.metaKey) return false;
  if (event.key === "+" || event.key === "=") zoom(1.5, x, y);
  else if (event.key === "-") zoom(1 / 1.5, x, y);
  else if (event.key === "0") reset();
  else return false;
  return true;
}

/** Lets mouse, touch and keys move about a Grid. */
export function listen(grid) {
  const { top } = grid;
  const hand = moveAbout(top, {
    zoom: (factor, x, y) => grid.view && grid.zoom(factor, x, y),
    pan: (dx, dy) => {
      if (!grid.view || grid.view.scale <= grid.fitScale * 1.01) return false;
      grid.view.x += dx;
      grid.view.y += dy;
      grid.draw();
      return true;
    },
    reset: () => grid.reset(),
  });
  const flatUnder = (event) => {
    if (!grid.view || !grid.data) return null;
    const cell = grid.cellAt(...pixelAt(top, event));
    return cell ? grid.flatAt(cell.slice, cell.row, cell.col) : null;
  };
  top.onpointerdown = (event) => {
    if (event.pointerType === "touch") grid.onHover(flatUnder(event)); // a finger does not hover
  };
  top.onpointermove = (event) => {
    if (hand.dragged < 4) grid.onHover(flatUnder(event));
    const label = grid.labels && grid.view ? grid.labels.at(grid, ...pixelAt(top, event)) : null;
    top.title = label ? grid.labels.texts[label.axis][label.index] : "";
  };
  top.onpointerup = (event) => {
    const flat = flatUnder(event);
    if (hand.dragged < 4 && flat != null) grid.onPick(flat);
  };
  top.onpointerleave = (event) => {
    if (event.pointerType !== "touch") grid.onHover(null); // what a finger touched stays to be read
  };
  top.onkeydown = (event) => press(grid, event);
  top.onblur = () => grid.onHover(null);
}

/** A key on the focused picture. */
function press(grid, event) {
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  if (!grid.data || event.altKey || event.ctrlKey || event.metaKey) return;
  const zoom = { zoom: (...about) => grid.zoom(...about), reset: () => grid.reset() };
  const zoomed = zoomByKey(event, zoom, grid.size.width / 2, grid.size.height / 2);
  if (!zoomed && event.key === "Enter" && grid.focus != null) grid.onPick(grid.focus, grid.overlay?.focus ?? null);
  else if (moves[event.key] && grid.overlay?.after(1) != null) { // from box to box
    const box = grid.overlay.after(moves[event.key][0] + moves[event.key][1]);
    const { row, col } = grid.overlay.middle(box, grid.rows, grid.cols);
    grid.bringIntoView(grid.tile(0, row, col));
    grid.onHover(grid.flatAt(0, row, col), box);
  } else if (moves[event.key]) {
    const here = (grid.focus == null ? null : grid.place(grid.focus)) ?? { slice: 0, row: 0, col: -1 };
    let { slice, row, col } = here;
    row += moves[event.key][0];
    col += moves[event.key][1];
    if (col >= grid.cols) [slice, col] = slice + 1 < grid.slices.length ? [slice + 1, 0] : [slice, grid.cols - 1];
    if (col < 0) [slice, col] = slice > 0 ? [slice - 1, grid.cols - 1] : [slice, 0];
    row = Math.max(0, Math.min(grid.rows - 1, row));
    const flat = grid.flatAt(slice, row, col);
    grid.bringIntoView(grid.tile(slice, row, col));
    grid.setFocus(flat);
    grid.onHover(flat);
  } else if (!zoomed) return;
  event.preventDefault();
  event.stopPropagation();
}

// How a Grid is used: point, pick, drag, pinch, wheel and keys.

/** Lets mouse, touch and keys move about a Grid. */
export function listen(grid) {
  const { top } = grid;
  const pointers = new Map();
  let dragged = 0;
  let pinch = 0;
  const at = (event) => {
    const box = top.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const flatUnder = (event) => {
    if (!grid.view || !grid.data) return null;
    const cell = grid.cellAt(...at(event));
    return cell ? grid.flatAt(cell.slice, cell.row, cell.col) : null;
  };
  top.onpointerdown = (event) => {
    pointers.set(event.pointerId, at(event));
    dragged = 0;
    pinch = 0;
    if (event.pointerType === "touch") grid.onHover(flatUnder(event)); // a finger does not hover
  };
  top.onpointermove = (event) => {
    const before = pointers.get(event.pointerId);
    const now = at(event);
    if (before && pointers.size === 2) {
      const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
      const distance = Math.hypot(now[0] - other[0], now[1] - other[1]);
      if (pinch) grid.zoom(distance / pinch, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      pinch = distance;
      dragged = 99;
    } else if (before && grid.view && grid.view.scale > grid.fitScale * 1.01) {
      grid.view.x += now[0] - before[0];
      grid.view.y += now[1] - before[1];
      dragged += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
      grid.draw();
    }
    if (before) pointers.set(event.pointerId, now);
    if (dragged < 4) grid.onHover(flatUnder(event));
    const label = grid.labels && grid.view ? grid.labels.at(grid, ...now) : null;
    top.title = label ? grid.labels.texts[label.axis][label.index] : "";
  };
  const release = (event) => pointers.delete(event.pointerId);
  top.onpointerup = (event) => {
    release(event);
    const flat = flatUnder(event);
    if (dragged < 4 && flat != null) grid.onPick(flat);
  };
  top.onpointercancel = release;
  top.onpointerleave = (event) => {
    release(event);
    if (event.pointerType !== "touch") grid.onHover(null); // what a finger touched stays to be read
  };
  top.addEventListener(
    "wheel",
    (event) => {
      if (!(event.ctrlKey || event.metaKey) || !grid.view) return; // plain wheel scrolls the page
      event.preventDefault();
      grid.zoom(Math.exp(-event.deltaY / 200), ...at(event));
    },
    { passive: false },
  );
  top.ondblclick = () => grid.reset();
  top.onkeydown = (event) => press(grid, event);
  top.onblur = () => grid.onHover(null);
}

/** A key on the focused picture. */
function press(grid, event) {
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  if (!grid.data || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "+" || event.key === "=") grid.zoom(1.5, grid.size.width / 2, grid.size.height / 2);
  else if (event.key === "-") grid.zoom(1 / 1.5, grid.size.width / 2, grid.size.height / 2);
  else if (event.key === "0") grid.reset();
  else if (event.key === "Enter" && grid.focus != null) grid.onPick(grid.focus);
  else if (moves[event.key]) {
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
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

// Runs before a page's own code. Acts as a visitor does, again in every frame until the page answers, and writes to the console
// after how many milliseconds the frame with the answer was painted: "interactive <what> <milliseconds>".
(() => {
  const click = (node, kind, where = {}) => node.dispatchEvent(new MouseEvent(kind, { bubbles: true, composed: true, ...where }));
  const middle = (node) => {
    const box = node.getBoundingClientRect();
    return { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
  };

  /** Has a token of the lines been pointed at, and did its lines stand out? lines: root of the component. */
  const pointed = (lines, place) => {
    const word = lines?.querySelectorAll(".words.query .word")[place];
    if (!word) return false;
    word.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, composed: true, pointerType: "mouse", ...middle(word) }));
    return word.classList.contains("here");
  };

  /** Has another head been chosen in the grid, and does `chosen` hold? */
  const another = (heads, chosen) => {
    const canvas = heads?.querySelector("canvas.over");
    const layout = heads?.heads;
    if (!canvas || !layout?.width) return false;
    if (!another.clicked) {
      another.clicked = true;
      const [x, y] = layout.box(2 * layout.heads + 3);
      const box = canvas.getBoundingClientRect();
      click(canvas, "click", { clientX: box.left + x + 5, clientY: box.top + y + 5 });
    }
    return chosen();
  };

  const root = (id) => document.getElementById(id)?.shadowRoot?.querySelector(".root");
  const steps = {
    head_view: [() => {
      const token = document.querySelector("#left text");
      if (!token) return false;
      click(token.parentNode, "mouseover");
      return document.querySelector("#attention")?.getAttribute("visibility") === "hidden";
    }],
    model_view: [() => {
      if (!document.querySelector(".attn-line-group")) {
        const heads = document.querySelectorAll(".attn_background");
        if (heads.length === 144) click(heads[27].parentNode.lastChild, "click");
        return false;
      }
      click(document.querySelector(".token").parentNode, "mouseover");
      return document.querySelectorAll(".attn-line-group")[1].style.opacity === "0";
    }],
    alone: [
      () => pointed(root("lines"), 1),
      () => another(root("heads"), () => document.getElementById("which").textContent === "Layer 3, head 4" && root("lines").view?.asked === "3") && pointed(root("lines"), 2),
    ],
    app: [
      () => pointed(probe.root("bench_lines"), 1),
      () => another(probe.root("bench_grid"), () => probe.root("bench_lines").view?.asked === "3") && pointed(probe.root("bench_lines"), 2),
    ],
  };

  /** Ends when the frame at hand is painted. */
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(null);
  }));

  const name = new URLSearchParams(location.hash.slice(1)).get("measure");
  const run = async () => {
    for (const [i, step] of (steps[name] ?? []).entries()) {
      await new Promise((resolve) => {
        const look = () => (step() ? resolve() : requestAnimationFrame(look));
        requestAnimationFrame(look);
      });
      await painted();
      console.log(`interactive ${i} ${performance.now().toFixed(1)}`);
    }
  };
  if (name) run();
})();

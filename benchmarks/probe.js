// Runs in the page before the page's own code and notes when things happen, in milliseconds of performance.now().
(() => {
  const probe = (window.probe = { asked: null, messages: [], bytes: 0 });

  // Streamlit asks and answers through one socket.
  window.WebSocket = class extends WebSocket {
    constructor(...address) {
      super(...address);
      this.addEventListener("message", (event) => {
        probe.messages.push(performance.now());
        probe.bytes += event.data.byteLength ?? event.data.size ?? event.data.length;
      });
    }

    send(data) {
      probe.asked ??= performance.now();
      super.send(data);
    }
  };

  /** The root of the component with this key; null where it is not mounted. */
  probe.root = (key) => {
    const inside = [...document.querySelectorAll(`.st-key-${key} *`)].map((element) => element.shadowRoot).find(Boolean);
    return inside?.querySelector(".root") ?? null;
  };
  const drawn = (key) => Number(probe.root(key)?.dataset.drawn ?? 0);
  const heading = () => document.querySelector("[data-testid=stMain] h1");

  /** What holds, looked at in each display frame → when it first did. */
  const first = (holds) => new Promise((resolve) => {
    const look = () => (holds() ? resolve(performance.now()) : requestAnimationFrame(look));
    requestAnimationFrame(look);
  });

  /** The next event of this kind, wherever on the page → when the hand made it. Forgets what was noted before it. */
  const hand = (kind) => new Promise((resolve) => {
    window.addEventListener(kind, (event) => {
      Object.assign(probe, { asked: null, messages: [], bytes: 0 });
      resolve(event.timeStamp);
    }, { capture: true, once: true });
  });

  probe.painted = new Promise((resolve) => {
    const isContent = (entry) => entry.name === "first-contentful-paint";
    new PerformanceObserver((list) => list.getEntries().filter(isContent).forEach((entry) => resolve(entry.startTime)))
      .observe({ type: "paint", buffered: true });
  });
  probe.heading = first(() => heading()?.textContent && heading().getBoundingClientRect().height > 0);

  /** From the next click until another heading stands and the maps with this key are drawn. */
  probe.awaitPage = (key) => {
    const before = heading()?.textContent;
    probe.result = hand("click").then(async (start) => (await first(() => heading() && heading().textContent !== before && drawn(key))) - start);
  };

  /** From the next key until the maps with this `key` have drawn what the server answered, and the parts of that time. */
  probe.awaitPicture = (key) => {
    const root = probe.root(key);
    probe.result = hand("keydown").then((start) => new Promise((resolve) => {
      const watcher = new MutationObserver(() => {
        if (!probe.messages.length) return; // drawn again, but not with news
        watcher.disconnect();
        const end = performance.now();
        const answered = probe.messages.at(-1);
        resolve({ all: end - start, asking: probe.asked - start, server: answered - probe.asked, drawing: end - answered, bytes: probe.bytes });
      });
      watcher.observe(root, { attributeFilter: ["data-drawn"] });
    }));
  };

  /** work: from the next move of the pointer until the frame with the new readout is painted; frames: how many have begun. */
  probe.awaitReadout = (key) => {
    const readout = probe.root(key).querySelector(".readout");
    probe.result = hand("pointermove").then(() => new Promise((resolve) => {
      let frames = 0;
      const count = () => {
        frames += 1;
        requestAnimationFrame(count);
      };
      requestAnimationFrame(count);
      const begun = performance.now();
      const watcher = new MutationObserver(() => {
        watcher.disconnect();
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve({ work: performance.now() - begun, frames });
        port2.postMessage(null); // comes when the frame at hand is painted
      });
      watcher.observe(readout, { childList: true });
    }));
  };

  /** The stepper with this key takes its bytes as if they were new → their number, and the time to read and lay them out. */
  probe.openStepper = (key) => {
    const root = probe.root(key);
    const { stepper } = root;
    const { bytes } = stepper;
    stepper.bytes = null;
    const start = performance.now();
    stepper.load(bytes);
    root.getBoundingClientRect();
    return { bytes: bytes.byteLength, all: performance.now() - start };
  };
})();

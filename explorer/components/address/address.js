// Sets query parameters of the address, without a new entry in the history.

// Streamlit rewrites the address when a run ends, from what it knew when the run began: so it is said again after that.
const AGAIN_MS = [0, 150, 500, 1500];

export default function ({ data, parentElement }) {
  const span = parentElement.querySelector("span");
  (span.waiting ?? []).forEach(clearTimeout);
  const write = () => {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(data)) url.searchParams.set(name, value);
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  };
  span.waiting = AGAIN_MS.map((after) => setTimeout(write, after));
  return () => span.waiting.forEach(clearTimeout);
}

// Streamlit calls this anew on every change of theme. It asks for one run of the page for a theme that was not drawn.

import { applyTheme } from "../shared/colour.js";

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("span");
  const shown = applyTheme(root);
  if (shown === data.drawn) root.dataset.asked = "";
  else if (root.dataset.asked !== shown) {
    root.dataset.asked = shown;
    setTriggerValue("changed", shown);
  }
}

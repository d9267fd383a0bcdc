"""A component on a page of its own, without the app around it: quick, and what it drew can be asked for."""

from __future__ import annotations

import base64
from pathlib import Path

from playwright.sync_api import Page

from explorer.components.bundle import bundle
from explorer.components.style import stylesheet

COMPONENTS = Path(__file__).parents[2] / "explorer" / "components"
THEMES = {"light": ("#ffffff", "#1b1d21"), "dark": ("#14161a", "#e8e8e4")}

MOUNT = """async ([script, style]) => {
    const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const { default: mount } = await import(url);
    const host = document.createElement("div");
    document.body.replaceChildren(host);
    const shadow = host.attachShadow({ mode: "open" });
    shadow.append(Object.assign(document.createElement("style"), { textContent: style }));
    shadow.append(Object.assign(document.createElement("div"), { className: "root" }));
    window.root = shadow.querySelector(".root");
    window.states = {};
    window.show = (text) => mount({
        data: Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)),
        parentElement: shadow,
        setStateValue: (name, value) => { window.states[name] = value; },
        setTriggerValue: (name, value) => { window.states[name] = value; },
    });
}"""


def mount(page: Page, name: str, *, theme: str = "light", width: int = 700, height: int = 900) -> None:
    """Load the component explorer/components/<name>; in the page window.root is its root, window.states what it set."""
    page.set_viewport_size({"width": width, "height": height})
    ground, text = THEMES[theme]
    page.set_content(
        "<!doctype html><style>:root { "
        f"--st-background-color: {ground}; --st-text-color: {text}; --st-font: sans-serif }} "
        f"body {{ margin: 12px; background: {ground} }}</style>"
    )
    style = stylesheet(COMPONENTS, "shared/base.css", "shared/transport.css", f"{name}/{name}.css")
    page.evaluate(MOUNT, [bundle(COMPONENTS, f"{name}/{name}.js"), style])


def show(page: Page, payload: bytes) -> None:
    """Hand the component its data, as a run of the app would."""
    page.evaluate("(text) => window.show(text)", base64.b64encode(payload).decode())
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

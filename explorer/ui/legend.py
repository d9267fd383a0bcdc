"""Buttons that are also a legend: each class that can be switched off shows its colour."""

from __future__ import annotations

from collections.abc import Iterable


def swatches(key: str, colours: Iterable[str], more: str = "") -> str:
    """A style for the pills of this key: each begins with a square of its colour, hollow where it is off.

    colours: CSS, in the order of the pills; more: declarations for every square.
    """
    button = f".st-key-{key} button[data-variant=pills]"
    square = f"width:12px;height:12px;margin-right:6px;border:3px solid;flex:none;{more}"
    rules = [f'{button}::before{{content:"";{square}}}']
    for place, colour in enumerate(colours, start=1):
        rules.append(f"{button}:nth-of-type({place})::before{{border-color:{colour};background:{colour}}}")
    rules.append(f"{button}[aria-pressed=false]::before{{background:none!important}}")
    return f"<style>{''.join(rules)}</style>"

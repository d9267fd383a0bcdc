"""All layers of a network in a row: how large their maps are and what they cost; one is marked, and can be chosen here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from explorer.components.component import component
from explorer.components.packing import pack
from explorer.text import _

_mount = component("layer_strip")


@dataclass(frozen=True)
class Column:
    """One layer.

    name: what a click gives back. group: layers beside each other with the same text stand under it, "64 × 64". height: 0–1,
    of its block; role: the palette role of the block, paler if `pale`. bars: a number ≥ 0 for each of the strip's bands.
    about: its facts, in a line of text.
    """

    name: str
    group: str
    height: float
    role: str
    bars: tuple[float, ...]
    about: str
    pale: bool = False


def layer_strip(
    columns: Sequence[Column],
    *,
    key: str,
    selected: str,
    bands: Sequence[tuple[str, str]],
    legend: Sequence[tuple[str, bool, str]],
    alt: str,
) -> None:
    """Show the layers; a click or an arrow key comes back as {"name": …} under "picked" (explorer.ui.picks.fresh_state).

    selected: the name of the marked one. bands: title and palette role of each row of bars; legend: (role, pale, text) of the
    blocks' colours. alt: what the strip shows, in a sentence.
    """
    data = encode(columns, selected=selected, bands=bands, legend=legend, alt=alt)
    _mount(key=key, data=data, default={"picked": None}, on_picked_change=lambda: None)


def encode(
    columns: Sequence[Column],
    *,
    selected: str,
    bands: Sequence[tuple[str, str]],
    legend: Sequence[tuple[str, bool, str]],
    alt: str,
) -> bytes:
    """The bytes that layer_strip.js reads. Raises ValueError where no column has the name `selected`."""
    if all(column.name != selected for column in columns):
        raise ValueError(f"there is no layer “{selected}”")
    body: Mapping[str, object] = {
        "columns": [vars(column) for column in columns],
        "selected": selected,
        "bands": [list(band) for band in bands],
        "legend": [list(entry) for entry in legend],
        "alt": alt,
        "texts": {"layer": _("Layer")},
    }
    return pack(body, [])

"""A recurrent network unrolled: step by step, with gates, shared weights and the arithmetic behind every state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.components.component import component
from explorer.components.packing import pack
from explorer.recurrent_views import Cell, CellRun, Scan, Setup

_mount = component("unrolled", "transport.css")


@dataclass(frozen=True)
class Stepped:
    """The step that the visitor wants to see in the code. direction: 1 backwards; time: of the click, ms since 1970."""

    place: int
    layer: int
    direction: int
    time: int = 0

    @classmethod
    def read(cls, held: Mapping[str, int] | None) -> Stepped | None:
        """From what the browser sent."""
        return None if held is None else cls(held["place"], held["layer"], held["direction"], held.get("time", 0))


def unrolled(
    runs: Sequence[CellRun],
    words: Sequence[str],
    setup: Setup,
    *,
    large: Cell,
    key: str,
    start: int = 0,
    url: str = "",
    stepper: str = "",
) -> Stepped | None:
    """Show the runs of all three cells on one sequence; the visitor steps through them together.

    words: what stands under each step. large: the cell whose insides are shown. start: the step to open on, counted through
    all layers, where the query parameter `url` names none. stepper: key of the container with the code of a step; a click
    scrolls there and comes back as Stepped.
    """
    arrays: list[np.ndarray] = []
    body = {
        "words": list(words),
        "cell": large,
        "activation": setup.activation,
        "layers": setup.layers,
        "directions": setup.directions,
        "start": start,
        "url": url,
        "stepper": stepper,
        "cells": {run.cell: [[_record(scan, arrays) for scan in layer] for layer in run.scans] for run in runs},
    }
    state = _mount(key=key, data=pack(body, arrays), default={"stepped": None}, on_stepped_change=lambda: None)
    return Stepped.read(state.stepped)


def _record(scan: Scan, arrays: list[np.ndarray]) -> dict[str, Any]:
    """Name → place in the arrays, None for what the cell does not have."""
    named = {"x": scan.x, "h0": scan.h0, "h": scan.h, "c0": scan.c0, "c": scan.c, "gates": scan.gates}
    named |= dict(zip(("w_ih", "w_hh", "b_ih", "b_hh"), scan.weights, strict=True))
    record: dict[str, Any] = {}
    for name, values in named.items():
        if values is not None:
            arrays.append(np.ascontiguousarray(values, np.float32))
        record[name] = None if values is None else len(arrays) - 1
    return record

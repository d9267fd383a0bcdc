"""Multi-head attention as linked pictures: split, attend head by head, concatenate, mix; each head in its own colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.components.component import component
from explorer.components.packing import pack
from explorer.text import _

if TYPE_CHECKING:
    from explorer.multihead_views import MultiHead


_mount = component("head_flow")


def head_flow(run: MultiHead, words: Sequence[str], *, key: str) -> None:
    """Show one run of the layer on these words; at most 12 heads.

    Pointing at a cell lights the cells that it was made from, a click pins them, Escape lets go; none of it asks the server.
    """
    count, d_head = len(run.heads), run.d_head
    body = {
        "words": list(words),
        "heads": count,
        "d_head": d_head,
        "texts": {
            "project": _("1 · Project, and split the columns over the heads"),
            "attend": _("2 · Each head attends for itself, with vectors {d} wide").format(d=d_head),
            "join": _("3 · Concatenate, and mix with W_O"),
            "head": _("Head {n}"),
            "weights": _("weights"),
            "hint": _("Point at a cell: what it was made from lights up."),
        },
    }
    arrays = (
        run.x,
        run.query,
        run.key,
        run.value,
        run.weights,
        run.heads,
        run.joined,
        run.w_out,
        run.b_out[None],
        run.output,
    )
    _mount(key=key, data=pack(body, [np.ascontiguousarray(array, np.float32) for array in arrays]))

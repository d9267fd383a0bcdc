"""Python's garbage collector and the libraries, at which it need not look again and again."""

from __future__ import annotations

import gc
import sys

_known = 0
"""How many modules there were when the collector was last told to leave alone what there is."""


def spare_libraries() -> None:
    """Keep what libraries made out of all later collections, whenever some have been imported since the last call.

    Streamlit collects garbage after each run of a script. With torch loaded this takes a fifth of a second, in which
    the server sends and answers nothing. Modules stay, so there is nothing to find in them. What else lives at this moment is
    kept out as well; it still goes when nobody refers to it, unless its parts refer to each other.
    """
    global _known
    if len(sys.modules) > _known:
        _known = len(sys.modules)
        gc.collect()
        gc.freeze()

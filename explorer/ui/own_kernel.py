"""A kernel typed into a grid, or as text; the text is in the URL."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from explorer.components.address import keep_in_address
from explorer.errors import UserError
from explorer.kernels import KERNELS, Kernel, format_kernel, own_kernel, parse_kernel
from explorer.text import _

SIZES = (1, 3, 5, 7, 9)
TEXT, SIZE, GRID = "own_kernel", "own_size", "own_grid"
BEGUN = "own_begun"
"""(text, numbers): what the grid stands for now, and what it began with; it keeps what was typed as changes to these."""


def type_kernel() -> Kernel:
    """The controls, and the kernel in them. What cannot be used is explained, and the last good kernel stays."""
    state = st.session_state
    state.setdefault(TEXT, st.query_params.get(TEXT, format_kernel(KERNELS["sharpen"]().x)))
    try:
        state["own_last"] = own_kernel(state[TEXT])
    except UserError as error:
        st.error(str(error), icon=":material/grid_on:")
    kernel: Kernel = state.setdefault("own_last", KERNELS["sharpen"]())
    if kernel.size in SIZES:
        state[SIZE] = kernel.size
        st.select_slider(_("Rows and columns"), SIZES, key=SIZE, on_change=_resize)
    text = format_kernel(kernel.x)
    if BEGUN not in state or state[BEGUN][0] != text:
        state[BEGUN] = (text, kernel.x.astype(float))
        state["own_generation"] = state.get("own_generation", 0) + 1
    key = f"{GRID}_{state['own_generation']}"
    st.data_editor(
        pd.DataFrame(state[BEGUN][1], columns=[str(column) for column in range(kernel.size)]),
        key=key,
        hide_index=True,
        on_change=_take_grid,
        args=(key,),
        column_config={
            str(column): st.column_config.NumberColumn(" " * (column + 1), format="%g", width=44, required=True)
            for column in range(kernel.size)
        },
        alt=_("The weights of your kernel, row by row."),
    )
    st.text_input(
        _("The same as text"),
        key=TEXT,
        help=_("Rows separated by semicolons; an odd number of rows, as many numbers in each; 1/9 is read too."),
    )
    keep_in_address({TEXT: text}, key="own_kernel_address")
    return kernel


def _take_grid(key: str) -> None:
    """Put what was typed into the grid into the text."""
    state = st.session_state
    values = state[BEGUN][1].copy()
    for row, cells in state[key]["edited_rows"].items():
        for column, value in cells.items():
            values[int(row), int(column)] = value or 0.0
    text = format_kernel(values)
    state[TEXT] = text
    state[BEGUN] = (text, state[BEGUN][1])


def _resize() -> None:
    """The kernel with zeros around it, or only its middle."""
    kernel, size = parse_kernel(st.session_state[TEXT]), st.session_state[SIZE]
    out = np.zeros((size, size))
    k = min(size, len(kernel))
    a, b = (size - k) // 2, (len(kernel) - k) // 2
    out[a : a + k, a : a + k] = kernel[b : b + k, b : b + k]
    st.session_state[TEXT] = format_kernel(out)

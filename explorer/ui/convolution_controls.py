"""The settings of the convolution page: each bounds the next, so that every state that can be reached can be computed."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
import streamlit as st

from explorer.components.maps import Picked
from explorer.convolution_views import Operation, Pair, Setup
from explorer.models.convolution import PaddingMode
from explorer.shapes import (
    max_dilation,
    max_kernel,
    max_output_padding,
    max_padding,
    max_same_dilation,
    max_same_kernel,
    max_transpose_padding,
    span,
)
from explorer.text import _
from explorer.ui.bounded import bounded
from explorer.ui.convolution_input import MOST_KERNEL
from explorer.ui.picks import fresh_pick

MOST_STRIDE, MOST_DILATION, MOST_PADDING, MOST_OUTPUTS = 5, 5, 6, 6
Padding = int | Literal["same", "valid"]


def choose_operation() -> Operation:
    """Correlation, true or transposed convolution."""
    names: dict[Operation, str] = {
        "correlation": _("Correlation"),
        "convolution": _("Flipped"),
        "transposed": _("Transposed"),
    }
    tip = _("Deep learning's “convolution” is correlation. The mathematical one flips the kernel first; "
            "the transposed one goes the way back, from small to large.")  # fmt: skip
    return st.segmented_control(_("Operation"), list(names), default="correlation", required=True, help=tip,
                                format_func=names.__getitem__, key="conv_operation", bind="query-params")  # fmt: skip


def choose_padding(size: Pair) -> tuple[Padding, PaddingMode]:
    """How far the input is continued, and with what."""
    kinds: dict[Literal["same", "valid", "cells"], str] = {
        "valid": _("None (valid)"),
        "same": _("Same size"),
        "cells": _("Own"),
    }
    kind = st.segmented_control(_("Padding"), list(kinds), default="valid", required=True,
                                format_func=kinds.__getitem__, key="conv_padding", bind="query-params")  # fmt: skip
    modes: dict[PaddingMode, str] = {
        "zeros": _("Zeros"),
        "reflect": _("Reflect"),
        "replicate": _("Replicate"),
        "circular": _("Circular"),
    }
    mode = cast(PaddingMode, st.selectbox(_("Filled with"), list(modes), format_func=modes.__getitem__, key="conv_mode",
                                          bind="query-params"))  # fmt: skip
    least = size[1] if size[0] == 1 else min(size)
    most = min(max_padding(least, mode) or MOST_PADDING, MOST_PADDING)
    cells = bounded(_("Cells on each side"), range(most + 1), 1, key="conv_cells", disabled=kind != "cells")
    return (cells if kind == "cells" else kind), mode


def most_kernel(size: Pair, padding: Padding, mode: PaddingMode, operation: Operation) -> Pair:
    """Rows and columns of the largest kernel."""

    def most(n: int) -> int:
        if operation == "transposed":
            return MOST_KERNEL
        if padding == "same":
            return max_same_kernel(n, mode) or MOST_KERNEL
        cells = padding if isinstance(padding, int) else 0
        return max_kernel(n, (cells, cells))

    return (1 if size[0] == 1 else most(size[0])), most(size[1])


def choose_dilation(size: Pair, kernel: Pair, padding: Padding, mode: PaddingMode,
                    operation: Operation) -> int:  # fmt: skip
    """Cells from one weight to the next."""

    def most(n: int, k: int) -> int:
        if operation == "transposed" or k == 1:
            return MOST_DILATION
        if padding == "same":
            return max_same_dilation(n, k, mode) or MOST_DILATION
        cells = padding if isinstance(padding, int) else 0
        return max_dilation(n, k, (cells, cells))

    largest = min(MOST_DILATION, *(most(n, k) for n, k in zip(size, kernel, strict=True)))
    return bounded(_("Dilation"), range(1, largest + 1), 1, key="conv_dilation")


def choose_setup(size: Pair, kernel: Pair, stride: int, dilation: int, groups: int, operation: Operation,
                 padding: Padding, mode: PaddingMode) -> Setup:  # fmt: skip
    """All that was chosen, in pairs; for a transposed convolution also what it cuts off and adds."""
    series = size[0] == 1

    def pair(value: int, rows: int) -> Pair:
        return (rows, value) if series else (value, value)

    extra = 0
    if operation == "transposed":
        extra = bounded(_("Output padding"), range(max_output_padding(stride, dilation) + 1), 0, key="conv_extra")
        axes = [(n, k) for n, k in zip(size, kernel, strict=True)][series:]
        most = min(max_transpose_padding(n, k, stride, extra, dilation) for n, k in axes)
        padding = bounded(_("Cut off each side"), range(min(most, MOST_PADDING) + 1), 0, key="conv_cut")
    return Setup(
        operation=operation,
        stride=pair(stride, 1),
        padding=pair(padding, 0) if isinstance(padding, int) else padding,
        padding_mode=mode if operation != "transposed" else "zeros",
        dilation=pair(dilation, 1),
        groups=groups,
        output_padding=pair(extra, 0),
        series=series,
    )


def choose_groups(inputs: int) -> int:
    """Groups of channels that do not see each other."""
    divisors = [n for n in range(1, inputs + 1) if inputs % n == 0]
    return bounded(_("Groups"), divisors, 1, key="conv_groups")


def choose_outputs(groups: int, most: int = MOST_OUTPUTS) -> int:
    """Output channels: as many in each group."""
    return bounded(_("Channels out"), range(groups, most + 1, groups), groups, key="conv_outputs")


def choose_place(result: np.ndarray, inputs: int, size: Pair, kernel: Pair, setup: Setup) -> tuple[int, int, int]:
    """Output channel, row and column to take apart, by slider or by a click on the maps: inputs first, then outputs.

    For a transposed convolution row and column are the input's. result: (O, H_out, W_out).
    """
    transposed = setup.operation == "transposed"
    rows, columns = size if transposed else result.shape[1:]
    picked, answer = fresh_pick("conv_maps"), fresh_pick("conv_answers")
    if picked is not None or answer is not None:
        _move(picked, answer, inputs, (len(result), rows, columns), kernel, setup)
    places = ((_("Output channel"), len(result), 0), (_("Row"), rows, rows // 2), (_("Column"), columns, columns // 2))
    channel, row, column = (
        bounded(label, range(count), middle, key=key) if count > 1 else 0
        for (label, count, middle), key in zip(places, ("conv_channel", "conv_row", "conv_column"), strict=True)
    )
    return channel, row, column


def _move(picked: Picked | None, answer: Picked | None, inputs: int, most: tuple[int, int, int], kernel: Pair,
          setup: Setup) -> None:  # fmt: skip
    """Lay the kernel where was clicked: in maps of inputs, outputs behind them, or in maps of outputs alone."""
    cell = cast(Picked, picked or answer)
    output = cell.map if picked is None else cell.map - inputs
    row, column = cell.row, cell.column
    if (output < 0) != (setup.operation == "transposed"):  # the side that the kernel slides on: its middle goes there
        axes = zip((row, column), setup.cut, kernel, setup.dilation, setup.stride, strict=True)
        row, column = ((at + cut - span(k, d) // 2) // step for at, cut, k, d, step in axes)
    places = {"conv_row": (row, most[1]), "conv_column": (column, most[2])}
    if output >= 0:
        places["conv_channel"] = (output, most[0])
    for key, (value, count) in places.items():
        st.session_state[key] = min(max(value, 0), count - 1)

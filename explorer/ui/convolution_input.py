"""What is convolved on the convolution page: a window of the photo, a typed matrix or series, and the kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from explorer.convolution_views import SERIES_KERNELS, Pair, random_weights, series_kernel, spread
from explorer.errors import UserError
from explorer.kernels import KERNELS
from explorer.tables import format_table, parse_table
from explorer.text import _
from explorer.ui.bounded import bounded

LEAST = 3  # rows and columns of a typed input, so that every named kernel fits
MOST_KERNEL = 15
RANDOM, OWN = "random", "own"
SEVEN = "0 0 0 0 0 0 0\n0 9 9 9 9 9 0\n0 0 0 0 9 0 0\n0 0 0 9 0 0 0\n0 0 9 0 0 0 0\n0 0 9 0 0 0 0\n0 0 0 0 0 0 0"
SERIES = "2 3 2 3 2 3 9 8 9 8 9 8 4 3 2 1 0 1"

Source = Literal["photo", "matrix", "series"]


@dataclass(frozen=True, eq=False)
class Chosen:
    """A kernel. values: float32 (kh, kw); None for random weights. source: Python that gives it."""

    name: str
    size: Pair
    values: np.ndarray | None
    source: str = ""
    seed: int = 0

    def snippet(self, inputs: int, outputs: int, groups: int, transposed: bool) -> str:
        """The lines that give the same, of names that stand in explorer.convolution_views, kernels and tables."""
        extra = (f", groups={groups}" if groups > 1 else "") + (", transposed=True" if transposed else "")
        if self.values is None:
            return f"weight = random_weights({self.size}, {inputs}, {outputs}{extra}, seed={self.seed})"
        return f"kernel = {self.source}\nweight = spread(kernel, {inputs}, {outputs}{extra})"

    def weight(self, inputs: int, outputs: int, groups: int, transposed: bool) -> Tensor:
        """The kernels of all channels."""
        if self.values is None:
            return random_weights(self.size, inputs, outputs, groups, transposed, self.seed)
        return spread(self.values, inputs, outputs, groups, transposed)


def fitting(kernel: Chosen, size: Pair) -> Chosen:
    """The kernel, or Sobel's where it is larger than a picture of this size."""
    if all(k <= n for k, n in zip(kernel.size, size, strict=True)):
        return kernel
    return Chosen(_("Sobel"), (3, 3), KERNELS["sobel"](3).x)


def typed(
    key: str, label: str, default: np.ndarray, parse: Callable[[str], np.ndarray], tip: str, height: int = 110
) -> np.ndarray:
    """A field for numbers. One that cannot be read is explained, and the last good one stays."""
    text = st.text_area(label, format_table(default), key=key, bind="query-params", height=height, help=tip)
    try:
        st.session_state[f"{key} read"] = parse(text)
    except UserError as error:
        st.error(str(error), icon=":material/grid_on:")
    return cast(np.ndarray, st.session_state.get(f"{key} read", default))


def choose_source() -> Source:
    """Where the numbers come from."""
    names: dict[Source, str] = {"photo": _("Photo"), "matrix": _("Matrix"), "series": _("Series")}
    return st.segmented_control(_("Input"), list(names), default="photo", required=True,
                                format_func=names.__getitem__, key="conv_input", bind="query-params")  # fmt: skip


def typed_input(source: Source) -> np.ndarray:
    """float32 (C, H, W); a series has H = 1."""
    tip = _("Up to four channels, with an empty line between them.")
    if source == "series":
        example = parse_table(SERIES, columns=(LEAST, 64))
        return typed("conv_series", _("Numbers"), example,
                     lambda text: parse_table(text, rows=(1, 1), columns=(LEAST, 64)), tip)  # fmt: skip
    example = parse_table(SEVEN)
    return typed("conv_matrix", _("Rows, on lines of their own"), example,
                 lambda text: parse_table(text, rows=(LEAST, 24), columns=(LEAST, 24)), tip,
                 height=215)  # fmt: skip


def choose_kernel(size: Pair, most: Pair, box: DeltaGenerator) -> Chosen:
    """The kernel, as large as the padded input at most. size: the input's. box: where the kernel's size is set."""
    series = size[0] == 1
    names = {key: family().name for key, family in KERNELS.items()}
    if series:
        names = {"gaussian": _("Smooth"), "box": _("Average"), "difference": _("Difference"), "identity": _("Identity")}
    names |= {RANDOM: _("Random weights"), OWN: _("Your own …")}
    key = st.selectbox(_("Kernel"), list(names), index=list(names).index("gaussian" if series else "sobel"),
                       format_func=names.__getitem__, key="conv_series_kernel" if series else "conv_kernel",
                       bind="query-params")  # fmt: skip
    largest = min(most[1] if series else min(most), MOST_KERNEL)
    if key == OWN:
        return _own_kernel(series, most)
    with box:
        sizes: list[int] = list(range(1, largest + 1))
        if key != RANDOM:
            family = KERNELS[SERIES_KERNELS[key]] if series else KERNELS[key]
            sizes = [n for n in family.sizes if n <= largest]
        k = bounded(_("Kernel size"), sizes, 3, key="conv_size")
    if key == RANDOM:
        with box:
            seed = bounded(_("Seed of the random weights"), range(10), 0, key="conv_seed")
        return Chosen(names[key], (1, k) if series else (k, k), None, seed=seed)
    if series:
        return Chosen(names[key], (1, k), series_kernel(key, k), f'series_kernel("{key}", {k})')
    return Chosen(names[key], (k, k), KERNELS[key](k).x, f'KERNELS["{key}"]({k}).x')


def _own_kernel(series: bool, most: Pair) -> Chosen:
    def parse(text: str) -> np.ndarray:
        return parse_table(text, rows=(1, 1 if series else MOST_KERNEL), columns=(1, MOST_KERNEL), channels=1)

    example = np.array([[[1, 0, -1]]] if series else [[[-1, -1, 0], [-1, 0, 1], [0, 1, 1]]], np.float32)
    tip = _("Fractions such as 1/9 are read too. It need not be square.")
    key = "conv_own_series" if series else "conv_own"
    values = typed(key, _("Rows of the kernel"), example, parse, tip)[0]
    if values.shape[0] > most[0] or values.shape[1] > most[1]:
        message = _("Your kernel is {rows} × {columns}, larger than the padded input: here it is cut to what fits.")
        st.caption(message.format(rows=values.shape[0], columns=values.shape[1]))
        values = values[: most[0], : most[1]]
    return Chosen(
        _("Your kernel"), (len(values), len(values[0])), values, f'parse_table("""{format_table(values[None])}""")[0]'
    )

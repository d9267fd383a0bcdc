"""Typed numbers: series, matrices and stacks of matrices, from text to arrays and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.errors import UserError
from explorer.text import _

MOST = 1e6
"""The largest magnitude of a typed number."""


def parse_table(
    text: str, *, rows: tuple[int, int] = (1, 64), columns: tuple[int, int] = (1, 64), channels: int = 4
) -> np.ndarray:
    """Typed numbers → float32 (C, H, W), all finite.

    text: numbers such as "-1", "0.5" or "1/9" with blanks or commas between them, a new line or ";" between rows and an
    empty line between channels. rows, columns: the fewest and the most; channels: the most. Raises UserError.
    """
    blocks: list[list[list[float]]] = [[]]
    for line in text.replace(";", "\n").splitlines():
        numbers = [_number(word, line) for word in line.replace(",", " ").split()]
        if numbers:
            blocks[-1].append(numbers)
        elif blocks[-1]:
            blocks.append([])
    table = [block for block in blocks if block]
    if not table:
        raise UserError(_("There are no numbers yet: type some, such as 1 0 -1."))
    if len(table) > channels:
        message = _("There are {found} channels, parted by empty lines: use at most {most}.")
        raise UserError(message.format(found=len(table), most=channels))
    height, width = len(table[0]), len(table[0][0])
    for block in table:
        if len(block) != height:
            raise UserError(_("The channels have {a} and {b} rows: give all the same.").format(a=height, b=len(block)))
        for row in block:
            if len(row) != width:
                message = _("There are rows of {a} and of {b} numbers: make them equally long.")
                raise UserError(message.format(a=width, b=len(row)))
    _check(height, rows, _("The number of rows is {found}: use {least} to {most}."))
    _check(width, columns, _("The number of columns is {found}: use {least} to {most}."))
    return np.array(table, np.float32)


def format_table(table: np.ndarray) -> str:
    """The table as text that parse_table reads back exactly. table: float32 (C, H, W)."""
    rows = [[" ".join(np.format_float_positional(v, trim="-") for v in row) for row in block] for block in table]
    return "\n\n".join("\n".join(block) for block in rows)


def edit_table(table: np.ndarray, cells: Mapping[int, Mapping[int, float | None]], name: str) -> np.ndarray:
    """A copy of the table with these cells typed anew: row → column → number, None where it was emptied.

    table: float (H, W); name: what the table is called → float32 (H, W), all finite. Raises UserError.
    """
    edited = table.astype(np.float32)
    for row, columns in cells.items():
        for column, value in columns.items():
            place = _("Row {row}, column {column} of {name}").format(row=row + 1, column=column + 1, name=name)
            if value is None:
                raise UserError(_("{place} is empty: type a number there.").format(place=place))
            if not abs(value) <= MOST:
                raise UserError(_("{place} is not a number up to a million: type a smaller one.").format(place=place))
            edited[row, column] = value
    return edited


def resize_table(table: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The first rows and columns; zeros where there were none. table: (H, W) → (rows, columns)."""
    resized = np.zeros((rows, columns), table.dtype)
    kept = table[:rows, :columns]
    resized[: kept.shape[0], : kept.shape[1]] = kept
    return resized


def _check(found: int, bounds: tuple[int, int], message: str) -> None:
    if not bounds[0] <= found <= bounds[1]:
        raise UserError(message.format(found=found, least=bounds[0], most=bounds[1]))


def _number(word: str, line: str) -> float:
    numerator, slash, denominator = word.replace("−", "-").partition("/")
    try:
        value = float(numerator) / float(denominator) if slash else float(numerator)
    except (ValueError, ZeroDivisionError):
        value = float("nan")
    if not abs(value) <= MOST:
        message = _("“{word}” in the line “{line}” is not a number up to a million: type one such as -1, 0.5 or 1/9.")
        raise UserError(message.format(word=word[:20], line=line.strip()[:40]))
    return value

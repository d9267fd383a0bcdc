"""Typed numbers: series, matrices and stacks of matrices, from text to arrays and back."""

from __future__ import annotations

import numpy as np

from explorer.errors import UserError
from explorer.text import _


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


def _check(found: int, bounds: tuple[int, int], message: str) -> None:
    if not bounds[0] <= found <= bounds[1]:
        raise UserError(message.format(found=found, least=bounds[0], most=bounds[1]))


def _number(word: str, line: str) -> float:
    numerator, slash, denominator = word.replace("−", "-").partition("/")
    try:
        value = float(numerator) / float(denominator) if slash else float(numerator)
    except (ValueError, ZeroDivisionError):
        value = float("nan")
    if not abs(value) <= 1e6:
        message = _("“{word}” in the line “{line}” is not a number up to a million: type one such as -1, 0.5 or 1/9.")
        raise UserError(message.format(word=word[:20], line=line.strip()[:40]))
    return value

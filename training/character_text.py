"""The text that the character LSTM learns from.

The file (en_children_classics.txt) has a sentence a line and an empty line after each chapter. The chapters are set in lines of
at most 64 characters, as in a book, so that the state can learn where a line ends; every 20th chapter is held out.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from explorer.models.characters import ALPHABET

LINE = 64
HELD_OUT_EVERY = 20


def chapters(file: Path) -> list[str]:
    """The book's chapters, set in lines; characters outside ALPHABET are left out."""
    known = set(ALPHABET)
    parts = file.read_text(encoding="utf-8").split("\n\n")
    running = (" ".join("".join(c for c in part if c in known).split()) for part in parts)
    return ["\n".join(textwrap.wrap(text, LINE)) + "\n\n" for text in running if text]


def split(texts: list[str]) -> tuple[list[str], list[str]]:
    """(train, held out)."""
    held_out = texts[::HELD_OUT_EVERY]
    return [text for i, text in enumerate(texts) if i % HELD_OUT_EVERY], held_out

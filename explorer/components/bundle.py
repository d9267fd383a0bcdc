"""ES modules as one script: Streamlit takes a component's JavaScript as a single text."""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import\s[^;]*?from\s+"(\.[^"]+)";\n', re.MULTILINE)


def bundle(folder: Path, *names: str) -> str:
    """The named modules, each after all that it imports, once, without the import lines.

    Their top-level names share one scope, so no two modules may declare the same name.
    """
    done: dict[Path, str] = {}

    def add(path: Path) -> None:
        if path in done:
            return
        text = path.read_text(encoding="utf-8")
        for found in _IMPORT.finditer(text):
            add((path.parent / found[1]).resolve())
        done[path] = _IMPORT.sub("", text)

    for name in names:
        add((folder / name).resolve())
    return "\n".join(done.values())

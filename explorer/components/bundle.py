"""ES modules as one script: Streamlit takes a component's JavaScript as a single text."""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r"^import\s[^;]*?from\s+\"\./[^\"]+\";\n|^import\s[^;]*?from\s+\"\.\./[^\"]+\";\n", re.MULTILINE)


def bundle(folder: Path, *names: str) -> str:
    """The modules one after another, each after those it imports, without their import lines.

    Their top-level names share one scope, so no two modules may declare the same name.
    """
    return "\n".join(_IMPORT.sub("", (folder / name).read_text(encoding="utf-8")) for name in names)

"""Visible text: short strings through gettext, long explanations as Markdown files, one folder per language."""

from __future__ import annotations

import gettext
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = ("en",)

_language: ContextVar[str] = ContextVar("language", default="en")


def set_language(code: str) -> None:
    """Use this language for what the current session shows. code: one of LANGUAGES; anything else means English."""
    _language.set(code if code in LANGUAGES else "en")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("explorer", LOCALE, languages=[language], fallback=True)


def _(message: str) -> str:
    """The message in the session's language, or as it is where nobody has translated it yet."""
    return _catalogue(_language.get()).gettext(message)


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def markdown(name: str) -> str:
    """The text of locale/<language>/<name>.md, in English where that language has none."""
    path = LOCALE / _language.get() / f"{name}.md"
    return _read(path if path.exists() else LOCALE / "en" / f"{name}.md")

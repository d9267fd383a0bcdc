"""The sample photos: what they are, who made them, and their pixels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from explorer.errors import UserError
from explorer.images import Photo, read_photo
from explorer.text import _

PHOTOS = Path(__file__).parent / "photos"
_LICENCE_PAGES = {
    "CC0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC BY 2.0": "https://creativecommons.org/licenses/by/2.0/",
}


@dataclass(frozen=True)
class Sample:
    """A record of photos/credits.json, which is in the order to offer them."""

    file: str
    """The file's name in photos/; also the photo's name in a permalink."""
    title: str
    """What is seen on it, in a few words."""
    licence: str
    """CC0, CC BY 2.0 or public domain."""
    source: str
    """Who made it, as far as is known, and where it was taken from."""


@cache
def samples() -> tuple[Sample, ...]:
    """The sample photos, the most useful first."""
    return tuple(Sample(**record) for record in json.loads((PHOTOS / "credits.json").read_text(encoding="utf-8")))


def load_sample(file: str) -> Photo:
    """The pixels of samples()[…].file. Raises UserError for any other name, which may come from an old permalink."""
    if not any(sample.file == file for sample in samples()):
        raise UserError(_("There is no sample photo of that name any more: choose one from the gallery."))
    return read_photo((PHOTOS / file).read_bytes(), name=file)


def credit(sample: Sample) -> str:
    """One line of plain text that gives credit as the licence asks: title, source, licence and where it can be read."""
    page = _LICENCE_PAGES.get(sample.licence)
    return f"{sample.title}. {sample.source}. {sample.licence}{f' ({page})' if page else ''}"

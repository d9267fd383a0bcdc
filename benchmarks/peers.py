"""bertviz 1.4.1 beside which the attention pictures are measured: its pages as files, and the scripts that they load.

requirements-peers.txt brings it, without its dependencies (boto3 and sentencepiece, for models that are not loaded here); it
imports IPython and torch. Its pages load require.js 2.3.6, d3 5.7.0 and jQuery 2.0.0 from a CDN. Here these come through
`npm pack` into a temporary folder at the time of the measurement and are handed to the browser from there; npm has no jQuery
2.0.0, so 2.1.0 takes its place.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np

CDN = "https://cdnjs.cloudflare.com/ajax/libs"
# What a page asks for → (npm package, the file in it).
SCRIPTS = {
    f"{CDN}/require.js/2.3.6/require.min.js": ("requirejs@2.3.6", "package/require.js"),
    f"{CDN}/d3/5.7.0/d3.min.js": ("d3@5.7.0", "package/dist/d3.min.js"),
    f"{CDN}/jquery/2.0.0/jquery.min.js": ("jquery@2.1.0", "package/dist/jquery.min.js"),
}
VIEWS = ("model_view", "head_view")


def missing() -> str:
    """Why bertviz cannot be measured; empty where it can."""
    if not importlib.util.find_spec("bertviz"):
        return "bertviz is not installed: pip install --no-deps --require-hashes -r requirements-peers.txt"
    return "" if shutil.which("npm") else "npm, which fetches the scripts that bertviz loads, is not installed"


def scripts(folder: Path) -> dict[str, str]:
    """Address → text of each script. Raises subprocess.CalledProcessError where npm cannot reach its registry."""
    found = {}
    for address, (package, member) in SCRIPTS.items():
        packed = subprocess.run(
            ["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True
        ).stdout.split()[-1]
        with tarfile.open(folder / packed) as archive:
            file = archive.extractfile(member)
            if file is None:
                raise FileNotFoundError(f"{member} is not in {packed}")
            found[address] = file.read().decode()
    return found


def page(view: str, attention: np.ndarray, tokens: list[str]) -> str:
    """The HTML of "model_view" or "head_view". attention: float32 (layers, heads, T, T)."""
    import bertviz
    import torch

    layers = [torch.from_numpy(layer)[None] for layer in attention]
    return getattr(bertviz, view)(layers, tokens, html_action="return").data

"""Get a model's weights from wherever they are: bundled → local folder → library caches → download.

The local folder is named by the environment variable EXPLORER_MODELS: put the official files there, under their own
names, on a machine without a network. A copy whose hash is wrong, or that cannot be read, is passed over.
"""

from __future__ import annotations

import os
import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from explorer.text import _
from pretrained import LoadError, catalog
from pretrained.download import Cancelled, Progress, fetch, is_intact
from pretrained.records import Card, Model

LOCAL_FOLDER = "EXPLORER_MODELS"
# A checkpoint of a training may hold a score as NumPy's number. These make numbers, under NumPy 2's name and the older one.
_scalar = np.float64(0).__reduce__()[0]
NUMBERS: list[Any] = [
    _scalar,
    (_scalar, "numpy.core.multiarray.scalar"),
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("float32", "float64", "int64")),
]


class DamagedError(LoadError):
    """A file of weights is there, and is not sound."""


@dataclass(frozen=True)
class Copy:
    """A place where weights may lie. sha256: the hash the file must have, or its first digits; "" if unknown.

    part: the entry that holds the tensors, where a checkpoint of a training holds more; "" for the whole file.
    """

    path: Path
    sha256: str
    part: str = ""


def load_state_dict(
    model: Model, progress: Progress | None = None, cancelled: Cancelled | None = None, *, download: bool = True
) -> dict[str, Tensor]:
    """The model's tensors by name, on the CPU, floats as float32.

    progress(bytes so far, bytes in all or None) is called while downloading; cancelled() → True stops that.
    LoadError: there is no sound copy, and none could be downloaded. DamagedError: download is False, and a copy is not sound.
    """
    damaged: LoadError | None = None
    for copy in copies(model):
        if copy.path.is_file():
            try:
                return _read(copy)
            except LoadError as error:
                damaged = damaged or error
    if model.source == "bundled":
        raise catalog.incomplete(catalog.WEIGHTS / model.file) from damaged
    if damaged is not None and not download:
        raise damaged
    official = _cache(model)
    try:
        url = model.url or catalog.official(model).url
        fetch(url, official.path, name=model.name, sha256=official.sha256, progress=progress, cancelled=cancelled)
    except LoadError as error:
        if damaged is None:
            raise
        raise LoadError(f"{damaged} {error}") from error
    return _read(official)


def find(model: Model) -> Path | None:
    """The copy that would be tried first, or None if the model must be downloaded. Quick: does not check the hash."""
    try:
        return next((copy.path for copy in copies(model) if copy.path.is_file()), None)
    except LoadError:  # a bundled model whose card is missing
        return None


def copies(model: Model) -> list[Copy]:
    """Where to look on this machine, in order. LoadError: the card of a bundled model is missing."""
    if model.source == "bundled":
        return [Copy(catalog.WEIGHTS / model.file, catalog.card(model, Card).sha256)]
    places = []
    if folder := os.environ.get(LOCAL_FOLDER):
        official = Path(folder).expanduser() / model.file
        places += [Copy(official.with_suffix(".safetensors"), ""), Copy(official, _sha256(model), model.part)]
    places.append(_cache(model))
    if model.hub_repo and (path := _hugging_face_cache(model.hub_repo)):
        places.append(path)
    return places


def fill(module: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Copy the tensors into the module, which may lie on the meta device and ends on the CPU.

    name: of the model, for the message. LoadError: tensors are missing, left over or of the wrong shape.
    """
    expected = module.state_dict()
    # Counts of training batches: absent from checkpoints older than PyTorch 0.4.1, unused in evaluation.
    counters = {
        key: torch.zeros_like(t, device="cpu") for key, t in expected.items() if key.endswith("num_batches_tracked")
    }
    state = counters | state
    missing = [key for key in expected if key not in state]
    unknown = [key for key in state if key not in expected]
    misshapen = [key for key in expected if key in state and state[key].shape != expected[key].shape]
    problems = (
        (_("{count} of {total} tensors missing (first: {first})"), missing),
        (_("{count} of {total} tensors of another shape (first: {first})"), misshapen),
        (_("{count} beyond its {total} tensors (first: {first})"), unknown),
    )
    found = [text.format(count=len(keys), total=len(expected), first=keys[0]) for text, keys in problems if keys]
    if found:
        message = _("The weights of {name} do not fit the network: {problems}.")
        raise LoadError(message.format(name=name, problems=", ".join(found)))
    module.to_empty(device="cpu")
    expected.update(state)  # keeps what the module notes of its own version
    module.load_state_dict(expected)


def _read(copy: Copy) -> dict[str, Tensor]:
    """DamagedError: the hash differs, or it is no file of weights. Code inside a pickle is refused, never run."""
    path = copy.path
    not_weights = _("{file} is damaged or not a file of weights, so it was not used.").format(file=path.name)
    try:
        if not is_intact(path, copy.sha256):
            raise DamagedError(
                _("{file} is damaged (its checksum differs), so it was not used.").format(file=path.name)
            )
        if path.suffix == ".safetensors":
            # Not mapped into memory: the process would die if somebody shortened the file while it is in use.
            state: Any = load_file(path, backend="pread")
        else:
            with torch.serialization.safe_globals(NUMBERS):
                state = torch.load(path, map_location="cpu", weights_only=True)
            if copy.part and isinstance(state, dict):
                state = state.get(copy.part)
    except pickle.UnpicklingError as error:
        if "global" not in str(error).lower():
            raise DamagedError(not_weights) from error
        message = _("{file} holds program code beside the weights, so it was not opened.")
        raise DamagedError(message.format(file=path.name)) from error
    except DamagedError:
        raise
    except Exception as error:  # a foreign file can fail anywhere in the reader
        raise DamagedError(not_weights) from error
    if not isinstance(state, dict) or not all(isinstance(t, Tensor) for t in state.values()):
        raise DamagedError(not_weights)
    return {name: t.detach().float() if t.is_floating_point() else t.detach() for name, t in state.items()}


def _cache(model: Model) -> Copy:
    """Where torch.hub keeps this file, and where a download goes."""
    return Copy(Path(torch.hub.get_dir()) / "checkpoints" / model.file, _sha256(model), model.part)


def _hugging_face_cache(repo: str) -> Copy | None:
    """model.safetensors of this repository, if Hugging Face's cache has it; large files are stored by their SHA-256."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, "model.safetensors")
    if not isinstance(found, str):
        return None
    stored_as = Path(found).resolve().name
    return Copy(Path(found), stored_as if re.fullmatch(r"[0-9a-f]{64}", stored_as) else "")


def _sha256(model: Model) -> str:
    """As the record says, or the first digits as in its file's name: resnet18-f37072fd.pth → "f37072fd"."""
    match = re.search(r"-([0-9a-f]{8,64})\.", model.file)
    return model.sha256 or (match[1] if match else "")

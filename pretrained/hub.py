"""A model's files from Hugging Face's hub, by its id: only data, never a pickle, never code.

Looked for in this order: the folder EXPLORER_MODELS/<owner>--<name>, Hugging Face's own cache, the explorer's cache (a
folder of the same kind), the network. HF_ENDPOINT names another server than huggingface.co, HF_HUB_OFFLINE=1 none.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import torch.hub
from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.utils import HFValidationError, validate_repo_id

from explorer.errors import UserError
from explorer.text import _
from pretrained import LoadError
from pretrained.download import ANSWER_SECONDS, Cancelled, Progress, fetch
from pretrained.loading import LOCAL_FOLDER

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
TOKENIZER = "tokenizer.json"
OLD_TOKENIZERS = ("vocab.txt", "vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model")
SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "generation_config.json")


def fetch_repository(
    repository: str,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    *,
    reads_text: bool = True,
) -> Path:
    """The folder with all that is needed of the model: config.json, a tokenizer, the weights as safetensors.

    repository: "bert-base-uncased", "klue/bert-base". progress, cancelled: as in download.fetch, of the largest file.
    reads_text: False for a model of photos, which needs no tokenizer.
    UserError: it is no id. LoadError: there is no such model, it has no safetensors, or it could not be had.
    """
    repository = checked(repository)
    found = find(repository, reads_text)
    if found is None:
        found = _download_description(repository, cancelled, reads_text)
        _download_weights(repository, found, progress, cancelled)
    return found


def fetch_description(repository: str, cancelled: Cancelled | None = None) -> Path:
    """The folder with at least config.json and a tokenizer: small files, to see what the model is before the large ones.

    Errors as fetch_repository has them.
    """
    repository = checked(repository)
    return find(repository) or _download_description(repository, cancelled)


def weights_size(repository: str) -> int | None:
    """Bytes of the weights on the hub, None where it does not say. LoadError: there are none that are no pickles.

    fetch_description brought the rest before.
    """
    repository = checked(repository)
    try:
        size = _size(repository, WEIGHTS)
        if size is not None or not _get(repository, INDEX, None, None):
            return _known(size, repository)
        return sum(_size(repository, shard) or 0 for shard in _shards(_cache(repository) / INDEX)) or None
    except OSError:
        return None


def _known(size: int | None, repository: str) -> int | None:
    if size is None:
        raise LoadError(_only_pickles(repository))
    return size or None


def _size(repository: str, name: str) -> int | None:
    """Bytes of a file on the hub; 0: it does not say; None: there is no such file. OSError: it cannot be reached."""
    url = f"{constants.ENDPOINT}/{repository}/resolve/main/{quote(name)}"
    request = Request(url, method="HEAD")  # noqa: S310 — the hub's own address
    try:
        with urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 — as above
            # The hub answers for large files with another address, and says their size before it does.
            said = answer.headers.get("X-Linked-Size") or answer.headers.get("Content-Length") or ""
            return int(said) if said.isdecimal() else 0
    except HTTPError as error:
        if error.code == 404:
            return None
        raise


def find(repository: str, reads_text: bool = True) -> Path | None:
    """The first folder on this computer that has all of it. reads_text: as in fetch_repository."""
    places = (_local(repository), _hugging_face_cache(repository), _cache(repository))
    return next((folder for folder in places if folder is not None and is_complete(folder, reads_text)), None)


def checked(repository: str) -> str:
    """The id without spaces around it. UserError: it cannot be one."""
    repository = repository.strip().removeprefix("https://huggingface.co/").strip("/")
    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        message = _("“{id}” is no model id; type one such as klue/bert-base, as it stands on huggingface.co.")
        raise UserError(message.format(id=repository[:80])) from error
    return repository


def is_complete(folder: Path, reads_text: bool = True) -> bool:
    """Whether config, a tokenizer if it needs one, and every file of weights are there."""
    has_tokenizer = any((folder / name).is_file() for name in (TOKENIZER, *OLD_TOKENIZERS))
    if not (folder / CONFIG).is_file() or (reads_text and not has_tokenizer):
        return False
    if (folder / INDEX).is_file():
        return all((folder / shard).is_file() for shard in _shards(folder / INDEX))
    return (folder / WEIGHTS).is_file()


def _shards(index: Path) -> list[str]:
    """The files that an index of weights names, each plain name once. LoadError: it is no such index."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise LoadError(_("{file} is damaged or not an index of weights.").format(file=index.name)) from error
    if not names or any(Path(name).name != name or not name.endswith(".safetensors") for name in names):
        raise LoadError(_("{file} names files that are not weights, so it was not used.").format(file=index.name))
    return names


def _folder_name(repository: str) -> str:
    return repository.replace("/", "--")


def _local(repository: str) -> Path | None:
    folder = os.environ.get(LOCAL_FOLDER)
    return Path(folder).expanduser() / _folder_name(repository) if folder else None


def _hugging_face_cache(repository: str) -> Path | None:
    found = try_to_load_from_cache(repository, CONFIG)
    return Path(found).parent if isinstance(found, str) else None


def _cache(repository: str) -> Path:
    return Path(torch.hub.get_dir()) / "hub_models" / _folder_name(repository)


def _download_description(repository: str, cancelled: Cancelled | None, reads_text: bool = True) -> Path:
    if constants.HF_HUB_OFFLINE:
        message = _("{name} is not on this computer and HF_HUB_OFFLINE forbids the network; use a bundled model.")
        raise LoadError(message.format(name=repository))
    try:
        known = _get(repository, CONFIG, None, cancelled)
    except LoadError as error:
        if not isinstance(error.__cause__, HTTPError) or error.__cause__.code not in (401, 403):
            raise
        known = False  # the hub says "unauthorised" of what does not exist
    if not known:
        message = _("There is no open model called {name} on the hub; check the spelling on huggingface.co.")
        raise LoadError(message.format(name=repository))
    if not reads_text:
        return _cache(repository)
    has_tokenizer = _get(repository, TOKENIZER, None, cancelled)
    if not has_tokenizer:  # all of the older kinds: some need two files
        has_tokenizer = sum(_get(repository, name, None, cancelled) for name in OLD_TOKENIZERS) > 0
    if not has_tokenizer:
        raise LoadError(
            _("{name} has no tokenizer, so it cannot read text; choose another model.").format(name=repository)
        )
    for name in SETTINGS:
        _get(repository, name, None, cancelled)
    return _cache(repository)


def _download_weights(repository: str, folder: Path, progress: Progress | None, cancelled: Cancelled | None) -> None:
    if _get(repository, WEIGHTS, progress, cancelled):
        return
    if not _get(repository, INDEX, None, cancelled):
        raise LoadError(_only_pickles(repository))
    shards = _shards(folder / INDEX)
    for number, shard in enumerate(shards):
        if not _get(repository, shard, _share(progress, number, len(shards)), cancelled):
            raise LoadError(_("{name} lacks a part of its weights, {file}.").format(name=repository, file=shard))


def _only_pickles(repository: str) -> str:
    return _(
        "{name} has its weights only in a form that can hold program code (a pickle), so they were not opened; "
        "choose a model that has model.safetensors."
    ).format(name=repository)


def _get(repository: str, name: str, progress: Progress | None, cancelled: Cancelled | None) -> bool:
    """Whether the repository has the file, which then lies in the cache."""
    path = _cache(repository) / name
    if path.is_file():
        return True
    url = f"{constants.ENDPOINT}/{repository}/resolve/main/{quote(name)}"
    try:
        fetch(url, path, name=repository, sha256="", progress=progress, cancelled=cancelled)
    except LoadError as error:
        if isinstance(error.__cause__, HTTPError) and error.__cause__.code == 404:
            return False
        raise
    return True


def _share(progress: Progress | None, number: int, count: int) -> Progress | None:
    """Progress of one of several files as progress of all, taking them for equally large."""
    if progress is None:
        return None
    return lambda done, total: progress(done + number * (total or 0), None if total is None else total * count)

"""Any language model, by its key in the catalogue or its id on the hub: what it is before its weights are here, and loading it.

transformers, whose import takes seconds, is imported only for a model that needs it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from explorer.models.bert import BertConfig, BertForPreTraining
from pretrained import LoadError, catalog, hub, language, memory, minilm
from pretrained.asking import ForeignReader, OwnReader, Reader
from pretrained.download import Cancelled, Progress, is_intact
from pretrained.language import LanguageModel
from pretrained.loading import copies
from pretrained.records import LanguageRecord


@dataclass(frozen=True)
class Described:
    """A model on the hub before its weights are here. own: whether explorer.models.bert runs it.

    kind: what its configuration calls it, such as "gpt2"; download: bytes of its weights on the hub, None where it does not
    say.
    """

    repository: str
    own: bool
    kind: str
    download: int | None


def load(name: str, progress: Progress | None = None, cancelled: Cancelled | None = None) -> Reader:
    """A model by its key in the catalogue, such as "all-minilm-l6-v2", or else by its id on the hub.

    UserError: it is no id. LoadError: it cannot be had, or cannot be used, and why. progress, cancelled: as hub has them.
    """
    record = next((one for one in catalog.models(LanguageRecord) if one.key == name), None)
    if record is None:
        return _from_hub(name, progress, cancelled)
    if record.source == "package":
        return OwnReader(language.from_folder(minilm.checked(), record.name))
    if record.source == "bundled":
        return OwnReader(_bundled(record))
    return OwnReader(language.from_folder(hub.fetch_repository(record.hub_repo, progress, cancelled), record.name))


def describe(repository: str, cancelled: Cancelled | None = None) -> Described:
    """What a model on the hub is, and whether it can be used here, from its small files alone. Errors: as load."""
    repository = hub.checked(repository)
    folder = hub.fetch_description(repository, cancelled)
    size = None if hub.find(repository) else hub.weights_size(repository)
    config = _plain_bert(folder, repository)
    if config is None:
        from pretrained import foreign_loading

        plan = foreign_loading.plan_of(folder, repository)
        memory.check(plan.bytes, repository)
        return Described(repository, False, plan.config.model_type, size)
    with torch.device("meta"):
        parameters = sum(parameter.numel() for parameter in BertForPreTraining(config).parameters())
    memory.check(4 * parameters, repository)
    return Described(repository, True, "bert", size)


def _from_hub(repository: str, progress: Progress | None, cancelled: Cancelled | None) -> Reader:
    described = describe(repository, cancelled)
    name = described.repository
    folder = hub.fetch_repository(name, progress, cancelled)
    if described.own and (folder / hub.WEIGHTS).is_file():
        return OwnReader(language.from_folder(folder, name))
    from pretrained import foreign_loading

    return ForeignReader(foreign_loading.from_folder(folder, name))


def _plain_bert(folder: Path, name: str) -> BertConfig | None:
    """The sizes, if explorer.models.bert is that very network."""
    try:
        return language.read_config(json.loads((folder / hub.CONFIG).read_text(encoding="utf-8")), name)
    except (OSError, ValueError, AttributeError, LoadError):
        return None


def _bundled(record: LanguageRecord) -> LanguageModel:
    """LoadError: its file is missing, damaged, or not the one that its card describes."""
    copy = copies(record)[0]
    if not copy.path.is_file() or not is_intact(copy.path, copy.sha256):
        raise catalog.incomplete(copy.path)
    return language.from_bundled(copy.path, record.name)

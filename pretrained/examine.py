"""What a model from the hub is, by its config.json alone: whether it can be read here, as what, and how large it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    PreTrainedConfig,
)

from explorer.text import _
from pretrained import LoadError, hub
from pretrained.reading import Kind

MOST_LAYERS = 512
"""More is no model but a mistake, or somebody's joke: building it would take the memory before it can be measured."""


@dataclass(frozen=True, eq=False)
class Plan:
    """How to build it. auto: transformers' Auto class, with a head; bytes: of its parameters as float32.

    custom: whether the repository has program code of its own, which is never run, so that transformers' own model must
    fit without a rest. task: whether auto is that of a task; tuned: whether its weights were trained on for one.
    """

    config: PreTrainedConfig
    kind: Kind
    auto: Any
    bytes: int
    custom: bool
    task: bool
    tuned: bool


def examine(folder: Path, name: str, auto: Any = None) -> Plan:
    """The plan for a language model with attention. LoadError: it is none, or none that transformers itself knows.

    auto: transformers' Auto class of the task that it is tuned for, such as AutoModelForQuestionAnswering; None: to read,
    and to guess words if it can.
    """
    stored = _stored(folder, name)
    kind_of_model = stored.get("model_type")
    custom = "auto_map" in stored
    if kind_of_model not in CONFIG_MAPPING:
        if custom:
            message = _("{name} comes with program code of its own, which is never run here; choose another model.")
            raise LoadError(message.format(name=name))
        message = _("{name} is built in a way that transformers does not know ({kind}); choose another model.")
        raise LoadError(message.format(name=name, kind=kind_of_model or _("it says none")))
    if stored.get("quantization_config"):
        message = _(
            "The weights of {name} are compressed to a few bits, which needs other software; choose its original."
        )
        raise LoadError(message.format(name=name))
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # a foreign file can fail anywhere in the reader
        raise LoadError(_("The configuration of {name} is damaged.").format(name=name)) from error
    general, kind = _auto(config, name)
    if auto is not None and (type(config) not in auto._model_mapping or kind == "encoder-decoder"):
        message = _("{name} is of a kind, {kind}, that does not do this task here; choose another model.")
        raise LoadError(message.format(name=name, kind=kind_of_model))
    build = auto or general
    module = _without_weights(build, config, name)
    if not any("attention" in type(part).__name__.lower() for part in module.modules()):
        message = _(
            "{name} has no attention (it is of the kind {kind}), so there is none to look at; choose another model."
        )
        raise LoadError(message.format(name=name, kind=kind_of_model))
    size = 4 * sum(tensor.numel() for tensor in module.parameters())
    tuned = any("Classification" in made or "QuestionAnswering" in made for made in config.architectures or ())
    return Plan(config, kind, build, size, custom, auto is not None, tuned)


def _stored(folder: Path, name: str) -> dict[str, Any]:
    try:
        stored = json.loads((folder / hub.CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LoadError(_("The configuration of {name} is damaged.").format(name=name)) from error
    if not isinstance(stored, dict):
        raise LoadError(_("The configuration of {name} is damaged.").format(name=name))
    return stored


def _auto(config: PreTrainedConfig, name: str) -> tuple[Any, Kind]:
    """The Auto class with a head, and whether there is an encoder, a decoder or both."""
    if getattr(config, "is_encoder_decoder", False) and type(config) in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING:
        return AutoModelForSeq2SeqLM, "encoder-decoder"
    masked = type(config) in MODEL_FOR_MASKED_LM_MAPPING
    if type(config) in MODEL_FOR_CAUSAL_LM_MAPPING and (not masked or getattr(config, "is_decoder", False)):
        return AutoModelForCausalLM, "decoder"
    if masked:
        return AutoModelForMaskedLM, "encoder"
    message = _("{name} is no language model (it is of the kind {kind}); choose one that reads text.")
    raise LoadError(message.format(name=name, kind=config.model_type))


def _without_weights(auto: Any, config: PreTrainedConfig, name: str) -> torch.nn.Module:
    """The network as it will be, its tensors without numbers."""
    layers = getattr(config, "num_hidden_layers", 0)
    try:
        if isinstance(layers, int) and layers > MOST_LAYERS:
            raise ValueError(f"{layers} layers")
        with torch.device("meta"):
            return auto.from_config(config, attn_implementation="eager", trust_remote_code=False)
    except Exception as error:  # sizes that contradict each other fail anywhere
        raise LoadError(_("The sizes in the configuration of {name} make no model.").format(name=name)) from error

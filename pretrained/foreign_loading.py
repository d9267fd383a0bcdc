"""Any language model by its id on the hub. Only data is read: safetensors, never a pickle; never the repository's code."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoTokenizer, PreTrainedModel

from explorer.text import _
from pretrained import LoadError, hub, memory
from pretrained.download import Cancelled, Progress
from pretrained.examine import Plan, examine
from pretrained.foreign import ForeignModel, inputs_of, vocabulary
from pretrained.observing import observe, observing, parts

MOST_TOKENS = 512
MOST_BYTES = 512 * 2**20
"""For one text's attention: the more layers and heads, the fewer tokens."""

TRIAL = 6
"""Tokens; an even number, while windows of attention to the left and the right are odd."""

SAFE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}

one_at_a_time = threading.Lock()
"""While transformers builds a model, it swaps functions of its own and torch's default type for the whole process."""

transformers.logging.set_verbosity_error()  # what a visitor must know is said on the page, not on the terminal
transformers.logging.disable_progress_bar()


def from_hub(repository: str, progress: Progress | None = None, cancelled: Cancelled | None = None) -> ForeignModel:
    """A model by its id on the hub, such as openai-community/gpt2 or google-t5/t5-small.

    UserError: it is no id. LoadError: there is none of that name, or it cannot be used, and why.
    """
    return load(*fetch(repository, None, progress, cancelled))


def from_folder(folder: Path, name: str) -> ForeignModel:
    """A model as the hub stores it: config.json, safetensors, a tokenizer. LoadError: as from_hub."""
    return load(folder, name, plan_of(folder, name))


def fetch(repository: str, auto: Any, progress: Progress | None, cancelled: Cancelled | None) -> tuple[Path, str, Plan]:
    """(folder, name, plan) of a model on the hub; errors as from_hub. auto: as in examine.

    Whether it can be read here, and fits into the memory, is found out before the weights are fetched.
    """
    repository = hub.checked(repository)
    plan = plan_of(hub.fetch_description(repository, cancelled), repository, auto)
    memory.check(plan.bytes, repository)
    return hub.fetch_repository(repository, progress, cancelled), repository, plan


def plan_of(folder: Path, name: str, auto: Any = None) -> Plan:
    """As examine."""
    with one_at_a_time:
        return examine(folder, name, auto)


def load(folder: Path, name: str, plan: Plan) -> ForeignModel:
    """The model of a folder that was examined. LoadError: as from_hub."""
    tokenizer = _load_tokenizer(folder, name)
    module, report = _load_module(folder, name, plan)
    has_head = _check_fit(module, report, name, plan)
    start = _start(module, name) if plan.kind == "encoder-decoder" else None
    observed = observe(module)
    attention, explained = _try(module, name, start)
    causal = plan.kind != "encoder" and not attention[0].triu(1).any()
    guesses = has_head and not plan.task and not plan.tuned
    return ForeignModel(
        name=name,
        kind="encoder" if plan.kind == "decoder" and not causal else plan.kind,
        module=module,
        tokenizer=tokenizer.backend_tokenizer,
        limit=_limit(module, tokenizer.model_max_length, attention),
        has_parts=observed and explained,
        guesses_words=guesses and plan.kind == "encoder",
        guesses_next=guesses and causal,
        mask_id=getattr(tokenizer, "mask_token_id", None),
        start_id=start,
        end_ids=_ends(module),
    )


def _load_module(folder: Path, name: str, plan: Plan) -> tuple[PreTrainedModel, Mapping[str, Any]]:
    """(the network with its weights, in evaluation mode and frozen; what transformers says of the loading)."""
    with one_at_a_time:
        memory.check(plan.bytes, name)
        try:
            module, report = plan.auto.from_pretrained(
                folder,
                config=plan.config,
                use_safetensors=True,
                attn_implementation="eager",
                dtype=torch.float32,
                output_loading_info=True,
                **SAFE,
            )
        except Exception as error:  # foreign files can fail anywhere in the reader
            if memory.is_lack_of_memory(error):
                raise memory.too_little(plan.bytes, name) from error
            message = _("The weights of {name} are damaged, or do not fit what its configuration says.")
            raise LoadError(message.format(name=name)) from error
        unmap(module)
    return module.eval().requires_grad_(False), report


def unmap(module: nn.Module) -> None:
    """Copy the tensors out of the file, one by one: the process would die if somebody shortened the file while in use."""
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data = tensor.data.clone()


def _load_tokenizer(folder: Path, name: str) -> Any:
    """Transformers' tokenizer, for whose backend a token knows its place in the text. LoadError: it has none of that kind."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, **SAFE)
    except Exception as error:  # as above; those that need a further package also end here
        message = _("The tokenizer of {name} cannot be read here; choose a model that has tokenizer.json.")
        raise LoadError(message.format(name=name)) from error
    if not isinstance(getattr(tokenizer, "backend_tokenizer", None), Tokenizer):
        message = _(
            "The tokenizer of {name} is of the old kind that cannot say which letters a token stands for; "
            "choose a model that has tokenizer.json."
        )
        raise LoadError(message.format(name=name))
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return tokenizer


def _check_fit(module: PreTrainedModel, report: Mapping[str, Any], name: str, plan: Plan) -> bool:
    """Whether the head has its weights. LoadError: other tensors lack, or the repository means another network."""
    body, output = module.base_model, module.get_output_embeddings()
    if body is module:  # T5, for example, has its head among the rest
        head = {id(tensor) for tensor in output.parameters()} if output is not None else set()
    else:
        inner = {id(tensor) for tensor in body.parameters()}
        head = {id(tensor) for tensor in module.parameters()} - inner
    tensors = dict(module.named_parameters(remove_duplicate=False))
    missing = sorted(report["missing_keys"])
    if plan.task and missing:
        message = _("{name} is not trained for this task: the weights of its last layer are missing.")
        raise LoadError(message.format(name=name))
    lost = [key for key in missing if key in tensors and id(tensors[key]) not in head and "pooler" not in key]
    if lost or report["mismatched_keys"]:
        message = _(
            "The weights of {name} do not fit its configuration: {count} tensors are missing or of another shape."
        )
        raise LoadError(message.format(name=name, count=len(lost) + len(report["mismatched_keys"])))
    if plan.custom and (missing or report["unexpected_keys"]):
        message = _("{name} needs program code of its own, which is never run here; choose another model.")
        raise LoadError(message.format(name=name))
    return not any(key in tensors and id(tensors[key]) in head for key in missing)


def _try(module: PreTrainedModel, name: str, start: int | None) -> tuple[list[Tensor], bool]:
    """(the attention of each layer for a few tokens, of the decoder if there are two; whether q·k explains all of it).

    LoadError: there is none, or none of every token to every token.
    """
    ids = torch.arange(TRIAL) % vocabulary(module)
    written = None if start is None else torch.tensor([start, *ids[: TRIAL - 2].tolist()])
    try:
        with observing() as calls, torch.no_grad():
            inputs = inputs_of(module.base_model, ids, torch.zeros_like(ids), written, inside=True)
            output = module.base_model(**inputs)
    except Exception as error:  # it wants pictures, sounds or a language beside the text
        raise LoadError(
            _("{name} does not run on a few words of text alone; choose another model.").format(name=name)
        ) from error
    if written is None:
        stacks: list[Any] = [(output.get("attentions"), output.get("hidden_states"), TRIAL, TRIAL)]
    else:
        own = len(written)
        decoder = output.get("decoder_hidden_states")
        stacks = [
            (output.get("encoder_attentions"), output.get("encoder_hidden_states"), TRIAL, TRIAL),
            (output.get("cross_attentions"), decoder, own, TRIAL),
            (output.get("decoder_attentions"), decoder, own, own),
        ]
    for attention, hidden, queries, keys in stacks:
        if not attention or any(layer is None for layer in attention):
            raise LoadError(_("{name} does not show its attention; choose another model.").format(name=name))
        shapes = {tuple(layer.shape) for layer in attention}
        if len(shapes) > 1 or len(attention) != len(hidden) - 1 or attention[0].shape[2:] != (queries, keys):
            message = _(
                "{name} mixes attention with other layers or looks at parts of the text only; choose another model."
            )
            raise LoadError(message.format(name=name))
        if not all(torch.allclose(layer.sum(-1), torch.ones(1), atol=1e-3) for layer in attention):
            message = _(
                "The attention of {name} does not sum to 1, so it cannot be shown as shares; choose another model."
            )
            raise LoadError(message.format(name=name))
    return list(stacks[-1][0]), all(parts(calls, attention) is not None for attention, *_rest in stacks)


def _limit(module: PreTrainedModel, tokenizer_limit: int, attention: Sequence[Tensor]) -> int:
    """The longest input, in tokens: of the model, and of what can be shown."""
    limits = [MOST_TOKENS, int(min(tokenizer_limit, MOST_TOKENS))]
    positions = getattr(module.config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        limits.append(positions)
    for name, part in module.named_modules():
        # RoBERTa counts positions from the one after its padding.
        if isinstance(part, nn.Embedding) and "position" in name and part.padding_idx is not None:
            limits.append(part.num_embeddings - part.padding_idx - 1)
    heads = len(attention) * attention[0].shape[1]
    limits.append(int((MOST_BYTES / 4 / heads) ** 0.5))
    return min(limits)


def _start(module: PreTrainedModel, name: str) -> int:
    """The token that the decoder begins with. LoadError: the files do not say."""
    for settings in (module.generation_config, module.config):
        for field in ("decoder_start_token_id", "bos_token_id"):
            found = getattr(settings, field, None)
            if isinstance(found, int):
                return found
    raise LoadError(
        _("{name} does not say with which token it begins to write; choose another model.").format(name=name)
    )


def _ends(module: PreTrainedModel) -> frozenset[int]:
    """The tokens that end a text, none if the files do not say."""
    found = getattr(getattr(module, "generation_config", None), "eos_token_id", None)
    found = getattr(module.config, "eos_token_id", None) if found is None else found
    return frozenset(found if isinstance(found, list) else () if found is None else (found,))

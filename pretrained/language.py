"""BERTs that run as explorer.models.bert: text in; attention, queries, keys, values and predictions out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from tokenizers import BertWordPieceTokenizer, Tokenizer
from torch import Tensor

from explorer.errors import UserError
from explorer.models.bert import BertConfig, BertForPreTraining, BertOutput, Layer
from explorer.models.similarity import cosine
from explorer.text import _
from explorer.tokens import Tokens
from explorer.trace import Trace, trace
from pretrained import LoadError, hub
from pretrained.download import Cancelled, Progress
from pretrained.loading import fill
from pretrained.reading import Guesses, Reading

WORD_HEAD, PAIR_HEAD, POOLER = "cls.predictions.", "cls.seq_relationship.", "bert.pooler."


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """module: in evaluation mode, frozen, safe to share between sessions. limit: the longest input, in tokens.

    guesses_words, judges_pairs: whether the weights have the masked-word and the next-sentence head.
    """

    name: str
    module: BertForPreTraining
    tokenizer: Tokenizer
    guesses_words: bool
    judges_pairs: bool

    @property
    def limit(self) -> int:
        """The longest input, in tokens."""
        return self.module.bert.config.positions

    @property
    def mask(self) -> int:
        """The id of [MASK]. UserError: its vocabulary has none."""
        found = self.tokenizer.token_to_id("[MASK]")
        if found is None:
            raise UserError(_("{name} knows no [MASK], so no word can be hidden from it.").format(name=self.name))
        return found


def from_hub(repository: str, progress: Progress | None = None, cancelled: Cancelled | None = None) -> LanguageModel:
    """A BERT by its id on the hub, such as bert-base-uncased or klue/bert-base. LoadError, UserError: as hub has them."""
    return from_folder(hub.fetch_repository(repository, progress, cancelled), repository)


def from_folder(folder: Path, name: str) -> LanguageModel:
    """A BERT as Hugging Face stores it: config.json, model.safetensors, tokenizer.json. LoadError: they are not that."""
    try:
        config = json.loads((folder / hub.CONFIG).read_text(encoding="utf-8"))
        state = load_file(folder / hub.WEIGHTS, backend="pread")
        tokenizer = _read_tokenizer(folder, name)
    except (OSError, ValueError, SafetensorError) as error:
        raise LoadError(_("The files of {name} are damaged or incomplete.").format(name=name)) from error
    return assemble(name, read_config(config, name), state, tokenizer)


def from_bundled(path: Path, name: str) -> LanguageModel:
    """The mini BERT: one file with weights, sizes and vocabulary. LoadError: it is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 — no mapping
        config = BertConfig(**json.loads(metadata["config"]))
        vocabulary = {piece: i for i, piece in enumerate(json.loads(metadata["vocabulary"]))}
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
        raise LoadError(
            _("{file} is missing or damaged; install the explorer again.").format(file=path.name)
        ) from error
    return assemble(name, config, state, BertWordPieceTokenizer(vocabulary, lowercase=True)._tokenizer)


def read_config(config: Mapping[str, Any], name: str) -> BertConfig:
    """The sizes from Hugging Face's config.json. LoadError: it is not the BERT that explorer.models.bert is."""
    usual = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute", "is_decoder": False}
    other = [key for key, value in usual.items() if config.get(key, value) != value]
    if other or config.get("model_type") != "bert":
        raise LoadError(_("{name} is not a plain BERT, so its files do not fit.").format(name=name))
    try:
        return BertConfig(
            vocabulary=config["vocab_size"],
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            intermediate=config["intermediate_size"],
            positions=config["max_position_embeddings"],
            types=config["type_vocab_size"],
            eps=config.get("layer_norm_eps", 1e-12),
        )
    except KeyError as error:
        raise LoadError(_("The configuration of {name} lacks {key}.").format(name=name, key=error)) from error


def assemble(name: str, config: BertConfig, state: Mapping[str, Tensor], tokenizer: Tokenizer) -> LanguageModel:
    """The model of these parts. LoadError: the tensors do not fit."""
    state = official_names(state)
    with torch.device("meta"):
        module = BertForPreTraining(config)
    own = module.state_dict()
    has = {prefix: any(key.startswith(prefix) for key in state) for prefix in (WORD_HEAD, PAIR_HEAD, POOLER)}
    for prefix, there in has.items():
        if not there:  # a head that the checkpoint has not; it is never asked
            state |= {key: torch.zeros(tensor.shape) for key, tensor in own.items() if key.startswith(prefix)}
    words = state.get("bert.embeddings.word_embeddings.weight")
    if words is not None:
        state["cls.predictions.decoder.weight"] = words
    if "cls.predictions.bias" in state:
        state["cls.predictions.decoder.bias"] = state["cls.predictions.bias"]
    with torch.inference_mode(False):
        fill(module, state, name)
    module.cls.predictions.decoder.weight = module.bert.embeddings.word_embeddings.weight
    module.cls.predictions.bias = module.cls.predictions.decoder.bias
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return LanguageModel(
        name, module.eval().requires_grad_(False), tokenizer, has[WORD_HEAD], has[PAIR_HEAD] and has[POOLER]
    )


def official_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Today's names for the tensors of any BERT checkpoint, as float32; what belongs to other heads is left out.

    The oldest files call the layer norms' parameters gamma and beta; files of BertModel alone have no "bert." in front.
    """
    named = {}
    for key, tensor in state.items():
        new = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", key))
        if new.startswith(("embeddings.", "encoder.", "pooler.")):
            new = f"bert.{new}"
        if new.startswith(("bert.", "cls.")) and not new.endswith("position_ids"):
            named[new] = tensor.float()
    return named


@torch.inference_mode()
def run(model: LanguageModel, tokens: Tokens, head_mask: np.ndarray | None = None) -> BertOutput:
    """What the network gives for a text; a batch of one. head_mask: float (layers, heads), 0 switches a head off."""
    ids, types = torch.from_numpy(tokens.ids)[None], torch.from_numpy(tokens.segments)[None]
    return model.module(ids, types, head_mask=None if head_mask is None else torch.from_numpy(head_mask).float())


def read(model: LanguageModel, tokens: Tokens, head_mask: np.ndarray | None = None) -> Reading:
    """Show it a text and look inside. head_mask: as run."""
    output = run(model, tokens, head_mask)

    def stacked(name: str) -> np.ndarray:
        return torch.cat([getattr(parts, name) for parts in output.attention]).numpy()

    query = stacked("query")
    return Reading(
        tokens=tokens,
        attention=stacked("weights"),
        query=query,
        key=stacked("key"),
        value=stacked("value"),
        scale=np.full(len(query), query.shape[-1] ** -0.5, np.float32),
        hidden=torch.cat(output.hidden).numpy(),
        pooled=output.pooled[0].numpy(),
    )


@torch.inference_mode()
def guess(model: LanguageModel, hidden: np.ndarray, top: int = 10) -> Guesses:
    """The likeliest words for a place, from its vector after the last layer, or after an earlier one. hidden: (width,)."""
    logits = model.module.masked_words(torch.from_numpy(hidden))  # (vocabulary,)
    probabilities, ids = logits.softmax(0).topk(min(top, len(logits)))
    pieces = tuple(model.tokenizer.id_to_token(i) or "" for i in ids.tolist())
    return Guesses(pieces, ids.numpy(), probabilities.numpy())


@torch.inference_mode()
def probability_that_it_follows(model: LanguageModel, pooled: np.ndarray) -> float:
    """P(the second sentence follows the first), 0–1. pooled: (width,)."""
    return model.module.next_sentence(torch.from_numpy(pooled)).softmax(0)[0].item()


def _read_tokenizer(folder: Path, name: str) -> Tokenizer:
    try:
        if (folder / hub.TOKENIZER).is_file():
            return Tokenizer.from_str((folder / hub.TOKENIZER).read_text(encoding="utf-8"))
        # Older repositories have the vocabulary only; whether it is lower-cased stands beside it.
        settings = folder / "tokenizer_config.json"
        lower = not settings.is_file() or json.loads(settings.read_text(encoding="utf-8")).get("do_lower_case", True)
        return BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=lower)._tokenizer
    except Exception as error:  # tokenizers raises nothing more special
        raise LoadError(_("The tokenizer of {name} is damaged or missing.").format(name=name)) from error


def output_weight(model: LanguageModel, layer: int) -> np.ndarray:
    """W_O of a layer as nn.Linear has it, float32 (width, heads · d_head)."""
    return cast(Layer, model.module.bert.encoder.layer[layer]).attention.output.dense.weight.numpy()


def trace_layer(
    model: LanguageModel, layer: int, x: np.ndarray, whole: bool, head_mask: np.ndarray | None = None
) -> Trace:
    """The steps of one layer, or of its self-attention alone, on real vectors. x: float32 (T, width), what goes into it.

    head_mask: float (heads,), 0 switches a head off.
    """
    block = cast(Layer, model.module.bert.encoder.layer[layer])
    keep = torch.ones(1, 1, 1, len(x), dtype=torch.bool)
    mask = () if head_mask is None else (torch.from_numpy(head_mask).float(),)
    with torch.no_grad():
        return trace(block if whole else block.attention.self, torch.from_numpy(x)[None], keep, *mask)


def trace_words(model: LanguageModel, hidden: np.ndarray, words: np.ndarray) -> Trace:
    """The steps of the masked-word head for a few words. hidden: float32 (width,), after the last layer; words: int64 (k,)."""
    head, ids = model.module.cls.predictions, torch.from_numpy(words)
    x = torch.from_numpy(hidden)
    with torch.no_grad():
        log_total = head(x).logsumexp(-1)
        return trace(head.among, x, head.decoder.weight[ids], head.bias[ids], log_total)


def trace_pair(model: LanguageModel, last: np.ndarray) -> Trace:
    """The steps from [CLS] to the probability that B follows A. last: float32 (T, width), after the last layer."""
    with torch.no_grad():
        return trace(model.module.judge, torch.from_numpy(last[:1].copy())[None])


def trace_cosine(a: np.ndarray, b: np.ndarray) -> Trace:
    """The steps of the cosine of two vectors, float32 (width,)."""
    return trace(cosine, torch.from_numpy(a), torch.from_numpy(b))

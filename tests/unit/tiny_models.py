"""Official architectures with random weights and few of everything, saved as transformers saves them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import BPE, Unigram
from tokenizers.pre_tokenizers import ByteLevel, Metaspace
from tokenizers.trainers import BpeTrainer, UnigramTrainer

TEXT = "The cat sat on the mat because it was tired. 고양이가 잔다 🙂 unbelievable"
WORDS = {p: i for i, p in enumerate("[PAD] [UNK] [CLS] [SEP] [MASK] the cat ##s sat on mat ?".split())}

BERT_SIZES = {
    "vocab_size": len(WORDS),
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 16,
    "max_position_embeddings": 32,
}
DISTIL_SIZES = {
    "vocab_size": len(WORDS), "dim": 12, "n_layers": 2, "n_heads": 3, "hidden_dim": 16, "max_position_embeddings": 32,
}  # fmt: skip
ROBERTA_SIZES = BERT_SIZES | {"vocab_size": 300, "max_position_embeddings": 34, "type_vocab_size": 1}
GPT2_SIZES = {"vocab_size": 300, "n_embd": 12, "n_layer": 2, "n_head": 3, "n_positions": 32}
LLAMA_SIZES = BERT_SIZES | {
    "vocab_size": 300, "hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4,
}  # fmt: skip
NEOX_SIZES = BERT_SIZES | {"vocab_size": 300, "hidden_size": 16, "num_attention_heads": 4}
T5_SIZES = {
    "vocab_size": 170, "d_model": 12, "d_kv": 4, "num_layers": 2, "num_heads": 3, "d_ff": 16, "decoder_start_token_id": 0,
}  # fmt: skip
BART_SIZES = {
    "vocab_size": 300,
    "d_model": 12,
    "max_position_embeddings": 32,
    **{f"{part}_{what}": n for part in ("encoder", "decoder")
       for what, n in (("layers", 2), ("attention_heads", 3), ("ffn_dim", 16))},
}  # fmt: skip

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "Bert": ("words", BERT_SIZES),
    "Electra": ("words", BERT_SIZES | {"embedding_size": 8}),
    "Albert": ("words", BERT_SIZES | {"embedding_size": 8, "num_hidden_layers": 3}),
    "DistilBert": ("words", DISTIL_SIZES),
    "MPNet": ("words", BERT_SIZES | {"max_position_embeddings": 34}),
    "Roberta": ("bytes", ROBERTA_SIZES),
    "GPT2": ("bytes", GPT2_SIZES),
    "Llama": ("bytes", LLAMA_SIZES),
    "GPTNeoX": ("bytes", NEOX_SIZES),
    "Gemma2": ("bytes", LLAMA_SIZES | {"attn_logit_softcapping": 1.0}),
    "T5": ("pieces", T5_SIZES),
    "Bart": ("bytes", BART_SIZES),
    "Mamba": ("bytes", {"vocab_size": 300, "hidden_size": 12, "num_hidden_layers": 2, "state_size": 4}),
}
"""Architecture → (which tokenizer, sizes)."""


def save(folder: Path, model: str, **changes: Any) -> transformers.PreTrainedModel:
    """Save an official model, such as "GPT2LMHeadModel", with its tokenizer; → the model, eager, in evaluation mode."""
    kind = next(kind for kind in sorted(KINDS, key=len, reverse=True) if model.startswith(kind))
    words, sizes = KINDS[kind]
    config = getattr(transformers, f"{kind}Config")(**(sizes | changes))
    torch.manual_seed(0)
    made = getattr(transformers, model)._from_config(config, attn_implementation="eager").eval()
    for parameter in made.parameters():
        parameter.data.normal_(std=0.4)
    made.save_pretrained(folder)
    _tokenizer(kind, words).save_pretrained(folder)
    return made


def change_config(folder: Path, **changes: Any) -> None:
    """Write something else into config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _tokenizer(kind: str, words: str) -> Any:
    if words == "words":
        name = {"DistilBert": "DistilBertTokenizer"}.get(kind, "BertTokenizer")
        return getattr(transformers, name)(vocab=WORDS)
    if words == "pieces":
        return transformers.T5Tokenizer(vocab=_pieces())
    vocabulary, merges = _bytes()
    name = {"Roberta": "RobertaTokenizer", "Bart": "BartTokenizer"}.get(kind, "GPT2Tokenizer")
    return getattr(transformers, name)(vocab=dict(vocabulary), merges=list(merges))


@cache
def _bytes() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A vocabulary of GPT-2's kind, in which characters beyond ASCII are several tokens."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"]
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=290, show_progress=False, special_tokens=special, initial_alphabet=ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([TEXT.split("고")[0]] * 3, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


@cache
def _pieces() -> list[tuple[str, float]]:
    """A vocabulary of SentencePiece's kind."""
    tokenizer = Tokenizer(Unigram())
    tokenizer.pre_tokenizer = Metaspace()
    trainer = UnigramTrainer(
        vocab_size=60, show_progress=False, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"
    )
    tokenizer.train_from_iterator([TEXT] * 3, trainer)
    return [tuple(entry) for entry in json.loads(tokenizer.to_str())["model"]["vocab"]]

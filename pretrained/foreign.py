"""Any language model that transformers runs: GPT-2, RoBERTa, DistilBERT, T5, BART, Llama and others.

Loaded by foreign_loading; the text of a decoder comes from writing.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.convert_slow_tokenizer import bytes_to_unicode

from explorer.errors import UserError
from explorer.text import _
from explorer.tokens import LINE, SPACE, Tokens
from pretrained import memory
from pretrained.observing import Call, observing, parts
from pretrained.reading import CrossReading, Guesses, Kind, Reading, TwoReadings

BYTES = {sign: byte for byte, sign in bytes_to_unicode().items()}
"""The signs by which GPT-2's vocabulary writes bytes."""


@dataclass(frozen=True, eq=False)
class ForeignModel:
    """module: in evaluation mode, frozen, safe to share between sessions. limit: the longest input, in tokens, of encoder
    and decoder each.

    kind: "encoder", every token sees every token; "decoder", each sees those before it; "encoder-decoder", a decoder that
    also sees what the encoder made of another text. has_parts: whether queries, keys and values are known.
    guesses_words, guesses_next: whether it fills in a masked word, or tells the next one.
    mask_id: of its [MASK]. start_id: of the token that a decoder begins with; end_ids: of those that it ends with.
    """

    name: str
    kind: Kind
    module: PreTrainedModel
    tokenizer: Tokenizer
    limit: int
    has_parts: bool
    guesses_words: bool
    guesses_next: bool
    mask_id: int | None
    start_id: int | None
    end_ids: frozenset[int]

    @property
    def mask(self) -> int:
        """The id of its [MASK]. UserError: its vocabulary has none."""
        if self.mask_id is None:
            raise UserError(_("{name} knows no [MASK], so no word can be hidden from it.").format(name=self.name))
        return self.mask_id


def read(model: ForeignModel, tokens: Tokens, head_mask: np.ndarray | None = None) -> Reading:
    """Show a text to an encoder or a decoder and look inside. head_mask: float (layers, heads), 0 switches a head off.

    UserError: it cannot read this text, or its heads cannot be switched off.
    """
    with observing(_usable(model, head_mask)) as calls:
        output = run(model.module.base_model, model, tokens, inside=True)
    return reading_of(tokens, calls, output)


def read_both(model: ForeignModel, tokens: Tokens, written: Tokens) -> TwoReadings:
    """Show a text to the encoder, and to the decoder the beginning of another: writing.typed or writing.generated.

    UserError: it cannot read these texts.
    """
    with observing() as calls:
        output = run(model.module.base_model, model, tokens, written, inside=True)
    return TwoReadings(
        encoder=Reading(
            tokens=tokens, hidden=_stacked(output.encoder_hidden_states), **_attended(calls, output.encoder_attentions)
        ),
        decoder=Reading(
            tokens=written, hidden=_stacked(output.decoder_hidden_states), **_attended(calls, output.decoder_attentions)
        ),
        cross=CrossReading(queries=written, keys=tokens, **_attended(calls, output.cross_attentions)),
    )


def reading_of(tokens: Tokens, calls: Sequence[Call], output: Any) -> Reading:
    """What was observed of one stack. output: transformers' ModelOutput, with its inside."""
    return Reading(tokens=tokens, hidden=_stacked(output.hidden_states), **_attended(calls, output.attentions))


def guess(
    model: ForeignModel,
    tokens: Tokens,
    place: int,
    *,
    written: Tokens | None = None,
    top: int = 10,
    head_mask: np.ndarray | None = None,
) -> Guesses:
    """The likeliest tokens: in the place, if the model fills in words; if it writes on, those that follow the place.

    tokens: for a word to fill in, with the model's [MASK] in the place. written: what the decoder of an encoder-decoder
    has so far; the place is one of these. pieces: for people to read, a space is shown as ␣.
    """
    with observing(_usable(model, head_mask)):
        logits = run(model.module, model, tokens, written, place=place).logits[0]  # (1 or T, vocabulary)
    logits = logits[0 if len(logits) == 1 else place]
    probabilities, ids = logits.softmax(0).topk(min(top, len(logits)))
    pieces = tuple(readable(model.tokenizer, i) for i in ids.tolist())
    return Guesses(pieces, ids.numpy(), probabilities.numpy())


@torch.no_grad()
def run(
    module: nn.Module,
    model: ForeignModel,
    tokens: Tokens,
    written: Tokens | None = None,
    *,
    inside: bool = False,
    place: int | None = None,
) -> Any:
    """What the network, with its head or without, gives for a text: transformers' ModelOutput, a batch of one.

    inside: attention and hidden vectors too. place: the only token whose logits are wanted; others may come with it.
    UserError: it cannot read this text.
    """
    ids, segments = torch.from_numpy(tokens.ids), torch.from_numpy(tokens.segments)
    decoder_ids = None if written is None else torch.from_numpy(written.ids)
    inputs = inputs_of(module, ids, segments, decoder_ids, inside)
    if place is not None and "logits_to_keep" in inspect.signature(module.forward).parameters:
        inputs["logits_to_keep"] = torch.tensor([place])  # the head is the costliest part of a small model
    with guarded(model, *((tokens,) if written is None else (tokens, written))):
        return module(**inputs)


@contextmanager
def guarded(model: ForeignModel, *texts: Tokens) -> Iterator[None]:
    """Whatever goes wrong while it runs on these texts is a UserError with one sentence."""
    for tokens in texts:
        _check_ids(model, tokens)
    try:
        yield
    except Exception as error:  # of somebody's own sizes; what they are was tried when it was loaded
        message = _("{name} could not read this text; try a shorter or another one.")
        if memory.is_lack_of_memory(error):
            message = _("There is not enough memory for {name} to read this text; try a shorter one.")
        raise UserError(message.format(name=model.name)) from error


def inputs_of(module: Any, ids: Tensor, segments: Tensor, decoder_ids: Tensor | None, inside: bool) -> dict[str, Any]:
    """What transformers' module is called with.

    ids, segments: int64 (T,); decoder_ids: int64 (T',) for an encoder-decoder; inside: as run.
    """
    inputs: dict[str, Any] = {"input_ids": ids[None], "attention_mask": torch.ones_like(ids)[None], "return_dict": True}
    takes_segments = "token_type_ids" in inspect.signature(module.forward).parameters
    # GPT-2 also takes some, but was never trained with them.
    if takes_segments and getattr(module.config, "type_vocab_size", 0) > 1:
        inputs["token_type_ids"] = segments[None]
    if decoder_ids is not None:
        inputs["decoder_input_ids"] = decoder_ids[None]
    return inputs | {"output_attentions": inside, "output_hidden_states": inside}


def vocabulary(module: Any) -> int:
    """How many tokens it has vectors for."""
    return module.get_input_embeddings().weight.shape[0]


def readable(tokenizer: Tokenizer, token: int) -> str:
    """A token of the vocabulary for people: spaces as ␣, a part of a character as its bytes, "##ing" as it is."""
    piece = tokenizer.id_to_token(token) or ""
    if "▁" in piece:
        return piece.replace("▁", SPACE)
    if type(tokenizer.model).__name__ == "WordPiece":
        return piece
    text = tokenizer.decode([token], skip_special_tokens=False)
    if "\ufffd" in text:
        return "".join(f"<0x{BYTES[sign]:02X}>" for sign in piece) if all(sign in BYTES for sign in piece) else piece
    return text.replace(" ", SPACE).replace("\n", LINE) or piece


def _usable(model: ForeignModel, head_mask: np.ndarray | None) -> np.ndarray | None:
    if head_mask is not None and (not model.has_parts or model.kind == "encoder-decoder"):
        raise UserError(_("The heads of {name} cannot be switched off here.").format(name=model.name))
    return head_mask


def _check_ids(model: ForeignModel, tokens: Tokens) -> None:
    beyond = np.flatnonzero(tokens.ids >= vocabulary(model.module))
    if len(beyond):
        message = _("{name} has no vector for “{token}”, though its tokenizer knows it; leave that out.")
        raise UserError(message.format(name=model.name, token=tokens.labels[beyond[0]]))


def _attended(calls: Sequence[Call], attentions: Sequence[Tensor]) -> dict[str, Any]:
    """The fields of reading.Attended."""
    query, key, value, scale, bias = parts(calls, attentions) or (None,) * 5
    return {
        "attention": _stacked(attentions),
        "query": query,
        "key": key,
        "value": value,
        "scale": scale,
        "bias": bias,
    }


def _stacked(tensors: Sequence[Tensor]) -> np.ndarray:
    """Of batches of one: (layers, …), float32."""
    return torch.cat(list(tensors)).float().numpy()

"""What the decoder of an encoder–decoder has so far: typed by the visitor, or written by the model itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList

from explorer.errors import UserError
from explorer.text import _
from explorer.tokens import Tokens, encode, label
from pretrained import memory
from pretrained.download import Cancelled, Progress
from pretrained.foreign import ForeignModel, readable

MOST_WRITTEN = 40  # tokens


def typed(model: ForeignModel, text: str) -> Tokens:
    """A text for the decoder to go on from: its first token, and what somebody typed. UserError: there is nothing in it."""
    tokens = encode(model.tokenizer, text, limit=model.limit)
    # The last token that the tokenizer adds says that the text is over; a decoder learns to write it, not to read it.
    stop = len(tokens) - bool(tokens.special[-1] and tokens.ids[-1] in model.end_ids)
    start = _start(model)
    return replace(
        tokens,
        ids=np.concatenate([[start], tokens.ids[:stop]]),
        segments=np.zeros(stop + 1, np.int64),
        labels=(_name(model, start), *tokens.labels[:stop]),
        pieces=(_name(model, start), *tokens.pieces[:stop]),
        special=np.concatenate([[True], tokens.special[:stop]]),
        words=np.concatenate([[-1], tokens.words[:stop]]),
        spans=np.concatenate([[[0, 0]], tokens.spans[:stop]]),
    )


def generated(
    model: ForeignModel,
    tokens: Tokens,
    most: int = MOST_WRITTEN,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Tokens:
    """What the model itself writes on having read the tokens: always the likeliest token next, at most so many.

    progress(tokens so far, most) is called after each; cancelled() → True ends it there. The token that ends the text is
    left out, as nothing comes after it. UserError: it cannot write.
    """
    start, ids = _start(model), torch.from_numpy(tokens.ids)[None]
    try:
        with torch.no_grad():
            module: Any = model.module
            written = module.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                decoder_start_token_id=start,
                max_new_tokens=min(most, model.limit - 1),
                # Its files may ask for other ways to search; the likeliest next token is what the page shows.
                do_sample=False,
                num_beams=1,
                min_length=0,
                no_repeat_ngram_size=0,
                repetition_penalty=1.0,
                forced_eos_token_id=None,
                stopping_criteria=StoppingCriteriaList([_Watch(most, progress, cancelled)]),
            )
    except Exception as error:  # of somebody's own settings
        message = _("{name} could not write on from this text; type what it should say instead.")
        if memory.is_lack_of_memory(error):
            message = _("There is not enough memory for {name} to write; type a shorter text.")
        raise UserError(message.format(name=model.name)) from error
    found = written[0].tolist()
    while len(found) > 1 and found[-1] in model.end_ids:
        found.pop()
    return tokens_of(model.tokenizer, found)


def tokens_of(tokenizer: Tokenizer, ids: Sequence[int]) -> Tokens:
    """Tokens that a model wrote, with the text that they make; each is labelled with its part of it.

    Several that make one character together all have that character. segments are 0, cut is 0.
    """
    names = {i: token.content for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    text = ""
    spans: list[tuple[int, int]] = []
    labels: list[str] = []
    words: list[int] = []
    word, begins = -1, True
    for group, chunk in _characters(tokenizer, ids, names):
        end = len(text) + len(chunk or "")
        spans += [(len(text), end)] * len(group)
        if group[0] in names:
            labels += [names[group[0]]]
            words += [-1]
            begins = True
            continue
        word += begins or (chunk or "")[:1].isspace()
        words += [word] * len(group)
        begins = False
        if chunk is None:
            labels += [readable(tokenizer, token) for token in group]
        else:
            labels += [label(tokenizer.id_to_token(token) or "", chunk) for token in group]
            text += chunk
    return Tokens(
        text=text,
        pair=None,
        ids=np.array(ids, np.int64),
        segments=np.zeros(len(ids), np.int64),
        labels=tuple(labels),
        pieces=tuple(tokenizer.id_to_token(token) or "" for token in ids),
        special=np.array([token in names for token in ids]),
        words=np.array(words, np.int64),
        spans=np.array(spans, np.int64).reshape(-1, 2),
        cut=0,
    )


def _characters(
    tokenizer: Tokenizer, ids: Sequence[int], names: Mapping[int, str]
) -> Iterator[tuple[list[int], str | None]]:
    """The tokens in groups that make whole characters, each with its text; None for special ones, and for what makes none."""
    stream = DecodeStream(skip_special_tokens=False)
    waiting: list[int] = []
    for token in ids:
        if token in names:
            if waiting:
                yield waiting, None
                waiting = []
            yield [token], None
            continue
        waiting.append(token)
        chunk = stream.step(tokenizer, token)
        if chunk is not None:
            yield waiting, chunk
            waiting = []
    if waiting:
        yield waiting, None


def _start(model: ForeignModel) -> int:
    if model.start_id is None:
        raise UserError(_("{name} has no decoder that reads another text.").format(name=model.name))
    return model.start_id


def _name(model: ForeignModel, token: int) -> str:
    return model.tokenizer.id_to_token(token) or ""


class _Watch(StoppingCriteria):
    """Looks on while transformers generates."""

    def __init__(self, most: int, progress: Progress | None, cancelled: Cancelled | None):
        self.most, self.progress, self.cancelled = most, progress, cancelled

    def __call__(self, input_ids: Tensor, scores: Any, **_options: Any) -> Tensor:
        """bool (batch,): whether to stop."""
        if self.progress is not None:
            self.progress(input_ids.shape[1] - 1, self.most)
        return torch.full((len(input_ids),), self.cancelled is not None and self.cancelled())

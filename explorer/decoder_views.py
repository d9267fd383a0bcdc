"""What the attention page shows of a decoder: one word predicted with attention to a typed sentence, in five steps.

Words' vectors and all weights are random, drawn with a seed; nothing is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from explorer.edits import Replacements
from explorer.models.decoder_attention import EncoderDecoder
from explorer.trace import Trace, trace
from explorer.words import random_vectors

WIDTH, HIDDEN = 8, 6
START, END = "<start>", "<end>"


@dataclass(frozen=True, eq=False)
class Decoding:
    """One word's five steps. All float32; S words, H hidden units, V words to choose from.

    encoder_states: (S, H), the values and keys. decoder_state: (H,), the query. scores, weights: (S,), weights sum to 1.
    context: (H,). combined: (H,). probabilities: (V,), sum 1. vocabulary: V texts: the sentence's own words, each once, and
    the end.
    """

    words: tuple[str, ...]
    vocabulary: tuple[str, ...]
    encoder_states: np.ndarray
    decoder_state: np.ndarray
    scores: np.ndarray
    weights: np.ndarray
    context: np.ndarray
    combined: np.ndarray
    probabilities: np.ndarray


def vocabulary(words: Sequence[str]) -> tuple[str, ...]:
    """The words from which the decoder chooses: the sentence's own, each once whatever its case, and the end."""
    first: dict[str, str] = {}
    for word in words:
        first.setdefault(word.casefold(), word)
    return (*first.values(), END)


def encoder_decoder(size: int, seed: int) -> EncoderDecoder:
    """The model with weights and biases from N(0, 1/H), wide enough that its words differ. size: of the vocabulary."""
    model = EncoderDecoder(WIDTH, HIDDEN, size)
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=HIDDEN**-0.5, generator=generator)
    return model


@torch.inference_mode()
def decode(words: Sequence[str], seed: int = 0) -> Decoding:
    """The first word that the decoder predicts for this sentence."""
    model, states, state, choices = _prepare(words, seed)
    scores, weights, context, combined, probabilities = (t.numpy() for t in model.attention(states, state))
    return Decoding(
        tuple(words), choices, states.numpy(), state.numpy(), scores, weights, context, combined, probabilities
    )


def decoder_steps(words: Sequence[str], seed: int = 0, edits: Replacements | None = None) -> Trace:
    """The trace of the five steps. edits: step → what takes the place of its output."""
    model, states, state, _choices = _prepare(words, seed)
    return trace(model.attention, states.detach(), state.detach(), edits=edits)


def _prepare(words: Sequence[str], seed: int) -> tuple[EncoderDecoder, Tensor, Tensor, tuple[str, ...]]:
    choices = vocabulary(words)
    model = encoder_decoder(len(choices), seed)
    x = torch.from_numpy(random_vectors([*words, START], WIDTH, seed))
    states, state = model.states(x[:-1], x[-1])
    return model, states, state, choices

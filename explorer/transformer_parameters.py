"""The parameters of a Transformer, part by part: a formula for each, and the count of the model's own tensors."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import nn

from explorer.models.sequence_transformers import Translator
from explorer.models.transformer import TransformerConfig


@dataclass(frozen=True)
class Part:
    """name: of the part. formula: its parameters, in d = d_model, f = d_ff and V, the words of a language. each: counted in
    the model; times: how often it is there.
    """

    name: str
    formula: str
    each: int
    times: int = 1

    @property
    def total(self) -> int:
        """All of them."""
        return self.each * self.times


@cache
def parts(config: TransformerConfig, source_words: int, target_words: int) -> tuple[Part, ...]:
    """Of the translator, in the order in which a word passes through it. Formulas are as Python writes them, with N layers."""
    with torch.device("meta"):
        model = Translator(source_words, target_words, config)
    encoder, decoder = model.transformer.encoder, model.transformer.decoder
    first, second = encoder.layers[0], decoder.layers[0]
    attention, feed_forward = "4·d² + 4·d", "2·d·f + f + d"
    layers = config.layers
    return (
        Part("Embedding of the source", "V·d", count(model.source_vectors)),
        Part("Embedding of the target", "V·d", count(model.target_vectors)),
        Part("Positions", "0", 0),
        Part("Encoder: self-attention", attention, count(first.self_attn), layers),
        Part("Encoder: feed-forward", feed_forward, count(first.linear1, first.linear2), layers),
        Part("Encoder: two norms", "2 · 2·d", count(first.norm1, first.norm2), layers),
        Part("Decoder: masked self-attention", attention, count(second.self_attn), layers),
        Part("Decoder: cross-attention", attention, count(second.multihead_attn), layers),
        Part("Decoder: feed-forward", feed_forward, count(second.linear1, second.linear2), layers),
        Part("Decoder: three norms", "3 · 2·d", count(second.norm1, second.norm2, second.norm3), layers),
        Part("Final norms", "2 · 2·d", count(encoder.norm, decoder.norm)),
        Part("Linear", "d·V + V", count(model.output)),
    )


def count(*modules: Any) -> int:
    """The numbers in the parameters of these modules; None has none."""
    return sum(parameter.numel() for module in modules if module is not None for parameter in module.parameters())


@cache
def torch_count(config: TransformerConfig, source_words: int, target_words: int) -> int:
    """The same from torch.nn's own modules: Transformer, two Embeddings and a Linear."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about speed, of which a count has no need
        sizes = config.d_model, config.heads, config.layers, config.layers, config.d_ff
        transformer = nn.Transformer(*sizes, batch_first=True, norm_first=config.pre_norm)
        embeddings = nn.Embedding(source_words, config.d_model), nn.Embedding(target_words, config.d_model)
        return count(transformer, *embeddings, nn.Linear(config.d_model, target_words))


@dataclass(frozen=True)
class Published:
    """A model that was published. kind: what it is made of. vocabulary: word pieces; shared by both sides.

    positions: rows of a learned table of positions, and of other learned tables of that width. biases: whether its layers
    have any. layers, embeddings: parameters there.
    """

    name: str
    kind: Literal["encoder", "decoder", "both"]
    d_model: int
    heads: int
    d_ff: int
    depth: int
    vocabulary: int
    tables: int = 0
    biases: bool = True

    @property
    def layers(self) -> int:
        """Parameters of all layers and of the final norms."""
        d, f, bias = self.d_model, self.d_ff, int(self.biases)
        attention, feed_forward, norm = 4 * d * d + bias * 4 * d, 2 * d * f + bias * (f + d), d + bias * d
        plain = attention + feed_forward + 2 * norm
        if self.kind != "both":
            return self.depth * plain + norm
        return self.depth * (plain + 2 * attention + feed_forward + 3 * norm) + 2 * norm

    @property
    def embeddings(self) -> int:
        """Parameters of words and learned positions."""
        return (self.vocabulary + self.tables) * self.d_model


PUBLISHED = (
    Published("Transformer base (Vaswani et al. 2017)", "both", 512, 8, 2048, 6, 37_000),
    Published("Transformer big (Vaswani et al. 2017)", "both", 1024, 16, 4096, 6, 37_000),
    Published("BERT base (Devlin et al. 2018)", "encoder", 768, 12, 3072, 12, 30_522, tables=512 + 2),
    Published("GPT-2, the smallest (Radford et al. 2019)", "decoder", 768, 12, 3072, 12, 50_257, tables=1024),
    Published("T5 base (Raffel et al. 2020)", "both", 768, 12, 3072, 12, 32_128, biases=False),
)
"""Vaswani's vocabulary is “about 37000”. BERT's norm behind the embeddings is counted as a final norm; its pooler is left out,
and so are T5's biases for relative positions, 768 numbers.
"""


def published_config(model: Published) -> TransformerConfig:
    """As our modules take it."""
    return TransformerConfig(model.d_model, model.heads, model.d_ff, model.depth)


def total(found: Iterable[Part]) -> int:
    """Of all parts."""
    return sum(part.total for part in found)

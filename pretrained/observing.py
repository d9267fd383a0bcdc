"""Queries, keys and values of transformers' models, out of the very call that makes the attention.

Nearly every model of transformers computes its attention by one function, which it looks up by name
(transformers.AttentionInterface); "eager" is its own, plain one. OBSERVED is a name for it too: that function is called
just the same, and what went into it and came out is noted for whoever asked, in this thread only. So queries and keys
are those that were multiplied, also where a model turns them by their position first, and nothing is ever attached to a
model that sessions share.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

OBSERVED = "explorer_eager"
LEAST_SCORE = -1e30
"""Transformers masks with the least number that there is; what is below this is −∞."""
TOLERANCE = 1e-4
TRIED = 16  # rows


@dataclass(frozen=True, eq=False)
class Call:
    """One layer's attention; a batch of one. query: (1, heads, Q, d); key, value: (1, heads or a divisor, K, d).

    bias: broadcasts against weights, or None; weights: (1, heads, Q, K).
    """

    query: Tensor
    key: Tensor
    value: Tensor
    scale: float
    bias: Tensor | None
    weights: Tensor


@dataclass(eq=False)
class _Watch:
    calls: list[Call]
    head_mask: Tensor | None  # (layers, heads)


_watch: ContextVar[_Watch | None] = ContextVar("observed_attention", default=None)


@contextmanager
def observing(head_mask: np.ndarray | None = None) -> Iterator[list[Call]]:
    """The calls of an observed model within this block, in order.

    head_mask: float (layers, heads), for models with one attention in each layer; 0 switches a head off.
    """
    watch = _Watch([], None if head_mask is None else torch.from_numpy(head_mask).float())
    token = _watch.set(watch)
    try:
        yield watch.calls
    finally:
        _watch.reset(token)


def observe(module: PreTrainedModel) -> bool:
    """Let its attention be observed from now on; the model must run "eager". → whether that is possible."""
    if not module._can_set_attn_implementation():
        return False
    module.set_attn_implementation(OBSERVED)
    return module.config._attn_implementation == OBSERVED


def parts(
    calls: Sequence[Call], weights: Sequence[Tensor]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray | None] | None:
    """(query, key, value, scale, bias) of the layers with these weights, as in reading.Attended; None if not known.

    weights: the attention of each layer as the model gave it out. Not known are those that are not the softmax of
    query·keyᵀ·scale + bias, because the model does something more to its scores.
    """
    by_weights = {id(call.weights): call for call in calls}
    found = [by_weights.get(id(layer)) for layer in weights]
    layers = [call for call in found if call is not None and _explains(call)]
    if not layers or len(layers) < len(weights) or len({call.query.shape for call in layers}) > 1:
        return None
    return (
        torch.cat([call.query for call in layers]).numpy(),
        torch.cat([_for_every_head(call.key, call) for call in layers]).numpy(),
        torch.cat([_for_every_head(call.value, call) for call in layers]).numpy(),
        np.array([call.scale for call in layers], np.float32),
        _biases(layers),
    )


def _observed(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, Tensor]:
    """Transformers' eager attention of this very model, noted if somebody asked for it."""
    eager = inspect.unwrap(type(module).forward).__globals__["eager_attention_forward"]
    out, weights = eager(module, query, key, value, attention_mask, scaling=scaling, **options)
    watch = _watch.get()
    if watch is None:
        return out, weights
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    bias = _sum(options.get("position_bias"), attention_mask)
    if watch.head_mask is not None:
        out = out * watch.head_mask[len(watch.calls)][:, None]  # (1, Q, heads, d)
    watch.calls.append(Call(query, key, value, scale, bias, weights))
    return out, weights


def _sum(learned: Tensor | None, mask: Tensor | None) -> Tensor | None:
    """None if nothing is added anywhere."""
    if mask is not None:
        mask = mask.masked_fill(mask < LEAST_SCORE, -torch.inf)
    present = [part for part in (learned, mask) if part is not None and part.any()]
    return sum(present[1:], present[0]) if present else None


def _for_every_head(tensor: Tensor, call: Call) -> Tensor:
    """Where several heads share a key and a value, each gets its own copy: (1, heads, K, d)."""
    return tensor.repeat_interleave(call.query.shape[1] // tensor.shape[1], dim=1)


def _explains(call: Call) -> bool:
    """Whether softmax(query·keyᵀ·scale + bias) is the attention; of a long text, some rows are tried."""
    if call.query.shape[1] % call.key.shape[1]:
        return False
    rows = slice(None, None, max(1, call.query.shape[2] // TRIED))
    scores = call.query[:, :, rows] @ _for_every_head(call.key, call).mT * call.scale
    if call.bias is not None:
        scores = scores + call.bias.expand(-1, -1, call.query.shape[2], -1)[:, :, rows]
    made, given = scores.softmax(-1), call.weights[:, :, rows]
    return made.shape == given.shape and torch.allclose(made, given, rtol=0, atol=TOLERANCE)


def _biases(layers: Sequence[Call]) -> np.ndarray | None:
    """(1 or layers, 1 or heads, Q, K): one layer stands for all if all have the same."""
    if all(call.bias is None for call in layers):
        return None
    biases = [torch.zeros(1, 1, *call.weights.shape[2:]) if call.bias is None else call.bias for call in layers]
    heads = max(bias.shape[1] for bias in biases)
    biases = [bias.expand(1, heads, *call.weights.shape[2:]) for bias, call in zip(biases, layers, strict=True)]
    if all(bias is biases[0] or torch.equal(bias, biases[0]) for bias in biases):
        biases = biases[:1]
    return torch.cat(biases).float().numpy()


AttentionInterface.register(OBSERVED, _observed)
AttentionMaskInterface.register(OBSERVED, eager_mask)

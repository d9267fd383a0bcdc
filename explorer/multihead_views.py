"""What the multi-head page shows, computed: one layer of attention taken apart head by head, heads switched off, costs.

Vectors and weights are random, drawn with a seed; the arithmetic is that of a trained layer.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from explorer.models.attention import MultiHeadAttention, causal_mask, sum_of_heads
from explorer.trace import Trace, trace

MOST_HEADS = 12
"""As many as there are colours for heads."""
ROUNDS = 9
"""Runs that a measured time is the fastest of; one more before them does not count."""


def head_counts(d_model: int, most: int = MOST_HEADS) -> tuple[int, ...]:
    """The divisors of d_model, up to `most`: with these all heads are equally wide."""
    return tuple(n for n in range(1, min(d_model, most) + 1) if d_model % n == 0)


def seeded_attention(d_model: int, heads: int, seed: int = 0) -> MultiHeadAttention:
    """A layer whose weights and biases are drawn from N(0, 1/d_model): the same numbers for any number of heads."""
    attention = MultiHeadAttention(d_model, heads)
    generator = torch.Generator().manual_seed(seed)
    for parameter in attention.parameters():
        nn.init.normal_(parameter, std=d_model**-0.5, generator=generator)
    return attention


@dataclass(frozen=True, eq=False)
class MultiHead:
    """One run of the layer on a sentence. All float32.

    x: (T, d_model), the words' vectors. query, key, value: (T, d_model), head i in columns i·d_head to (i + 1)·d_head.
    weights: (heads, T, T), from the query, its row, to the key, its column; rows sum to 1. heads: (heads, T, d_head), what
    each head gives. joined: (T, d_model), these side by side. w_out: (d_model, d_model), W_O; b_out: (d_model,).
    output: (T, d_model). steps: the trace that all this was read from.
    """

    x: np.ndarray
    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    weights: np.ndarray
    heads: np.ndarray
    joined: np.ndarray
    w_out: np.ndarray
    b_out: np.ndarray
    output: np.ndarray
    steps: Trace

    @property
    def d_head(self) -> int:
        """Width of a head."""
        return self.heads.shape[-1]


def attend(x: np.ndarray, attention: MultiHeadAttention, causal: bool = False) -> MultiHead:
    """Self-attention: each word of x, float32 (T, d_model), asks every word, or with `causal` none after it."""
    steps = _run(attention, x, causal)
    query, key, value = (_kept(steps, n) for n in _projections(steps))
    return MultiHead(
        x=x,
        query=query,
        key=key,
        value=value,
        weights=_kept(steps, steps["weights"].index),
        heads=_kept(steps, steps["output"].index),
        joined=_kept(steps, steps["joined"].index),
        w_out=attention.out_proj.weight.detach().numpy().T,
        b_out=attention.out_proj.bias.detach().numpy(),
        output=steps.result[0][0].numpy(),
        steps=steps,
    )


def _run(attention: MultiHeadAttention, x: np.ndarray, causal: bool, edits: dict[int, Tensor] | None = None) -> Trace:
    batch = torch.from_numpy(np.ascontiguousarray(x))[None]  # (1, T, d_model)
    with torch.inference_mode():
        return trace(attention, batch, batch, batch, causal_mask(len(x)) if causal else None, edits=edits)


def _projections(steps: Trace) -> list[int]:
    """The steps that make Q, K and V, before they are split."""
    return [step.index for step in steps.steps if step.op == "linear"][:3]


def _kept(steps: Trace, index: int) -> np.ndarray:
    return cast(Tensor, steps.steps[index].output)[0].numpy()


@dataclass(frozen=True, eq=False)
class SwitchedOff:
    """The layer without some heads. output, difference (without − with): float32 (T, d_model).

    change: (T,), the length of each word's difference. share: (T,), that length over the length of its output with all
    heads. steps: the trace of the run in which these heads gave zeros.
    """

    output: np.ndarray
    difference: np.ndarray
    change: np.ndarray
    share: np.ndarray
    steps: Trace


def switch_off(
    run: MultiHead, attention: MultiHeadAttention, off: Collection[int], causal: bool = False
) -> SwitchedOff:
    """The same code on the same numbers, but what the heads `off` give is replaced by zeros before it meets W_O."""
    step = run.steps["output"]
    zeroed = cast(Tensor, step.output).clone()  # (1, heads, T, d_head)
    zeroed[:, sorted(off)] = 0
    steps = _run(attention, run.x, causal, {step.index: zeroed} if off else None)
    output = steps.result[0][0].numpy()
    difference = output - run.output
    change = np.linalg.norm(difference, axis=1)
    length = np.linalg.norm(run.output, axis=1)
    share = np.divide(change, length, where=length > 0, out=np.zeros_like(change))
    return SwitchedOff(output, difference, change, share, steps)


@dataclass(frozen=True, eq=False)
class HeadSum:
    """The output as a sum. parts: float32 (heads, T, d_model), head_i W_O^i. output: (T, d_model), their sum and b_O.

    difference: the largest |output − the layer's output|. steps: the trace.
    """

    parts: np.ndarray
    output: np.ndarray
    difference: float
    steps: Trace


def add_heads(run: MultiHead) -> HeadSum:
    """What each head adds to the output."""
    heads, w_out = torch.from_numpy(run.heads)[None], torch.from_numpy(np.ascontiguousarray(run.w_out.T))
    with torch.inference_mode():
        steps = trace(sum_of_heads, heads, w_out, torch.from_numpy(run.b_out))
    output, parts = (t[0].numpy() for t in steps.result)
    return HeadSum(parts, output, float(np.abs(output - run.output).max()), steps)


def head_distance(weights: np.ndarray) -> float:
    """How differently two heads look, 0 (alike) to 1 (no key in common), mean over words and pairs of heads; 0 for one head.

    weights: (heads, T, T). It is the total variation distance ½ Σ |α − β| between their rows.
    """
    count = len(weights)
    pairs = [np.abs(weights[i] - weights[j]).sum(-1) / 2 for i in range(count) for j in range(i)]
    return float(np.mean(pairs)) if pairs else 0.0


def parameters(d_model: int) -> int:
    """Of one layer: W_Q, W_K, W_V and W_O with their biases, as torch.nn.MultiheadAttention has them."""
    return 4 * d_model**2 + 4 * d_model


def count_parameters(d_model: int, heads: int) -> tuple[int, int]:
    """Counted, not computed: the parameters of our layer and of torch.nn.MultiheadAttention."""
    layers = MultiHeadAttention(d_model, heads), nn.MultiheadAttention(d_model, heads)
    ours, torchs = (sum(parameter.numel() for parameter in layer.parameters()) for layer in layers)
    return ours, torchs


@dataclass(frozen=True)
class Cost:
    """One layer on one sequence. heads, d_head; weights: numbers in all attention maps, heads · T².

    macs: multiplications with their addition, in the projections and in the maps. milliseconds: measured, forward only.
    """

    heads: int
    d_head: int
    weights: int
    macs: int
    milliseconds: float


def measure_costs(d_model: int, length: int, counts: Sequence[int]) -> list[Cost]:
    """The same sequence of random vectors through a layer with so many heads, for each count in turn, on this computer."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, length, d_model, generator=generator)
    # 4 projections of T vectors, and the maps twice: QKᵀ and αV. Neither depends on the number of heads.
    macs = 4 * length * d_model**2 + 2 * length**2 * d_model
    layers = {heads: seeded_attention(d_model, heads) for heads in counts}
    took = dict.fromkeys(counts, float("inf"))
    with torch.inference_mode():
        for turn in range(ROUNDS + 1):
            for heads, layer in layers.items():  # in turns, so that a busy moment of the computer hits all alike
                start = time.perf_counter()
                layer(x, x, x)
                if turn:
                    took[heads] = min(took[heads], time.perf_counter() - start)
    return [Cost(heads, d_model // heads, heads * length**2, macs, 1000 * took[heads]) for heads in counts]

"""What a Vision Transformer made of one photo: every layer's tokens and attention, and what they say about patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from explorer.models.vit import EncoderBlock, VisionTransformer, project_both_ways
from explorer.patches import Grid, on_patches
from explorer.trace import Trace, trace

Part = str
"""Of the network, to be stepped through: "patches", "row", "block" or "head"."""

MOST_STEPPED = 1_000_000
"""Numbers: larger tensors, such as the wide matrices of a large network, are stepped through by their shape only."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One pass of one photo. T = extra tokens + patches, row by row.

    tokens: float32 (layers + 1, T, width), what goes into the first layer and comes out of each; attention: float32 (layers,
    heads, T, T), rows sum to 1; grid: rows and columns of patches; patch: side of one, pixels; extra: tokens before the
    patches, the class token and in a distilled network the distillation token.
    """

    tokens: np.ndarray
    attention: np.ndarray
    grid: Grid
    patch: int
    extra: int

    @property
    def layers(self) -> int:
        """How many."""
        return len(self.attention)

    @property
    def heads(self) -> int:
        """How many in a layer."""
        return self.attention.shape[1]

    def token(self, row: int, column: int) -> int:
        """The place of a patch in the sequence."""
        return self.extra + row * self.grid[1] + column

    def look(self, layer: int, head: int | None, query: int) -> np.ndarray:
        """Where a token looks, (T,), sum 1. layer, head: from 0; head None: the mean over the heads."""
        weights = self.attention[layer, :, query]  # (heads, T)
        return weights.mean(0) if head is None else weights[head]


def read(network: VisionTransformer, x: Tensor) -> Reading:
    """x: float32 (1, 3, H, W), normalised, H and W multiples of the patch."""
    with torch.inference_mode():
        output = network.read(x)
    config = network.config
    return Reading(
        tokens=torch.cat(output.tokens).numpy(),
        attention=torch.cat(output.attention).numpy(),
        grid=(x.shape[2] // config.patch, x.shape[3] // config.patch),
        patch=config.patch,
        extra=config.extra,
    )


def masses(weights: np.ndarray, extra: int) -> np.ndarray:
    """How much of a row goes to each extra token and, last, to all patches. weights: (..., T) → (..., extra + 1)."""
    return np.concatenate([weights[..., :extra], weights[..., extra:].sum(-1, keepdims=True)], axis=-1)


def gathered(reading: Reading, token: int) -> np.ndarray:
    """Where one token takes from in each layer, the mean over the heads: masses, (layers, extra + 1)."""
    return masses(reading.attention[:, :, token].mean(1), reading.extra)


def similarity(reading: Reading, token: int) -> np.ndarray:
    """Cosine of one token with every patch, as they go into the first layer and come out of each.

    → float64 (layers + 1, rows, columns), −1 to 1.
    """
    tokens = reading.tokens.astype(np.float64)
    unit = tokens / np.maximum(np.linalg.norm(tokens, axis=-1, keepdims=True), 1e-12)
    return on_patches(np.einsum("ltw,lw->lt", unit, unit[:, token]), reading.grid)


@dataclass(frozen=True, eq=False)
class Projection:
    """One patch becomes a token.

    vector: float32 (3, P²), the patch read out, normalised, its red, green and blue values one after the other; product:
    float32 (width,), the vector times the matrix, and the bias; position: (width,), what is added; token: (width,), their sum.
    """

    vector: np.ndarray
    product: np.ndarray
    position: np.ndarray
    token: np.ndarray


def project(network: VisionTransformer, x: Tensor, row: int, column: int) -> Projection:
    """What happens to one patch of a photo. x: as read."""
    patch = network.config.patch
    grid = x.shape[2] // patch, x.shape[3] // patch
    square = x[0, :, row * patch : (row + 1) * patch, column * patch : (column + 1) * patch]  # (3, P, P)
    with torch.inference_mode():
        # x_p E
        product = network.conv_proj.weight.flatten(1) @ square.flatten() + network.conv_proj.bias  # type: ignore[operator]
        position = network.positions(*grid)[0, network.config.extra + row * grid[1] + column]
    return Projection(square.flatten(1).numpy(), product.numpy(), position.numpy(), (product + position).numpy())


@dataclass(frozen=True, eq=False)
class Filters:
    """kernels: float32 (n, 3, P, P); share: float64 (n,), how much of the filters' variance lies along each component."""

    kernels: np.ndarray
    share: np.ndarray


def principal_filters(weight: np.ndarray, count: int) -> Filters:
    """The principal components of the projection's filters (Dosovitskiy et al. 2021, fig. 7, left).

    weight: float (width, 3, P, P); count: how many at most, the strongest first. Their sign is free; here each has a mean
    above 0.
    """
    flat = weight.reshape(len(weight), -1).astype(np.float64)
    _, strength, components = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    kernels = components[:count] * np.where(components[:count].sum(1, keepdims=True) < 0, -1, 1)
    share = strength**2 / max(float((strength**2).sum()), 1e-300)
    return Filters(kernels.reshape(-1, *weight.shape[1:]).astype(np.float32), share[:count])


def steps(
    network: VisionTransformer, x: Tensor, reading: Reading, part: Part, layer: int, query: int, row: int
) -> Trace:
    """One part of the network on this photo, step by step.

    part: "patches": from photo to tokens; "row": the projection of a row of patches, in two ways; "block": a layer, as the
    extra tokens and the query go through it; "head": from the last tokens to the logits.
    """
    tokens = torch.from_numpy(reading.tokens)
    with torch.inference_mode():
        if part == "row":
            band = x[:, :, row * reading.patch : (row + 1) * reading.patch].contiguous()
            return trace(project_both_ways, band, network.conv_proj.weight, network.conv_proj.bias)
        if part == "block":
            places = [*range(reading.extra), *[query] * (query >= reading.extra)]
            block = cast(EncoderBlock, list(network.encoder.layers.values())[layer])
            return trace(block.ask, tokens[layer : layer + 1].clone(), places, max_elements=MOST_STEPPED)
        if part == "head":
            return trace(network.logits, tokens[-1:].clone())
        return trace(network.embed, x)

"""A Vision Transformer that learned to look everywhere, held to windows: what its heads lose, and what its answer loses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from explorer.models.swin import Sides, WindowAttention
from explorer.models.vit import VisionTransformer, VitConfig
from explorer.trace import Trace, trace
from explorer.windows import windows_of

Way = Literal["fixed", "moved"]
"""The same windows in every layer; or, as in Swin, moved by half a window in every second one."""
WAYS: tuple[Way, ...] = ("fixed", "moved")


@dataclass(frozen=True, eq=False)
class Kept:
    """What of a network's attention stays within windows. share: float (layers, heads), of what patches give to patches.

    even: the share of a head that looks at all patches alike.
    """

    share: np.ndarray
    even: float


@dataclass(frozen=True, eq=False)
class Answers:
    """A network that may only look within windows. sides: of the windows, patches, ascending; the last is the whole photo.

    target: the class it answers without windows; probability: of that class, by way, float64 (sides,), 0–1;
    best: the class it answers, by way, int64 (sides,).
    """

    sides: tuple[int, ...]
    target: int
    probability: dict[Way, np.ndarray]
    best: dict[Way, np.ndarray]


def grid_of(config: VitConfig) -> Sides:
    """Rows and columns of patches of the photo that the network was made for."""
    return config.side, config.side


def window_sides(side: int) -> tuple[int, ...]:
    """Sides of windows to choose from, patches: those that cut the photo into equal windows, but for a single patch."""
    return tuple(window for window in range(2, side) if side % window == 0)


def window_mask(grid: Sides, window: int, extra: int = 0, *, moved: bool = False) -> np.ndarray:
    """bool (T, T), True where a token may look at another: both patches lie in one window of the block.

    extra: tokens before the patches, such as the class token. They see all and are seen by all; else no answer could be had.
    """
    region = windows_of(grid, window, moved=moved).region[: grid[0], : grid[1]].reshape(-1)
    mask = np.ones((extra + region.size, extra + region.size), bool)
    mask[extra:, extra:] = region[:, None] == region
    return mask


def layer_masks(config: VitConfig, window: int, way: Way) -> list[Tensor]:
    """A mask for each layer. The whole photo as one window hides nothing."""
    return [
        torch.from_numpy(window_mask(grid_of(config), window, config.extra, moved=way == "moved" and layer % 2 == 1))
        for layer in range(config.layers)
    ]


def kept(weights: np.ndarray, masks: Sequence[Tensor], patches: int) -> Kept:
    """How much of each head's attention the masks leave. weights: float (layers, heads, T, T), rows sum to 1.

    masks: bool (T, T), of each layer; patches: how many of the T tokens are, the last ones. Only what patches give to
    patches counts.
    """
    allowed = torch.stack(list(masks)).numpy()[:, None, -patches:, -patches:]  # (layers, 1, patches, patches)
    between = weights[..., -patches:, -patches:]
    # Σ_j allowed α_ij / Σ_j α_ij, the mean over all patches i
    share = (between * allowed).sum(-1) / between.sum(-1)  # (layers, heads, patches)
    return Kept(share.mean(-1), float(allowed.mean()))


def within(row: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """One query's attention if it may look there alone, scaled up to sum to 1: what a mask before the softmax gives.

    row: float (T,), ≥ 0; allowed: bool (T,).
    """
    left = np.where(allowed, row, 0)
    return left / left.sum()


@torch.inference_mode()
def probabilities_within(network: VisionTransformer, x: Tensor, window: int, way: Way) -> np.ndarray:
    """What the network answers if its patches may only look within windows. x: float32 (1, 3, H, W) → float32 (classes,).

    Nothing is learned anew: in Swin windows were there from the start. A window as large as the photo hides nothing.
    """
    return network.read(x, layer_masks(network.config, window, way)).logits[0].softmax(0).numpy()


def gather(sides: tuple[int, ...], found: Mapping[Way, Sequence[np.ndarray]]) -> Answers:
    """What probabilities_within gave for each of these sides, the last of them the whole photo's."""
    target = int(found["fixed"][-1].argmax())
    probability = {way: np.array([float(one[target]) for one in each]) for way, each in found.items()}
    return Answers(
        sides, target, probability, {way: np.array([one.argmax() for one in each]) for way, each in found.items()}
    )


def colour_patches(pixels: np.ndarray, side: int = 4) -> Tensor:
    """The photo as side × side patches, each its mean colour, standardised over the photo.

    pixels: uint8 (H, W, 3), H and W multiples of side → float32 (1, side, side, 3).
    """
    height, width = pixels.shape[0] // side, pixels.shape[1] // side
    means = pixels.reshape(side, height, side, width, 3).mean(axis=(1, 3))
    deviation = max(float(means.std()), 1e-6)
    return torch.from_numpy(((means - means.mean(axis=(0, 1))) / deviation).astype(np.float32))[None]


def plain_windows(window: int = 2, shift: int = 1, width: int = 3) -> WindowAttention:
    """Attention within windows that has nothing to learn: W_Q = W_K = W_V = W_O = I, no bias. Like looks at like."""
    attention = WindowAttention(width, 1, window, shift)
    with torch.no_grad():
        attention.qkv.weight.copy_(torch.eye(width).repeat(3, 1))
        attention.qkv.bias.zero_()
        attention.proj.weight.copy_(torch.eye(width))
        attention.proj.bias.zero_()
        attention.relative_position_bias_table.zero_()
    return attention.eval().requires_grad_(False)


def trace_windows(pixels: np.ndarray, *, moved: bool) -> Trace:
    """The steps of attention within 2 × 2 windows on the photo's 4 × 4 mean colours."""
    return trace(plain_windows(shift=1 if moved else 0), colour_patches(pixels))

"""How far the places of a network look: by attention, by what could reach them, and by what does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.attention_distance import attention_distances
from explorer.explain import Backbone, on_grid
from explorer.models.vit import VisionTransformer
from explorer.network_layers import map_fields


@dataclass(frozen=True, eq=False)
class Reach:
    """What the middle place of each map depends on. Distances are shares of the photo's side.

    names: of the maps; depth: float64 (n,), 0 for the first, 1 for the last. weight: float32 (n, S, S), ≥ 0, sums to 1: how
    much each pixel moves that place. distance: float64 (n,), from the place, the mean over the pixels by that weight.
    field: float64 (n, 4), the receptive field (left, top, width, height), NaN where it is no window or unknown.
    """

    names: tuple[str, ...]
    depth: np.ndarray
    weight: np.ndarray
    distance: np.ndarray
    field: np.ndarray

    @property
    def furthest(self) -> np.ndarray:
        """Half the receptive field's side, at most half the photo's: how far the middle could look along a row. (n,)."""
        return np.minimum(self.field[:, 2] / 2, 0.5)

    def coarse(self, number: int, grid: int) -> np.ndarray:
        """The weight of one map in grid × grid equal squares, a multiple of which the side is: (grid, grid)."""
        side = self.weight.shape[1] // grid
        return self.weight[number].reshape(grid, side, grid, side).sum(axis=(1, 3))


def reach(network: Backbone, x: Tensor, draws: int = 3, seed: int = 0) -> Reach:
    """The effective receptive field (Luo et al. 2016) of the middle place after every block, on this photo.

    x: float32 (1, 3, S, S), normalised. The gradient is that of the place's numbers along so many random directions; its root
    mean square over these and over the colours is, in expectation, the length of the Jacobian's column of each pixel.
    """
    side, generator = x.shape[-1], torch.Generator().manual_seed(seed)
    with torch.inference_mode(False), torch.enable_grad():
        photos = x.clone().repeat(draws, 1, 1, 1).requires_grad_()
        maps = {name: on_grid(network, one) for name, one in network.maps(photos).items()}  # (draws, C, h, w)
        weights, places = [], []
        for one in maps.values():
            row, column = one.shape[2] // 2, one.shape[3] // 2
            middle = one[:, :, row, column]  # (draws, C)
            signs = torch.randint(0, 2, middle.shape, generator=generator) * 2 - 1
            (gradient,) = torch.autograd.grad((middle * signs).sum(), photos, retain_graph=True)
            weights.append(gradient.square().sum(1).mean(0).sqrt())  # (S, S)
            places.append(((row + 0.5) * side / one.shape[2] - 0.5, (column + 0.5) * side / one.shape[3] - 0.5))
    fields = map_fields(network, x)
    field = np.full((len(maps), 4), np.nan)
    for number, (name, one) in enumerate(maps.items()):
        known = fields[name]
        if known is not None:
            (top, height), (left, width) = (
                (axis.start + axis.jump * (count // 2), axis.size)
                for axis, count in zip(known, one.shape[2:], strict=True)
            )
            field[number] = left, top, width, height
            places[number] = top + (height - 1) / 2, left + (width - 1) / 2
    weight = torch.stack(weights).detach().numpy()
    weight /= np.maximum(weight.sum(axis=(1, 2), keepdims=True), 1e-30)
    rows, columns = np.indices((side, side))
    far = np.stack([np.hypot(rows - row, columns - column) for row, column in places])
    return Reach(
        tuple(maps), np.linspace(0, 1, len(maps)), weight, (far * weight).sum(axis=(1, 2)) / side, field / side
    )


def head_distances(network: VisionTransformer, weights: np.ndarray) -> np.ndarray:
    """How far each head looks from the middle patch, a share of the photo's side: (layers, heads, T, T) → (layers, heads)."""
    config = network.config
    middle = (config.side // 2) * config.side + config.side // 2
    return attention_distances(weights, (config.side, config.side), config.patch)[..., middle] / config.image_size


def even_from_middle(side: int) -> float:
    """The distance of a place in the middle that looks everywhere alike, on side × side places: a share of the side."""
    rows, columns = np.indices((side, side))
    return float(np.hypot(rows - side // 2, columns - side // 2).mean() / side)

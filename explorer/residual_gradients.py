"""How long the gradient is at every layer of a deep network, with shortcuts and without."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.models.plain import SmallNetwork

SIDE = 32  # pixels
VIEWS = 16
CLASSES = 10


@dataclass(frozen=True, eq=False)
class GradientNorms:
    """Of one network at its start. norms: float64 (convolutions,), ‖∂L/∂W‖ of each, the first layer's first; loss: L."""

    norms: np.ndarray
    loss: float

    @property
    def ratio(self) -> float:
        """The first layer's over the last one's: below 1 the gradient vanishes on its way back, above 1 it explodes."""
        return float(self.norms[0] / self.norms[-1])


def views(pixels: np.ndarray, seed: int = 0) -> Tensor:
    """Random squares of the photo, each 32×32 pixels: a small batch. uint8 (H, W, 3) → float32 (16, 3, 32, 32), mean 0 and
    variance 1 of each channel over the batch.
    """
    rng = np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    squares = []
    for _ in range(VIEWS):
        side = max(1, round(min(height, width) * rng.uniform(0.4, 1.0)))
        top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
        square = np.ascontiguousarray(pixels[top : top + side, left : left + side])
        squares.append(cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    x = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255
    return (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True).clamp(min=1e-3)


def gradient_norms(depth: int, shortcut: bool, normalised: bool, x: Tensor, seed: int = 0) -> GradientNorms:
    """One forward and one backward pass of an untrained network. x: as views gives it. seed: of weights and of the classes.

    Its loss is the cross-entropy against classes drawn at random, so nothing but the network's shape decides.
    """
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(seed)
        network = SmallNetwork(depth, shortcut, normalised, CLASSES)
        target = torch.randint(CLASSES, (len(x),))
        weights = [module.weight for module in network.modules() if isinstance(module, nn.Conv2d)]
        loss = F.cross_entropy(network(x.clone()), target)
        gradients = torch.autograd.grad(loss, weights)
    return GradientNorms(np.array([gradient.norm().item() for gradient in gradients]), loss.item())

"""Where a classifier looked: a pass whose gradients can be asked for, without hooks, so that sessions can share one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

from explorer import cams


class Backbone(Protocol):
    """A network that shows its feature maps: `maps` gives them by name, in order; `logits` turns the last into logits.

    One whose maps are no (B, C, h, w), as a Transformer's, has `to_grid` too, which makes them so.
    """

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """x: float32 (B, 3, H, W) → name → (B, C, h, w)."""

    def logits(self, x: Tensor) -> Tensor:
        """Last feature map → logits (B, classes)."""


def on_grid(network: Backbone, x: Tensor) -> Tensor:
    """One of the network's maps, or a gradient of its shape, as (B, C, h, w)."""
    to_grid = getattr(network, "to_grid", None)
    return x if to_grid is None else to_grid(x)


@dataclass(frozen=True, eq=False)
class Pass:
    """One photo's way through a network, kept with all that the way back needs: asking for a class takes no second pass.

    x: float32 (1, 3, H, W), normalised. maps: block → as the network gives them; none of a network that shows none.
    logits: float32 (1, classes).
    """

    network: Any
    x: Tensor
    maps: dict[str, Tensor]
    logits: Tensor


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one class depends on. maps, gradients: block → its output A, and ∂y_c / ∂A, float32 (C, h, w).

    at_photo: ∂y_c / ∂x, float32 (3, H, W). target: the class c asked about.
    """

    maps: dict[str, np.ndarray]
    gradients: dict[str, np.ndarray]
    at_photo: Tensor
    target: int


@dataclass(frozen=True, eq=False)
class Look:
    """One pass of one photo, and what spoke for one class.

    maps: block → its feature maps, float32 (C, h, w). logits: float32 (classes,). target: the class asked about.
    cam: float32 (h, w), ≥ 0, unscaled: where block `layer` held what raises the target's logit.
    weights: float32 (C,), how much each channel of that block counts for the target.
    """

    maps: dict[str, np.ndarray]
    logits: np.ndarray
    target: int
    layer: str
    cam: np.ndarray
    weights: np.ndarray


def pass_through(network: Any, x: Tensor) -> Pass:
    """Run the network once. x: float32 (1, 3, H, W), normalised. A network without `maps` shows its logits alone."""
    with torch.inference_mode(False), torch.enable_grad():
        x = x.clone().requires_grad_()
        if hasattr(network, "maps"):
            maps = network.maps(x)
            *_, last = maps.values()
            logits = network.logits(last)  # (1, classes)
        else:
            maps, logits = {}, network(x)
    return Pass(network, x, maps, logits)


def evidence(one: Pass, target: int | None = None) -> Evidence:
    """Back from one logit to every block and to the photo. target: class index, the best one if None.

    Leaves no gradient and no hook behind, and the pass as it was.
    """
    chosen = int(one.logits[0].argmax()) if target is None else target
    wanted = [one.x, *one.maps.values()]
    with torch.inference_mode(False), torch.enable_grad():
        at_photo, *gradients = torch.autograd.grad(one.logits[0, chosen], wanted, retain_graph=True)  # ∂y_c / ∂A
    return Evidence(
        maps={name: _array(one.network, tensor) for name, tensor in one.maps.items()},
        gradients={name: _array(one.network, tensor) for name, tensor in zip(one.maps, gradients, strict=True)},
        at_photo=at_photo[0],
        target=chosen,
    )


def grad_cam(network: Backbone, x: Tensor, layer: str, target: int | None = None) -> Look:
    """Grad-CAM (Selvaraju et al. 2017, eq. 1 and 2) of one block alone.

    x: float32 (1, 3, H, W), normalised. layer: a name from network.maps. target: class index, the best one if None.
    Raises KeyError for an unknown layer. Leaves no gradient and no hook behind.
    """
    one = pass_through(network, x)
    chosen = int(one.logits[0].argmax()) if target is None else target
    with torch.inference_mode(False), torch.enable_grad():
        (gradient,) = torch.autograd.grad(one.logits[0, chosen], one.maps[layer])  # ∂y_c / ∂A
    maps = {name: _array(network, tensor) for name, tensor in one.maps.items()}
    at_block = _array(network, gradient)
    return Look(
        maps=maps,
        logits=one.logits[0].detach().numpy(),
        target=chosen,
        layer=layer,
        cam=cams.grad_cam(maps[layer], at_block),
        weights=cams.channel_weights(at_block),
    )


def _array(network: Backbone, tensor: Tensor) -> np.ndarray:
    """Of the one photo, (C, h, w); nothing is copied."""
    return on_grid(network, tensor.detach())[0].numpy()


def enlarge(cam: np.ndarray, width: int, height: int) -> np.ndarray:
    """A coarse map at the size of the photo, float32 (height, width), by cubic interpolation, never below 0."""
    return cv2.resize(cam, (width, height), interpolation=cv2.INTER_CUBIC).clip(0)


def overlay(pixels: np.ndarray, heat: np.ndarray, strength: float = 0.65) -> np.ndarray:
    """The photo in full light where the heat is, dimmed and grey elsewhere.

    pixels: uint8 (H, W, 3) RGB; heat: float32 (H, W), ≥ 0; strength: 0–1, how dark it gets → uint8 (H, W, 3).
    """
    share = (heat / max(float(heat.max()), 1e-12))[..., None]
    grey = pixels.mean(axis=2, keepdims=True)
    dimmed = grey * (1 - strength) + 24 * strength
    return (share * pixels + (1 - share) * dimmed).round().astype(np.uint8)


def mosaic(weight: np.ndarray, columns: int = 8) -> np.ndarray:
    """RGB kernels as one picture, a one-pixel white gap between them, each scaled so that 0 is mid-grey.

    weight: float32 (n, 3, k, k) → uint8 (rows·(k+1)−1, columns·(k+1)−1, 3).
    """
    count, _, k, _ = weight.shape
    rows = -(-count // columns)
    picture = np.full((rows * (k + 1) - 1, columns * (k + 1) - 1, 3), 255, np.uint8)
    for i, kernel in enumerate(weight):
        scaled = 127.5 + 127.5 * kernel / max(float(np.abs(kernel).max()), 1e-12)
        top, left = (i // columns) * (k + 1), (i % columns) * (k + 1)
        picture[top : top + k, left : left + k] = scaled.transpose(1, 2, 0).round().astype(np.uint8)
    return picture

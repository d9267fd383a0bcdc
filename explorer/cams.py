"""Class activation maps: six ways to weigh one block's feature maps by a class's gradient. All give float32 (h, w), ≥ 0.

maps: A, float32 (C, h, w), the block's output. gradient: g = ∂y_c / ∂A, the same shape, of the class's logit y_c.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

PLACES = (1, 2)
"""The axes i, j."""
ROUNDING = 1e-5
"""What float32 leaves of a sum whose terms cancel, as a share of their magnitudes."""


def channel_weights(gradient: np.ndarray) -> np.ndarray:
    """How much each channel counts for the class: α_k = 1/Z Σ_ij g_kij (Selvaraju et al. 2017, eq. 1). → (C,)."""
    return gradient.mean(axis=PLACES)


def grad_cam(maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """L = relu(Σ_k α_k A_k) (Selvaraju et al. 2017, eq. 2)."""
    return _relu(_weighted(channel_weights(gradient), maps))


def grad_cam_plus_plus(maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Positive gradients alone, each with a share of its own (Chattopadhay et al. 2018, eq. 11 and 19)."""
    square, cube = gradient**2, gradient**3
    # a_kij = g² / (2g² + g³ Σ A_k)
    shares = _divided(square, 2 * square + cube * maps.sum(axis=PLACES, keepdims=True))
    # α_k = Σ_ij a_kij · relu(g_kij)
    weights = (shares * _relu(gradient)).sum(axis=PLACES)
    return _relu(_weighted(weights, maps))


def xgrad_cam(maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The mean gradient where the channel is active: α_k = Σ_ij g·A / Σ_ij A (Fu et al. 2020, eq. 7)."""
    weights = _divided((gradient * maps).sum(axis=PLACES), maps.sum(axis=PLACES))
    return _relu(_weighted(weights, maps))


def hires_cam(maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Each place by its own gradient: L = relu(Σ_k g_k ⊙ A_k) (Draelos and Carin 2020, eq. 2).

    Where a layer norm follows, the length of a place's vector changes nothing, and the sum is 0 everywhere.
    """
    products = gradient * maps
    total = products.sum(axis=0)
    total[np.abs(total) <= ROUNDING * np.abs(products).sum(axis=0)] = 0
    return _relu(total)


def layer_cam(maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Each place by its own gradient where that is positive: L = relu(Σ_k relu(g_k) ⊙ A_k) (Jiang et al. 2021, eq. 5 and 6)."""
    return _relu((_relu(gradient) * maps).sum(axis=0))


def eigen_cam(maps: np.ndarray, gradient: np.ndarray | None = None) -> np.ndarray:
    """How far each place lies along the direction in which places differ most (after Muhammad and Yeasin 2020).

    The gradient is not used: no class is asked. The direction points to where the maps are strong.
    """
    places = maps.reshape(len(maps), -1).T  # (h · w, C)
    centred = places - places.mean(axis=0)
    # The first right singular vector of the centred places is their first principal component.
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    along = centred @ directions[0]  # (h · w,)
    strength = (places**2).sum(axis=1)
    sign = -1.0 if along @ (strength - strength.mean()) < 0 else 1.0
    return _relu(sign * along.reshape(maps.shape[1:])).astype(np.float32)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "grad_cam": grad_cam,
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "xgrad_cam": xgrad_cam,
    "hires_cam": hires_cam,
    "layer_cam": layer_cam,
    "eigen_cam": eigen_cam,
}
"""All six, by name."""


def _weighted(weights: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Σ_k α_k A_k."""
    return np.tensordot(weights, maps, axes=1)


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def _divided(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, and 0 where below is 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)

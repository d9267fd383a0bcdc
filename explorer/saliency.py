"""What the pixels do to one class: gradients at the photo itself, of any network, at the full size of what it sees.

score: photos float32 (n, 3, H, W), normalised → the class's logit of each, (n,). x: the photo, float32 (1, 3, H, W).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]
Gradient = Callable[[Tensor], Tensor]
"""photos (n, 3, H, W) → ∂score/∂photo of each, the same shape."""

SAMPLES = 24
"""Noisy copies of SmoothGrad; steps of integrated gradients."""
BATCH = 4
CALLS = SAMPLES // BATCH
"""How often each of the two asks for gradients."""
NOISE = 0.15
"""Standard deviation of SmoothGrad's noise, as a share of the photo's range."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """Integrated gradients. values: float32 (H, W), signed, what each pixel adds to the logit, its colours together.

    total: their sum. difference: the logit of the photo minus that of the plain grey one, which the sum should be.
    """

    values: np.ndarray
    total: float
    difference: float


def gradient_of(score: Score) -> Gradient:
    """The function that gives the score's gradient at each photo. It leaves no gradient behind."""

    def gradient(x: Tensor) -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            x = x.clone().requires_grad_()
            (found,) = torch.autograd.grad(score(x).sum(), x)
        return found

    return gradient


def strongest(gradient: Tensor) -> np.ndarray:
    """Saliency: each pixel's largest magnitude of three colours (Simonyan et al. 2014). (3, H, W) → float32 (H, W)."""
    return gradient.abs().amax(dim=0).numpy()


def smooth_grad(gradient: Gradient, x: Tensor, seed: int = 0) -> np.ndarray:
    """Saliency of the mean gradient over SAMPLES noisy copies of the photo (Smilkov et al. 2017). → float32 (H, W)."""
    generator = torch.Generator().manual_seed(seed)
    spread = NOISE * (x.max() - x.min())
    total = torch.zeros_like(x[0])
    for _ in range(CALLS):
        noise = torch.randn((BATCH, *x.shape[1:]), generator=generator)
        total += gradient(x + spread * noise).sum(dim=0)
    return strongest(total / SAMPLES)


def integrated_gradients(score: Score, gradient: Gradient, x: Tensor) -> Attribution:
    """The gradient along the straight way from a grey photo to this one (Sundararajan et al. 2017, eq. 1).

    The grey is the mean colour of the training photos, 0 once normalised; the integral is the mean over SAMPLES midpoints.
    """
    along = (torch.arange(SAMPLES) + 0.5) / SAMPLES  # (SAMPLES,), 0–1
    total = torch.zeros_like(x[0])
    for part in along.split(BATCH):
        total += gradient(part.view(-1, 1, 1, 1) * x).sum(dim=0)
    attribution = (x[0] * total / SAMPLES).sum(dim=0)  # (H, W)
    with torch.inference_mode():
        there, start = score(torch.cat([x, torch.zeros_like(x)])).tolist()
    return Attribution(attribution.numpy(), float(attribution.sum()), there - start)


def without_peaks(heat: np.ndarray, share: float = 0.01) -> np.ndarray:
    """The heat with its brightest share of pixels cut to one height, so that a few do not outshine the rest."""
    return np.minimum(heat, np.quantile(heat, 1 - share))

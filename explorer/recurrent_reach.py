"""What an output can see: a 1-D convolution beside a recurrent network, and which inputs move which outputs of each.

Sequences are float32 (T, width).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.models.convolution import conv1d
from explorer.recurrent_views import Cell, Setup, initial_state, make


@dataclass(frozen=True, eq=False)
class Convolved:
    """A 1-D convolution. output: float32 (T, channels). weight: (channels, width, kernel); bias: (channels,)."""

    output: np.ndarray
    weight: np.ndarray
    bias: np.ndarray

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.weight.size + self.bias.size


def convolve(x: np.ndarray, channels: int, kernel: int, seed: int = 0) -> Convolved:
    """Slide `channels` kernels of odd width along the sequence, zeros beyond its ends; weights drawn as torch.nn draws them."""
    weight, bias = _kernels(x.shape[1], channels, kernel, seed)
    with torch.inference_mode():
        output = conv1d(torch.from_numpy(x.T.copy())[None], weight, bias, padding="same")  # (1, channels, T)
    return Convolved(output[0].T.numpy(), weight.numpy(), bias.numpy())


def _kernels(width: int, channels: int, kernel: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    bound = (width * kernel) ** -0.5
    weight = torch.empty(channels, width, kernel).uniform_(-bound, bound, generator=generator)
    return weight, torch.empty(channels).uniform_(-bound, bound, generator=generator)


def reach_of_cell(cell: Cell, x: np.ndarray, setup: Setup) -> np.ndarray:
    """How far each output moves when 1 is added to every entry of one input: float32 (T, T), outputs by inputs.

    Measured by reading T changed sequences, as one batch. The length of the difference of two outputs is ‖·‖₂.
    """
    model = make(cell, x.shape[1], setup)
    changed, original = _changed(x)

    def read(batch: Tensor) -> Tensor:
        state = initial_state(model, setup.initial, batch.shape[1], setup.seed)
        return model(batch, state)[0]

    return _moved(read, changed, original)


def reach_of_convolution(x: np.ndarray, convolved: Convolved) -> np.ndarray:
    """As reach_of_cell, for the convolution."""
    weight, bias = torch.from_numpy(convolved.weight), torch.from_numpy(convolved.bias)
    changed, original = _changed(x)
    return _moved(
        lambda b: conv1d(b.permute(1, 2, 0), weight, bias, padding="same").permute(2, 0, 1), changed, original
    )


def _changed(x: np.ndarray) -> tuple[Tensor, Tensor]:
    """(T, T, width): sequence n, along the second axis, has 1 added to its input n; and the original, (T, 1, width)."""
    original = torch.from_numpy(np.ascontiguousarray(x))[:, None]
    return original + torch.eye(len(x))[..., None], original


def _moved(read: Callable[[Tensor], Tensor], changed: Tensor, original: Tensor) -> np.ndarray:
    with torch.inference_mode():
        both = read(torch.cat([original, changed], dim=1))  # (T, 1 + T, hidden)
        return (both[:, 1:] - both[:, :1]).norm(dim=-1).numpy()


def sees(reach: np.ndarray, output: int) -> tuple[int, ...]:
    """The inputs that move this output at all, of a (T, T) table of reach."""
    return tuple(int(n) for n in np.flatnonzero(reach[output]))

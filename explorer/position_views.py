"""What the page on positional encoding shows, computed: waves, how alike positions are, the turn that shifts one, attention.

Encodings are float32 (length, d_model); pair i is dimensions 2i and 2i + 1, a sine and a cosine of one frequency.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from explorer.models.attention import scaled_dot_product_attention
from explorer.models.positions import shift_positions, shift_rotations, sinusoid_positions
from explorer.trace import Trace, trace
from explorer.words import random_vectors

STEPPED_NUMBERS = 8192
"""Numbers of an encoding that is stepped through; of a longer one the first positions."""
DENSE = 8
"""Points of a drawn wave for each position."""


def encode(length: int, d_model: int, base: float) -> np.ndarray:
    """The sinusoids of Vaswani et al. 2017, float32 (length, d_model)."""
    return sinusoid_positions(length, d_model, base).numpy()


def wavelengths(d_model: int, base: float) -> np.ndarray:
    """Positions after which each pair of dimensions repeats, 2π · base^(2i/d): float64 (d_model/2,)."""
    return 2 * np.pi * base ** (np.arange(0, d_model, 2) / d_model)


@dataclass(frozen=True, eq=False)
class Wave:
    """One dimension over the positions. positions, values: (n,), the curve between them. wavelength: in positions.

    turns: how many wavelengths fit into the length. name: "sin" or "cos".
    """

    positions: np.ndarray
    values: np.ndarray
    wavelength: float
    turns: float
    name: str


def wave(length: int, d_model: int, base: float, dimension: int) -> Wave:
    """The curve on which the numbers of this dimension, 0 to d_model − 1, lie."""
    positions = np.arange((length - 1) * DENSE + 1) / DENSE
    period = float(wavelengths(d_model, base)[dimension // 2])
    name = "cos" if dimension % 2 else "sin"
    values = {"sin": np.sin, "cos": np.cos}[name](2 * np.pi * positions / period)
    return Wave(positions, values, period, (length - 1) / period, name)


@dataclass(frozen=True, eq=False)
class ByOffset:
    """A number for each pair of positions, gathered by how far apart they are. pairs: (length, length).

    mean, spread: (length,), over all pairs that lie 0, 1, … positions apart: their mean, and largest − smallest.
    """

    pairs: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


def dot_products(vectors: np.ndarray) -> ByOffset:
    """p · q of all positions. vectors: float32 (length, d_model)."""
    wide = vectors.astype(np.float64)
    return _by_offset(wide @ wide.T)


def distances(vectors: np.ndarray) -> ByOffset:
    """‖p − q‖ of all positions. vectors: float32 (length, d_model)."""
    wide = vectors.astype(np.float64)
    return _by_offset(np.linalg.norm(wide[:, None] - wide[None], axis=-1))


def cosines(vectors: np.ndarray) -> ByOffset:
    """p · q / (‖p‖ ‖q‖) of all positions, 0 where a vector is all zeros."""
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return dot_products(np.divide(vectors, length, where=length > 0, out=np.zeros(vectors.shape)))


def _by_offset(pairs: np.ndarray) -> ByOffset:
    diagonals = [np.diagonal(pairs, k) for k in range(len(pairs))]
    return ByOffset(pairs, np.array([d.mean() for d in diagonals]), np.array([np.ptp(d) for d in diagonals]))


@dataclass(frozen=True, eq=False)
class Shift:
    """A position moved by turning. rotation: (2, 2), R(k) of one pair; angle: of that turn, radians.

    before, after: (2,), the pair's (sin, cos) at pos and at pos + k as the formula has them. turned: (2,), R(k) · before.
    difference: the largest |R(k) PE(pos) − PE(pos + k)|, over all dimensions and all positions of the table.
    """

    rotation: np.ndarray
    angle: float
    before: np.ndarray
    after: np.ndarray
    turned: np.ndarray
    difference: float


def shift(length: int, d_model: int, base: float, pair: int, position: int, offset: int) -> Shift:
    """What moves `position` on by `offset`; both ends within the length."""
    encoding = sinusoid_positions(length, d_model, base)
    shifted = shift_positions(encoding, offset, base)
    rotation = shift_rotations(d_model, offset, base)[pair].numpy()
    place = slice(2 * pair, 2 * pair + 2)
    return Shift(
        rotation,
        float(offset * 2 * math.pi / wavelengths(d_model, base)[pair]),
        encoding[position, place].numpy(),
        encoding[position + offset, place].numpy(),
        shifted[position, place].numpy(),
        float((shifted[: length - offset] - encoding[offset:]).abs().max()),
    )


def stepped(length: int, d_model: int, base: float, offset: int | None = None) -> tuple[Trace, int]:
    """The trace of the encoding, or with an offset of shifting it; and of how many positions, so that few numbers are kept."""
    kept = min(length, max(STEPPED_NUMBERS // d_model, 2))
    if offset is None:
        return trace(sinusoid_positions, kept, d_model, base), kept
    return trace(shift_positions, sinusoid_positions(kept, d_model, base), offset, base), kept


@dataclass(frozen=True, eq=False)
class Seen:
    """Attention of one head with random weights. weights: float32 (T, T), rows are queries and sum to 1.

    repeated: pairs of places with the same word, first < second. gap: the largest difference between the rows of such a
    pair, None where no word comes twice.
    """

    weights: np.ndarray
    repeated: tuple[tuple[int, int], ...]
    gap: float | None


def see(words: Sequence[str], d_model: int, base: float, seed: int = 0) -> tuple[Seen, Seen]:
    """Self-attention of a sentence: without positions, and with sinusoids added to the words' random vectors."""
    vectors = torch.from_numpy(random_vectors(words, d_model, seed))
    generator = torch.Generator().manual_seed(seed)
    w_query, w_key = (torch.randn(d_model, d_model, generator=generator) / d_model**0.5 for _ in range(2))
    folded = [word.casefold() for word in words]
    repeated = tuple(
        (first, second) for second in range(len(folded)) for first in range(second) if folded[first] == folded[second]
    )
    seen = []
    for x in (vectors, vectors + sinusoid_positions(len(words), d_model, base)):
        weights = scaled_dot_product_attention(x @ w_query, x @ w_key, x)[1].numpy()
        gaps = [float(np.abs(weights[first] - weights[second]).max()) for first, second in repeated]
        seen.append(Seen(weights, repeated, max(gaps) if gaps else None))
    return seen[0], seen[1]

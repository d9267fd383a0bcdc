"""What the pooling page shows, computed: a map pooled, what noise and a small shift do to it, and one window taken apart.

Maps are float32 (H, W), brightness 0–1. Pairs are (rows, columns).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from explorer.models import pooling
from explorer.shapes import dropped, pool_output
from explorer.trace import Trace, trace

Pair = tuple[int, int]
Kind = Literal["max", "average", "global"]
Noise = Literal["specks", "bright", "dark", "gaussian"]

KINDS: tuple[Kind, ...] = ("max", "average", "global")
CHANGED = 0.05
"""A cell counts as changed if it moved by more than this; black to white is 1."""
STEPPED_NUMBERS = 60_000
"""Numbers in the windows of a trace by hand; with more, only a part of the map is stepped through."""
NOISE_SEEDS = 16
"""Pictures of noise that a point of the noise curve is the mean of."""


@dataclass(frozen=True)
class Setup:
    """How a map is pooled. window, stride, padding: cells along both axes; "global" takes the whole map as its window."""

    kind: Kind = "max"
    window: int = 2
    stride: int = 2
    padding: int = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def of(self, kind: Kind) -> Setup:
        """The same windows with another kind of pooling."""
        return replace(self, kind=kind)

    def output(self, size: Pair) -> Pair:
        """Rows and columns that come out."""
        if self.kind == "global":
            return 1, 1
        rows, columns = (pool_output(n, self.window, self.stride, self.padding, ceil_mode=self.ceil_mode) for n in size)
        return rows, columns

    def dropped(self, size: Pair) -> Pair:
        """Rows and columns at the end of the padded map that no window reaches."""
        if self.kind == "global":
            return 0, 0
        sides = (self.padding, self.padding)
        rows, columns = (dropped(n, self.window, self.stride, sides, ceil_mode=self.ceil_mode) for n in size)
        return rows, columns

    def sides(self, size: Pair) -> tuple[int, int, int, int]:
        """Cells added at (top, bottom, left, right): the padding, and what ceil_mode lets hang over at the end."""
        if self.kind == "global":
            return 0, 0, 0, 0
        over = (pooling.overhang(n, self.window, self.stride, self.padding) if self.ceil_mode else 0 for n in size)
        bottom, right = (self.padding + cells for cells in over)
        return self.padding, bottom, self.padding, right

    def place(self, size: Pair, row: int, column: int) -> tuple[int, int, int, int]:
        """(x, y, width, height) of the window that makes output cell (row, column), in cells of the padded map."""
        if self.kind == "global":
            return 0, 0, size[1], size[0]
        return column * self.stride, row * self.stride, self.window, self.window


def batch(image: np.ndarray) -> Tensor:
    """(H, W) → (1, 1, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(image))[None, None]


def pool(image: np.ndarray, setup: Setup) -> np.ndarray:
    """The pooled map, float32 (H_out, W_out)."""
    return _pooled(batch(image), setup)[0, 0].numpy()


def pool_colours(pixels: np.ndarray, setup: Setup, times: int = 1) -> np.ndarray:
    """Each colour pooled on its own, so many times in a row. pixels: uint8 (H, W, 3) → uint8 (H_out, W_out, 3)."""
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    for _ in range(times):
        x = _pooled(x, setup)
    return x[0].permute(1, 2, 0).round().to(torch.uint8).numpy()


def most_times(size: Pair, setup: Setup, limit: int) -> int:
    """How often a map of this size can be pooled in a row until a window no longer fits, `limit` at most."""
    for times in range(limit):
        if min(size) + 2 * setup.padding < setup.window:
            return times
        size = setup.of("max").output(size)
    return limit


def winners(image: np.ndarray, setup: Setup) -> np.ndarray:
    """Row and column of each cell that is some window's maximum, int32 (n, 2), n ≤ H_out · W_out."""
    arguments = _arguments(setup.of("max"))
    numbers = np.unique(pooling.max_pool2d(batch(image), **arguments)[1].numpy())
    return np.stack(np.divmod(numbers, image.shape[1]), axis=1).astype(np.int32)


def padded(image: np.ndarray, setup: Setup) -> np.ndarray:
    """The map as the windows see it: −∞ around it for a maximum, 0 for a mean."""
    top, bottom, left, right = setup.sides((image.shape[0], image.shape[1]))
    value = -np.inf if setup.kind == "max" else 0.0
    return np.pad(image, ((top, bottom), (left, right)), constant_values=value)


def as_grey(values: np.ndarray) -> np.ndarray:
    """Brightness 0–1, (H, W), as uint8 (H, W, 3); −∞ is black."""
    return np.repeat((values.clip(0, 1) * 255).round().astype(np.uint8)[..., None], 3, axis=2)


def add_noise(image: np.ndarray, kind: Noise, strength: float, seed: int = 0) -> np.ndarray:
    """The map with noise on it, cut to 0–1 as a camera does.

    strength: of specks the share of cells that turn white ("bright"), black ("dark") or either ("specks"); of "gaussian"
    the standard deviation.
    """
    random = np.random.default_rng(seed)
    if kind == "gaussian":
        return (image + strength * random.standard_normal(image.shape)).clip(0, 1).astype(np.float32)
    hit = random.random(image.shape) < strength
    white = {"bright": np.ones(image.shape, bool), "dark": np.zeros(image.shape, bool)}
    colour = white.get(kind, random.random(image.shape) < 0.5)
    return np.where(hit, colour, image).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Change:
    """How far a pooled map is from another. difference: (H_out, W_out), ≥ 0; mean: its mean; share: of changed cells."""

    difference: np.ndarray
    mean: float
    share: float


def change(before: np.ndarray, after: np.ndarray) -> Change:
    """Cell by cell; which cells count as changed is said at CHANGED."""
    difference = np.abs(after - before)
    return Change(difference, float(difference.mean()), float((difference > CHANGED).mean()))


def changes(before: np.ndarray, after: np.ndarray, setup: Setup) -> dict[Kind, Change]:
    """The change of the pooled maps, for each kind of pooling in this setup's windows."""
    kinds = {kind: setup.of(kind) for kind in KINDS}
    return {kind: change(pool(before, s), pool(after, s)) for kind, s in kinds.items()}


def noise_curves(image: np.ndarray, setup: Setup, noise: Noise, strengths: Sequence[float]) -> dict[Kind, np.ndarray]:
    """Mean absolute change of the pooled map at each strength, for each kind of pooling, over NOISE_SEEDS pictures."""
    noisy = np.stack([[add_noise(image, noise, s, seed) for seed in range(NOISE_SEEDS)] for s in strengths])
    x = torch.from_numpy(noisy).flatten(0, 1)[:, None]  # (strengths · seeds, 1, H, W)
    curves: dict[Kind, np.ndarray] = {}
    for kind in KINDS:
        chosen = setup.of(kind)
        error = (_pooled(x, chosen) - _pooled(batch(image), chosen)).abs().mean(dim=(1, 2, 3))
        curves[kind] = error.unflatten(0, (len(strengths), NOISE_SEEDS)).mean(dim=1).numpy()
    return curves


def shifted(image: np.ndarray, cells: int) -> np.ndarray:
    """The map moved to the right; what leaves there comes back on the left."""
    return np.roll(image, cells, axis=1)


def stepped(image: np.ndarray, setup: Setup, centre: Pair) -> np.ndarray:
    """The part of the map to step through by hand: all of it, or some cells around `centre` where that would be too much."""
    size = (image.shape[0], image.shape[1])
    if setup.kind == "global" or np.prod(setup.output(size)) * setup.window**2 <= STEPPED_NUMBERS:
        return image
    sides = [min(n, setup.window + 6) for n in size]
    top, left = (min(max(c - side // 2, 0), n - side) for c, side, n in zip(centre, sides, size, strict=True))
    return image[top : top + sides[0], left : left + sides[1]]


def steps(image: np.ndarray, setup: Setup, by_hand: bool) -> tuple[Trace, int]:
    """The trace of pooling the map, and the step to open on: where the windows become numbers."""
    made = trace(getattr(pooling, _function(setup, by_hand)), batch(image), **_arguments(setup))
    opening = ("values", "total") if by_hand else ("values", "return", "pooled")
    return made, next((step.index for step in made.steps if (step.target or "").split(",")[0] in opening), 0)


def call_source(setup: Setup) -> tuple[str, str]:
    """The function's name, and the lines of a snippet that call it on x and leave the pooled map in `result`."""
    name, default = _function(setup), _arguments(Setup(setup.kind))
    always = ("kernel_size", "stride")
    chosen = {key: value for key, value in _arguments(setup).items() if key in always or value != default[key]}
    call = ", ".join(["x", *(f"{key}={value}" for key, value in chosen.items())])
    if setup.kind == "global":
        return name, f"pooled = {name}({call})  # (1, 1): one number for each map\nresult = pooled.numpy()"
    left = "pooled, positions" if setup.kind == "max" else "pooled"
    return name, f"{left} = {name}({call})\nresult = pooled[0, 0].numpy()"


def _function(setup: Setup, by_hand: bool = False) -> str:
    names = {"max": "max_pool2d", "average": "avg_pool2d", "global": "global_average_pool"}
    return names[setup.kind] + ("_by_hand" if by_hand else "")


def _arguments(setup: Setup) -> dict[str, Any]:
    if setup.kind == "global":
        return {}
    window = {"kernel_size": setup.window, "stride": setup.stride, "padding": setup.padding}
    last = {"count_include_pad": setup.count_include_pad} if setup.kind == "average" else {}
    return {**window, "ceil_mode": setup.ceil_mode, **last}


def _pooled(x: Tensor, setup: Setup) -> Tensor:
    """(B, C, H, W) → (B, C, H_out, W_out)."""
    arguments = _arguments(setup)
    if setup.kind == "max":
        return pooling.max_pool2d(x, **arguments)[0]
    if setup.kind == "average":
        return pooling.avg_pool2d(x, **arguments)
    return pooling.global_average_pool(x)[..., None, None]

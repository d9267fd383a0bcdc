"""The Swin Transformer (Liu et al. 2021): attention within windows, which move by half a window in every second block.

Parameter names are torchvision's, so `load_state_dict` takes the official checkpoints as they are. Dropping whole blocks
in training (stochastic depth) is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.models.vit import Mlp

Sides = tuple[int, int]
"""Rows and columns."""


@dataclass(frozen=True)
class SwinConfig:
    """The sizes of swin_t. patch: side of a patch, pixels; width: of a token in the first stage, doubled in each later one.

    blocks, heads: in each stage; window: side of a window, patches; classes: length of the logits.
    """

    patch: int = 4
    width: int = 96
    blocks: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (3, 6, 12, 24)
    window: int = 7
    classes: int = 1000


@dataclass(frozen=True)
class SwinOutput:
    """maps: after the patch embedding and after every block, by name, float (B, h, w, C).

    attention: of every block, by name, float (B, windows, heads, window², window²). logits: (B, classes).
    """

    maps: dict[str, Tensor]
    attention: dict[str, Tensor]
    logits: Tensor


def to_windows(x: Tensor, window: int) -> Tensor:
    """Cut a map into windows: (B, h, w, C), h and w multiples of window → (B, windows, window², C), row by row."""
    x = x.unflatten(1, (-1, window)).unflatten(3, (-1, window))  # (B, h/M, M, w/M, M, C)
    x = x.transpose(2, 3)  # (B, h/M, w/M, M, M, C)
    return x.flatten(1, 2).flatten(2, 3)  # (B, h/M · w/M, M², C)


def from_windows(x: Tensor, window: int, size: Sides) -> Tensor:
    """The inverse of to_windows: (B, windows, window², C) → (B, *size, C)."""
    rows, columns = size[0] // window, size[1] // window
    x = x.unflatten(2, (window, window)).unflatten(1, (rows, columns))  # (B, h/M, w/M, M, M, C)
    return x.transpose(2, 3).flatten(1, 2).flatten(2, 3)  # (B, h, w, C)


def fitting_shift(size: Sides, window: int, shift: int) -> Sides:
    """How far the windows move along each axis: nowhere along one on which there is a single window."""
    rows, columns = (0 if window >= side else shift for side in size)
    return rows, columns


def region_map(size: Sides, window: int, shift: Sides) -> Tensor:
    """Which patches of a rolled map were neighbours before: a number for each part that was. → int64 size.

    Rolling carries the first `shift` rows and columns to the far end, into windows with patches they are far from.
    """
    rows, columns = (
        torch.bucketize(torch.arange(side), torch.tensor([side - window, side - by]), right=True)
        if by
        else torch.zeros(side)
        for side, by in zip(size, shift, strict=True)
    )  # 0 … 2, from the first to the part that was carried
    return (3 * rows[:, None] + columns).long()


def shift_mask(size: Sides, window: int, shift: Sides) -> Tensor:
    """bool (windows, window², window²), True where a patch may look at another: both are of the same region."""
    regions = to_windows(region_map(size, window, shift)[None, ..., None], window)[0, ..., 0]  # (windows, window²)
    return regions[:, :, None] == regions[:, None, :]


def relative_positions(window: int) -> Tensor:
    """For every pair of patches of a window, which row of the bias table holds for their offset. → int64 (window⁴,)."""
    place = torch.arange(window)
    row, column = (axis.flatten() for axis in torch.meshgrid(place, place, indexing="ij"))  # (window²,)
    down = row[:, None] - row + window - 1  # (window², window²), 0 … 2·window − 2
    across = column[:, None] - column + window - 1
    return (down * (2 * window - 1) + across).flatten()


class WindowAttention(nn.Module):
    """Self-attention within windows of patches, with a learned bias for each offset (Liu et al. 2021, eq. 4)."""

    relative_position_index: Tensor

    def __init__(self, width: int, heads: int, window: int, shift: int):
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.register_buffer("relative_position_index", relative_positions(window))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: float (B, h, w, C) → the same shape, and the weights (B, windows, heads, window², window²)."""
        size = x.shape[1:3]
        x = F.pad(x, (0, 0, 0, -size[1] % self.window, 0, -size[0] % self.window))  # up to whole windows
        padded = x.shape[1], x.shape[2]
        shift = fitting_shift(padded, self.window, self.shift)
        if any(shift):
            x = torch.roll(x, (-shift[0], -shift[1]), dims=(1, 2))
        windows = to_windows(x, self.window)  # (B, windows, M², C)
        mask = shift_mask(padded, self.window, shift)[:, None] if any(shift) else None  # (windows, 1, M², M²)
        out, weights = self.attend(windows, mask)
        x = from_windows(out, self.window, padded)  # (B, h, w, C)
        if any(shift):
            x = torch.roll(x, shift, dims=(1, 2))
        return x[:, : size[0], : size[1]], weights

    def attend(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """x: float (B, windows, M², C); mask: bool, broadcast to (B, windows, heads, M², M²), True where one may look."""
        # Q, K, V = XW_Q, XW_K, XW_V
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1))  # (B, windows, M², 3, heads, d_head)
        query, key, value = qkv.permute(3, 0, 1, 4, 2, 5).unbind()  # 3 × (B, windows, heads, M², d_head)
        # score = QKᵀ / √d_head + bias
        scores = query @ key.mT / math.sqrt(query.shape[-1])  # (B, windows, heads, M², M²)
        scores = scores + self.bias()
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        weights = scores.softmax(dim=-1)
        mixed = weights @ value  # (B, windows, heads, M², d_head)
        joined = mixed.transpose(2, 3).flatten(3)  # (B, windows, M², C)
        return self.proj(joined), weights

    def bias(self) -> Tensor:
        """What each head adds to the score of every pair of patches, by their offset. → (heads, window², window²)."""
        table = self.relative_position_bias_table[self.relative_position_index]  # (window⁴, heads)
        return table.unflatten(0, (self.window**2, -1)).permute(2, 0, 1)


class SwinBlock(nn.Module):
    """Norm, attention within windows, add; norm, feed-forward part, add (Liu et al. 2021, eq. 3)."""

    def __init__(self, width: int, heads: int, window: int, shift: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = WindowAttention(width, heads, window, shift)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, 4 * width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: float (B, h, w, C) → the same shape, and the weights (B, windows, heads, window², window²)."""
        attended, weights = self.attn(self.norm1(x))
        x = x + attended
        x = x + self.mlp(self.norm2(x))
        return x, weights


class PatchEmbedding(nn.ModuleDict):
    """Each patch of pixels times the same matrix, then a norm."""

    def __init__(self, patch: int, width: int):
        super().__init__({"0": nn.Conv2d(3, width, patch, stride=patch), "2": nn.LayerNorm(width)})

    def forward(self, x: Tensor) -> Tensor:
        """float (B, 3, H, W) → (B, H/patch, W/patch, width)."""
        patches = self["0"](x).permute(0, 2, 3, 1)
        return self["2"](patches)


class PatchMerging(nn.Module):
    """Four neighbouring patches become one of twice the width: the map halves, as pooling would halve it."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """float (B, h, w, C) → (B, ⌈h/2⌉, ⌈w/2⌉, 2C)."""
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        top_left, bottom_left = x[:, 0::2, 0::2], x[:, 1::2, 0::2]  # (B, h/2, w/2, C)
        top_right, bottom_right = x[:, 0::2, 1::2], x[:, 1::2, 1::2]
        merged = torch.cat([top_left, bottom_left, top_right, bottom_right], dim=-1)  # (B, h/2, w/2, 4C)
        return self.reduction(self.norm(merged))


class SwinTransformer(nn.Module):
    """Patches, four stages of blocks with merging between, the last norm, the mean over all patches, one linear layer."""

    def __init__(self, config: SwinConfig):
        super().__init__()
        self.config = config
        modules: dict[str, nn.Module] = {"0": PatchEmbedding(config.patch, config.width)}
        for stage, (count, heads) in enumerate(zip(config.blocks, config.heads, strict=True)):
            width = config.width * 2**stage
            if stage:
                modules[f"{2 * stage}"] = PatchMerging(width // 2)
            # Every second block has its windows moved by half a window.
            blocks = [SwinBlock(width, heads, config.window, i % 2 * (config.window // 2)) for i in range(count)]
            modules[f"{2 * stage + 1}"] = nn.ModuleList(blocks)
        self.features = nn.ModuleDict(modules)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, config.classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
            elif isinstance(module, WindowAttention):
                nn.init.trunc_normal_(module.relative_position_bias_table, std=0.02)

    def blocks(self) -> list[str]:
        """Names of what `maps` gives, in order: stage 2.0 is the first block of the second stage."""
        return ["patches", *(f"stage{s}.{i}" for s, count in enumerate(self.config.blocks, 1) for i in range(count))]

    def read(self, x: Tensor) -> SwinOutput:
        """As forward, keeping the map after every block, and its attention."""
        maps, attention = {}, {}
        maps["patches"] = x = self.features["0"](x)  # (B, H/4, W/4, width)
        for stage in range(1, len(self.config.blocks) + 1):
            if stage > 1:
                x = self.features[f"{2 * stage - 2}"](x)  # (B, h/2, w/2, 2C)
            for i, block in enumerate(self.features[f"{2 * stage - 1}"].children()):
                x, weights = block(x)
                maps[f"stage{stage}.{i}"], attention[f"stage{stage}.{i}"] = x, weights
        return SwinOutput(maps, attention, self.logits(x))

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """The map after the patch embedding and after every block, float (B, h, w, C), by name, in order."""
        return self.read(x).maps

    def to_grid(self, x: Tensor) -> Tensor:
        """A map as those of other networks: (B, h, w, C) → (B, C, h, w)."""
        return x.permute(0, 3, 1, 2)

    def logits(self, x: Tensor) -> Tensor:
        """Last map (B, h, w, C) → logits (B, classes)."""
        x = self.norm(x).mean(dim=(1, 2))  # (B, C)
        return self.head(x)

    def forward(self, x: Tensor) -> Tensor:
        """x: float32 (B, 3, H, W), normalised RGB, H and W ≥ 32 → logits float32 (B, classes)."""
        return self.read(x).logits


def swin_t(classes: int = 1000) -> SwinTransformer:
    """28.3 M parameters at 1000 classes; torchvision.models.swin_t."""
    return SwinTransformer(SwinConfig(classes=classes))


def swin_s(classes: int = 1000) -> SwinTransformer:
    """49.6 M parameters at 1000 classes; torchvision.models.swin_s."""
    return SwinTransformer(SwinConfig(blocks=(2, 2, 18, 2), classes=classes))


def swin_b(classes: int = 1000) -> SwinTransformer:
    """87.8 M parameters at 1000 classes; torchvision.models.swin_b."""
    return SwinTransformer(SwinConfig(width=128, blocks=(2, 2, 18, 2), heads=(4, 8, 16, 32), classes=classes))

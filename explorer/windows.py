"""Swin's windows on a map of patches: which patch may see which, and what that saves (Liu et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from explorer.models.swin import Sides, SwinConfig, fitting_shift, from_windows, region_map, shift_mask, to_windows


@dataclass(frozen=True, eq=False)
class Windows:
    """One block's windows on a map of patches, padded to whole windows.

    number: int64 (rows, columns), the window in which the block computes each patch, once rolled. region: int64 (rows,
    columns), patches of one region may see each other, and no others. rolled: int64 (rows, columns, 2), where in the photo
    the patch at each place of the rolled map comes from. shift: how far the map was rolled, up and to the left.
    """

    number: np.ndarray
    region: np.ndarray
    rolled: np.ndarray
    shift: Sides

    @property
    def groups(self) -> int:
        """Into how many regions the map falls."""
        return int(self.region.max()) + 1


def windows_of(size: Sides, window: int, *, moved: bool) -> Windows:
    """The windows of a block. size: rows and columns of patches; moved: whether this block moves them by half a window."""
    rows, columns = (-(-side // window) * window for side in size)
    padded = rows, columns
    shift = fitting_shift(padded, window, window // 2 if moved else 0)
    places = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"), dim=-1)  # (h, w, 2)
    rolled = torch.roll(places, (-shift[0], -shift[1]), dims=(0, 1))
    count = (rows // window) * (columns // window)
    number = from_windows(torch.arange(count)[None, :, None, None].expand(1, count, window**2, 1), window, padded)
    parts = 9 * number[0, ..., 0] + region_map(padded, window, shift)  # a window has at most nine parts
    back = [torch.roll(x, shift, dims=(0, 1)).numpy() for x in (number[0, ..., 0], parts)]
    region = np.unique(back[1], return_inverse=True)[1].reshape(padded)
    return Windows(back[0], region, rolled.numpy(), shift)


def visible(size: Sides, window: int, patch: Sides, *, moved: bool) -> np.ndarray:
    """bool (rows, columns): the patches that this one (row, column) may see in a block."""
    region = windows_of(size, window, moved=moved).region
    return (region == region[patch])[: size[0], : size[1]]


def reach(size: Sides, window: int, patch: Sides, blocks: int) -> np.ndarray:
    """bool (rows, columns): whose contents can have come to this patch after so many blocks, every second of them moved."""
    regions = [windows_of(size, window, moved=moved).region for moved in (False, True)]
    seen = np.zeros(regions[0].shape, bool)
    seen[patch] = True
    for block in reversed(range(blocks)):
        region = regions[block % 2]
        seen = np.isin(region, region[seen])
    return seen[: size[0], : size[1]]


def mask_matrix(size: Sides, window: int) -> np.ndarray:
    """bool (windows, window², window²), as the network computes it where the windows are moved: True where one may look."""
    rows, columns = (-(-side // window) * window for side in size)
    return shift_mask((rows, columns), window, fitting_shift((rows, columns), window, window // 2)).numpy()


def attention_macs(size: Sides, width: int, window: int | None = None) -> int:
    """Multiply–adds of one self-attention over a map (Liu et al. 2021, eq. 1 and 2): global, or within windows.

    4 h w C² for queries, keys, values and W_O; 2 (h w)² C, or 2 M² h w C, for QKᵀ and αV.
    """
    patches = size[0] * size[1]
    others = patches if window is None else window**2
    return 4 * patches * width**2 + 2 * others * patches * width


def from_patch(weights: np.ndarray, size: Sides, window: int, patch: Sides, *, moved: bool) -> np.ndarray:
    """Where a patch (row, column) looks, laid out on the map: float (heads, rows, columns), 0 outside its window.

    weights: float (windows, heads, window², window²), of one block.
    """
    made = windows_of(size, window, moved=moved)
    rows, columns = made.number.shape
    row, column = (patch[0] - made.shift[0]) % rows, (patch[1] - made.shift[1]) % columns  # once rolled
    top, left = row // window * window, column // window * window
    inside = (row - top) * window + column - left
    rolled = np.zeros((weights.shape[1], rows, columns), weights.dtype)
    part = weights[made.number[patch], :, inside].reshape(-1, window, window)
    rolled[:, top : top + window, left : left + window] = part
    return np.roll(rolled, made.shift, axis=(1, 2))[:, : size[0], : size[1]]


def windowed(values: np.ndarray, window: int) -> np.ndarray:
    """A map cut into windows, (h, w), multiples of window → (windows, window, window): as the network cuts it."""
    cut = to_windows(torch.from_numpy(values)[None, ..., None], window)[0, ..., 0]
    return cut.unflatten(1, (window, window)).numpy()


@dataclass(frozen=True)
class StageFacts:
    """One stage of a Swin Transformer on a square photo.

    side: of the map, patches; patch: what one of them covers, pixels; width: of a token; macs, global_macs: of one
    self-attention, within windows and over the whole map.
    """

    side: int
    patch: int
    width: int
    blocks: int
    heads: int
    windows: int
    macs: int
    global_macs: int


def stages(config: SwinConfig, image_size: int) -> tuple[StageFacts, ...]:
    """What each stage works on. image_size: side of the photo, pixels; maps are padded to whole windows, as in the network."""
    facts, side = [], -(-image_size // config.patch)
    for number, (blocks, heads) in enumerate(zip(config.blocks, config.heads, strict=True)):
        width = config.width * 2**number
        across = -(-side // config.window)
        padded = across * config.window
        facts.append(
            StageFacts(
                side=side,
                patch=config.patch * 2**number,
                width=width,
                blocks=blocks,
                heads=heads,
                windows=across**2,
                macs=attention_macs((padded, padded), width, config.window),
                global_macs=attention_macs((side, side), width),
            )
        )
        side = -(-side // 2)
    return tuple(facts)

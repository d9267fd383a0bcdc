"""Swin's windows on the photo: the pictures, and the sentences that say what is seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer import palette
from explorer.components.maps import Map
from explorer.models.swin import Sides, SwinConfig
from explorer.numbers import grouped
from explorer.text import _
from explorer.ui import page
from explorer.units import bytes_text, three
from explorer.window_pictures import bordered, lit, rolled_pixels
from explorer.windows import StageFacts, mask_matrix, reach, stages, visible, windows_of

CONFIG = SwinConfig()
"""Of swin_t."""


def formula() -> str:
    """Attention within a window, in colours (Liu et al. 2021, eq. 4)."""
    query, key, value = (page.tex(role, role[0].upper()) for role in ("query", "key", "value"))
    return (
        rf"{page.tex('output', 'Attention')}({query}, {key}, {value}) = \text{{softmax}}\Big(\frac{{{query}"
        rf"{key}^\top}}{{\sqrt{{d}}}} + {page.tex('weight', 'B')}\Big)\,{value}"
    )


def cost_formulas() -> str:
    """Liu et al. 2021, eq. 1 and 2."""
    return (
        r"\begin{aligned} \Omega(\text{MSA}) &= 4hwC^2 + 2(hw)^2C \\ "
        r"\Omega(\text{W-MSA}) &= 4hwC^2 + 2M^2hwC \end{aligned}"
    )


def line_colour() -> tuple[int, int, int]:
    """Of the windows' borders: the same on any photo, in both themes."""
    return palette.rgb(palette.SEQUENTIAL["light"][1])


def _frame(patch: Sides, size: Sides, side: int) -> tuple[int, int, int, int]:
    """A patch's outline on the photo: (x, y, width, height), pixels."""
    rows, columns = side // size[0], side // size[1]
    return patch[1] * columns, patch[0] * rows, columns, rows


def seen_maps(photo: np.ndarray, size: Sides, patch: Sides, blocks: int, *, moved: bool) -> list[Map]:
    """The photo with what a patch sees in one block, and with whose contents reach it after several."""
    side, frame = photo.shape[0], _frame(patch, size, photo.shape[0])
    now, later = seen_counts(size, patch, blocks, moved=moved)
    region = windows_of(size, CONFIG.window, moved=moved).region[: size[0], : size[1]]
    first = bordered(lit(photo, visible(size, CONFIG.window, patch, moved=moved)), region, line_colour())
    reached = reach(size, CONFIG.window, patch, blocks)
    told = _("In this block the outlined patch sees {now} of {all} patches, those of its window. Click on any other.")
    after = _("Whose contents reach it through {blocks}: {later} of {all} patches, {share:.0%}.")
    count, total = block_count(blocks), size[0] * size[1]
    return [
        Map(first, _("In this block"), told.format(now=now, all=total), role="key", frame=frame),
        Map(lit(photo, reached), _("After {blocks}").format(blocks=count),
            after.format(blocks=count, later=later, all=total, share=later / total), role="hidden",
            frame=_frame(patch, size, side)),
    ]  # fmt: skip


def block_count(blocks: int) -> str:
    """“1 block”, “3 blocks”."""
    return _("1 block") if blocks == 1 else _("{n} blocks").format(n=blocks)


def seen_counts(size: Sides, patch: Sides, blocks: int, *, moved: bool) -> tuple[int, int]:
    """How many patches this one sees in a block, and whose contents reach it after several."""
    now = int(visible(size, CONFIG.window, patch, moved=moved).sum())
    return now, int(reach(size, CONFIG.window, patch, blocks).sum())


def roll_maps(photo: np.ndarray, size: Sides, window: int) -> list[Map]:
    """How windows are moved: cut anew, rolled, masked, rolled back. window: the one to look at, from 0."""
    made = windows_of(size, CONFIG.window, moved=True)
    across = size[1] // CONFIG.window
    step = photo.shape[0] // size[0]
    part = CONFIG.window * step
    corner = (window % across) * part, (window // across) * part
    number = np.roll(made.number, (-made.shift[0], -made.shift[1]), axis=(0, 1))
    rolled = rolled_pixels(photo, size, made.shift)
    mine = made.number == window
    mask = mask_matrix(size, CONFIG.window)[window]
    groups = len(np.unique(made.region[mine]))
    sources = _("1 part") if groups == 1 else _("{n} parts").format(n=groups)
    return [
        Map(bordered(photo, made.region, line_colour()), _("1 Cut"),
            _("Windows moved by {by} patches: cut at the edges, {parts} of all sizes.").format(
                by=made.shift[0], parts=made.groups), role="input"),
        Map(bordered(rolled, number, line_colour()), _("2 Roll"),
            _("The first {by} rows and columns go to the far end: {n} whole windows again.").format(
                by=made.shift[0], n=across**2), role="input", frame=(*corner, part, part)),
        Map(mask.astype(np.float32), _("3 Mask"),
            _("Window {k} holds {parts} of the photo. 1: the row’s patch may look at the column’s; the rest gets −∞.")
            .format(k=window + 1, parts=sources), role="mask", limit=1.0, signed=False),
        Map(bordered(lit(photo, mine), made.region, line_colour()), _("4 Roll back"),
            _("Where the patches of window {k} stand in the photo. Each sees only its own part.").format(k=window + 1),
            role="output"),
    ]  # fmt: skip


def stage_maps(photo: np.ndarray, stages: Sequence[StageFacts]) -> list[Map]:
    """The photo in the patches of every stage: each in the mean colour of its pixels."""
    pictures = []
    for number, stage in enumerate(stages, 1):
        step = photo.shape[0] // stage.side
        means = photo.reshape(stage.side, step, stage.side, step, 3).mean(axis=(1, 3)).round().astype(np.uint8)
        told = _("{n} × {n} patches of {p} pixels, each {width} numbers; {blocks} blocks of {heads} heads.").format(
            n=stage.side, p=stage.patch, width=stage.width, blocks=stage.blocks, heads=stage.heads)  # fmt: skip
        pictures.append(Map(means, _("Stage {n}").format(n=number), told, role="hidden"))
    return pictures


def stage_table(stages: Sequence[StageFacts]) -> str:
    """Markdown: what each stage works on, and the multiply–adds of one attention, within windows and over the whole map."""
    lines = [
        f"| {_('Stage')} | {_('Map')} | {_('Width')} | {_('Windows')} | {_('Within windows')} | {_('Global')} |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {number} | {one.side}\u00a0×\u00a0{one.side} | {one.width} | {one.windows} | {three(one.macs / 1e6)}\u00a0M | "
        f"{three(one.global_macs / 1e6)}\u00a0M |"
        for number, one in enumerate(stages, 1)
    ]
    return "\n".join(lines)


def cost_finding(stage: StageFacts, number: int, image_size: int) -> str:
    """What windows save in this stage at this size, in numbers."""
    patches = stage.side**2
    text = _(
        "{n} × {n} pixels, stage {stage}: {patches} patches. Global attention takes {all} million multiply–adds, windows "
        "{some} million: {ratio} times fewer. The weights of all heads take {all_memory} or {some_memory}."
    )
    return text.format(
        n=grouped(image_size), stage=number, patches=grouped(patches), all=three(stage.global_macs / 1e6),
        some=three(stage.macs / 1e6), ratio=three(stage.global_macs / stage.macs),
        all_memory=bytes_text(4 * stage.heads * patches**2),
        some_memory=bytes_text(4 * stage.heads * stage.windows * CONFIG.window**4),
    )  # fmt: skip


def cost_curves(sizes: Sequence[int], stage: int) -> dict[str, np.ndarray]:
    """Multiply–adds of one attention of this stage, from 0, by the side of the photo."""
    facts = [stages(CONFIG, side)[stage] for side in sizes]
    return {
        _("Global attention"): np.array([one.global_macs for one in facts]),
        _("Windows of 7 × 7"): np.array([one.macs for one in facts]),
    }


def reach_text(size: Sides, patch: Sides) -> str:
    """Markdown: how many blocks it takes until the whole map is heard, with moved windows and without."""
    if size[0] <= CONFIG.window:
        return _("One window holds the whole map: every patch hears every other in a single block.")
    needed = next(blocks for blocks in range(1, 99) if reach(size, CONFIG.window, patch, blocks).all())
    return _(
        "If no window ever moved, this patch would hear of {own} patches, however many blocks there are. With every second "
        "block moved, it hears of all {all} after **{needed} blocks**."
    ).format(own=int(visible(size, CONFIG.window, patch, moved=False).sum()), all=size[0] * size[1], needed=needed)


def rolling_text(stage: StageFacts) -> str:
    """How many windows there would be without the roll."""
    if stage.windows == 1:
        return _("Here one window holds the whole map, so nothing is moved and nothing is masked.")
    across = stage.side // CONFIG.window
    text = _("Without the roll {n} × {n} windows would become {m} × {m}: {more:.0%} more.")
    return text.format(n=across, m=across + 1, more=(across + 1) ** 2 / across**2 - 1)

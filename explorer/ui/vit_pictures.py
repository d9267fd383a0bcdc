"""What the Vision Transformer page shows: its pictures, and the sentences that say what is seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from explorer import palette
from explorer.components.maps import Map
from explorer.explain import mosaic
from explorer.numbers import grouped, number
from explorer.patches import near_and_far, on_patches
from explorer.text import _
from explorer.ui import page
from explorer.ui.vit_controls import Query, extra_names
from explorer.units import bytes_text, three
from explorer.vit_cost import PatchCost
from explorer.vit_photo import apart, frame_apart, grid_of_grids, lit, spread
from explorer.vit_reading import Filters, Projection, Reading, masses

COMPONENTS = 28
"""Principal components of the filters that are shown, as in the paper."""
MOST_FILTERS = 128


def formula(distilled: bool) -> str:
    """LaTeX of the tokens that go into the first layer, coloured."""
    matrix, positions = page.tex("weight", "E"), page.tex("weight", r"E_\text{pos}")
    tokens = [page.tex("hidden", rf"{{x}}_\text{{{name}}}") for name in ("class", "distill")[: 1 + distilled]]
    # One patch less, so that both formulas fit a phone.
    tokens += [rf"{page.tex('input', rf'{{x}}_p^{i}')} {matrix}" for i in ("1", "2")[: 2 - distilled]]
    tokens += [r"\ldots", rf"{page.tex('input', '{x}_p^N')} {matrix}"]
    return rf"{page.tex('output', '{z}_0')} = \big[\," + r";\; ".join(tokens) + rf"\,\big] + {positions}"


def patch_maps(
    seen: np.ndarray,
    wide: tuple[np.ndarray, int],
    count: int,
    place: tuple[int, int],
    cut_photo: np.ndarray,
    patch: int,
) -> list[Map]:
    """What the network sees, and the photo cut as the visitor likes.

    seen, cut_photo: uint8 (S, S, 3); wide: seen, enlarged, and the side of a patch in it; count: of patches along its side.
    """
    gap = palette.rgb(palette.BACKGROUND[page.theme()])
    side, across = len(seen), len(cut_photo) // patch
    return [
        Map(apart(wide[0], (count, count), gap), _("What this network sees"),
            _("{side} × {side} pixels in {n} patches of {patch} × {patch}. Click a patch: the sections below follow.").format(
                side=side, n=count**2, patch=side // count),
            role="input", frame=frame_apart(*place, wide[1])),
        Map(apart(cut_photo, (across, across), gap), _("Cut as you like"),
            _("{side} × {side} pixels in {n} patches of {patch} × {patch}.").format(
                side=len(cut_photo), n=grouped(across**2), patch=patch), role="input"),
    ]  # fmt: skip


def cost_table(columns: Sequence[tuple[str, PatchCost]]) -> str:
    """Markdown: a column for each named cost."""
    rows = [
        (_("Tokens, n = (S / P)² + extra tokens"), [_tokens(cost) for _name, cost in columns]),
        (_("Attention of one head, n² numbers"), [bytes_text(cost.matrix_bytes) for _name, cost in columns]),
        (_("of all heads of a layer"), [bytes_text(cost.layer_bytes) for _name, cost in columns]),
        (_("of all layers, as training keeps it"), [bytes_text(cost.all_bytes) for _name, cost in columns]),
        (_("Multiply–adds of the network"), [f"{three(cost.macs / 1e9)}\u00a0G" for _name, cost in columns]),
        (_("of these in QKᵀ and αV"), [f"{cost.attention / cost.macs:.1%}" for _name, cost in columns]),
        (_("Weights of the network"), [bytes_text(cost.weight_bytes) for _name, cost in columns]),
    ]
    head = "| | " + " | ".join(name for name, _cost in columns) + " |"
    body = [f"| {name} | {' | '.join(values)} |" for name, values in rows]
    return "\n".join([head, "|---|" + "---:|" * len(columns), *body])


def _tokens(cost: PatchCost) -> str:
    return f"{cost.config.side}² + {cost.config.extra} = {grouped(cost.tokens)}"


def cost_text(chosen: PatchCost, pixels: PatchCost) -> str:
    """How much every pixel a token would cost, in a sentence."""
    text = _("Halve the side of the patches: there are four times as many tokens and sixteen times as many attention weights. "
             "With every pixel a token, one head in one layer would hold {n}² · 4 bytes = {bytes} of weights, and the whole "
             "network would cost {times} times the multiply–adds of patches of {patch}.")  # fmt: skip
    return text.format(n=grouped(pixels.tokens), bytes=bytes_text(pixels.matrix_bytes),
                       times=three(pixels.macs / chosen.macs), patch=chosen.config.patch)  # fmt: skip


def projection_maps(seen: np.ndarray, reading: Reading, place: tuple[int, int], made: Projection) -> list[Map]:
    """The chosen patch, read out as a vector, multiplied, and with its position added."""
    row, column = place
    side = reading.patch
    square = seen[row * side : (row + 1) * side, column * side : (column + 1) * side]
    where = _("Row {row}, column {column}.").format(row=row + 1, column=column + 1)
    vector = _("3 · {side} · {side} = {n} numbers, normalised.").format(side=side, n=made.vector.size)
    return [
        Map(square, _("Patch"), where, role="input"),
        Map(wrapped(made.vector), _("Vector x"), vector, role="input", signed=True),
        Map(wrapped(made.product), _("x E"), _("{n} numbers, bias added.").format(n=len(made.product)), share="token",
            role="hidden", signed=True),
        Map(wrapped(made.position), _("Position"), _("Of this place, for any photo."), share="token", role="weight",
            signed=True),
        Map(wrapped(made.token), _("Token"), _("Their sum goes into layer 1."), share="token", role="output", signed=True),
    ]  # fmt: skip


def wrapped(vector: np.ndarray) -> np.ndarray:
    """A vector row by row in the squarest table that has all of it."""
    size = vector.size
    rows = next(rows for rows in range(math.isqrt(size), 0, -1) if size % rows == 0)
    return vector.reshape(rows, size // rows)


def filter_map(weight: np.ndarray, found: Filters | None) -> Map:
    """The filters of the projection, in colour.

    weight: float32 (width, 3, P, P); found: their principal components, if these are wanted.
    """
    if found is not None:
        told = _("The first {n} principal components of the {all} filters, the strongest first; together they hold {share:.0%} "
                 "of their variance. Grey means 0.")  # fmt: skip
        text = told.format(n=len(found.kernels), all=len(weight), share=float(found.share.sum()))
        return Map(_filters(found.kernels, 7), _("What the projection looks for"), text, role="weight")
    shown = weight[:MOST_FILTERS]
    told = _("{n} filters, {patch} × {patch} pixels in red, green and blue; grey means 0.")
    if len(shown) < len(weight):
        told = _("The first {n} of {all} filters, {patch} × {patch} pixels in red, green and blue; grey means 0.")
    text = told.format(n=len(shown), all=len(weight), patch=weight.shape[-1])
    return Map(_filters(shown, 16), _("Every filter as it is"), text, role="weight")


def _filters(kernels: np.ndarray, columns: int, least: int = 160) -> np.ndarray:
    """RGB kernels side by side, enlarged by a whole factor so that no lines are drawn between their pixels."""
    picture, size = mosaic(kernels, columns), kernels.shape[-1] + 1
    gap = palette.rgb(palette.BACKGROUND[page.theme()])
    picture[size - 1 :: size] = picture[:, size - 1 :: size] = gap
    times = -(-least // picture.shape[1])
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def similarity_maps(values: np.ndarray) -> list[Map]:
    """How alike a token and the patches are, before the first layer and after each. values: (layers + 1, rows, columns)."""
    names = [_("Before layer 1"), *[_("After layer {n}").format(n=n) for n in range(1, len(values))]]
    return [
        Map(one, name, share="cosine", limit=1, signed=True, role="hidden")
        for one, name in zip(values, names, strict=True)
    ]


def gathered_map(values: np.ndarray, name: str) -> Map:
    """Where a token takes from. values: (layers, extra + 1)."""
    extra = [_("class"), _("distillation")][: values.shape[1] - 1]
    told = _("Share of the attention of {name} that goes to each kind of token, the mean over the heads. Columns are layers, "
             "and each sums to 100%.").format(name=name)  # fmt: skip
    return Map(100 * values.T, _("Where it takes from"), told, role="hidden", signed=False, limit=100, unit="%",
               rows=(*extra, _("patches")), columns=tuple(str(n + 1) for n in range(len(values))))  # fmt: skip


def similarity_text(values: np.ndarray, name: str) -> str:
    """How alike the token and the patches become."""
    text = _(
        "Cosine of {name} with each patch, 1: the same direction. Its mean over the patches goes from {first} to {last}."
    )
    return text.format(name=name, first=number(values[0].mean(), 2), last=number(values[-1].mean(), 2))


def position_maps(similar: np.ndarray, place: tuple[int, int]) -> list[Map]:
    """One patch's position beside all others, and all of these pictures. similar: (rows, columns, rows, columns)."""
    rows, columns = similar.shape[:2]
    row, column = place
    whole = grid_of_grids(similar)
    colours = palette.colour_signed(np.nan_to_num(whole), page.theme(), 1)
    told = _("Cosine of the position embedding of row {row}, column {column} with that of every patch.")
    return [
        Map(similar[row, column], _("As this patch sees the others"), told.format(row=row + 1, column=column + 1),
            limit=1, signed=True, role="weight", frame=(column, row, 1, 1)),
        Map(np.nan_to_num(whole), _("As every patch sees the others"),
            _("One such picture for each of the {n} patches, at its place, in the same colours. Click one.").format(
                n=rows * columns),
            rgb=colours, role="weight", frame=(column * (columns + 1), row * (rows + 1), columns, rows)),
    ]  # fmt: skip


def position_text(similar: np.ndarray, place: tuple[int, int], *, from_waves: bool) -> str:
    """Which positions are most alike to this one. from_waves: whether training began with sines of row and column."""
    near, far = near_and_far(similar, place)
    origin = (
        _("In this network the positions began as waves of the row and the column, and training went on from there.")
        if from_waves
        else _("Nobody told the network that a photo has two dimensions: it learned one vector for each place.")
    )
    text = _("With this one, the direct neighbours’ cosine is {near} on average, that of all further ones {far}.")
    return f"{origin} {text.format(near=number(near, 2), far=number(far, 2))}"


def photo_map(
    photo: np.ndarray,
    values: np.ndarray,
    title: str,
    caption: str,
    dim: float,
    query: Query,
    role: str,
    shares: bool = True,
) -> Map:
    """A map of patches over the photo; pointing at it reads it.

    photo: uint8 (S, S, 3); values: (rows, columns), ≥ 0; shares: whether they are shares of 1, which are read in percent.
    """
    cells = len(photo) // len(values)
    frame = None if query.patch is None else (query.patch[1] * cells, query.patch[0] * cells, cells, cells)
    read = spread(100 * values if shares else values, len(photo))
    return Map(read, title, caption, role=role, rgb=lit(photo, values, dim), frame=frame, signed=False,
               unit="%" if shares else "")  # fmt: skip


def attention_maps(photo: np.ndarray, reading: Reading, row: np.ndarray, query: Query, dim: float) -> list[Map]:
    """Where one token looks, over the photo and as numbers. row: (T,)."""
    values = on_patches(row, reading.grid)
    frame = None if query.patch is None else (query.patch[1], query.patch[0], 1, 1)
    return [
        photo_map(photo, values, _("Where it looks"),
                  _("Bright where {name} looks. Click a patch to look from there.").format(name=query.name), dim, query,
                  "hidden"),
        Map(100 * values, _("The weights"), _("In percent, a cell for each patch; together {sum:.1%}, the rest is on the extra "
            "tokens.").format(sum=float(values.sum())), role="hidden", signed=False, frame=frame, unit="%"),
    ]  # fmt: skip


def head_maps(reading: Reading, layer: int, head: int | None, query: Query, same_scale: bool) -> list[Map]:
    """All heads of a layer, small."""
    rows, columns = reading.grid
    coloured = reading.heads <= len(palette.HEADS["light"])
    return [
        Map(100 * on_patches(weights, reading.grid), _("Head {n}").format(n=n + 1), role="hidden", signed=False, unit="%",
            share="heads" if same_scale else "", head=n if coloured else None,
            frame=(0, 0, columns, rows) if n == head else None)
        for n, weights in enumerate(reading.attention[layer, :, query.token])
    ]  # fmt: skip


def masses_text(row: np.ndarray, reading: Reading, query: Query, layer: int, head: int | None) -> str:
    """Where all of a row goes, in numbers. row: (T,)."""
    parts = masses(row, reading.extra)
    names = [*extra_names()[: reading.extra], _("the {n} patches").format(n=len(row) - reading.extra)]
    shares = ", ".join(f"{share:.1%} {_('on')} {name}" for share, name in zip(parts, names, strict=True))
    place = np.unravel_index(int(on_patches(row, reading.grid).argmax()), reading.grid)
    who = _("the mean of {n} heads").format(n=reading.heads) if head is None else _("head {n}").format(n=head + 1)
    text = _("From {name}, layer {layer}, {who}: {shares}. The row sums to {sum}. Most of all it looks at the patch in row "
             "{row}, column {column}: {most:.1%}.")  # fmt: skip
    return text.format(name=query.name, layer=layer + 1, who=who, shares=shares, sum=number(row.sum()), row=place[0] + 1,
                       column=place[1] + 1, most=float(row[reading.extra :].max()))  # fmt: skip


def rollout_maps(
    photo: np.ndarray, reading: Reading, flow: np.ndarray, raw: np.ndarray, cam: np.ndarray, query: Query, depth: int,
    dim: float, label: str,
) -> list[Map]:  # fmt: skip
    """Rollout, the last layer's attention, and Grad-CAM. flow, raw: (T,); cam: (rows, columns)."""
    told = _("How much of each patch has reached {name} after layer {n}.").format(name=query.name, n=depth)
    speaks = _("What speaks for “{label}”, the best answer.") if cam.any() else _(
        "No patch speaks for “{label}”, the best answer, by this count.")  # fmt: skip
    return [
        photo_map(photo, on_patches(flow, reading.grid), _("Rollout"), told, dim, query, "output"),
        photo_map(photo, on_patches(raw, reading.grid), _("Attention of the last layer"),
                  _("The mean over its heads, from the same token."), dim, query, "hidden"),
        photo_map(photo, cam, _("Grad-CAM"), speaks.format(label=label), dim,
                  Query("", 0, None), "gradient", shares=False),
    ]  # fmt: skip


def depth_maps(reading: Reading, flows: np.ndarray, query: Query, depth: int) -> list[Map]:
    """Rollout after each layer, small. flows: (layers, T, T)."""
    rows, columns = reading.grid
    return [
        Map(100 * on_patches(flow[query.token], reading.grid), _("Layer {n}").format(n=n + 1), role="output", signed=False,
            unit="%", frame=(0, 0, columns, rows) if n + 1 == depth else None)
        for n, flow in enumerate(flows)
    ]  # fmt: skip


def rollout_text(flow: np.ndarray, reading: Reading, query: Query) -> str:
    """Where the flow comes from, in numbers. flow: (T,)."""
    parts = masses(flow, reading.extra)
    names = [*extra_names()[: reading.extra], _("the patches")]
    shares = ", ".join(f"{share:.1%} {_('from')} {name}" for share, name in zip(parts, names, strict=True))
    text = _("Of what {name} holds then, by this count: {shares}; together {sum}.")
    return text.format(name=query.name, shares=shares, sum=number(flow.sum()))

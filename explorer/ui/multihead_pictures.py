"""What the multi-head page shows: its pictures, and the sentences that say what is seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from explorer.components.maps import Map
from explorer.multihead_views import ROUNDS, Cost, HeadSum, MultiHead, SwitchedOff, head_distance, parameters
from explorer.numbers import grouped, number, power
from explorer.text import _
from explorer.ui import page

KNOWN = (
    ("Transformer base", 512, 8),
    ("Transformer big", 1024, 16),
    ("BERT base", 768, 12),
    ("BERT large", 1024, 16),
    ("GPT-2 small", 768, 12),
    ("GPT-2 XL", 1600, 25),
)
"""Name, d_model, heads."""


def formula() -> str:
    """LaTeX of the layer, coloured."""
    q, k, v = (page.tex(role, f"{{{symbol}}}_i") for role, symbol in (("query", "Q"), ("key", "K"), ("value", "V")))
    x, w, head = page.tex("input", "X"), "W", page.tex("hidden", r"\text{head}")
    made = ",\\;".join(
        rf"{symbol} = {x} {page.tex('weight', f'{w}_{name}^i')}" for symbol, name in zip((q, k, v), "QKV", strict=True)
    )
    attends = rf"{head}_i = \text{{softmax}}\!\left(\frac{{{q} {k}^\top}}{{\sqrt{{d_\text{{head}}}}}}\right) {v}"
    mixes = (
        rf"{page.tex('output', 'output')} = \text{{concat}}({head}_1, \ldots, {head}_h)\, {page.tex('weight', '{W}_O')}"
    )
    return rf"\begin{{gathered}} {made} \\ {attends} \\ {mixes} \end{{gathered}}"


def sizes_text(d_model: int, heads: int, counted: tuple[int, int]) -> str:
    """Markdown: the width of a head, and the parameters with their computation, which no number of heads changes."""
    ours, torchs = counted
    width = rf"$d_\text{{head}} = d_\text{{model}} / h = {d_model} / {heads} = {d_model // heads}$"
    computed = rf"$4 \cdot {d_model}^2 + 4 \cdot {d_model} = {latex(parameters(d_model))}$"
    text = _("Each head is {width} numbers wide. The layer has {computed} parameters, for any number of heads: $W_Q$, "
             "$W_K$, $W_V$ and $W_O$ are {d} × {d} and have a bias each, however they are cut. Counted: {ours} in this "
             "layer, {torchs} in `torch.nn.MultiheadAttention`.")  # fmt: skip
    return text.format(width=width, computed=computed, d=d_model, ours=grouped(ours), torchs=grouped(torchs))


def latex(value: int) -> str:
    """4194304 with LaTeX's narrow spaces."""
    return f"{value:,}".replace(",", r"\,")


def head_name(head: int) -> str:
    """What a head is called, counted from 1. head: from 0."""
    return _("Head {n}").format(n=head + 1)


def attention_maps(words: Sequence[str], weights: np.ndarray) -> list[Map]:
    """Where each head looks, all on one scale. weights: (heads, T, T)."""
    labels = tuple(words)
    made = []
    for head, one in enumerate(weights):
        # A row with one weight, as the first under a causal mask, has no choice.
        choosing = np.where((one > 0).sum(1, keepdims=True) > 1, one, 0)
        row, column = divmod(int(choosing.argmax()), len(words))
        told = _("Most of all, “{a}” looks at “{b}”: {weight}.")
        told = told.format(a=words[row], b=words[column], weight=number(one[row, column], 2))
        made.append(Map(one, head_name(head), told, head=head, share="weights", signed=False, rows=labels,
                        columns=labels))  # fmt: skip
    return made


def attention_text(weights: np.ndarray) -> str:
    """How differently the heads look, measured, and what that does not say."""
    if len(weights) == 1:
        text = _("One head has one way of looking. Choose more: the same weights, cut into slices, give several.")
    else:
        text = _("The same layer looks in {n} ways at once. To look like another head, a head would have to move {share:.0%} "
                 "of its weight, on average.").format(n=len(weights), share=head_distance(weights))  # fmt: skip
    random = _("**These weights are random**: no head has found a relation between words yet. Heads *can* see different "
               "relations, since each has a $W_Q$, $W_K$ and $W_V$ of its own; in training some learn to. And attention is "
               "not an explanation: it says whose values a head takes, not why the model decides.")  # fmt: skip
    return f"{text} {random}"


def off_maps(words: Sequence[str], run: MultiHead, without: SwitchedOff) -> list[Map]:
    """The output with all heads, without some, and the difference."""
    rows = tuple(words)
    return [
        Map(run.output, _("With all heads"), share="output", signed=True, rows=rows),
        Map(without.output, _("Without"), share="output", signed=True, rows=rows),
        Map(without.difference, _("Difference"), share="output", signed=True, role="gradient", rows=rows),
    ]


def change_map(words: Sequence[str], without: SwitchedOff) -> Map:
    """How far each word's output moved."""
    told = _("How long each word's difference is, √ of the sum of its squares.")
    return Map(
        without.change[None], _("Length of the change"), told, role="gradient", signed=False, columns=tuple(words)
    )


def off_text(words: Sequence[str], heads: int, off: Collection[int], without: SwitchedOff) -> str:
    """Which heads are off, and which word feels it most."""
    if not off:
        return _("All heads are on: there is no difference. Switch one off.")
    names = ", ".join(str(head + 1) for head in sorted(off))
    text = _("Without head {names}, “{word}” moves furthest: by {change}, {share:.0%} of its output's length.")
    if len(off) == heads:
        text = _(
            "With all heads off, only $b_O$ is left, the same for each word. “{word}” moves furthest: by {change}."
        )
    most = int(without.change.argmax())
    return text.format(
        names=names, word=words[most], change=number(without.change[most]), share=float(without.share[most])
    )


def sum_maps(words: Sequence[str], run: MultiHead, added: HeadSum, cell: tuple[int, int]) -> list[Map]:
    """What each head adds, the bias, and their sum; the cell (word, dimension) is outlined. All on one scale."""
    rows, frame = tuple(words), (cell[1], cell[0], 1, 1)
    parts = [
        Map(part, _("Head {n} adds").format(n=head + 1), head=head, share="sum", signed=True, rows=rows,
            frame=frame)
        for head, part in enumerate(added.parts)
    ]  # fmt: skip
    bias = np.broadcast_to(run.b_out, run.output.shape)
    return [
        *parts,
        Map(bias, _("b_O adds"), role="weight", share="sum", signed=True, rows=rows, frame=frame),
        Map(added.output, _("Sum: the output"), share="sum", signed=True, rows=rows, frame=frame),
    ]


def sum_text(words: Sequence[str], run: MultiHead, added: HeadSum, cell: tuple[int, int]) -> str:
    """Markdown: the sum for one cell with its numbers, and how exactly all of it gives the layer's output."""
    row, column = cell
    numbers = [float(part[row, column]) for part in added.parts] + [float(run.b_out[column])]
    names = [rf"\text{{head }}{head + 1}" for head in range(len(added.parts))] + ["b_O"]
    # A formula for each term, so that the line can break between them where the page is narrow.
    terms = [
        rf"$\underbrace{{{f'({n:.3f})' if n < 0 and place else f'{n:.3f}'}}}_{{{name}}}$"
        for place, (n, name) in enumerate(zip(numbers, names, strict=True))
    ]
    spelled = f"{' + '.join(terms)} = ${page.tex('output', f'{added.output[row, column]:.3f}')}$"
    text = _("Dimension {column} of “{word}”:").format(column=column, word=words[row])
    exact = _(
        "Over the whole output, this sum and the layer's concatenation with $W_O$ differ by at most **{difference}**."
    )
    return f"{text}\n\n{spelled}\n\n{exact.format(difference=power(added.difference))}"


def known_table() -> str:
    """Markdown: published sizes, with the width of a head and the parameters of one attention layer, 4·d² + 4·d."""
    lines = [f"| {_('Model')} | {_('Heads · width = d')} | {_('4·d² + 4·d')} |", "|---|--:|--:|"]
    lines += [
        f"| {name} | {heads} · {d_model // heads} = {d_model} | {grouped(parameters(d_model))} |"
        for name, d_model, heads in KNOWN
    ]
    return "\n".join(lines)


def cost_table(costs: Sequence[Cost]) -> str:
    """Markdown: what one layer costs with so many heads."""
    lines = [f"| {_('Heads')} | {_('Width')} | {_('Weights h·T²')} | ms |", "|--:|--:|--:|--:|"]
    lines += [
        f"| {cost.heads} | {cost.d_head} | {grouped(cost.weights)} | {number(cost.milliseconds, 2)} |" for cost in costs
    ]
    return "\n".join(lines)


def cost_finding(costs: Sequence[Cost]) -> str:
    """What the measured times say."""
    first, last = costs[0], costs[-1]
    text = _("{many} heads took {ratio} times as long as one. All take the same {macs} multiply–adds, but {many} heads have "
             "{more} times as many attention weights, each with its share of the softmax. Each bar is the fastest of {rounds} "
             "runs.")  # fmt: skip
    ratio = number(last.milliseconds / first.milliseconds, 1)
    return text.format(many=last.heads, ratio=ratio, macs=grouped(first.macs), more=last.weights // first.weights,
                       rounds=ROUNDS)  # fmt: skip

"""What the Transformer page shows of a run: words and probabilities, an opened block, who looks where, and parameters."""

from __future__ import annotations

from html import escape

import numpy as np

from explorer.components.maps import Map
from explorer.models.transformer import TransformerConfig
from explorer.numbers import grouped, number
from explorer.text import _
from explorer.transformer_parameters import PUBLISHED, parts, torch_count, total
from explorer.transformer_views import Run, Written, likeliest
from explorer.translation import ENGLISH, FRENCH
from explorer.ui import page
from explorer.ui.transformer_blocks import Kind, formula, title
from explorer.ui.transformer_diagram import in_run, is_in_layer, kind_of

SHOWN_WORDS = 5
LOOKS = {"cross": "decoder.cross", "masked": "decoder.masked", "attention": "encoder.attention"}


def header_formula() -> str:
    """LaTeX of the whole, coloured."""
    x, y = page.tex("input", "x"), page.tex("hidden", "y")
    probability = page.tex("output", r"P(\text{next word})")
    return (
        rf"\begin{{gathered}} \text{{post-norm: }} {y} = \text{{Norm}}({x} + \text{{Part}}({x})) \\ "
        rf"\text{{pre-norm: }} {y} = {x} + \text{{Part}}(\text{{Norm}}({x})) \\ "
        rf"{probability} = \text{{softmax}}({y} W + b) \end{{gathered}}"
    )


def written_html(written: Written, count: int) -> str:
    """What is written, the next word, and faintly what will follow."""
    words = [escape(word) for word in written.words]
    done = " ".join(["&lt;start&gt;", *words[:count]])
    following = words[count] if count < len(words) else ""
    rest = " ".join(words[count + 1 :])
    return (
        '<p style="margin:0 0 0.6rem;font-size:1.05rem;line-height:1.5;min-height:3em">'
        f'<span style="color:var(--role-input)">{done}</span> '
        f'<b style="color:var(--role-output);text-decoration:underline">{following}</b> '
        f'<span style="color:var(--faint)">{rest}</span></p>'
    )


def next_html(probabilities: np.ndarray) -> str:
    """Bars of the likeliest next words. probabilities: (French words,)."""
    rows = []
    for place, (word, share) in enumerate(likeliest(probabilities, SHOWN_WORDS)):
        weight, colour = ("700", "var(--role-output)") if place == 0 else ("400", "var(--faint)")
        rows.append(
            f'<div style="display:grid;grid-template-columns:5.5rem 1fr 3.6rem;gap:8px;align-items:center;'
            f'font-weight:{weight};line-height:1.55"><span style="text-align:right">{escape(word)}</span>'
            f'<span style="height:11px;border-radius:2px;background:{colour};width:max({share:.2%}, 1px)"></span>'
            f'<span style="text-align:right;font-variant-numeric:tabular-nums">{share:.1%}</span></div>'
        )
    return f'<div role="img" aria-label="{escape(next_finding(probabilities))}">{"".join(rows)}</div>'


def next_finding(probabilities: np.ndarray) -> str:
    """The likeliest next word, in a sentence."""
    ((word, share),) = likeliest(probabilities, 1)
    return _("Most probably the next word is “{word}”: {share:.1%}.").format(word=word, share=share)


def block_title(box: str, kind: Kind, layer: int) -> str:
    """Markdown: the opened block and where it stands."""
    return f"**{kind.label}** · {title(box, layer if is_in_layer(box) else None)}"


def block_text(box: str, kind: Kind, config: TransformerConfig) -> str:
    """Markdown: what the block does, its formula and its parameters in numbers."""
    text = f"{kind.about}\n\n$${formula(kind_of(box), config.pre_norm, config.activation)}$$"
    if not kind.parameters:
        return text + "\n\n" + _("No parameters.")
    count = block_parameters(box, config)
    return (
        text + "\n\n" + _("Parameters: {formula} = **{count}**").format(formula=kind.parameters, count=grouped(count))
    )


def block_parameters(box: str, config: TransformerConfig) -> int:
    """The parameters of one block of the diagram."""
    d, f = config.d_model, config.d_ff
    stack, kind = box.partition(".")[0], kind_of(box)
    if kind in ("embedding", "output"):
        words = len(ENGLISH) if stack == "source" else len(FRENCH)
        return words * d + (words if kind == "output" else 0)
    if kind in ("attention", "masked", "cross"):
        return 4 * d * d + 4 * d
    return 2 * d * f + f + d if kind == "feed_forward" else 2 * d


def block_map(run: Run, box: str, layer: int, kind: Kind) -> Map:
    """What comes out of the opened block: of attention, its weights, mean over the heads; else a row for each word."""
    name = in_run(box, layer)
    if kind_of(box) in LOOKS:
        return looks(run, box, layer, mean=True)[0]
    rows = run.target if box.startswith(("target", "decoder")) or box in ("output", "softmax") else run.source
    values = run.blocks[name].output
    columns = FRENCH if box in ("output", "softmax") else ()
    told = _("A row for each word, {n} numbers.").format(n=values.shape[1])
    if box == "softmax":
        told = _("A row for each word: the probabilities of the next one; they sum to 1.")
    role = {"embedding": "input", "positions": "input", "output": "output", "softmax": "output"}.get(
        kind_of(box), "hidden"
    )
    return Map(values, _("Out: {label}").format(label=kind.label), told, role=role, rows=rows, columns=columns,
               signed=box != "softmax", limit=1.0 if box == "softmax" else None)  # fmt: skip


def looks(run: Run, box: str, layer: int, mean: bool = False) -> list[Map]:
    """Attention weights of a block: of each head, or their mean."""
    weights = run.weights(in_run(box, layer))
    rows = run.source if box.startswith("encoder") else run.target
    columns = run.target if box == "decoder.masked" else run.source
    if mean:
        told = _("Weights, mean over the heads: from each word (row) to each word (column); rows sum to 1.")
        return [
            Map(weights.mean(0), _("Mean over the heads"), told, limit=1.0, rows=rows, columns=columns, signed=False)
        ]
    return [
        Map(head, _("Head {n}").format(n=place + 1), limit=1.0, rows=rows, columns=columns, signed=False, head=place)
        for place, head in enumerate(weights)
    ]


def mask_map(run: Run, box: str) -> Map:
    """Where the block may look: 1, or 0 for what the mask hides."""
    rows = run.source if box.startswith("encoder") else run.target
    columns = run.target if box == "decoder.masked" else run.source
    allowed = np.ones((len(rows), len(columns)), np.float32)
    if box == "decoder.masked":
        allowed = run.blocks["mask"].output
    told = _("1: may look; 0: hidden by the causal mask, its score is −∞.") if box == "decoder.masked" else (
        _("No mask: everybody may look everywhere.")
    )  # fmt: skip
    return Map(allowed, _("Mask"), told, role="mask", limit=1.0, rows=rows, columns=columns, signed=False)


def looks_finding(run: Run, box: str, layer: int) -> str:
    """What the last word looks at most, in the mean over the heads."""
    weights = run.weights(in_run(box, layer)).mean(0)
    columns = run.target if box == "decoder.masked" else run.source
    rows = run.source if box.startswith("encoder") else run.target
    place = int(weights[-1].argmax())
    text = _("From “{row}”, the last word, most goes to “{column}”: {share:.0%}, mean over the heads.")
    if box == "decoder.cross":
        ((following, _share),) = likeliest(run.probabilities[-1], 1)
        text = _("To write “{following}” after “{row}”, it looks at “{column}” most: {share:.0%}, mean over the heads.")
        return text.format(following=following, row=rows[-1], column=columns[place], share=float(weights[-1, place]))
    return text.format(row=rows[-1], column=columns[place], share=float(weights[-1, place]))


def parameters_table(config: TransformerConfig) -> str:
    """Markdown: the parameters, part by part, and torch's count of all."""
    found = parts(config, len(ENGLISH), len(FRENCH))
    lines = [f"| {_('Part')} | {_('Formula')} | {_('Parameters')} |", "|---|---|--:|"]
    for part in found:
        formula = part.formula if part.times == 1 else f"{part.times} × ({part.formula})"
        lines.append(f"| {part.name} | {formula} | {grouped(part.total)} |")
    lines.append(f"| **{_('Together')}** | | **{grouped(total(found))}** |")
    counted = torch_count(config, len(ENGLISH), len(FRENCH))
    numbers = _("Here d = {d}, f = d_ff = {f}, and V = {source} words of English, {target} of French. torch.nn.Transformer, "
                "two nn.Embedding and nn.Linear of these sizes have **{torch}** parameters together.")  # fmt: skip
    text = numbers.format(
        d=config.d_model, f=config.d_ff, source=len(ENGLISH), target=len(FRENCH), torch=grouped(counted)
    )
    return "\n".join(lines) + "\n\n" + text


def published_table(config: TransformerConfig) -> str:
    """Markdown: this model beside published ones."""
    kinds = {"encoder": _("encoder"), "decoder": _("decoder"), "both": _("both")}
    lines = [f"| {_('Model')} | N · d_model · {_('heads')} · d_ff | {_('Millions')} |", "|---|---|--:|"]

    def line(name: str, sizes: tuple[int, ...], in_layers: int, in_words: int, digits: int) -> str:
        millions = " + ".join(number(n / 1e6, digits) for n in (in_layers, in_words))
        whole = number((in_layers + in_words) / 1e6, digits)
        return f"| {name} | {' · '.join(map(grouped, sizes))} | {millions} = **{whole}** |"

    found = parts(config, len(ENGLISH), len(FRENCH))
    words = sum(part.total for part in found if part.name.startswith("Embedding")) + found[-1].total
    sizes = config.layers, config.d_model, config.heads, config.d_ff
    lines.append(line(_("The translator above: both"), sizes, total(found) - words, words, 3))
    for model in PUBLISHED:
        sizes = model.depth, model.d_model, model.heads, model.d_ff
        lines.append(line(f"{model.name}: {kinds[model.kind]}", sizes, model.layers, model.embeddings, 1))
    text = _("Parameters in the layers and in the embeddings of words and learned positions; the translator's last linear "
             "layer stands with its embeddings.")  # fmt: skip
    return "\n".join(lines) + "\n\n" + text

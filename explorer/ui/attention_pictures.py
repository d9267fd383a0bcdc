"""What the attention page shows of typed queries, keys and values: its pictures, and the sentences that say what is seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.attention_views import Attention, Masking, ScoreName, Setup, Tables, Widths
from explorer.components.maps import Map
from explorer.models.scoring import AdditiveScore
from explorer.numbers import number
from explorer.text import _
from explorer.ui import page
from explorer.ui.attention_input import row_names


def names(tables: Tables) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What queries and keys are called."""
    queries, keys = tables.shape
    return row_names("q", queries), row_names("k", keys)


def labels(queries: tuple[str, ...], keys: tuple[str, ...]) -> dict[str, dict[str, tuple[str, ...]]]:
    """What rows and columns of the tensors in the stepper stand for."""
    pairs = {"rows": queries, "columns": keys}
    of_queries = {name: {"rows": queries} for name in ("query", "q", "x", "output")}
    of_keys = {name: {"rows": keys} for name in ("key", "k", "value", "values", "encoder_states")}
    return of_queries | of_keys | {"scores": pairs, "weights": pairs, "mask": pairs}


def flow_maps(tables: Tables, result: Attention) -> list[Map]:
    """Scores, weights, output: a row for each query."""
    queries, keys = names(tables)
    return [
        Map(result.masked, _("Scores"), _("From each query, its row, to each key, its column. Click to mask a score."),
            role="hidden", rows=queries, columns=keys),
        Map(result.weights, _("Weights α"), _("The softmax of each row: it sums to 1."), role="hidden", limit=1.0,
            signed=False, rows=queries, columns=keys),
        Map(result.output, _("Output αV"), _("Each row is a mixture of the rows of V."), rows=queries),
    ]  # fmt: skip


def entropy_table(tables: Tables, result: Attention) -> str:
    """Markdown: each query's largest weight and entropy."""
    lines = [
        f"| {_('Query')} | {_('looks most at')} | {_('Weight')} | {_('Bits')} | {_('Share')} |",
        "|---|---|--:|--:|--:|",
    ]
    queries, keys = names(tables)
    for query, weights, bits, most, share in zip(
        queries, result.weights, result.entropy, result.most, result.share, strict=True
    ):
        if np.isnan(weights).any():
            lines.append(f"| {query} | {_('none')} | NaN | NaN | {_('no key')} |")
            continue
        tops = [keys[k] for k in np.flatnonzero(np.isclose(weights, weights.max(), atol=1e-6))]
        share_text = _("no choice") if np.isnan(share) else f"{share:.0%} of {number(most, 2)}"
        lines.append(f"| {query} | {', '.join(tops)} | {number(weights.max())} | {number(bits, 2)} | {share_text} |")
    return "\n".join(lines)


def worked(tables: Tables, setup: Setup, result: Attention) -> str:
    """Markdown: the last query that may look somewhere, with its numbers put into the formulas."""
    looking = np.flatnonzero(setup.mask.any(1))
    if not len(looking):
        return _("No query may look anywhere: the softmax of nothing is 0 / 0, and torch gives NaN. Lift a mask.")
    row = int(looking[-1])
    queries, keys = names(tables)
    top = int(np.nanargmax(result.weights[row]))
    scores = ", ".join(number(s, 2) if np.isfinite(s) else "−∞" for s in result.masked[row])
    divided = f" / {setup.temperature:g}" if setup.temperature != 1 else ""
    weights = ", ".join(number(w) for w in result.weights[row])
    terms = " + ".join(
        f"{number(w)} \\cdot ({', '.join(number(x, 2).removesuffix('.00') for x in value)})"
        for w, value in zip(result.weights[row], tables.value, strict=True)
    )
    output = ", ".join(number(x) for x in result.output[row])
    said = _("Query {query}: softmax([{scores}]{divided}) = [{weights}] over {keys}, and so its output is")
    said = said.format(query=queries[row], scores=scores, divided=divided, weights=weights, keys=", ".join(keys))
    tex = f"{terms} = ({output})".replace("−", "-")
    score = _score_tex(tables.query[row], tables.key[top], setup.score, float(result.scores[row, top]))
    compared = _("{query} and {key}: ${score}$.").format(query=queries[row], key=keys[top], score=score)
    nothing = [queries[q] for q in np.flatnonzero(~setup.mask.any(1))]
    first = ""
    if nothing:
        first = _("{queries} may look nowhere: the softmax of nothing is 0 / 0, so torch gives NaN, hatched above.")
        first = first.format(queries=", ".join(nothing)) + "\n\n"
    return f"{first}{compared} {said}\n\n$$\n{tex}\n$$"


def _score_tex(query: np.ndarray, key: np.ndarray, name: ScoreName, score: float) -> str:
    """One score with its numbers."""
    q, k = (page.tex(role, letter) for role, letter in (("query", "q"), ("key", "k")))
    if name == "additive":
        return rf"v \cdot \tanh(W_q {q} + W_k {k}) = {_plain(score)}"
    terms = " + ".join(rf"{_factor(a)} \cdot {_factor(b)}" for a, b in zip(query, key, strict=True))
    if name == "dot":
        return rf"{q} \cdot {k} = {terms} = {_plain(score)}"
    below = {"scaled": rf"\sqrt{{{len(query)}}}", "cosine": rf"\lVert {q} \rVert \lVert {k} \rVert"}[name]
    return rf"\frac{{{q} \cdot {k}}}{{{below}}} = \frac{{{terms}}}{{{_below(query, key, name)}}} = {_plain(score)}"


def _below(query: np.ndarray, key: np.ndarray, name: ScoreName) -> str:
    if name == "scaled":
        return rf"\sqrt{{{len(query)}}}"
    return rf"{_plain(float(np.linalg.norm(query)))} \cdot {_plain(float(np.linalg.norm(key)))}"


def _plain(value: float) -> str:
    return f"{value:.3g}"


def _factor(value: float) -> str:
    return f"({_plain(value)})" if value < 0 else _plain(value)


def compared_maps(tables: Tables, results: Mapping[ScoreName, Attention]) -> list[Map]:
    """The scores by each method in one row, their weights in the next."""
    queries, keys = names(tables)
    told: dict[ScoreName, tuple[str, str]] = {
        "scaled": (_("Scaled"), _("q · k / √d_k")),
        "dot": (_("Dot product"), _("q · k")),
        "cosine": (_("Cosine"), _("The angle alone: length does not count.")),
        "additive": (_("Additive"), _("v · tanh(W_q q + W_k k), weights random.")),
    }
    scores = [
        Map(r.masked, told[name][0], told[name][1], role="hidden", rows=queries, columns=keys)
        for name, r in results.items()
    ]
    weights = [
        Map(r.weights, f"α: {told[name][0]}", role="hidden", limit=1.0, signed=False, rows=queries, columns=keys)
        for name, r in results.items()
    ]
    return scores + weights


def additive_maps(score: AdditiveScore) -> list[Map]:
    """The weights of the additive score."""
    w_query, w_key, v = (weight.detach().numpy() for weight in (score.w_query, score.w_key, score.v))
    return [
        Map(w_query, "W_q", _("A row for each number of a query."), role="weight"),
        Map(w_key, "W_k", _("A row for each number of a key."), role="weight"),
        Map(v[None], "v", _("One number for each hidden unit."), role="weight"),
    ]


def temperature_finding(weights: np.ndarray, temperatures: np.ndarray, query: str) -> str:
    """How far the largest weight goes from the lowest to the highest temperature. weights: (n, S)."""
    if np.isnan(weights).any():
        return _("{query} may look nowhere, so it has no weights at any temperature.").format(query=query)
    cold, hot = weights[0].max(), weights[-1].max()
    text = _("At temperature {low:g} the largest weight of {query} is {cold}, at {high:g} it is {hot}: equal weights would be "
             "{equal}.")  # fmt: skip
    return text.format(
        low=temperatures[0], high=temperatures[-1], query=query, cold=number(cold), hot=number(hot),
        equal=number(1 / np.count_nonzero(weights[0] + weights[-1])),
    )  # fmt: skip


def width_finding(widths: Widths) -> str:
    """What the division by √d_k does at the largest width."""
    text = _("At d_k = {width} the dot products of random vectors spread by {spread}, about √{width}. Not divided, the "
             "entropy falls to {plain:.0%} of its most and α(1 − α), the slope at the largest weight, to {steep}. Divided by "
             "√d_k they stay at {scaled:.0%} and {gentle}.")  # fmt: skip
    return text.format(
        width=widths.widths[-1], spread=number(widths.spread[-1], 1), plain=widths.plain_share[-1],
        steep=number(widths.plain_slope[-1], 2), scaled=widths.scaled_share[-1], gentle=number(widths.scaled_slope[-1], 2),
    )  # fmt: skip


def masking_table(m: Masking, query: str) -> str:
    """Markdown: one query's scores with −∞ and with −1e9 in the masked places."""

    def listed(values: np.ndarray) -> str:
        return ", ".join("NaN" if np.isnan(v) else number(v) for v in values)

    lines = [
        f"| {_('Softmax of the scores of {query}').format(query=query)} | −∞ | −1e9 |",
        "|---|---|---|",
    ]
    if m.one_infinite is not None and m.one_finite is not None:
        lines.append(f"| {_('with the last key masked')} | {listed(m.one_infinite)} | {listed(m.one_finite)} |")
    lines.append(f"| {_('with every key masked')} | {listed(m.all_infinite)} | {listed(m.all_finite)} |")
    return "\n".join(lines)


def masking_text(m: Masking) -> str:
    """Markdown: what the table means."""
    parts = []
    if m.one_infinite is not None and m.one_finite is not None:
        gap = float(np.abs(m.one_infinite - m.one_finite).max())
        parts.append(
            _("While one key is left, both give the same: e to the power of −1e9 is too small for a float32, so it is 0. They "
              "differ here by {gap:g}.").format(gap=gap)
        )  # fmt: skip
    parts.append(
        _("With every key masked, −∞ gives 0 / 0, NaN, and you notice. −1e9 gives equal weights: the query looks at just what "
          "was forbidden, and nobody notices. `F.scaled_dot_product_attention` of this torch gives {fused} instead. In half "
          "precision −1e9 does not exist; it turns into {half}.").format(
            fused=", ".join(number(v, 0) for v in m.fused), half="−∞" if np.isneginf(m.half) else number(m.half))
    )  # fmt: skip
    return " ".join(parts)


def formula() -> str:
    """Scores, weights, output, in the colours of their roles."""
    q, k, v = (page.tex(role, letter) for role, letter in (("query", "Q"), ("key", "K"), ("value", "V")))
    alpha = page.tex("hidden", r"\alpha")
    return (
        rf"\begin{{aligned}} \mathrm{{score}} &= \frac{{{q}{k}^\top}}{{\sqrt{{d_k}}}} \\ "
        rf"{alpha} &= \mathrm{{softmax}}(\mathrm{{score}}) \\ {page.tex('output', 'output')} &= {alpha}\,{v} \end{{aligned}}"
    )


def snippet(tables: Tables, setup: Setup) -> str:
    """Python that computes the output on the screen."""
    functions = {"scaled": "scaled_dot_product", "dot": "dot_product", "cosine": "cosine"}
    score = functions.get(setup.score, "score")
    lines = ["import torch"]
    if setup.score == "additive":
        lines += ["from explorer.attention_views import additive_score", "from explorer.models.scoring import attend"]
    else:
        lines += [f"from explorer.models.scoring import attend, {score}"]
    lines.append("")
    lines += [
        f"{name} = torch.tensor({np.float32(getattr(tables, name)).tolist()})" for name in ("query", "key", "value")
    ]
    if setup.score == "additive":
        lines.append(f"score = additive_score({tables.query.shape[1]}, seed={setup.seed})  # random weights")
    mask = "None"
    if not setup.mask.all():
        mask = "mask"
        lines.append(f"mask = torch.tensor({setup.mask.tolist()})  # True where a query may look")
    lines.append(f"output, weights = attend(query, key, value, {score}, {mask}, temperature={setup.temperature})")
    lines.append("result = output.detach().numpy()")
    return "\n".join(lines)

"""The tables of the page “RNN or attention?”, as Markdown; every number is measured or counted in this session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from explorer.cost_curves import Comparison, Curve, What, compare
from explorer.cost_fits import Laws
from explorer.dependency import COUNTED, Counts, Growth, Kind
from explorer.numbers import grouped, power
from explorer.plots.costs import LAWS
from explorer.sequence_layers import KERNEL_SIZE, Key, Layer
from explorer.text import _
from explorer.ui.rnn_or_attention_texts import KIND_NAMES, NAMES, law_text
from explorer.units import bytes_text, seconds_text, three
from explorer.word_influence import Trait

Curves = Mapping[Key, Curve]
PAIR: tuple[Key, Key] = ("rnn", "attention")


@dataclass(frozen=True, eq=False)
class Findings:
    """All that the tables speak of. forward, training: times; held: bytes of training; traits: over `words` words."""

    forward: Curves
    training: Curves
    held: Curves
    layers: Mapping[Key, Layer]
    counted: Mapping[Kind, Counts]
    traits: Mapping[Key, Trait]
    words: int


def pros_table(found: Findings) -> str:
    """What speaks for the RNN and what for attention."""
    pair, trained = (compare(made, "rnn", "attention") for made in (found.forward, found.training))
    n = pair.length if pair else COUNTED[-1]
    steps = {kind: counts.steps_law for kind, counts in found.counted.items()}
    paths = {kind: counts.path_law for kind, counts in found.counted.items()}
    rnn, attention = found.traits["rnn"], found.traits["attention"]
    state, width = found.layers["rnn"].outputs, found.layers["attention"].width
    rows = [
        (
            _("Parallel"),
            _("No. {law} calls wait for one another: {k} at {n} words.").format(
                law=law_text(steps["rnn"]), k=_at(steps["rnn"], n), n=grouped(n)
            ),
            _("Yes. {law} calls in a row, however long the text.").format(law=law_text(steps["attention"])),
        ),
        (_("Time, forward"), *_both(pair, seconds_text, _("{value} at {n} words"), _("{x} times as long"))),
        (_("Time, training"), *_both(trained, seconds_text, _("{value} at {n} words"), _("{x} times as long"))),
        (_("Memory, training"), *_memory(found.held)),
        (
            _("Long range"),
            _("{law} calls from the first word to the last: {k} at {n} words. Over {words} words the first one moves the "
              "last output {pull} times as much as the last one does.").format(
                law=law_text(paths["rnn"]), k=_at(paths["rnn"], n), n=grouped(n), words=found.words, pull=power(rnn.pull)
            ),
            _("{law} calls between any two words. Over {words} words: {pull} times as much.").format(
                law=law_text(paths["attention"]), words=found.words, pull=power(attention.pull)
            ),
        ),
        (
            _("Word order"),
            _("Implicit: it reads in order. Swap two words, and the outputs change by {x} of the largest.").format(
                x=power(rnn.order)
            ),
            _("Explicit: swap two words, and the outputs are only swapped, to within {x}. Positions must be added.").format(
                x=power(attention.order)
            ),
        ),
        (
            _("One word more"),
            _("needs the last state: {k} numbers, however long the text.").format(k=grouped(state)),
            _("needs the key and the value of each word: {k} numbers at {n} words.").format(
                k=grouped(2 * width * n), n=grouped(n)
            ),
        ),
    ]  # fmt: skip
    return _table(["", NAMES["rnn"], NAMES["attention"]], "lll", [[f"**{name}**", *cells] for name, *cells in rows])


def published_table(found: Findings) -> str:
    """What Vaswani et al. (2017, table 1) derive for each layer, and beside it what was measured and counted here."""
    told: list[tuple[Kind, str, str, str]] = [
        ("attention", "O(n²·d)", "O(1)", "O(1)"),
        ("rnn", "O(n·d²)", "O(n)", "O(n)"),
        ("lstm", "O(n·d²)", "O(n)", "O(n)"),
        ("conv", "O(k·n·d²)", "O(1)", "O(n/k)"),
        ("dilated", "O(k·n·d²)", "O(1)", "O(logₖ n)"),
    ]
    rows = []
    for kind, work, waiting, way in told:
        curve = found.forward.get(kind) if kind != "dilated" else None
        slope = f"{curve.laws.slope:.2f}" if curve and curve.laws else "–"
        steps, path = (law_text(law) for law in (found.counted[kind].steps_law, found.counted[kind].path_law))
        rows.append([KIND_NAMES[kind], work, slope, waiting, steps, way, path])
    head = [
        _("Layer"),
        _("Operations"),
        _("Measured slope"),
        _("Steps in a row"),
        _("Counted"),
        _("Longest path"),
        _("Counted"),
    ]
    note = _("n words, width d, kernel k = {k}. The slope is that of the forward time over the last three lengths: 1 is in "
             "proportion to n, 2 to n².").format(k=KERNEL_SIZE)  # fmt: skip
    return f"{_table(head, 'llrllll', rows)}\n\n{note}"


def fits_table(made: Curves, what: What) -> str:
    """Both fits of every layer with their errors, which is better, and the slope."""
    value = seconds_text if what == "time" else bytes_text
    rows = []
    for key, curve in made.items():
        span = f"{grouped(int(curve.lengths[0]))}–{grouped(int(curve.lengths[-1]))}"
        if curve.laws is None:
            rows.append([NAMES[key], span, "–", "–", "–", "–", _("needs four lengths"), "–"])
            continue
        cells = []
        for fit, unit in ((curve.laws.linear, "n"), (curve.laws.square, "n²")):
            cells += [f"{value(fit.a)} + {value(fit.b)}\u00a0·\u00a0{unit}", f"{fit.error:.0%}"]
        rows.append([NAMES[key], span, *cells, better_text(curve.laws), f"{curve.laws.slope:.2f}"])
    head = [_("Layer"), _("Lengths"), "a + b·n", _("Error"), "a + b·n²", _("Error"), _("Better"), _("Slope")]
    return _table(head, "lllrlrlr", rows)


def better_text(laws: Laws) -> str:
    """The law with the smaller error, or that neither is clearly better."""
    return LAWS[laws.better.power] if laws.clear else _("too close to call")


def layers_table(layers: Mapping[Key, Layer]) -> str:
    """What is compared, with sizes and parameters."""
    rows = [[NAMES[key], f"{one.width} → {one.outputs}", grouped(one.parameters)] for key, one in layers.items()]
    return _table([_("Layer"), _("Width in → out"), _("Parameters")], "llr", rows)


def outlook_table(time: Curves, held: Curves, n: int) -> str:
    """What either fit of each layer says of a text of n words, the better one in bold."""
    rows = []
    for key in time:
        cells = []
        for made, value in ((time, seconds_text), (held, bytes_text)):
            laws = made[key].laws
            if laws is None:
                cells += ["–", "–"]
                continue
            for fit in (laws.linear, laws.square):
                text = value(float(fit.at(n)))
                cells.append(f"**{text}**" if laws.clear and fit is laws.better else text)
        rows.append([NAMES[key], *cells])
    heads = (_("Time, {law}"), _("Memory, {law}"))
    head = [_("Layer"), *(text.format(law=law) for text in heads for law in LAWS.values())]
    return _table(head, "lrrrr", rows)


def counted_columns(counted: Mapping[Kind, Counts]) -> np.ndarray:
    """A row for each counted length: steps of RNN and attention, path of RNN and attention."""
    rnn, attention = counted["rnn"], counted["attention"]
    return np.array([rnn.steps, attention.steps, rnn.path, attention.path]).T


def _table(head: list[str], sides: str, rows: list[list[str]]) -> str:
    """sides: "l" or "r" for each column."""
    rule = ["--:" if side == "r" else "---" for side in sides]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _at(law: Growth | None, n: int) -> str:
    return "–" if law is None else grouped(int(law.at(n)))


def _both(pair: Comparison | None, value: Callable[[float], str], text: str, more: str) -> tuple[str, str]:
    """The two cells of a row; the larger says how many times as large it is."""
    if pair is None:
        return _("not measured"), _("not measured")
    cells = []
    for mine, other in ((pair.first, pair.second), (pair.second, pair.first)):
        rest = f", {more.format(x=three(mine / other))}" if mine > 1.05 * other else ""
        cells.append(f"{text.format(value=value(mine), n=grouped(pair.length))}{rest}.")
    return cells[0], cells[1]


def _memory(held: Curves) -> list[str]:
    cells = _both(compare(held, "rnn", "attention"), bytes_text, _("{value} at {n} words"), _("{x} times as much"))
    return [cell + _growth_text(held.get(key)) for key, cell in zip(PAIR, cells, strict=True)]


def _growth_text(curve: Curve | None) -> str:
    if curve is None or len(curve.values) < 2:
        return ""
    return " " + _("The last doubling of n made it {x} times as much.").format(x=three(curve.last_growth))

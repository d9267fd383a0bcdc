"""What the page on positional encoding shows: its pictures, and the sentences that say what is seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explorer.components.maps import Map
from explorer.numbers import grouped, number, power
from explorer.position_training import WORDS, Report
from explorer.position_views import ByOffset, Seen, Shift, Wave, cosines
from explorer.text import _
from explorer.ui import page

KINDS = {"none": _("No positions"), "learned": _("Learned"), "sinusoid": _("Sinusoids")}


def formula() -> str:
    """LaTeX of the encoding, coloured."""
    position, angle = page.tex("input", "pos"), r"\left(\frac{%s}{%s^{2i/d}}\right)"
    turned = angle % (position, page.tex("weight", "base"))
    sin, cos = (rf"{page.tex('output', 'PE')}({position}, {n}) &= \{name} {turned}" for n, name in
                (("2i", "sin"), ("2i + 1", "cos")))  # fmt: skip
    return rf"\begin{{aligned}} {sin} \\ {cos} \end{{aligned}}"


def positions(value: float) -> str:
    """A number of positions, with decimals only where they say something: 6.28, 1 234."""
    return number(value, 2) if value < 100 else grouped(round(value))


def heatmap(encoding: np.ndarray, dimension: int, periods: np.ndarray) -> Map:
    """The encoding, a row for each position; the chosen dimension's column is outlined."""
    told = _("Each row is the vector of one position. On the left a wave repeats every {short} positions, on the right every "
             "{long}. Click a column to see its wave.")  # fmt: skip
    told = told.format(short=positions(periods[0]), long=positions(periods[-1]))
    frame = (dimension, 0, 1, len(encoding))
    return Map(encoding, _("Positional encoding"), told, role="output", limit=1.0, signed=True, frame=frame)


def wave_text(drawn: Wave, d_model: int, base: int, dimension: int) -> str:
    """Markdown: the wavelength of this dimension with its numbers, and how much of the wave fits into the length."""
    i = dimension // 2
    period = rf"2\pi \cdot {base}^{{2 \cdot {i} / {d_model}}} = {positions(drawn.wavelength)}".replace("\u202f", r"\,")
    text = _("Dimension {dimension} is a {kind} (i = {i}). It repeats after ${period}$ positions; {turns}")
    kind = _("cosine") if drawn.name == "cos" else _("sine")
    if drawn.turns < 0.1:
        turns = _("over this length it hardly moves.")
    else:
        turns = _("{n} waves fit into this length.").format(n=number(drawn.turns, 1))
    return text.format(dimension=dimension, kind=kind, i=i, period=period, turns=turns)


def alike_maps(dots: ByOffset, apart: ByOffset, position: int) -> list[Map]:
    """Dot product and distance of all positions; the row of the chosen position is outlined."""
    frame = (0, position, len(dots.pairs), 1)
    told = _("Position by position. Along a diagonal, where both move on together, the number stays.")
    return [
        Map(dots.pairs, _("Dot product"), told, frame=frame),
        Map(apart.pairs, _("Distance"), _("The root of d − 2 times the dot product: 0 with itself."), role="gradient",
            frame=frame),
    ]  # fmt: skip


def offset_finding(dots: ByOffset, apart: ByOffset) -> str:
    """How far both depend on anything but the offset, measured."""
    text = _("Of all pairs of positions that lie equally far apart, dot products differ by at most {dot}, distances by at "
             "most {distance}. That is rounding: only the offset counts.")  # fmt: skip
    return text.format(dot=power(float(dots.spread.max())), distance=power(float(apart.spread.max())))


def rotation_text(shown: Shift, pair: int, position: int, offset: int, period: float) -> str:
    """Markdown: R(k) PE(pos) with its numbers, and how exactly it gives PE(pos + k) everywhere."""
    (a, b), (c, d) = shown.rotation
    column = r"\begin{pmatrix} %.3f \\ %.3f \end{pmatrix}"
    matrix = rf"\begin{{pmatrix}} {a:.3f} & {b:.3f} \\ {c:.3f} & {d:.3f} \end{{pmatrix}}"
    before, turned = column % tuple(shown.before), column % tuple(shown.turned)
    colours = page.tex("weight", f"R({offset})"), page.tex("input", rf"\text{{PE}}({position})")
    line = rf"\underbrace{{{matrix}}}_{{{colours[0]}}} \underbrace{{{before}}}_{{{colours[1]}}} = {turned}"
    formula_says = _("The formula for position {place} says {sin} and {cos}.").format(
        place=position + offset, sin=number(float(shown.after[0])), cos=number(float(shown.after[1]))
    )
    angle = _("Pair {pair} turns by 360° · {k} / {period} = {degrees}°.").format(
        pair=pair, k=offset, period=positions(period), degrees=number(np.degrees(shown.angle), 1)
    )
    everywhere = _("Over all pairs and all positions of the table the largest difference between the turned vector and the "
                   "formula is **{difference}**.").format(difference=power(shown.difference))  # fmt: skip
    return f"{angle}\n\n$$\n{line}\n$$\n\n{formula_says} {everywhere}"


def seen_maps(words: Sequence[str], without: Seen, added: Seen) -> list[Map]:
    """Attention of the same head without and with positions."""
    labels = tuple(words)
    return [
        Map(seen.weights, title, role="hidden", share="seen", signed=False, rows=labels, columns=labels)
        for title, seen in ((_("Without positions"), without), (_("With positions"), added))
    ]


def seen_text(words: Sequence[str], without: Seen, added: Seen) -> str:
    """What becomes of the rows of a word that comes twice."""
    if not without.repeated:
        return _("No word comes twice in this sentence. Type one with a word repeated.")
    first, second = without.repeated[0]
    text = _("“{word}” comes as word {first} and again as word {second}. Without positions both look at the sentence in just "
             "the same way: the rows of equal words differ by at most {gap}. With positions they differ by up to "
             "{more}.")  # fmt: skip
    return text.format(
        word=words[first],
        first=first + 1,
        second=second + 1,
        gap=power(without.gap or 0.0),
        more=number(added.gap or 0.0),
    )


def table_maps(report: Report) -> list[Map]:
    """How alike the positions' vectors are to the models: learned, and sinusoids."""
    length = len(report.sentence)
    learned = _("Nobody told the model that word 5 stands beside word 6. What this table shows, it found out.")
    told = {
        "learned": learned if report.step else _("Still random: nothing is learned yet."),
        "sinusoid": _("Computed by the formula, the same before and after training."),
    }
    return [
        Map(cosines(report.tables[kind][:length]).pairs, _("{kind}: cosine of two positions").format(kind=KINDS[kind]),
            text, role="weight" if kind == "learned" else "input", limit=1.0, signed=True)
        for kind, text in told.items()
    ]  # fmt: skip


def training_maps(report: Report) -> list[Map]:
    """Where each model looks in one sentence."""
    words = tuple(WORDS[number] for number in report.sentence)
    made = []
    for kind, weights in report.attention.items():
        before = float(np.diagonal(weights, -1).mean())
        told = _("On average {share:.0%} of the weight goes to the word before.").format(share=before)
        made.append(Map(weights, KINDS[kind], told, role="hidden", limit=1.0, signed=False, share="trained", rows=words,
                        columns=words))  # fmt: skip
    return made


def training_finding(report: Report) -> str:
    """One sentence on the numbers: what the training has come to."""
    length, chance = len(report.sentence), 1 / len(WORDS)
    if report.step == 0:
        return _("Nothing is trained yet: all three guess, and one guess in {n} is right.").format(n=len(WORDS))
    right = report.trained
    text = _("After {step} updates: without positions {none:.0%} are named right, with learned ones {learned:.0%}, with "
             "sinusoids {sinusoid:.0%}. Blind guessing gives {chance:.0%}; a model that cannot see the order can still name a "
             "word that the sentence holds often.")  # fmt: skip
    beyond = {kind: float(report.accuracy[kind][length - 1 :].mean()) for kind in KINDS}
    more = _("The curves are of sentences twice as long. Beyond word {length} the learned table was never used: {learned:.0%}. "
             "Sinusoids: {sinusoid:.0%}.")  # fmt: skip
    return f"{text.format(step=report.step, chance=chance, **right)} {more.format(length=length, **beyond)}"

"""What the page “RNN or attention?” says: every number in its sentences and tables is measured or counted in this session."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from explorer.cost_curves import Comparison, Curve, What, compare
from explorer.cost_measure import Pass
from explorer.dependency import Counts, Growth, Kind
from explorer.numbers import grouped
from explorer.sequence_layers import Key, Setup
from explorer.text import _
from explorer.units import bytes_text, seconds_text, three

NAMES: dict[Key, str] = {
    "rnn": _("RNN"),
    "lstm": _("LSTM"),
    "conv": _("1-D convolution"),
    "attention": _("Self-attention"),
    "blocks": _("Self-attention in blocks"),
}
SHORT: dict[Key, str] = NAMES | {"attention": _("Attention"), "blocks": _("Attention in blocks")}
"""Where there is little room."""
KIND_NAMES: dict[Kind, str] = {
    "rnn": _("RNN"),
    "lstm": _("LSTM"),
    "conv": _("1-D convolution"),
    "dilated": _("1-D convolution, dilated"),
    "attention": _("Self-attention"),
}
PASSES: dict[Pass, str] = {"forward": _("Forward"), "training": _("Forward and backward")}
STILL, STEEP = 1.7, 2.3
"""A slope below the first says that the square does not dominate yet; one above the second is more than a square."""
BUSY = 0.5
"""A distance of the quartiles, as a share of the median, that says more about the machine than about the layer."""


def cost_finding(made: Mapping[Key, Curve], what: What, passing: Pass) -> str:
    """RNN and attention at the longest length that both have, and where they change places."""
    pair = compare(made, "rnn", "attention")
    if pair is None:
        return _("The points appear here as they are measured.")
    if what == "time":
        text = _("At {n} words, {passing}: RNN {first}, self-attention {second}. {ratio}")
        ratio = _ratio(pair, _("Attention takes {x} times as long."), _("The RNN takes {x} times as long."),
                       _("Both take about as long."))  # fmt: skip
        turn = _("From about {n} words on attention takes longer.")
    else:
        text = _("At {n} words, {passing}: at its peak the RNN holds {first}, self-attention {second}. {ratio}")
        ratio = _ratio(pair, _("Attention holds {x} times as much."), _("The RNN holds {x} times as much."),
                       _("Both hold about as much."))  # fmt: skip
        turn = _("From about {n} words on attention holds more.")
    value = seconds_text if what == "time" else bytes_text
    said = [text.format(n=grouped(pair.length), passing=PASSES[passing].lower(), first=value(pair.first),
                        second=value(pair.second), ratio=ratio)]  # fmt: skip
    if pair.crossing is not None:
        said.append(turn.format(n=grouped(_rounded(pair.crossing))))
    if what == "memory" and (other := compare(made, "attention", "blocks")) is not None:
        text = _("The same attention computed in blocks holds {value} there: it never has all n × n weights at once.")
        said.append(text.format(value=bytes_text(other.second)))
    return " ".join(said)


def law_finding(made: Mapping[Key, Curve], what: What) -> str:
    """Which law attention's points follow, and why that may not be n²."""
    curve = made.get("attention")
    if curve is None or curve.laws is None:
        return _("A fit needs four lengths.")
    laws, longest = curve.laws, int(curve.lengths[-1])
    n = grouped(longest)
    square, linear = f"{laws.square.error:.0%}", f"{laws.linear.error:.0%}"
    said = _("Self-attention: a + b·n² misses the points by {square}, a + b·n by {linear}; at the long end the slope is "
             "{slope:.1f}.").format(square=square, linear=linear, slope=laws.slope)  # fmt: skip
    if what == "memory":
        return said
    if float(np.median((curve.high - curve.low) / curve.values)) > BUSY:
        said += " " + _(
            "But the timings of one and the same point differ widely: this computer is busy with other things."
        )
    elif laws.slope < STILL:
        said += " " + _("The square does not rule yet: up to {n} words much of the time goes into the projections, which grow "
                        "with n, and into calling anything at all. Measure longer sequences.").format(n=n)  # fmt: skip
    elif laws.slope > STEEP and longest >= 1024:
        size = bytes_text(4 * longest**2)
        said += " " + _("That is steeper than n²: a matrix of {n} × {n} numbers takes {size}, and once it outgrows the "
                        "processor’s caches, each number takes longer.").format(n=n, size=size)  # fmt: skip
    return said


def law_text(law: Growth | None) -> str:
    """3·n, 2·n + 5, ⌈log₂ n⌉, 6; a dash where no law goes through the counts."""
    if law is None:
        return "–"
    if not law.slope:
        return str(law.constant)
    variable = "n" if law.of == "n" else "⌈log₂ n⌉"
    slope = "" if law.slope == 1 else f"{law.slope}·"
    constant = f" {'+' if law.constant > 0 else '−'} {abs(law.constant)}" if law.constant else ""
    return f"{slope}{variable}{constant}"


def steps_finding(counted: Mapping[Kind, Counts]) -> str:
    """Steps at the longest length that was counted."""
    lengths = counted["rnn"].lengths
    text = _("At {n} words {rnn} calls of the RNN wait for one another, {lstm} of the LSTM, {attention} of self-attention and "
             "{conv} of a convolution.")  # fmt: skip
    return text.format(n=lengths[-1], **{kind: counts.steps[-1] for kind, counts in counted.items()})


def path_finding(counted: Mapping[Kind, Counts]) -> str:
    """What it takes the first word to reach the last, at the longest length that was counted."""
    n = counted["rnn"].lengths[-1]
    text = _("From word 1 to word {n}: {rnn} calls in the RNN; {lstm} in the LSTM, by way of its cell; {conv} convolutions, "
             "one upon the other, or {dilated} whose gaps double; {attention} calls in self-attention.")  # fmt: skip
    return text.format(n=n, **{kind: counts.path[-1] for kind, counts in counted.items()})


def _rounded(value: float) -> int:
    """Two significant digits: more would claim too much."""
    digits = 1 - math.floor(math.log10(value))
    return int(round(value, digits))


def _ratio(pair: Comparison, second: str, first: str, alike: str) -> str:
    """Which of the two costs more, and how many times."""
    if 1 / 1.05 < pair.ratio < 1.05:
        return alike
    text, ratio = (second, pair.ratio) if pair.ratio > 1 else (first, 1 / pair.ratio)
    return text.format(x=three(ratio))


def how_it_is_measured(circumstances: str, setup: Setup) -> str:
    """What the points are, and under which conditions."""
    said = [
        _("Every layer reads the same kind of text: n random vectors of width {d}, one text at a time (a batch of 1), in "
          "float32 on the processor; {circumstances}. Attention has one head."),
        _("**Time.** After a warm-up each layer has its turn in rounds, another one first each time. A point is the median "
          "of its timings, the bar spans its quartiles. “Forward and backward” includes the gradients of weights and input."),
        _("**Memory.** The most bytes that torch’s allocator has handed out at one time, beyond weights and input: outputs, "
          "what is kept for the backward pass, gradients, and the working space of kernels."),
        _("**Fits.** Least squares of relative errors, a and b not below 0. The error is the root mean square of how far the "
          "points are off. One law is called better if the other’s error is half as large again."),
        _("Here run the kernels of torch.nn. Attention comes twice: with its n × n weights as a matrix, and in blocks, as "
          "torch computes it when nobody asks for the weights (FlashAttention’s way).")
        if setup.code == "library" else
        _("Here runs the plain code that you can step through below. Its RNN and LSTM are loops in Python, so each step "
          "costs more than in torch.nn."),
    ]  # fmt: skip
    said[0] = said[0].format(d=setup.width, circumstances=circumstances)
    return "\n\n".join(said)

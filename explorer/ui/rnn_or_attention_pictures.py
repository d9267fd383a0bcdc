"""The pictures of the page “RNN or attention?”: costs and counts as charts, rounds and influence as maps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import palette
from explorer.components.maps import Map
from explorer.cost_curves import Curve, What
from explorer.dependency import Counts, Kind, schedule
from explorer.numbers import power
from explorer.plots.costs import CountSeries, Series, costs, counts
from explorer.sequence_layers import KEYS, Key
from explorer.text import _
from explorer.trace import Trace
from explorer.ui.rnn_or_attention_texts import KIND_NAMES, NAMES, SHORT
from explorer.word_influence import Trait

UNITS = {"time": (1e3, "ms"), "memory": (1e-6, "MB")}


def cost_chart(
    what: What, passing: str, theme: palette.Theme, both: bool, span: int, made: Mapping[Key, Curve]
) -> go.Figure:
    """cost_figure, kept for the same points: to make a figure takes longer than all else on the page."""
    return _kept_costs(what, passing, theme, both, span, tuple((k, c.signature) for k, c in made.items()), made)


@st.cache_resource(show_spinner=False, max_entries=64)
def _kept_costs(
    what: What, passing: str, theme: palette.Theme, both: bool, span: int, points: tuple, _made: Mapping[Key, Curve]
) -> go.Figure:
    return cost_figure(_made, what, passing, theme, both=both, span=span)


@st.cache_resource(show_spinner=False, max_entries=32)
def count_chart(what: str, theme: palette.Theme, span: int, _counted: Mapping[Kind, Counts]) -> go.Figure:
    """count_figure, kept; there is only one set of counts."""
    return count_figure(_counted, what, theme, span)


def cost_figure(
    made: Mapping[Key, Curve], what: What, passing: str, theme: palette.Theme, *, both: bool, span: int
) -> go.Figure:
    """Time or memory against the length. passing: the name of the pass; both, span: as plots.costs."""
    scale, unit = UNITS[what]
    series = [
        Series(
            SHORT[key],
            KEYS.index(key),
            curve.lengths,
            scale * curve.values,
            scale * curve.low,
            scale * curve.high,
            curve.laws and curve.laws.scaled(scale),
        )
        for key, curve in made.items()
    ]
    title = _("Time, {passing}") if what == "time" else _("Peak memory, {passing}")
    return costs(series, theme, title.format(passing=passing.lower()), unit, both=both, span=span)


def count_figure(counted: Mapping[Kind, Counts], what: str, theme: palette.Theme, span: int) -> go.Figure:
    """Steps or path. what: "steps", for which a dilated convolution is like any other, or "path"."""
    numbers = {"rnn": 0, "lstm": 1, "conv": 2, "attention": 3, "dilated": 4}
    series = []
    for kind, found in counted.items():
        law = found.steps_law if what == "steps" else found.path_law
        if what == "steps" and kind == "dilated":
            continue
        lengths = np.array(found.lengths)
        values = np.array(found.steps if what == "steps" else found.path)
        along = np.array([2**k for k in range(2, int(np.log2(span)) + 1)])
        line = along * np.nan if law is None else law.at(along)
        series.append(CountSeries(KIND_NAMES[kind], numbers[kind], lengths, values, along, line))
    title = _("Calls that wait for one another") if what == "steps" else _("Calls from the first word to the last")
    return counts(series, theme, title, span)


def round_maps(traces: Mapping[Key, Trace]) -> list[Map]:
    """For each layer: rounds from left to right, kinds of calls from top to bottom, and how many run in each."""
    shown = []
    for key, made in traces.items():
        table, kinds = schedule(made)
        told = _("{calls} calls in {rounds} rounds.").format(calls=int(table.sum()), rounds=table.shape[1])
        if table.shape == (1, 1):
            told = _("One call, one round.")
        numbers = tuple(str(k) for k in range(1, table.shape[1] + 1))
        shown.append(
            Map(table, NAMES[key], told, role="hidden", signed=False, share="rounds", rows=kinds, columns=numbers)
        )
    return shown


def influence_maps(found: Mapping[Key, Trait]) -> list[Map]:
    """For each layer: to output (row) from word (column), on its own scale."""
    told = {
        "rnn": _("Only words before count. The first one: {pull} of the last."),
        "lstm": _("Only words before count. The first one: {pull} of the last."),
        "conv": _("Only neighbours count. The first one: {pull} of the last."),
        "attention": _("Every word counts, also those behind. The first one: {pull} of the last."),
    }
    return [
        Map(trait.influence, NAMES[key], told[key].format(pull=power(trait.pull)), role="gradient", signed=False)
        for key, trait in found.items()
    ]


def opening(made: Trace) -> int:
    """The step to open on: where the second word meets the first, or the scores are made."""
    wanted = next((step.index for step in made.steps if step.op == "matmul"), None)
    if wanted is not None:
        return wanted
    sums = [step.index for step in made.steps if step.op in ("add", "conv1d")]
    return sums[min(1, len(sums) - 1)]

"""What the page on recurrent networks asks: the sequence, the networks, the convolution, and the step to see in the code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.components.unrolled import Stepped
from explorer.recurrent_views import Cell, Initial, Setup
from explorer.series import SAMPLES, Sample, number_labels, parse_series, sample, standardise
from explorer.text import _
from explorer.ui.bounded import bounded
from explorer.ui.convolution_input import typed
from explorer.ui.sentence_input import sentence_input
from explorer.words import random_vectors

MOST = 24
"""Words or numbers that are read."""
SENTENCE = "The cat sat on the mat because it was tired."
NUMBERS = np.array([2, 3, 2, 3, 9, 8, 9, 8, 1, 0, 1, 0], np.float32)
CELLS: dict[Cell, str] = {"rnn": _("RNN"), "lstm": _("LSTM"), "gru": _("GRU")}
WIDTH, LENGTH = 4, 12  # of the vectors, and of the sample series, unless chosen otherwise

Kind = Literal["sentence", "sine", "steps", "noise", "trend", "own"]


@dataclass(frozen=True, eq=False)
class Sequence:
    """What is read. labels: a text for each step; x: float32 (T, width); source: Python lines that give x as `vectors`.

    words: whether it is a sentence.
    """

    labels: tuple[str, ...]
    x: np.ndarray
    source: str
    words: bool


def choose_sequence(more: DeltaGenerator) -> Sequence:
    """A sentence, a sample series or typed numbers. more: where what is seldom changed goes."""
    names: dict[Kind, str] = {"sentence": _("Sentence"), "sine": _("Series: sine"), "steps": _("Series: steps"),
             "noise": _("Series: noise"), "trend": _("Series: trend"), "own": _("Series: your own numbers")}  # fmt: skip
    kind = st.selectbox(_("Input"), list(names), format_func=names.__getitem__, key="rec_input", bind="query-params")
    if kind == "sentence":
        return _sentence(more)
    if kind == "own":
        values = typed("rec_numbers", _("Numbers"), NUMBERS[None, None],
                       lambda text: parse_series(text, MOST)[None, None], _("Up to {n} of them.").format(n=MOST),
                       height=80)[0, 0]  # fmt: skip
        numbers = ", ".join(np.format_float_positional(value, trim="-") for value in values)
        source = f"values = np.array([{numbers}], np.float32)"
    else:
        with more:
            length = bounded(_("Length of the series"), range(2, MOST + 1), LENGTH, key="rec_length")
            seed = 0
            if kind == "noise":
                seed = bounded(_("Seed of the noise"), range(10), 0, key="rec_noise_seed")
        values = sample(cast(Sample, kind), length, seed)
        source = f'values = sample("{kind}", {length}, seed={seed})'
    st.caption(_("The networks read it with its mean taken away, divided by its standard deviation."))
    x = standardise(values)[:, None]
    names_used = "sample, standardise" if kind in SAMPLES else "standardise"
    imports = f"import numpy as np\nfrom explorer.series import {names_used}\n"
    return Sequence(number_labels(values), x, f"{imports}\n{source}\nvectors = standardise(values)[:, None]", False)


def _sentence(more: DeltaGenerator) -> Sequence:
    with more:
        width = bounded(_("Width of the word vectors"), range(2, 7), WIDTH, key="rec_width")
    labels = sentence_input(SENTENCE, key="rec_sentence", most=MOST).labels
    st.caption(_("Each word gets a **random** vector of {n} numbers; equal words get equal ones.").format(n=width))
    source = f"from explorer.words import random_vectors\n\nwords = {list(labels)!r}\nvectors = random_vectors(words, {width})"
    return Sequence(labels, random_vectors(labels, width), source, True)


def choose_cell() -> Cell:
    """The cell that is shown large."""
    return st.segmented_control(_("Cell"), list(CELLS), default="lstm", required=True, format_func=CELLS.__getitem__,
                                key="rec_cell", bind="query-params")  # fmt: skip


def choose_setup() -> Setup:
    """How the three networks are made."""
    hidden = bounded(_("Hidden size"), range(1, 9), 4, key="rec_hidden", help=_("How many units each state has."))
    layers = bounded(
        _("Layers"), (1, 2, 3), 1, key="rec_layers", help=_("Each layer reads the states of the one below.")
    )
    ways = {"one": _("→"), "both": _("→ and ←")}
    way = st.segmented_control(_("Direction"), list(ways), default="one", required=True, format_func=ways.__getitem__,
                               key="rec_direction", bind="query-params",
                               help=_("Both: a second cell reads from the end."))  # fmt: skip
    activations: dict[Literal["tanh", "relu"], str] = {"tanh": "tanh", "relu": "ReLU"}
    activation = st.segmented_control(_("Activation of the RNN"), list(activations), default="tanh", required=True,
                                      format_func=activations.__getitem__, key="rec_activation",
                                      bind="query-params")  # fmt: skip
    starts: dict[Initial, str] = {"zeros": _("Zeros"), "ones": _("Ones"), "random": _("Random")}
    initial = st.segmented_control(_("State before the first step"), list(starts), default="zeros", required=True,
                                   format_func=starts.__getitem__, key="rec_initial", bind="query-params")  # fmt: skip
    seed = bounded(_("Seed of the random weights"), range(10), 0, key="rec_seed")
    return Setup(hidden, layers, way == "both", activation, initial, seed)


def choose_window() -> int:
    """Width of the convolution's kernel; odd, so that it has a middle."""
    return bounded(_("Window of the convolution"), (1, 3, 5, 7), 3, key="rec_window")


def choose_output(labels: tuple[str, ...]) -> int:
    """The place whose outputs are looked at."""
    number = bounded(_("Output at step"), range(1, len(labels) + 1), 1 + len(labels) // 2, key="rec_output")
    return number - 1


def take_step() -> None:
    """Moves the controls of the stepper to the step that was asked for in the unrolled network; each click counts once."""
    stepped = Stepped.read((st.session_state.get("rec_unrolled") or {}).get("stepped"))
    if stepped is not None and stepped != st.session_state.get("rec_unrolled seen"):
        way = "backwards" if stepped.direction else "forwards"
        st.session_state.update(rec_code="step", rec_place=stepped.place + 1, rec_layer=stepped.layer + 1, rec_way=way)
    st.session_state["rec_unrolled seen"] = stepped

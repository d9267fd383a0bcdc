"""What the page on recurrent networks shows beside the unrolled network: states, parameters, the convolution, the code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.components.address import keep_in_address
from explorer.components.maps import Map
from explorer.numbers import grouped, number
from explorer.recurrent_reach import Convolved, sees
from explorer.recurrent_views import Cell, CellRun, Reading, Setup, repeated_word, stepped_cell, stepped_sequence
from explorer.shapes import conv_parameters_formula, recurrent_parameters_formula
from explorer.text import _
from explorer.ui.bounded import bounded
from explorer.ui.recurrent_controls import CELLS
from explorer.ui.steps import show_steps

BLOCKS: dict[Cell, int] = {"rnn": 1, "lstm": 4, "gru": 3}
ROLES = {
    **dict.fromkeys("x x_t".split(), "input"),
    **dict.fromkeys("w_ih w_hh b_ih b_hh weights".split(), "weight"),
    **dict.fromkeys("h hidden state sides output".split(), "hidden"),
    **dict.fromkeys("c candidate g x_n h_n".split(), "value"),
    **dict.fromkeys("input_gate forget_gate output_gate reset_gate update_gate i f o x_r x_z h_r h_z".split(), "mask"),
    "sums": "output",
}


def state_maps(runs: dict[Cell, CellRun], labels: tuple[str, ...]) -> list[Map]:
    """The last layer's hidden states over the sequence, a row for each unit, and the LSTM's cell state; one colour scale."""
    shown = [(CELLS[cell], "h", run.states()) for cell, run in runs.items()]
    shown.insert(2, (_("LSTM’s cell"), "c", runs["lstm"].states("c")))
    return [
        Map(states.T, f"{name}: {letter}", role="hidden" if letter == "h" else "value", share="states", signed=True,
            rows=_units(states.shape[1]), columns=labels)
        for name, letter, states in shown
    ]  # fmt: skip


def _units(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))


def state_text(run: CellRun, labels: tuple[str, ...], words: bool) -> str:
    """What to look for in the states: the same word twice, or how far the state moves at each step."""
    states = run.states()
    again = repeated_word(labels, states) if words else None
    if again:
        text = _("“{word}” comes at step {first} and at step {second}. Its vector is the same, the {cell}’s state is "
                 "not: the two are {distance} apart. The state depends on all that was read before.")  # fmt: skip
        return text.format(word=again.word, first=again.first + 1, second=again.second + 1, cell=CELLS[run.cell],
                           distance=number(again.distance))  # fmt: skip
    moves = np.linalg.norm(np.diff(states, axis=0), axis=1)
    if not len(moves):
        return _("One input, one state: add more to see it change.")
    step = int(moves.argmax()) + 1
    text = _(
        "The {cell}’s state moves most at step {step}, “{word}”: by {distance}, where the mean step moves it by {mean}."
    )
    return text.format(cell=CELLS[run.cell], step=step + 1, word=labels[step], distance=number(moves.max()),
                       mean=number(moves.mean()))  # fmt: skip


def parameter_text(runs: dict[Cell, CellRun], setup: Setup, width: int) -> str:
    """Markdown: how many parameters each network has, counted, and the formula that gives the same number."""
    lines = [f"| {_('Network')} | {_('Counted')} | {_('By its shapes')} |", "|---|--:|---|"]
    for cell, run in runs.items():
        formula = recurrent_parameters_formula(BLOCKS[cell], width, setup.hidden, setup.layers, setup.directions)
        lines.append(f"| {CELLS[cell]} | **{grouped(run.parameters)}** | ${formula}$ |")
    return "\n".join(lines)


def length_text(parameters: int, readings: Sequence[Reading]) -> str:
    """Markdown: the same network on sequences of several lengths."""
    rows = [
        f"| {_('Inputs read')} | {_('Steps in a row')} | {_('Numbers given')} | {_('Parameters')} |",
        "|--:|--:|--:|--:|",
    ]
    for reading in readings:
        shape = " × ".join(map(str, reading.output))
        rows.append(f"| {reading.length} | {reading.steps} | {shape} | {grouped(parameters)} |")
    return "\n".join(rows)


def window_of(place: int, kernel: int, length: int) -> range:
    """The inputs that the convolution's kernel covers at this place, without the zeros beyond the ends."""
    side = kernel // 2
    return range(max(0, place - side), min(length, place + side + 1))


def sight_maps(
    x: np.ndarray, convolved: Convolved, run: CellRun, labels: tuple[str, ...], place: int, window: range
) -> list[Map]:
    """The input, what the convolution gives and the state, with what one of the convolution's outputs reads outlined."""
    units = run.states()
    return [
        Map(x.T, _("Input: x"), _("Outlined: the window of this output."), role="input", signed=True,
            frame=(window.start, 0, len(window), x.shape[1]), columns=labels),
        Map(convolved.output.T, _("Convolution"), _("A row for each kernel."), signed=True,
            frame=(place, 0, 1, convolved.output.shape[1]), columns=labels),
        Map(units.T, _("{cell}: h").format(cell=CELLS[run.cell]), _("A row for each unit."), role="hidden", signed=True,
            frame=(place, 0, 1, units.shape[1]), columns=labels),
    ]  # fmt: skip


def reach_maps(by_conv: np.ndarray, by_cell: np.ndarray, cell: Cell, labels: tuple[str, ...], place: int) -> list[Map]:
    """Which inputs move which outputs; the row of the output that is looked at is outlined."""
    frame = (0, place, len(labels), 1)
    caption = _("Rows: outputs. Columns: the input that was changed.")
    return [
        Map(reach, name, caption, role=role, frame=frame, rows=labels, columns=labels)
        for reach, name, role in (
            (by_conv, _("What moves the convolution’s outputs"), "output"),
            (by_cell, _("What moves the {cell}’s states").format(cell=CELLS[cell]), "hidden"),
        )
    ]


def sight_text(by_conv: np.ndarray, by_cell: np.ndarray, cell: Cell, labels: tuple[str, ...], place: int) -> str:
    """How many inputs reach the output at this place, in each of the two."""
    near, far = sees(by_conv, place), sees(by_cell, place)
    text = _("At “{word}”, step {step}, the convolution’s output depends on **{near}** of {all} inputs, the {cell}’s state on "
             "**{far}**.").format(word=labels[place], step=place + 1, near=len(near), all=len(labels), cell=CELLS[cell],
                                  far=len(far))  # fmt: skip
    if far:
        strongest = max(far, key=lambda n: by_cell[place, n])
        text += " " + _("It moves most when “{word}” changes, step {step}.").format(
            word=labels[strongest], step=strongest + 1
        )
    return text


def convolution_parameters(convolved: Convolved) -> str:
    """Markdown: how many parameters the convolution has, as the formula with its numbers."""
    channels, width, kernel = convolved.weight.shape
    return _("Parameters of the convolution:") + f" ${conv_parameters_formula(width, channels, (kernel,))}$"


def show_code_steps(cell: Cell, x: np.ndarray, labels: tuple[str, ...], setup: Setup, run: CellRun) -> None:
    """The stepper, on one step of the cell or on the whole network, and what chooses between them."""
    codes = {"step": _("One step"), "sequence": _("Whole sequence")}
    code = st.segmented_control(_("Code"), list(codes), default="step", required=True, format_func=codes.__getitem__,
                                key="rec_code", bind="query-params")  # fmt: skip
    if code == "sequence":
        steps, kept = stepped_sequence(cell, x, setup)
        if kept < len(labels):
            text = _("Here the first {kept} of {all} steps, so that the list of calls stays short enough to follow.")
            st.caption(text.format(kept=kept, all=len(labels)))
        show_steps(steps, key=f"rec_stepper_{cell}_{code}", roles=ROLES)
        return
    columns = st.columns(3, gap="medium")
    with columns[0]:
        place = bounded(_("Step"), range(1, len(labels) + 1), 1 + len(labels) // 2, key="rec_place") - 1
    layer, direction, way = 0, 0, "forwards"
    ways = {"forwards": "→", "backwards": "←"}
    if setup.layers > 1:
        with columns[1]:
            layer = bounded(_("Layer"), range(1, setup.layers + 1), 1, key="rec_layer") - 1
    if setup.bidirectional:
        with columns[2]:
            way = st.segmented_control(_("Reads"), list(ways), default="forwards", required=True,
                                       format_func=ways.__getitem__, key="rec_way", bind="query-params")  # fmt: skip
        direction = int(way == "backwards")
    if st.session_state.get(
        "rec_unrolled seen"
    ):  # a click in the diagram moved them, which the address does not follow
        address = {"rec_code": codes[code], "rec_place": place + 1, "rec_layer": layer + 1, "rec_way": ways[way]}
        keep_in_address({name: str(value) for name, value in address.items()}, key="rec_address")
    st.caption(_("The {cell} reads “{word}”.").format(cell=CELLS[cell], word=labels[place]))
    steps = stepped_cell(run, place, layer, direction, setup.activation)
    show_steps(steps, key=f"rec_stepper_{cell}_{code}", roles=ROLES)


def snippet(cell: Cell, source: str, width: int, setup: Setup) -> str:
    """Python that gives the hidden states on screen. source: lines that leave the input in `vectors`."""
    extra = "".join(
        [
            f", layers={setup.layers}" if setup.layers > 1 else "",
            ", bidirectional=True" if setup.bidirectional else "",
            f', activation="{setup.activation}"' if cell == "rnn" and setup.activation != "tanh" else "",
        ]
    )
    name = cell.upper()
    return f"""
import torch
from explorer.models.recurrent import {name}
from explorer.recurrent_views import initial_state, seeded
{source}
x = torch.from_numpy(vectors)[:, None]  # (T, 1, {width})
model = seeded({name}({width}, {setup.hidden}{extra}), seed={setup.seed})
output, state = model(x, initial_state(model, "{setup.initial}", seed={setup.seed}))
result = output[:, 0].detach()
"""

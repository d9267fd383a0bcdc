"""What the page on recurrent networks shows, computed: RNN, LSTM and GRU read one sequence.

Sequences are float32 (T, width). All weights are random, drawn with a seed as torch.nn draws them; nothing is learned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from explorer.models.recurrent import (
    GRU,
    LSTM,
    RNN,
    Recurrent,
    State,
    gru_cell,
    gru_gates,
    lstm_cell,
    lstm_gates,
    rnn_cell,
)
from explorer.trace import Trace, trace

Cell = Literal["rnn", "lstm", "gru"]
Initial = Literal["zeros", "ones", "random"]

CELLS: tuple[Cell, ...] = ("rnn", "lstm", "gru")
GATES: dict[Cell, tuple[str, ...]] = {
    "rnn": (),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("reset", "update", "candidate"),
}
"""Names of what lstm_gates and gru_gates give, in that order, which is also that of the rows of the weights."""
STEPPED = 60
"""Torch calls of a whole sequence that is stepped through, at most; two words at least."""


@dataclass(frozen=True)
class Setup:
    """How the networks are made. activation: the plain RNN's. initial: the state before the first step."""

    hidden: int = 4
    layers: int = 1
    bidirectional: bool = False
    activation: Literal["tanh", "relu"] = "tanh"
    initial: Initial = "zeros"
    seed: int = 0

    @property
    def directions(self) -> int:
        """1, or 2 where a second cell reads each layer's input backwards."""
        return 2 if self.bidirectional else 1


def seeded(model: Recurrent, seed: int = 0) -> Recurrent:
    """The model with all parameters drawn anew from U(−1/√hidden, 1/√hidden), as torch.nn does, but with a seed of its own."""
    generator = torch.Generator().manual_seed(seed)
    bound = model.hidden_size**-0.5
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return model


def initial_state(model: Recurrent, initial: Initial, batch: int = 1, seed: int = 0) -> State:
    """The state before the first step, for every layer and direction; "random" is standard normal, equal across the batch."""
    generator = torch.Generator().manual_seed(seed)
    shape = (model.layers * model.directions, 1, model.hidden_size)

    def part() -> Tensor:
        if initial == "random":
            return torch.randn(shape, generator=generator)
        return torch.ones(shape) if initial == "ones" else torch.zeros(shape)

    return tuple(part().expand(-1, batch, -1).contiguous() for _ in range(model.states))


def make(cell: Cell, width: int, setup: Setup) -> Recurrent:
    """The network that reads vectors of this width."""
    if cell == "rnn":
        model: Recurrent = RNN(width, setup.hidden, setup.layers, setup.bidirectional, setup.activation)
    else:
        kinds: dict[str, type[Recurrent]] = {"lstm": LSTM, "gru": GRU}
        model = kinds[cell](width, setup.hidden, setup.layers, setup.bidirectional)
    return seeded(model, setup.seed)


@dataclass(frozen=True, eq=False)
class Scan:
    """One direction of one layer reads a sequence. Everything is stored by place in the sequence, also backwards.

    x: (T, width). h0, c0: (hidden,), before the first step. h, c: (T, hidden), after each. gates: (gates, T, hidden), named
    by GATES. c0 and c are None where the cell has none. weights: w_ih, w_hh, b_ih, b_hh as torch.nn shapes them. All float32.
    """

    x: np.ndarray
    h0: np.ndarray
    h: np.ndarray
    c0: np.ndarray | None
    c: np.ndarray | None
    gates: np.ndarray
    weights: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class CellRun:
    """One network on one sequence. scans: layer → direction, forwards first. output: (T, directions · hidden), the last
    layer's h. parameters: how many numbers it has learned or, here, drawn.
    """

    cell: Cell
    scans: tuple[tuple[Scan, ...], ...]
    output: np.ndarray
    parameters: int

    def states(self, name: Literal["h", "c"] = "h") -> np.ndarray:
        """The last layer's h or c, (T, directions · hidden)."""
        return np.concatenate([getattr(scan, name) for scan in self.scans[-1]], axis=1)


def run(cell: Cell, x: np.ndarray, setup: Setup) -> CellRun:
    """Read the sequence, x float32 (T, width), step by step with the cell that explorer.models.recurrent holds."""
    model = make(cell, x.shape[1], setup)
    start = initial_state(model, setup.initial, seed=setup.seed)
    layers = []
    with torch.inference_mode():
        below = torch.from_numpy(np.ascontiguousarray(x))[:, None]  # (T, 1, width)
        for layer in range(setup.layers):
            scans = []
            for direction in range(setup.directions):
                number = layer * setup.directions + direction
                before = tuple(part[number] for part in start)
                scans.append(_scan(model, cell, below, before, model.weights(layer, direction), bool(direction)))
            layers.append(tuple(scans))
            below = torch.cat([torch.from_numpy(scan.h) for scan in scans], dim=-1)[:, None]
    return CellRun(cell, tuple(layers), below[:, 0].numpy(), sum(p.numel() for p in model.parameters()))


def _scan(model: Recurrent, cell: Cell, x: Tensor, state: State, weights: State, backwards: bool) -> Scan:
    first = state
    before, after = [], []
    for x_t in x.flip(0) if backwards else x:
        before.append(state[0])
        state = model.step(x_t, state, weights)
        after.append(state)
    if backwards:
        before.reverse()
        after.reverse()
    h, *c = (torch.cat(parts) for parts in zip(*after, strict=True))  # (T, hidden) each
    # The gates of all steps at once: to the cell, the steps are a batch.
    functions: dict[Cell, Callable[..., tuple[Tensor, ...]]] = {"lstm": lstm_gates, "gru": gru_gates}
    gates = functions[cell](x[:, 0], torch.cat(before), *weights) if cell in functions else ()
    return Scan(
        x[:, 0].numpy(),
        first[0][0].numpy(),
        h.numpy(),
        first[1][0].numpy() if c else None,
        c[0].numpy() if c else None,
        torch.stack(gates).numpy() if gates else np.zeros((0, *h.shape), np.float32),
        tuple(weight.detach().numpy() for weight in weights),
    )


@dataclass(frozen=True)
class Reading:
    """One model on a sequence of some length. output: the shape it gave; steps: that had to wait for the one before."""

    length: int
    output: tuple[int, int]
    steps: int


def read_lengths(cell: Cell, x: np.ndarray, setup: Setup, lengths: Sequence[int]) -> list[Reading]:
    """The same network on the first 1, 2, … inputs of x, repeated as often as it takes."""
    model = make(cell, x.shape[1], setup)
    readings = []
    for length in lengths:
        repeated = torch.from_numpy(np.resize(x, (length, x.shape[1])))[:, None]
        with torch.inference_mode():
            output, _ = model(repeated, initial_state(model, setup.initial, seed=setup.seed))
        readings.append(Reading(length, (output.shape[0], output.shape[2]), length * setup.layers))
    return readings


def stepped_cell(run: CellRun, place: int, layer: int = 0, direction: int = 0, activation: str = "tanh") -> Trace:
    """The trace of one call of the cell: the one that reads this place of the sequence. activation: a plain RNN's."""
    scan = run.scans[layer][direction]
    before = place + 1 if direction else place - 1
    first = not 0 <= before < len(scan.x)
    inputs = [torch.tensor(part)[None] for part in (scan.x[place], scan.h0 if first else scan.h[before])]
    if scan.c is not None and scan.c0 is not None:
        inputs.append(torch.tensor(scan.c0 if first else scan.c[before])[None])
    weights = [torch.tensor(weight) for weight in scan.weights]
    with torch.inference_mode():
        if run.cell == "rnn":
            return trace(rnn_cell, *inputs, *weights, activation)
        return trace(lstm_cell if run.cell == "lstm" else gru_cell, *inputs, *weights)


def stepped_sequence(cell: Cell, x: np.ndarray, setup: Setup) -> tuple[Trace, int]:
    """The trace of the whole network on the first inputs; and of how many, so that it stays short enough to follow."""
    calls = {"rnn": 4, "lstm": 13, "gru": 15}[cell] * setup.layers * setup.directions
    kept = min(len(x), max(STEPPED // calls, 2))
    model = make(cell, x.shape[1], setup)
    with torch.inference_mode():
        state = initial_state(model, setup.initial, seed=setup.seed)
        return trace(model, torch.from_numpy(np.ascontiguousarray(x[:kept]))[:, None], state), kept


@dataclass(frozen=True)
class Repeated:
    """A word that comes twice. first, second: its places. distance: between the two states, ‖h_second − h_first‖₂."""

    word: str
    first: int
    second: int
    distance: float


def repeated_word(words: Sequence[str], states: np.ndarray) -> Repeated | None:
    """The first word that comes a second time, and how differently the network stands after it. states: (T, hidden)."""
    places: dict[str, int] = {}
    for place, word in enumerate(words):
        first = places.setdefault(word.casefold(), place)
        if first != place:
            return Repeated(word, first, place, float(np.linalg.norm(states[place] - states[first])))
    return None

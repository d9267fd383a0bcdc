"""Recurrent networks: Elman's RNN (1990), LSTM (Hochreiter & Schmidhuber 1997; Gers et al. 2000), GRU (Cho et al. 2014).

Parameter names and the order of the gates are torch.nn's, so the state dicts of nn.RNN, nn.LSTM and nn.GRU load as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}

State = tuple[Tensor, ...]
"""(h,), and for the LSTM (h, c)."""


def rnn_cell(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor, activation: str = "tanh"
) -> Tensor:
    """One step of a plain RNN. x: float (B, input); h: (B, hidden); w_ih: (hidden, input); w_hh: (hidden, hidden) → h."""
    # h_t = tanh(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh)
    sums = F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh)  # (B, hidden)
    return ACTIVATIONS[activation](sums)


def lstm_gates(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What an LSTM decides at one step: input gate, forget gate, candidate, output gate, each (B, hidden). See lstm_cell."""
    sums = F.linear(x, w_ih, b_ih) + F.linear(h, w_hh, b_hh)  # (B, 4·hidden)
    i, f, g, o = sums.chunk(4, dim=-1)  # 4 × (B, hidden)
    input_gate = torch.sigmoid(i)
    forget_gate = torch.sigmoid(f)
    candidate = torch.tanh(g)
    output_gate = torch.sigmoid(o)
    return input_gate, forget_gate, candidate, output_gate


def lstm_cell(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """One step of an LSTM. x: float (B, input); h, c: (B, hidden); w_ih: (4·hidden, input); w_hh: (4·hidden, hidden) → h, c."""
    input_gate, forget_gate, candidate, output_gate = lstm_gates(x, h, w_ih, w_hh, b_ih, b_hh)
    # c_t = f ⊙ c_{t−1} + i ⊙ g
    c = forget_gate * c + input_gate * candidate
    # h_t = o ⊙ tanh(c_t)
    h = output_gate * torch.tanh(c)
    return h, c


def gru_gates(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What a GRU decides at one step: reset gate, update gate, candidate, each (B, hidden). See gru_cell."""
    x_r, x_z, x_n = F.linear(x, w_ih, b_ih).chunk(3, dim=-1)  # 3 × (B, hidden)
    h_r, h_z, h_n = F.linear(h, w_hh, b_hh).chunk(3, dim=-1)
    reset_gate = torch.sigmoid(x_r + h_r)
    update_gate = torch.sigmoid(x_z + h_z)
    # n_t = tanh(W_in x_t + b_in + r ⊙ (W_hn h_{t−1} + b_hn))
    candidate = torch.tanh(x_n + reset_gate * h_n)
    return reset_gate, update_gate, candidate


def gru_cell(x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
    """One step of a GRU. x: float (B, input); h: (B, hidden); w_ih: (3·hidden, input); w_hh: (3·hidden, hidden) → h."""
    _reset_gate, update_gate, candidate = gru_gates(x, h, w_ih, w_hh, b_ih, b_hh)
    # h_t = (1 − z) ⊙ n_t + z ⊙ h_{t−1}
    return (1 - update_gate) * candidate + update_gate * h


class Recurrent(nn.Module):
    """Layers of a recurrent cell over a sequence, forwards or in both directions. A subclass says what one step does.

    x: float (T, B, input_size). Each layer reads the one below; both directions of a layer read the same input, and their
    states are concatenated.
    """

    gates = 1
    states = 1

    def __init__(self, input_size: int, hidden_size: int, layers: int = 1, bidirectional: bool = False):
        super().__init__()
        self.hidden_size = hidden_size
        self.layers = layers
        self.directions = 2 if bidirectional else 1
        bound = 1 / math.sqrt(hidden_size)
        for layer in range(layers):
            width = input_size if layer == 0 else hidden_size * self.directions
            for direction in range(self.directions):
                shapes = {"weight_ih": (width,), "weight_hh": (hidden_size,), "bias_ih": (), "bias_hh": ()}
                for name, rest in shapes.items():
                    parameter = torch.empty(self.gates * hidden_size, *rest).uniform_(-bound, bound)
                    self.register_parameter(self.suffixed(name, layer, direction), nn.Parameter(parameter))

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """x: float (T, B, input_size); state: (layers · directions, B, hidden_size) for h, and c of an LSTM; zeros if None.

        → the last layer's h at every step, (T, B, directions · hidden_size), and the state after the last step.
        """
        if state is None:
            state = self.zeros(x.shape[1])
        last = []
        for layer in range(self.layers):
            sides = []
            for direction in range(self.directions):
                number = layer * self.directions + direction
                side, end = self.scan(x, tuple(s[number] for s in state), layer, direction)
                sides.append(side)
                last.append(end)
            x = torch.cat(sides, dim=-1)  # (T, B, directions · hidden)
        return x, tuple(torch.stack(parts) for parts in zip(*last, strict=True))

    def scan(self, x: Tensor, state: State, layer: int, direction: int) -> tuple[Tensor, State]:
        """One direction of one layer: the same weights at every step. → h at every step (T, B, hidden), the last state."""
        weights = self.weights(layer, direction)
        hidden = []
        for x_t in x.flip(0) if direction else x:
            state = self.step(x_t, state, weights)
            hidden.append(state[0])
        if direction:
            hidden.reverse()
        return torch.stack(hidden), state

    def step(self, x_t: Tensor, state: State, weights: tuple[Tensor, ...]) -> State:
        """x_t: (B, width); state: (B, hidden) each → the next state."""
        raise NotImplementedError

    def weights(self, layer: int = 0, direction: int = 0) -> tuple[Tensor, ...]:
        """weight_ih, weight_hh, bias_ih, bias_hh of one direction (0 forwards, 1 backwards) of a layer."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return tuple(getattr(self, self.suffixed(name, layer, direction)) for name in names)

    def zeros(self, batch: int) -> State:
        """The state before the first step."""
        weight = next(self.parameters())
        shape = (self.layers * self.directions, batch, self.hidden_size)
        return tuple(weight.new_zeros(shape) for _ in range(self.states))

    @staticmethod
    def suffixed(name: str, layer: int, direction: int) -> str:
        """torch.nn's name of a parameter: weight_ih_l0, its other direction weight_ih_l0_reverse."""
        return f"{name}_l{layer}{'_reverse' if direction else ''}"


class RNN(Recurrent):
    """Elman's RNN: nn.RNN."""

    def __init__(
        self, input_size: int, hidden_size: int, layers: int = 1, bidirectional: bool = False, activation: str = "tanh"
    ):
        super().__init__(input_size, hidden_size, layers, bidirectional)
        self.activation = activation

    def step(self, x_t: Tensor, state: State, weights: tuple[Tensor, ...]) -> State:
        """x_t: (B, width); state: (h,), (B, hidden) → (h,)."""
        (h,) = state
        w_ih, w_hh, b_ih, b_hh = weights
        h = rnn_cell(x_t, h, w_ih, w_hh, b_ih, b_hh, self.activation)
        return (h,)


class LSTM(Recurrent):
    """Long short-term memory: nn.LSTM. Its state is (h, c)."""

    gates = 4
    states = 2

    def step(self, x_t: Tensor, state: State, weights: tuple[Tensor, ...]) -> State:
        """x_t: (B, width); state: (h, c), (B, hidden) each → (h, c)."""
        h, c = state
        h, c = lstm_cell(x_t, h, c, *weights)
        return h, c


class GRU(Recurrent):
    """Gated recurrent unit: nn.GRU."""

    gates = 3

    def step(self, x_t: Tensor, state: State, weights: tuple[Tensor, ...]) -> State:
        """x_t: (B, width); state: (h,), (B, hidden) → (h,)."""
        (h,) = state
        h = gru_cell(x_t, h, *weights)
        return (h,)

"""RNN, LSTM and GRU against torch.nn: cells, layers, both directions, given initial states, and all gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer.models.recurrent import GRU, LSTM, RNN, Recurrent, gru_cell, gru_gates, lstm_cell, lstm_gates, rnn_cell

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
KINDS = ("tanh", "relu", "lstm", "gru")
SHAPES = {
    "inputs": st.integers(1, 7),
    "hidden": st.integers(1, 7),
    "layers": st.integers(1, 3),
    "bidirectional": st.booleans(),
    "length": st.integers(1, 9),
    "batch": st.integers(1, 4),
    "given_state": st.booleans(),
    "seed": st.integers(0, 2**32 - 1),
}


@dataclass(frozen=True)
class Pair:
    """Our model and torch's on the same weights, their input, and the state before the first step."""

    ours: Recurrent
    reference: nn.Module
    x: Tensor
    state: tuple[Tensor, ...] | None

    def for_reference(self) -> Tensor | tuple[Tensor, ...] | None:
        """The state as torch.nn takes it: a tuple for the LSTM alone."""
        return self.state if self.state is None or len(self.state) == 2 else self.state[0]


def pair(
    kind: str,
    inputs: int,
    hidden: int,
    layers: int,
    bidirectional: bool,
    length: int,
    batch: int,
    given_state: bool,
    seed: int,
) -> Pair:
    torch.manual_seed(seed)
    sizes = {"bidirectional": bidirectional}
    if kind in ("tanh", "relu"):
        reference: nn.Module = nn.RNN(inputs, hidden, layers, nonlinearity=kind, **sizes)
        ours: Recurrent = RNN(inputs, hidden, layers, bidirectional, activation=kind)
    else:
        reference = {"lstm": nn.LSTM, "gru": nn.GRU}[kind](inputs, hidden, layers, **sizes)
        ours = {"lstm": LSTM, "gru": GRU}[kind](inputs, hidden, layers, bidirectional)
    ours.load_state_dict(reference.state_dict())
    x = torch.randn(length, batch, inputs)
    shape = (layers * (1 + bidirectional), batch, hidden)
    state = tuple(torch.randn(shape) for _ in range(2 if kind == "lstm" else 1)) if given_state else None
    return Pair(ours, reference, x, state)


def as_tuple(state: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return state if isinstance(state, tuple) else (state,)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(**SHAPES)
def test_outputs_and_last_states_are_torchs(kind: str, **shape):
    two = pair(kind, **shape)
    output, state = two.ours(two.x, two.state)
    expected, expected_state = two.reference(two.x, two.for_reference())
    assert output.shape == (shape["length"], shape["batch"], shape["hidden"] * (1 + shape["bidirectional"]))
    torch.testing.assert_close(output, expected, **CLOSE)
    torch.testing.assert_close(state, as_tuple(expected_state), **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(**SHAPES)
def test_gradients_of_weights_input_and_state_are_torchs(kind: str, **shape):
    two = pair(kind, **shape)

    def gradients(model: nn.Module, state: Tensor | tuple[Tensor, ...] | None) -> dict[str, Tensor]:
        x = two.x.clone().requires_grad_()
        given = [s.clone().requires_grad_() for s in as_tuple(state)] if state is not None else []
        start = None if state is None else tuple(given) if isinstance(state, tuple) else given[0]
        output, last = model(x, start)
        model.zero_grad()
        # A loss in which every output and the last state count, each with a weight of its own.
        loss = sum((t * torch.linspace(-1, 1, t.numel()).view_as(t)).sum() for t in (output, *as_tuple(last)))
        loss.backward()
        found = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        return found | {"x": x.grad} | {f"state {n}": s.grad for n, s in enumerate(given)}

    torch.testing.assert_close(
        gradients(two.ours, two.state), gradients(two.reference, two.for_reference()), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(**SHAPES)
def test_the_parameters_are_named_and_shaped_as_torchs(kind: str, **shape):
    two = pair(kind, **shape)
    named = [(name, parameter.shape) for name, parameter in two.ours.named_parameters()]
    assert named == [(name, parameter.shape) for name, parameter in two.reference.named_parameters()]


@settings(max_examples=40)
@given(inputs=st.integers(1, 7), hidden=st.integers(1, 7), batch=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_cells_are_torchs_cells(inputs: int, hidden: int, batch: int, seed: int):
    torch.manual_seed(seed)
    x, h, c = torch.randn(batch, inputs), torch.randn(batch, hidden), torch.randn(batch, hidden)

    def weights(cell: nn.RNNCellBase) -> tuple[Tensor, ...]:
        return cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh

    for activation in ("tanh", "relu"):
        plain = nn.RNNCell(inputs, hidden, nonlinearity=activation)
        torch.testing.assert_close(rnn_cell(x, h, *weights(plain), activation), plain(x, h), **CLOSE)
    lstm, gru = nn.LSTMCell(inputs, hidden), nn.GRUCell(inputs, hidden)
    torch.testing.assert_close(lstm_cell(x, h, c, *weights(lstm)), lstm(x, (h, c)), **CLOSE)
    torch.testing.assert_close(gru_cell(x, h, *weights(gru)), gru(x, h), **CLOSE)


@settings(max_examples=25)
@given(inputs=st.integers(1, 7), hidden=st.integers(1, 7), batch=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_the_gates_are_those_of_the_papers(inputs: int, hidden: int, batch: int, seed: int):
    """Each gate from its own rows of the weights: σ or tanh of W x + b + U h + b'."""
    torch.manual_seed(seed)
    x, h = torch.randn(batch, inputs), torch.randn(batch, hidden)

    def rows(gates: Callable[..., tuple[Tensor, ...]], count: int) -> tuple[tuple[Tensor, ...], list[tuple]]:
        weights = [torch.randn(count * hidden, n) for n in (inputs, hidden)] + [torch.randn(count * hidden)] * 2
        parts = [tuple(w[g * hidden : (g + 1) * hidden] for w in weights) for g in range(count)]
        return gates(x, h, *weights), parts

    (i, f, g, o), parts = rows(lstm_gates, 4)
    for gate, function, (w, u, b, d) in zip(
        (i, f, g, o), (torch.sigmoid, torch.sigmoid, torch.tanh, torch.sigmoid), parts, strict=True
    ):
        torch.testing.assert_close(gate, function(x @ w.T + b + h @ u.T + d), **CLOSE)
    (r, z, n), parts = rows(gru_gates, 3)
    for gate, (w, u, b, d) in zip((r, z), parts[:2], strict=True):
        torch.testing.assert_close(gate, torch.sigmoid(x @ w.T + b + h @ u.T + d), **CLOSE)
    w, u, b, d = parts[2]
    torch.testing.assert_close(n, torch.tanh(x @ w.T + b + r * (h @ u.T + d)), **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_of_two_thousand_steps(kind: str):
    two = pair(kind, 3, 5, 2, True, 2000, 1, True, 0)
    with torch.no_grad():
        torch.testing.assert_close(two.ours(two.x, two.state)[0], two.reference(two.x, two.for_reference())[0], **CLOSE)

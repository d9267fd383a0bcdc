"""Gradients along time, and a clipped step, against autograd through torch.nn and torch's own clipping."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer.recurrent_gradients import INPUTS, NETWORKS, Kind, Setup, build, clip_factor, data, flow

TORCH: dict[Kind, type[nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
SETUPS = st.builds(
    Setup,
    length=st.integers(1, 12),
    scale=st.floats(0.25, 6),
    gate_bias=st.floats(-2, 5),
    hidden=st.integers(1, 9),
    threshold=st.floats(0.001, 10),
    rate=st.floats(0.01, 3),
    seed=st.integers(0, 9),
)


def official(kind: Kind, setup: Setup) -> nn.RNNBase:
    """torch.nn's layer with the same weights."""
    module = TORCH[kind](INPUTS, setup.hidden).double()
    module.load_state_dict(build(kind, setup).state_dict())
    return module


def run(module: nn.RNNBase, x: Tensor, target: Tensor) -> tuple[list[tuple[Tensor, ...]], Tensor]:
    """One step after the other, each state kept, and L."""
    state, kept = None, []
    for x_t in x:
        _output, state = module(x_t[None], state)
        kept.append(state if isinstance(state, tuple) else (state,))
    return kept, ((kept[-1][0][0] - target) ** 2).mean() / 2


@settings(max_examples=30)
@given(setup=SETUPS)
@pytest.mark.parametrize("kind", NETWORKS)
def test_gradients_of_the_states_are_those_of_torch_nn(kind: Kind, setup: Setup) -> None:
    made = flow(kind, setup)
    module, (x, target) = official(kind, setup), data(setup)
    states, loss = run(module, x, target)
    assert made.loss == pytest.approx(loss.item(), rel=1e-9)
    expected = torch.autograd.grad(loss, [state[0] for state in states])
    np.testing.assert_allclose(made.hidden, [g.norm() for g in expected], rtol=1e-7)
    assert (made.cell is not None) == (kind == "lstm")


@settings(max_examples=30)
@given(setup=SETUPS)
def test_gradients_of_the_cells_are_those_of_torchs_lstm_cell(setup: Setup) -> None:
    """nn.LSTM gives back copies of its cells; nn.LSTMCell those through which the gradient really goes."""
    module, (x, target) = nn.LSTMCell(INPUTS, setup.hidden).double(), data(setup)
    module.load_state_dict({name.removesuffix("_l0"): w for name, w in build("lstm", setup).state_dict().items()})
    state, cells = None, []
    for x_t in x:
        state = module(x_t, state)
        cells.append(state[1])
    expected = torch.autograd.grad(((state[0] - target) ** 2).mean() / 2, cells)
    found = flow("lstm", setup).cell
    assert found is not None
    np.testing.assert_allclose(found, [g.norm() for g in expected], rtol=1e-7)


@settings(max_examples=30)
@given(setup=SETUPS)
@pytest.mark.parametrize("kind", NETWORKS)
def test_a_step_with_and_without_clipping_is_torchs(kind: Kind, setup: Setup) -> None:
    made = flow(kind, setup)
    x, target = data(setup)
    for clipped, found in ((False, made.loss_plain), (True, made.loss_clipped)):
        module = official(kind, setup)
        optimizer = torch.optim.SGD(module.parameters(), lr=setup.rate)
        run(module, x, target)[1].backward()
        norm = nn.utils.clip_grad_norm_(module.parameters(), setup.threshold if clipped else float("inf"))
        assert made.norm == pytest.approx(norm.item(), rel=1e-7)
        optimizer.step()
        # A step of an exploding gradient ends where the last digit of the gradient decides.
        close = {"rel": 1e-6, "abs": 1e-6 * max(1.0, made.norm if not clipped else 1.0)}
        assert found == pytest.approx(run(module, x, target)[1].item(), **close)


@given(norm=st.floats(0, 1e9), threshold=st.floats(1e-3, 10))
def test_the_factor_is_that_of_clip_grad_norm(norm: float, threshold: float) -> None:
    weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    weight.grad = torch.full((1,), norm, dtype=torch.float64)
    nn.utils.clip_grad_norm_([weight], threshold)
    assert norm * clip_factor(norm, threshold) == pytest.approx(weight.grad.item(), rel=1e-9)


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_start_is_torchs_scaled_and_with_another_gate(kind: Kind) -> None:
    plain, changed = Setup(gate_bias=0), Setup(gate_bias=3, scale=2)
    before, after = (build(kind, setup) for setup in (plain, changed))
    bound = 32**-0.5
    spread = torch.cat([parameter.flatten() for parameter in before.parameters()]).detach()
    assert spread.abs().max() <= bound
    assert spread.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
    expected = copy.deepcopy(before.state_dict())
    expected["weight_hh_l0"] *= 2
    expected["bias_ih_l0"][32:64] += 3  # nothing there in a plain RNN
    assert all(torch.equal(value, expected[name]) for name, value in after.state_dict().items())


def test_the_raised_gate_is_the_one_that_keeps_the_memory() -> None:
    """With that gate wide open and the weights as they are, the gradient comes back whole."""
    kept = Setup(gate_bias=30, scale=0.25)
    assert flow("gru", kept).hidden[0] / flow("gru", kept).hidden[-1] == pytest.approx(1, rel=1e-3)
    cell = flow("lstm", kept).cell
    assert cell is not None
    assert cell[0] / cell[-1] == pytest.approx(1, rel=0.5)


def test_an_rnn_without_recurrent_strength_vanishes_and_a_strong_one_explodes() -> None:
    weak, strong = flow("rnn", Setup()), flow("rnn", Setup(scale=5))
    assert weak.radius < 1 < strong.radius
    assert weak.hidden[0] / weak.hidden[-1] < 1e-9
    assert strong.hidden[0] / strong.hidden[-1] > 1e3
    assert strong.radius == pytest.approx(5 * weak.radius)


def test_a_shorter_sequence_is_the_end_of_a_longer_one() -> None:
    (long, y), (short, same) = data(Setup(length=20)), data(Setup(length=7))
    assert torch.equal(long[-7:], short)
    assert torch.equal(y, same)

"""What the recurrent page shows is what the models compute: runs, gates, traces, reach."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.recurrent_reach import convolve, reach_of_cell, reach_of_convolution, sees
from explorer.recurrent_views import (
    CELLS,
    GATES,
    STEPPED,
    Cell,
    Scan,
    Setup,
    initial_state,
    make,
    read_lengths,
    repeated_word,
    run,
    stepped_cell,
    stepped_sequence,
)

CLOSE = {"rtol": 1e-5, "atol": 1e-6}
SETUPS = st.builds(
    Setup,
    hidden=st.integers(1, 6),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    activation=st.sampled_from(("tanh", "relu")),
    initial=st.sampled_from(("zeros", "ones", "random")),
    seed=st.integers(0, 9),
)


def sequence(length: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((length, width)).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def reference(cell: Cell, width: int, setup: Setup) -> nn.Module:
    """torch.nn's network with the weights of ours."""
    kinds = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
    extra = {"nonlinearity": setup.activation} if cell == "rnn" else {}
    network = kinds[cell](width, setup.hidden, setup.layers, bidirectional=setup.bidirectional, **extra)
    network.load_state_dict(make(cell, width, setup).state_dict())
    return network


@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=25)
@given(setup=SETUPS, length=st.integers(1, 8), width=st.integers(1, 5))
def test_a_run_gives_what_torch_gives(cell: Cell, setup: Setup, length: int, width: int):
    x = sequence(length, width)
    start = initial_state(make(cell, width, setup), setup.initial, seed=setup.seed)
    with torch.inference_mode():
        expected, _ = reference(cell, width, setup)(torch.from_numpy(x)[:, None], start if cell == "lstm" else start[0])
    got = run(cell, x, setup)
    assert got.output.shape == (length, setup.directions * setup.hidden)
    np.testing.assert_allclose(got.output, expected[:, 0].numpy(), **CLOSE)
    np.testing.assert_array_equal(got.states(), got.output)
    assert got.parameters == sum(p.numel() for p in reference(cell, width, setup).parameters())


def before(scan: Scan, name: str, backwards: bool) -> np.ndarray:
    """h or c before each step, (T, hidden)."""
    first, states = getattr(scan, f"{name}0")[None], getattr(scan, name)
    return np.concatenate([states[1:], first] if backwards else [first, states[:-1]])


@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=25)
@given(setup=SETUPS, length=st.integers(1, 6))
def test_states_follow_from_the_gates_and_the_states_before_them(cell: Cell, setup: Setup, length: int):
    x = sequence(length, 3)
    got = run(cell, x, setup)
    for layer, scans in enumerate(got.scans):
        for direction, scan in enumerate(scans):
            read = x if layer == 0 else np.concatenate([below.h for below in got.scans[layer - 1]], axis=1)
            np.testing.assert_array_equal(scan.x, read)
            h = before(scan, "h", bool(direction))
            w_ih, w_hh, b_ih, b_hh = scan.weights
            from_x, from_h = scan.x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
            assert scan.gates.shape == (len(GATES[cell]), length, setup.hidden)
            if cell == "rnn":
                sums = from_x + from_h
                np.testing.assert_allclose(
                    scan.h, np.tanh(sums) if setup.activation == "tanh" else sums.clip(0), **CLOSE
                )
            elif cell == "lstm":
                i, f, g, o = scan.gates
                np.testing.assert_allclose(f, sigmoid(np.split(from_x + from_h, 4, axis=1)[1]), **CLOSE)
                np.testing.assert_allclose(scan.c, f * before(scan, "c", bool(direction)) + i * g, **CLOSE)
                np.testing.assert_allclose(scan.h, o * np.tanh(scan.c), **CLOSE)
            else:
                _r, z, n = scan.gates
                np.testing.assert_allclose(z, sigmoid(np.split(from_x + from_h, 3, axis=1)[1]), **CLOSE)
                np.testing.assert_allclose(scan.h, (1 - z) * n + z * h, **CLOSE)


@pytest.mark.parametrize("cell", CELLS)
def test_the_same_seed_draws_the_same_weights_whatever_torch_drew_before(cell: Cell):
    torch.manual_seed(1)
    first = make(cell, 3, Setup(seed=4)).state_dict()
    torch.rand(7)
    second = make(cell, 3, Setup(seed=4)).state_dict()
    other = make(cell, 3, Setup(seed=5)).state_dict()
    for name, weight in first.items():
        assert torch.equal(weight, second[name])
        assert not torch.equal(weight, other[name])
        assert weight.abs().max() <= 0.5  # 1/√4


def test_initial_states():
    model = make("lstm", 2, Setup(hidden=3, layers=2, bidirectional=True))
    for kind, value in (("zeros", 0.0), ("ones", 1.0)):
        state = initial_state(model, kind, batch=5)
        assert [part.shape for part in state] == [(4, 5, 3)] * 2
        assert all((part == value).all() for part in state)
    h, c = initial_state(model, "random", batch=2, seed=3)
    assert torch.equal(h[:, 0], h[:, 1])
    assert not torch.equal(h, c)


@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=10)
@given(setup=SETUPS, data=st.data())
def test_the_stepped_cell_gives_the_state_of_the_run(cell: Cell, setup: Setup, data: st.DataObject):
    got = run(cell, sequence(5, 3), setup)
    place = data.draw(st.integers(0, 4))
    layer, direction = data.draw(st.integers(0, setup.layers - 1)), data.draw(st.integers(0, setup.directions - 1))
    steps = stepped_cell(got, place, layer, direction, setup.activation)
    scan = got.scans[layer][direction]
    h = steps.result[0] if cell == "lstm" else steps.result
    np.testing.assert_allclose(h[0].numpy(), scan.h[place], **CLOSE)
    if cell == "lstm":
        np.testing.assert_allclose(steps.result[1][0].numpy(), scan.c[place], **CLOSE)
        for name, gate in zip(GATES[cell], scan.gates, strict=True):
            target = name if name == "candidate" else f"{name}_gate"
            np.testing.assert_allclose(steps[target].output[0].numpy(), gate[place], **CLOSE)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("layers", "both"), [(1, False), (1, True), (3, True)])
def test_the_stepped_sequence_is_the_beginning_and_short(cell: Cell, layers: int, both: bool):
    x = sequence(30, 4)
    setup = Setup(layers=layers, bidirectional=both)
    steps, kept = stepped_sequence(cell, x, setup)
    assert 2 <= kept <= len(x)
    assert len(steps.steps) <= 1.5 * STEPPED or kept == 2
    np.testing.assert_allclose(steps.result[0][:, 0].numpy(), run(cell, x[:kept], setup).output, **CLOSE)


def test_the_same_network_reads_any_length():
    x = sequence(3, 2)
    readings = read_lengths("gru", x, Setup(hidden=5, layers=2, bidirectional=True), (1, 3, 40))
    assert [(r.length, r.output, r.steps) for r in readings] == [(1, (1, 10), 2), (3, (3, 10), 6), (40, (40, 10), 80)]


def test_a_word_that_comes_twice():
    states = np.array([[0, 0], [1, 1], [3, 4]], np.float32)
    found = repeated_word(("The", "cat", "the"), states)
    assert found is not None
    assert (found.word, found.first, found.second, found.distance) == ("the", 0, 2, 5.0)
    assert repeated_word(("a", "b", "c"), states) is None


@settings(max_examples=20)
@given(
    length=st.integers(1, 9), width=st.integers(1, 4), channels=st.integers(1, 5), kernel=st.sampled_from((1, 3, 5, 7))
)
def test_the_convolution_is_torchs_and_sees_its_window(length: int, width: int, channels: int, kernel: int):
    x = sequence(length, width)
    got = convolve(x, channels, kernel, seed=2)
    layer = nn.Conv1d(width, channels, kernel, padding="same")
    layer.load_state_dict({"weight": torch.from_numpy(got.weight), "bias": torch.from_numpy(got.bias)})
    with torch.inference_mode():
        expected = layer(torch.from_numpy(x.T.copy())[None])[0].T.numpy()
    np.testing.assert_allclose(got.output, expected, **CLOSE)
    assert got.parameters == sum(p.numel() for p in layer.parameters())
    reach = reach_of_convolution(x, got)
    near = np.abs(np.subtract.outer(np.arange(length), np.arange(length))) <= kernel // 2
    assert (reach[~near] == 0).all()
    assert (reach[near] > 0).all()


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_sees_all_that_came_before_and_with_both_directions_all(cell: Cell):
    x = sequence(6, 3)
    reach = reach_of_cell(cell, x, Setup())
    assert (np.triu(reach, 1) == 0).all()
    assert (reach[np.tril_indices(6)] > 0).all()
    assert sees(reach, 2) == (0, 1, 2)
    assert (reach_of_cell(cell, x, Setup(bidirectional=True)) > 0).all()


@pytest.mark.parametrize("cell", CELLS)
def test_reach_is_how_far_an_output_moves_when_one_input_is_changed(cell: Cell):
    x = sequence(5, 3)
    setup = Setup(layers=2, initial="random", seed=6)
    changed = x.copy()
    changed[1] += 1
    moved = np.linalg.norm(run(cell, changed, setup).output - run(cell, x, setup).output, axis=1)
    np.testing.assert_allclose(reach_of_cell(cell, x, setup)[:, 1], moved, rtol=1e-4, atol=1e-6)

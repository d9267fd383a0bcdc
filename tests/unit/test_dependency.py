"""Steps that wait and ways from word to word, against values counted by hand; influence against torch's Jacobian."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer.dependency import (
    COUNTED,
    KINDS,
    Growth,
    count,
    dilations,
    growth,
    longest_chain,
    read,
    rounds,
    schedule,
    shortest_path,
)
from explorer.sequence_layers import Setup, make_layers
from explorer.trace import trace
from explorer.word_influence import influence, order_effect, traits


def side_by_side(x: Tensor) -> Tensor:
    double = x * 2
    root = (x + 1).sqrt()
    return double @ root


def moving_only(x: Tensor) -> Tensor:
    return x.transpose(0, 1)[:1].reshape(-1)


def passed_by(x: Tensor, y: Tensor) -> Tensor:
    slow = x.exp().exp().exp()
    return torch.stack([slow, y]).sum() + x.sum()


def test_what_can_run_side_by_side_is_one_round():
    made = trace(side_by_side, torch.rand(2, 2))
    assert [step.op for step in made.steps] == ["mul", "add", "sqrt", "matmul"]
    assert rounds(made) == [1, 1, 2, 3]
    assert longest_chain(made) == 3
    assert shortest_path(made, made.steps[0].inputs["input"]) == 2  # by way of the product


def test_moving_numbers_takes_no_step():
    made = trace(moving_only, torch.rand(2, 3))
    assert longest_chain(made) == 0
    assert shortest_path(made, made.steps[0].inputs["input"]) == 0


def test_the_shortest_path_begins_at_the_word_that_is_asked_for():
    x, y = torch.rand(3), torch.rand(3)
    made = trace(passed_by, x, y)
    assert longest_chain(made) == 5  # three times exp, sum, add
    assert shortest_path(made, x) == 2  # sum, add
    assert shortest_path(made, y) == 2
    with pytest.raises(ValueError, match="no way"):
        shortest_path(made, torch.rand(3))


# By hand: an RNN's step is a product, a sum and a tanh. An LSTM's: product, sum, sigmoid, f·c, +, tanh, o·tanh(c). Attention:
# projection, QKᵀ, scale, softmax, times V, projection; on the way of the value the three in the middle are passed by.
@pytest.mark.parametrize(
    ("kind", "steps", "path", "layers"),
    [
        ("rnn", lambda n: 3 * n, lambda n: 3 * n, lambda n: 1),
        ("lstm", lambda n: 7 * n, lambda n: 2 * n + 5, lambda n: 1),
        ("conv", lambda n: 1, lambda n: n - 1, lambda n: n - 1),
        ("dilated", lambda n: 1, lambda n: int(np.ceil(np.log2(n))), lambda n: int(np.ceil(np.log2(n)))),
        ("attention", lambda n: 6, lambda n: 3, lambda n: 1),
    ],
)
def test_counts_are_those_made_by_hand(kind, steps, path, layers):
    lengths = (4, 7, 16)
    found = count(kind, lengths)
    assert found.steps == tuple(map(steps, lengths))
    assert found.path == tuple(map(path, lengths))
    assert found.layers == tuple(map(layers, lengths))


@pytest.mark.parametrize("kind", KINDS)
def test_every_count_follows_a_law_exactly(kind):
    found = count(kind)
    for law, values in ((found.steps_law, found.steps), (found.path_law, found.path)):
        assert law is not None
        assert tuple(law.at(n) for n in COUNTED) == values


@pytest.mark.parametrize(
    ("counts", "law"),
    [
        ((12, 24, 48, 96, 192), Growth("n", 3, 0)),
        ((13, 21, 37, 69, 133), Growth("n", 2, 5)),
        ((6, 6, 6, 6, 6), Growth("n", 0, 6)),
        ((2, 3, 4, 5, 6), Growth("log2 n", 1, 0)),
        ((16, 64, 256, 1024, 4096), None),
        ((12, 24, 48, 96, 193), None),
    ],
)
def test_growth_is_exact_or_none(counts, law):
    assert growth(COUNTED, counts) == law


@pytest.mark.parametrize("length", [2, 5, 9, 17, 33])
def test_stacked_convolutions_reach_as_far_as_their_fields(length):
    assert dilations(length, growing=False) == (1,) * (length - 1)
    doubling = dilations(length, growing=True)
    assert sum(doubling) >= length - 1 > sum(doubling[:-1])


def test_the_schedule_holds_every_call_once():
    words = ("The", "cat", "sat", "on", "the", "mat")
    table, kinds = schedule(read(words, "rnn"))
    assert kinds == ("linear", "add", "tanh")
    assert table.shape == (3, 3 * len(words))
    # All x_t are multiplied at once, and so is the zero state; after that it is one call a round.
    assert table[0, 0] == len(words) + 1
    assert (table[:, 1:].sum(axis=0) == 1).all()
    table, kinds = schedule(read(words, "attention"))
    assert table.sum(axis=0).tolist() == [3, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("key", ["rnn", "lstm", "conv", "attention"])
def test_influence_is_the_norm_of_the_jacobian(key):
    layer = make_layers(Setup(5, "plain"))[key]
    x = layer.words(6)
    jacobian = torch.autograd.functional.jacobian(layer.call, x)  # out, x
    jacobian = jacobian.movedim((layer.axis, 3 + layer.axis), (0, 1))  # (to, from, …)
    expected = jacobian.flatten(2).norm(dim=2).numpy()
    np.testing.assert_allclose(influence(layer, 6), expected, rtol=1e-4, atol=1e-6)


def test_who_hears_whom():
    found = traits(12)
    before = np.tril(np.ones((12, 12), bool))
    near = np.abs(np.subtract.outer(np.arange(12), np.arange(12))) <= 1
    for key in ("rnn", "lstm"):
        assert (found[key].influence[~before] == 0).all()
        assert (found[key].influence[before] > 0).all()
    assert ((found["conv"].influence > 0) == near).all()
    assert (found["attention"].influence > 0).all()
    assert found["rnn"].pull < 0.01 < found["attention"].pull
    assert found["conv"].pull == 0


def test_only_attention_does_not_mind_the_order():
    layers = make_layers(Setup(8, "plain"))
    assert order_effect(layers["attention"], 10) < 1e-5
    for key in ("rnn", "lstm", "conv"):
        assert order_effect(layers[key], 10) > 0.05

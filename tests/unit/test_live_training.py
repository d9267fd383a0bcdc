"""Training while somebody watches: reports, stopping, and the threads that are left to others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from explorer.live_training import CHUNK, _rate, few_threads, train


def line(steps: int):
    """A line through three points, fitted; the accuracy is 1 once it is near them."""
    torch.manual_seed(0)
    model = nn.Linear(1, 1)
    x = torch.tensor([[0.0], [1.0], [2.0]])
    y = 3 * x - 1
    near = lambda now: float((now(x) - y).abs().max() < 0.2)  # noqa: E731
    return model, train(model, lambda _step: ((model(x) - y) ** 2).mean(), near, steps, 0.1)


def test_it_reports_from_the_untrained_model_to_the_end():
    _model, reports = line(203)
    found = list(reports)
    assert [r.step for r in found] == [*range(0, 201, CHUNK), 203]
    assert [r.done for r in found] == [False] * (len(found) - 1) + [True]
    assert found[0].losses.shape == (0,)
    assert all(len(r.losses) == r.step for r in found)
    assert found[-1].checked.tolist() == [0, 50, 100, 150, 200, 203]
    assert (found[0].accuracy[0], found[-1].accuracy[-1]) == (0, 1)
    assert found[-1].losses[-1] < 0.01 < found[-1].losses[0]


def test_a_stopped_training_leaves_a_model_that_nothing_changes_any_more():
    _model, reports = line(100)
    for report in reports:
        if report.step == 50:
            break
    kept = report.model.weight.clone()
    assert not report.model.training
    assert not any(p.requires_grad for p in report.model.parameters())
    after = next(reports)  # and it can go on
    assert after.step == 50 + CHUNK
    assert torch.equal(report.model.weight, kept)
    assert not torch.equal(after.model.weight, kept)


def test_the_rate_rises_stays_and_falls():
    rates = np.array([_rate(step, 300) for step in range(1, 301)])
    assert rates[0] == pytest.approx(1 / 50)
    assert rates[60] == rates[150] == 1
    assert np.all(np.diff(rates[:50]) > 0)
    assert np.all(np.diff(rates[185:]) <= 0)
    assert 0 < rates[-1] < 0.05


def test_threads_are_given_back_even_after_an_error():
    before = torch.get_num_threads()
    inside = []

    def fail() -> None:
        with few_threads():
            inside.append(torch.get_num_threads())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert inside[0] <= 2
    assert torch.get_num_threads() == before

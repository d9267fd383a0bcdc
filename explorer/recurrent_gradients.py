"""How far back a recurrent network learns: |∂L/∂h_t| of RNN, LSTM and GRU by autograd, and what clipping does to a step.

L = |h_T − y|² / 2H: how far the last hidden state, of H units, is from a target. Input and target are random, the same for
all three. All in float64, since float32 would round what has vanished to 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from explorer.models.recurrent import GRU, LSTM, RNN, Recurrent, State

Kind = Literal["rnn", "lstm", "gru"]
NETWORKS: dict[Kind, type[Recurrent]] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
INPUTS = 16
"""Numbers that come in at each step, standard normal."""


@dataclass(frozen=True)
class Setup:
    """length: steps T; scale: factor on W_hh; gate_bias: added to the gate that keeps the memory; hidden: units.

    threshold: the longest gradient that clipping lets pass; rate: learning rate of the step; seed: of weights and data.
    """

    length: int = 40
    scale: float = 1.0
    gate_bias: float = 2.0
    hidden: int = 32
    threshold: float = 0.3
    rate: float = 1.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Flow:
    """One network. hidden: |∂L/∂h_t| for t = 1 … T, float64 (T,); cell: |∂L/∂c_t| of the LSTM, else None.

    radius: spectral radius of W_hh, of a plain RNN; NaN where gates stand between. loss: L;
    norm: length of the gradient of all weights taken as one vector; factor: what clipping multiplies it by, ≤ 1;
    loss_plain, loss_clipped: L after a step of gradient descent without and with clipping.
    """

    hidden: np.ndarray
    cell: np.ndarray | None
    radius: float
    loss: float
    norm: float
    factor: float
    loss_plain: float
    loss_clipped: float


def build(kind: Kind, setup: Setup) -> Recurrent:
    """The network with torch.nn's own start, uniform within ±1/√hidden, then W_hh scaled and the gate's bias raised."""
    model = NETWORKS[kind](INPUTS, setup.hidden).double()
    generator = torch.Generator().manual_seed(setup.seed)
    bound = 1 / math.sqrt(setup.hidden)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
        _w_ih, w_hh, b_ih, _b_hh = model.weights()
        w_hh *= setup.scale
        # The second block of rows is the LSTM's forget gate and the GRU's update gate; a plain RNN has but one block.
        b_ih[setup.hidden : 2 * setup.hidden] += setup.gate_bias
    return model


def data(setup: Setup) -> tuple[Tensor, Tensor]:
    """Input (T, 1, INPUTS), standard normal, and target (1, hidden), uniform within ±1; float64.

    A shorter sequence is the end of a longer one, so that the length alone changes.
    """
    random = np.random.default_rng(setup.seed)
    target = random.uniform(-1, 1, (1, setup.hidden))
    x = random.standard_normal((setup.length, 1, INPUTS))[::-1]
    return torch.from_numpy(x.copy()), torch.from_numpy(target)


def unroll(model: Recurrent, x: Tensor, weights: tuple[Tensor, ...]) -> list[State]:
    """The state after each step, from zero. x: (T, 1, INPUTS); weights: as model.weights(). → T times (h,) or (h, c)."""
    state = tuple(part[0] for part in model.zeros(1))
    states = []
    for x_t in x:
        state = model.step(x_t, state, weights)
        states.append(state)
    return states


def loss_of(states: list[State], target: Tensor) -> Tensor:
    """|h_T − y|² / 2H."""
    return 0.5 * (states[-1][0] - target).square().mean()


def clip_factor(norm: float, threshold: float) -> float:
    """What torch.nn.utils.clip_grad_norm_ multiplies gradients of this length by."""
    return min(1.0, threshold / (norm + 1e-6))


def flow(kind: Kind, setup: Setup) -> Flow:
    """Build the network, run it forwards and backwards, and take one step."""
    model, (x, target) = build(kind, setup), data(setup)
    weights = model.weights()
    states = unroll(model, x, weights)
    loss = loss_of(states, target)
    kept = [part for state in states for part in state]
    gradients = torch.autograd.grad(loss, [*kept, *weights])
    norms = torch.stack([g.norm() for g in gradients[: len(kept)]]).unflatten(0, (len(states), -1)).numpy()
    of_weights = gradients[len(kept) :]
    norm = float(torch.stack([g.norm() for g in of_weights]).norm())
    factor = clip_factor(norm, setup.threshold)
    after = [_after(model, x, target, weights, of_weights, setup.rate * f) for f in (1.0, factor)]
    radius = float(torch.linalg.eigvals(weights[1].detach()).abs().max()) if kind == "rnn" else math.nan
    cell = norms[:, 1] if norms.shape[1] > 1 else None
    return Flow(norms[:, 0], cell, radius, float(loss.detach()), norm, factor, *after)


@torch.no_grad()
def _after(
    model: Recurrent, x: Tensor, target: Tensor, weights: tuple[Tensor, ...], gradients: tuple[Tensor, ...], rate: float
) -> float:
    """L once each weight has gone that far against its gradient."""
    stepped = tuple(w - rate * g for w, g in zip(weights, gradients, strict=True))
    return float(loss_of(unroll(model, x, stepped), target))


def flows(setup: Setup) -> dict[Kind, Flow]:
    """All three networks on the same input and target."""
    return {kind: flow(kind, setup) for kind in NETWORKS}

"""Four layers that read a sequence, made alike so that they can be compared: RNN, LSTM, 1-D convolution, self-attention.

Each maps a sequence of n vectors of one width to n vectors, with a batch of one. They are the plain code of explorer/models,
or torch.nn's kernels on the same weights; there attention comes twice, with its n × n weights and in blocks without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from explorer.models.attention import MultiHeadAttention
from explorer.models.convolution import conv1d
from explorer.models.recurrent import LSTM, RNN

KERNEL_SIZE = 3
"""Of the convolution: each word with the one before and the one after."""

Key = Literal["rnn", "lstm", "conv", "attention", "blocks"]
KEYS: tuple[Key, ...] = ("rnn", "lstm", "conv", "attention", "blocks")


@dataclass(frozen=True)
class Setup:
    """What is compared. width: of each word's vector, d_model. code: torch.nn's kernels, or the plain code that is shown.

    equal: "width" gives every layer outputs as wide as its inputs; "parameters" widens or narrows the outputs until each
    has about as many parameters as attention.
    """

    width: int = 64
    code: Literal["library", "plain"] = "library"
    equal: Literal["width", "parameters"] = "width"


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer and how it is called. axis: where words stand in its input. outputs: width of what it gives for each word."""

    key: Key
    module: nn.Module
    call: Callable[[Tensor], Tensor]
    axis: int
    width: int
    outputs: int

    def words(self, length: int, seed: int = 0) -> Tensor:
        """A random sequence, float32, in the layout that the layer takes."""
        return self.laid_out(torch.randn(length, self.width, generator=torch.Generator().manual_seed(seed)))

    def laid_out(self, vectors: Tensor) -> Tensor:
        """vectors: (words, width) → 3-D in the layout that the layer takes, with a batch of 1."""
        return {0: vectors[:, None], 1: vectors[None], 2: vectors.mT[None].contiguous()}[self.axis]

    def in_words(self, x: Tensor) -> Tensor:
        """What the layer took or gave, as (words, width)."""
        return x.movedim(self.axis, 0).flatten(1)

    @property
    def parameters(self) -> int:
        """How many numbers it learns."""
        return sum(p.numel() for p in self.module.parameters())


def make_layers(setup: Setup, seed: int = 0) -> dict[Key, Layer]:
    """The layers with random weights, the same weights for either code."""
    d = setup.width
    sizes = {key: output_width(key, setup) for key in KEYS}
    rnn, lstm = RNN(d, sizes["rnn"]), LSTM(d, sizes["lstm"])
    conv = nn.Conv1d(d, sizes["conv"], KERNEL_SIZE, padding=KERNEL_SIZE // 2)
    attention = MultiHeadAttention(d, heads=1)
    generator = torch.Generator().manual_seed(seed)
    for module in (rnn, lstm, conv, attention):
        _draw(module, generator)
    if setup.code == "plain":
        return {
            "rnn": Layer("rnn", rnn, lambda x: rnn(x)[0], 0, d, sizes["rnn"]),
            "lstm": Layer("lstm", lstm, lambda x: lstm(x)[0], 0, d, sizes["lstm"]),
            "conv": Layer(
                "conv", conv, lambda x: conv1d(x, conv.weight, conv.bias, padding="same"), 2, d, sizes["conv"]
            ),
            "attention": Layer("attention", attention, lambda x: attention(x, x, x)[0], 1, d, d),
        }
    fast_rnn = _loaded(nn.RNN(d, sizes["rnn"]), rnn)
    fast_lstm = _loaded(nn.LSTM(d, sizes["lstm"]), lstm)
    fast = _loaded(nn.MultiheadAttention(d, 1, batch_first=True), attention)
    return {
        "rnn": Layer("rnn", fast_rnn, lambda x: fast_rnn(x)[0], 0, d, sizes["rnn"]),
        "lstm": Layer("lstm", fast_lstm, lambda x: fast_lstm(x)[0], 0, d, sizes["lstm"]),
        "conv": Layer("conv", conv, conv, 2, d, sizes["conv"]),
        "attention": Layer("attention", fast, lambda x: fast(x, x, x, need_weights=True)[0], 1, d, d),
        "blocks": Layer("blocks", fast, lambda x: fast(x, x, x, need_weights=False)[0], 1, d, d),
    }


def output_width(key: Key, setup: Setup) -> int:
    """How wide the layer's outputs are, so that it is equal to the others in the chosen way."""
    if setup.equal == "width" or key in ("attention", "blocks"):
        return setup.width
    wanted = parameter_count("attention", setup.width, setup.width)
    return min(range(1, 4 * setup.width), key=lambda h: abs(parameter_count(key, setup.width, h) - wanted))


def parameter_count(key: Key, d: int, h: int) -> int:
    """Parameters of a layer from width d to width h."""
    cell = h * d + h * h + 2 * h  # W_ih, W_hh and a bias for each
    return {"rnn": cell, "lstm": 4 * cell, "conv": KERNEL_SIZE * d * h + h}.get(key, 4 * d * d + 4 * d)


def _draw(module: nn.Module, generator: torch.Generator) -> None:
    """Weights as torch.nn draws them, but from a generator of their own: evenly within ±1/√(numbers they add up)."""
    fan = 1
    with torch.no_grad():
        for parameter in module.parameters():
            fan = parameter[0].numel() if parameter.ndim > 1 else fan  # a bias comes after its weight
            parameter.uniform_(-(fan**-0.5), fan**-0.5, generator=generator)


def _loaded(module: nn.Module, plain: nn.Module) -> nn.Module:
    module.load_state_dict(plain.state_dict())
    return module

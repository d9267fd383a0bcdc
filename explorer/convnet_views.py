"""A small ConvNet on a map: its layers with shapes, parameters and multiplications, and what its head could cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from explorer.models.pooling import ConvNet, ConvNetConfig
from explorer.shapes import (
    conv_macs,
    conv_macs_formula,
    conv_parameters,
    conv_parameters_formula,
    linear_parameters,
    linear_parameters_formula,
)
from explorer.trace import Step, Trace, trace


@dataclass(frozen=True, eq=False)
class Layer:
    """One line of the network. op: see explorer.ops; name: what it is assigned to; output: float32 (C, H, W) or (n,).

    parameters, macs: how many, and the formula with its numbers (LaTeX), "" where there are none.
    """

    op: str
    name: str
    output: np.ndarray
    parameters: int = 0
    parameters_formula: str = ""
    macs: int = 0
    macs_formula: str = ""


def random_convnet(height: int, width: int, seed: int = 0) -> ConvNet:
    """The network for grey maps of this size. Its weights are as torch starts with: even between ± 1/√(numbers summed)."""
    model = ConvNet(ConvNetConfig(height=height, width=width))
    generator = torch.Generator().manual_seed(seed)
    for layer in (model.conv1, model.conv2, model.fc):
        bound = layer.weight[0].numel() ** -0.5
        for parameter in layer.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return model


def standardise(image: np.ndarray) -> np.ndarray:
    """The map with mean 0 and standard deviation 1, as networks like their input; an even map becomes 0."""
    return (image - image.mean()) / max(float(image.std()), 1e-6)


def run_convnet(image: np.ndarray, seed: int = 0) -> Trace:
    """The network's trace on a map, float32 (H, W), at least 4 cells each way."""
    model = random_convnet(image.shape[0], image.shape[1], seed)
    with torch.inference_mode():
        return trace(model, torch.from_numpy(np.ascontiguousarray(image))[None, None])


def layers(run: Trace) -> list[Layer]:
    """What each line of the network gave and what it costs, read from the trace."""
    return [_layer(step) for step in run.steps]


def _layer(step: Step) -> Layer:
    output = cast(Tensor, step.output)  # every one is small enough to be kept
    name = "logits" if step.target in (None, "return") else step.target
    layer = Layer(step.op, name, output[0].numpy())
    weight = step.inputs.get("weight")
    if weight is None:
        return layer
    outputs, inputs, *kernel = weight.shape
    costs: tuple[int, str, int, str]
    if kernel:
        sides = layer.output.shape[1:]
        costs = (
            conv_parameters(inputs, outputs, kernel),
            conv_parameters_formula(inputs, outputs, kernel),
            conv_macs(inputs, outputs, kernel, sides),
            conv_macs_formula(inputs, outputs, kernel, sides),
        )
    else:
        costs = (
            linear_parameters(inputs, outputs),
            linear_parameters_formula(inputs, outputs),
            linear_parameters(inputs, outputs, bias=False),
            linear_parameters_formula(inputs, outputs, bias=False),
        )
    return Layer(layer.op, layer.name, layer.output, *costs)


@dataclass(frozen=True)
class Head:
    """The fully connected layer at the end. features: its inputs; parameters: weights and biases; formulas in LaTeX."""

    features: int
    features_formula: str
    parameters: int
    parameters_formula: str


def flatten_head(channels: int, size: Sequence[int], classes: int) -> Head:
    """Every cell of every map has a weight for each class. size: (rows, columns) of a map."""
    features = channels * size[0] * size[1]
    formula = rf"{channels} \cdot {size[0]} \cdot {size[1]} = {_grouped(features)}"
    return _head(features, formula, classes)


def pooled_head(channels: int, classes: int) -> Head:
    """Each map is averaged first, so only its mean has weights (Lin et al. 2013, section 3.2)."""
    return _head(channels, str(channels), classes)


def _head(features: int, formula: str, classes: int) -> Head:
    return Head(features, formula, linear_parameters(features, classes), linear_parameters_formula(features, classes))


def _grouped(value: int) -> str:
    return f"{value:,}".replace(",", r"\,")

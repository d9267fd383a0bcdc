"""Functions that the tracer's tests trace. They stand in a file of their own, so that only they are recorded."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def attention(x: Tensor, w_query: Tensor, w_key: Tensor, w_value: Tensor, heads: int) -> Tensor:
    B, T, D = x.shape
    q = (x @ w_query).view(B, T, heads, D // heads).transpose(1, 2)
    k = (x @ w_key).view(B, T, heads, D // heads).transpose(1, 2)
    v = (x @ w_value).view(B, T, heads, D // heads).transpose(1, 2)
    scores = q @ k.mT / math.sqrt(D // heads)
    weights = scores.softmax(dim=-1)
    out = weights @ v
    return out.transpose(1, 2).reshape(B, T, D)


def recurrence(x: Tensor, w: Tensor, steps: int) -> Tensor:
    h = torch.zeros_like(x)
    for _ in range(steps):
        h = torch.tanh(x + h @ w)
    return h


def scaled_left(x: Tensor) -> Tensor:
    doubled = 2 * x
    shifted = 1 - doubled
    return shifted**2


def in_place(x: Tensor) -> Tensor:
    y = x.clone()
    y += 1
    y.mul_(3)
    y[0] = 0
    F.relu(y, inplace=True)
    return y


def several(x: Tensor) -> Tensor:
    low, high = x.chunk(2, dim=-1)
    values, _ = high.max(dim=-1)
    return torch.cat([low, values[:, None]], dim=-1)


def rows(x: Tensor, y: Tensor) -> Tensor:
    total = torch.zeros_like(x[0])
    for row in x.flip(0):
        total = total + row
    return total + sum(a * b for a, b in zip(x, y, strict=True))


def raises(x: Tensor) -> Tensor:
    y = x + 1
    raise RuntimeError(f"on purpose, with {y.numel()} numbers")


def nested(x: Tensor) -> Tensor:
    from explorer.trace import trace

    y = x * 2
    inner = trace(scaled_left, y)
    return inner.result + 1


def calls_library(x: Tensor) -> Tensor:
    import torchvision

    y = x + 1
    return torchvision.ops.nms(y, y[:, 0], 0.5)


class Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.gelu(self.linear(self.norm(x)))


class Stack(nn.Module):
    def __init__(self, width: int, depth: int):
        super().__init__()
        self.layers = nn.ModuleList(Block(width) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class Padded(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return y  # noqa: RET504

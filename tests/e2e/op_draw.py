"""How the calls are told and drawn with which the stepper's arithmetic is proved (see op_cases)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


class Draw:
    """Random tensors and choices from one seed."""

    def __init__(self, seed: int):
        self.generator = np.random.default_rng(seed)

    def size(self, low: int = 1, high: int = 5) -> int:
        """A whole number, both bounds included."""
        return int(self.generator.integers(low, high + 1))

    def shape(self, low: int = 0, high: int = 4) -> tuple[int, ...]:
        """A shape of low to high dimensions of 1 to 5 each."""
        return tuple(self.size() for _ in range(self.size(low, high)))

    def floats(self, *shape: int, scale: float = 1.0) -> Tensor:
        """float32, normally distributed."""
        return torch.as_tensor(scale * self.generator.normal(size=shape)).float()

    def positive(self, *shape: int) -> Tensor:
        """float32, 0.1–3."""
        return torch.as_tensor(self.generator.uniform(0.1, 3, size=shape)).float()

    def ints(self, low: int, high: int, *shape: int) -> Tensor:
        """int64, both bounds included."""
        return torch.as_tensor(self.generator.integers(low, high + 1, size=shape))

    def bools(self, *shape: int, share: float = 0.5) -> Tensor:
        """bool, of which this share is true."""
        return torch.as_tensor(self.generator.random(size=shape) < share)

    def choice(self, *options: Any) -> Any:
        """One of them."""
        return options[self.size(0, len(options) - 1)]

    def chance(self) -> bool:
        """True or false."""
        return bool(self.size(0, 1))

    def broadcastable(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts to this one: leading dimensions may be missing, others 1."""
        kept = shape[self.size(0, len(shape)) :]
        return tuple(self.choice(1, length) for length in kept)

    def any_dtype(self, *shape: int) -> Tensor:
        """Floats of some precision, whole numbers or bools."""
        dtype = self.choice(
            torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool
        )
        if dtype == torch.bool:
            return self.bools(*shape)
        return (self.floats(*shape) if dtype.is_floating_point else self.ints(0, 9, *shape)).to(dtype)

    def dim(self, dimensions: int) -> int:
        """One of the dims, counted from either end."""
        return self.size(-dimensions, dimensions - 1)


@dataclass(frozen=True)
class Case:
    """op: the kind that it proves. call(*make(draw)) is what is traced; every step of it must agree."""

    op: str
    call: Callable
    make: Callable[[Draw], tuple]
    note: str = ""

    def __str__(self) -> str:
        return f"{self.op}-{self.note}" if self.note else self.op


class Table(list[Case]):
    """The cases of one file. They stand where they are traced: the tracer records what is called from the function's file."""

    def case(self, op: str, call: Callable, make: Callable[[Draw], tuple], note: str = "") -> None:
        """Add one."""
        self.append(Case(op, call, make, note))

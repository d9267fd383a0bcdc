"""What each layer of a network costs and sees: shapes, parameters, multiply–adds, receptive fields.

The network is run once under hooks and a dispatch mode. Give it a network of its own, best on the meta device, where running
it takes no memory and next to no time:

    with torch.device("meta"):
        layers = layer_facts(resnet18(), torch.zeros(1, 3, 224, 224))
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.explain import Backbone
from explorer.shapes import Layer, ReceptiveField, receptive_field

Fields = tuple[ReceptiveField, ReceptiveField]
"""Of a map's cells, along the rows and along the columns of the photo."""


@dataclass(frozen=True)
class LayerFacts:
    """One call of a module that has parameters or multiplies, or of one without parts.

    name: its path, "layer1.0.conv1"; kind: its class; output: shape, () if it gave no single tensor;
    parameters, macs: its own, without those of its parts; macs: multiply–adds of convolutions, linear layers and matrix
    products, for the whole batch; fields: of its output's cells, None where they see the whole photo or are no grid.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    macs: int
    fields: Fields | None


def layer_facts(network: nn.Module, x: Tensor) -> tuple[LayerFacts, ...]:
    """The layers in the order in which they finish. x: float (B, 3, H, W), on the network's device.

    The network must not be in use elsewhere meanwhile: it gets hooks for this call.
    """
    watch = Watch(x)
    facts: list[LayerFacts] = []
    with _hooks(network, watch, facts), watch, torch.no_grad():
        network(x)
    return tuple(facts)


def total_macs(network: nn.Module, x: Tensor) -> int:
    """Multiply–adds of one pass."""
    return sum(layer.macs for layer in layer_facts(network, x))


def map_fields(network: Backbone, x: Tensor) -> dict[str, Fields | None]:
    """The receptive field of every map that the network shows, by name. x: as layer_facts. Needs no hooks."""
    watch = Watch(x)
    with watch, torch.no_grad():
        maps = network.maps(x)
    return {name: watch.fields_of(tensor) for name, tensor in maps.items()}


@contextmanager
def _hooks(network: nn.Module, watch: Watch, facts: list[LayerFacts]) -> Iterator[None]:
    """While it lasts, the watch knows whose code runs, and every module that finishes leaves its facts."""
    handles = []
    for name, module in network.named_modules():

        def before(_module: nn.Module, _inputs: Any, name: str = name) -> None:
            watch.running.append(name)
            watch.macs[name] = 0

        def after(module: nn.Module, _inputs: Any, output: Any, name: str = name) -> None:
            watch.running.pop()
            parameters = sum(parameter.numel() for parameter in module.parameters(recurse=False))
            if parameters or watch.macs[name] or not any(True for _ in module.children()):
                shape = tuple(output.shape) if isinstance(output, Tensor) else ()
                fields = watch.fields_of(output) if isinstance(output, Tensor) else None
                facts.append(LayerFacts(name, type(module).__name__, shape, parameters, watch.macs[name], fields))

        handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class Watch(TorchDispatchMode):
    """Sees every operation: counts its multiply–adds for the module that runs, and follows the receptive fields.

    running: paths of the modules whose code runs, the innermost last; macs: by path.
    """

    def __init__(self, x: Tensor):
        super().__init__()
        self.running = [""]
        self.macs: Counter[str] = Counter()
        cell = ReceptiveField(size=1, jump=1, start=0)
        self._fields: dict[int, Fields] = {id(x): (cell, cell)}
        self._kept = [x]  # an id belongs to one tensor only as long as that one lives

    def fields_of(self, x: Tensor) -> Fields | None:
        """What the cells of this tensor see, along rows and columns; None where that is not known."""
        return self._fields.get(id(x))

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        output = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        first = output[0] if isinstance(output, (tuple, list)) else output
        if isinstance(first, Tensor):
            self.macs[self.running[-1]] += MACS[name](args, first) if name in MACS else 0
            fields = self._follow(name, args, first)
            if fields is not None:
                self._fields[id(first)] = fields
                self._kept.append(first)
        return output

    def _follow(self, name: str, args: tuple, output: Tensor) -> Fields | None:
        """What the output's cells see: wider by the window, or as much as the maps that are added or stacked."""
        if output.ndim != 4 or name in MOVING:
            return None
        if name in WINDOWS:
            fields = self.fields_of(args[0])
            rows, columns = WINDOWS[name](args)
            return None if fields is None else (_beyond(fields[0], rows), _beyond(fields[1], columns))
        inputs = [one for arg in args for one in (arg if isinstance(arg, (tuple, list)) else (arg,))]
        grids = [one for one in inputs if isinstance(one, Tensor) and one.ndim == 4]
        seen = [self.fields_of(grid) for grid in grids]
        if not grids or None in seen or any(grid.shape[2:] != output.shape[2:] for grid in grids):
            return None
        rows_and_columns = [fields for fields in seen if fields is not None]
        return _together([f[0] for f in rows_and_columns]), _together([f[1] for f in rows_and_columns])


def _beyond(field: ReceptiveField, layer: Layer) -> ReceptiveField:
    """What is seen through one more layer."""
    (relative,) = receptive_field([layer])
    return ReceptiveField(
        size=field.size + (relative.size - 1) * field.jump,
        jump=field.jump * relative.jump,
        start=field.start + relative.start * field.jump,
    )


def _together(fields: list[ReceptiveField]) -> ReceptiveField:
    """What is seen by several maps of one grid."""
    start = min(field.start for field in fields)
    return ReceptiveField(max(field.start + field.size for field in fields) - start, fields[0].jump, start)


def _windows(kernel: Any, stride: Any, padding: Any, dilation: Any) -> tuple[Layer, Layer]:
    """Along rows and columns; each argument is a number for both, or one for each."""

    def along(axis: int) -> Layer:
        def pick(value: Any) -> int:
            return value if isinstance(value, int) else value[axis if len(value) > 1 else 0]

        return Layer(pick(kernel), pick(stride), pick(padding), pick(dilation))

    return along(0), along(1)


def _argument(args: tuple, place: int, default: Any) -> Any:
    return args[place] if len(args) > place and args[place] != [] else default


WINDOWS: dict[str, Callable[[tuple], tuple[Layer, Layer]]] = {
    "convolution": lambda args: _windows(tuple(args[1].shape[2:]), args[3], args[4], args[5]),
    "max_pool2d_with_indices": lambda args: _windows(
        args[1], _argument(args, 2, args[1]), _argument(args, 3, 0), _argument(args, 4, 1)
    ),
    "avg_pool2d": lambda args: _windows(args[1], _argument(args, 2, args[1]), _argument(args, 3, 0), 1),
}
"""Operations whose cells see a window of the input's, as (…, input) → that window along rows and columns."""

MOVING = {"permute", "transpose", "roll", "flip", "_unsafe_view", "view", "expand", "clone"}
"""What may put cells elsewhere, though the shape be the same."""

MACS: dict[str, Callable[[tuple, Tensor], int]] = {
    # Each weight once at each cell of the output; of a transposed convolution, at each cell of the input.
    "convolution": lambda args, out: (args[0] if args[6] else out).numel() * math.prod(args[1].shape[1:]),
    "mm": lambda args, out: out.numel() * args[0].shape[-1],
    "bmm": lambda args, out: out.numel() * args[0].shape[-1],
    "addmm": lambda args, out: out.numel() * args[1].shape[-1],
    "baddbmm": lambda args, out: out.numel() * args[1].shape[-1],
    "linear": lambda args, out: out.numel() * args[1].shape[-1],
} | {
    # QKᵀ and αV
    name: lambda args, out: (args[0].numel() + out.numel()) * args[1].shape[-2]
    for name in ("_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_flash_attention")
}
"""Multiply–adds of an operation, from its arguments and its output."""

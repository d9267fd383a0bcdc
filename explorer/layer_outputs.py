"""A photo on its way through a network: what goes into every layer and what comes out, without hooks on the shared module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer import ops
from explorer.network_layers import Fields, Watch

HEAD = "head"
"""The block of what makes the last map into logits."""

SHORT = {
    "relu": "relu",
    "max_pool2d": "maxpool",
    "adaptive_avg_pool2d": "avgpool",
    "add": "add",
    "cat": "cat",
}
"""Layers that are no modules: op → the end of the name that they get."""

WITH_WEIGHTS = ("conv2d", "batch_norm", "linear")


@dataclass(frozen=True, eq=False)
class LayerOutput:
    """One layer on one photo.

    name: path of its module, "layer1.0.conv1"; of one that is no module, its place, "layer1.0.add". op: see explorer.ops.
    block: the network's map that it is on the way to; "head" after the last. inputs: float32 (C, H, W) or (n,), sources: the
    names of the layers that they come from, "" the photo. output: as inputs. weights: role → tensor of the shared module.
    attrs: stride, padding … in canonical form. parameters, macs: its own. fields: of its output's cells, None where they see
    all of the photo.
    """

    name: str
    op: str
    block: str
    inputs: tuple[Tensor, ...]
    sources: tuple[str, ...]
    output: Tensor
    weights: Mapping[str, Tensor]
    attrs: Mapping[str, Any]
    parameters: int
    macs: int
    fields: Fields | None

    @property
    def is_map(self) -> bool:
        """Whether the output has places, not only channels."""
        return self.output.ndim == 3 and self.output.shape[1:].numel() > 1

    @property
    def size(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the output; a vector's numbers are channels of one cell."""
        channels, *rest = self.output.shape
        height, width = rest or (1, 1)
        return channels, height, width


@dataclass(frozen=True, eq=False)
class Walk:
    """layers: in the order in which they ran. x: float32 (3, H, W), what the network was given. logits: float32 (classes,)."""

    layers: tuple[LayerOutput, ...]
    x: Tensor
    logits: Tensor

    @property
    def names(self) -> tuple[str, ...]:
        """Of the layers, each its own."""
        return tuple(layer.name for layer in self.layers)

    @property
    def maps(self) -> dict[str, Tensor]:
        """The network's own maps by name, each float32 (C, h, w)."""
        return {layer.block: layer.output for layer in self.layers if layer.block != HEAD}  # the last of a block stays

    @property
    def jumps(self) -> dict[str, int]:
        """Of each of the network's maps: from one cell to the next, how many pixels lie between what they see."""
        last = {layer.block: layer for layer in self.layers if layer.fields is not None}
        return {block: layer.fields[1].jump for block, layer in last.items() if layer.fields and block != HEAD}

    def __getitem__(self, name: str) -> LayerOutput:
        """Raises KeyError."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)


def walk(network: Any, x: Tensor) -> Walk:
    """One pass. network: explorer.explain.Backbone, in evaluation mode; x: float32 (1, 3, H, W), normalised.

    The outputs of all layers are kept: 7 MB for ResNet-18 at 128 pixels, a good 100 MB for VGG-16 at 224.
    """
    watch = Watch(x)
    recorder = _Recorder(network, x, watch)
    with torch.no_grad(), watch, recorder:
        maps = network.maps(x)
        last = [*maps.values()][-1]
        logits = network.logits(last)
    ends = {id(tensor): name for name, tensor in maps.items()}
    return Walk(_named(recorder.found, ends), x[0], logits[0])


class _Recorder(TorchFunctionMode):
    """Sees every call of torch; keeps those that are layers, and knows which layer each tensor comes from."""

    def __init__(self, network: nn.Module, x: Tensor, watch: Watch):
        super().__init__()
        self.watch = watch
        self.found: list[tuple[LayerOutput, tuple[int, ...], Tensor]] = []
        self._paths = {id(parameter): name for name, parameter in network.named_parameters()}
        self._origins = {id(x): -1}  # tensor → place of the layer that made it, −1 for the photo
        self._kept = [x]  # an id belongs to one tensor only as long as that one lives

    def __torch_function__(self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        before = self.watch.macs[""]
        out = func(*args, **(kwargs or {}))
        if isinstance(out, Tensor):
            call = ops.describe(func, args, kwargs or {})
            origins = [self._origins[id(t)] for t in call.inputs.values() if id(t) in self._origins]
            if origins:
                place = origins[0]
                if self._is_layer(call.op, call.inputs, out):
                    place = len(self.found)
                    attrs = ops.resolve(call, func, args, kwargs or {}, tuple(out.shape))
                    self._add(call.op, call.inputs, out, attrs, self.watch.macs[""] - before)
                self._origins[id(out)] = place
                self._kept.append(out)
        return out

    def _is_layer(self, op: str, inputs: Mapping[str, Tensor], out: Tensor) -> bool:
        if op == "add":  # of two maps; not a number added to each pixel
            return out.ndim == 4 and all(id(t) in self._origins and t.shape == out.shape for t in inputs.values())
        return op in SHORT or op in WITH_WEIGHTS

    def _add(self, op: str, inputs: Mapping[str, Tensor], out: Tensor, attrs: dict, macs: int) -> None:
        seen = [tensor for tensor in inputs.values() if id(tensor) in self._origins]
        weights = {role: t.detach() for role, t in inputs.items() if id(t) not in self._origins}
        own = [t for t in inputs.values() if id(t) in self._paths]
        name = self._paths[id(own[0])].rpartition(".")[0] if own else ""
        layer = LayerOutput(
            name, op, "", tuple(t[0] for t in seen), (), out[0], weights, attrs,
            parameters=sum(t.numel() for t in own), macs=macs, fields=self.watch.fields_of(out),
        )  # fmt: skip
        self.found.append((layer, tuple(self._origins[id(t)] for t in seen), out))


def _named(
    found: list[tuple[LayerOutput, tuple[int, ...], Tensor]], ends: Mapping[int, str]
) -> tuple[LayerOutput, ...]:
    """The layers with their blocks, with names for those that are no modules, and the names of their sources."""
    blocks, block = [], HEAD
    for _layer, _origins, out in reversed(found):
        block = ends.get(id(out), block)
        blocks.append(block)
    blocks.reverse()
    names: list[str] = []
    for (layer, origins, _out), block in zip(found, blocks, strict=True):
        parent = names[origins[0]].rpartition(".")[0] if origins[0] >= 0 and layer.op != "cat" else block
        inside = parent == block or parent.startswith(f"{block}.")
        names.append(layer.name or f"{parent if inside else block}.{SHORT[layer.op]}")
    often, seen = Counter(names), Counter[str]()
    for place, name in enumerate(names):
        if often[name] > 1:  # layer1.0.relu1, layer1.0.relu2
            seen[name] += 1
            names[place] = f"{name}{seen[name]}"
    return tuple(
        replace(layer, name=name, block=block, sources=tuple("" if o < 0 else names[o] for o in origins))
        for (layer, origins, _out), name, block in zip(found, names, blocks, strict=True)
    )

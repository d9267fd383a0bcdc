"""Networks that made history, side by side: where they make the photo smaller, and what each part costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from explorer.explain import Backbone, on_grid
from explorer.network_layers import LayerFacts, layer_facts

SIDE = 224
"""Pixels of the photo's side that all of them were made for."""

HEADS = ("classifier", "fc", "heads", "head")
"""What turns the last map into logits, by the beginning of its name."""


@dataclass(frozen=True)
class Network:
    """name; year: of its paper; module, builder: where its plain code is; record: of its official weights in the catalogue."""

    name: str
    year: int
    module: str
    builder: str
    record: str

    def build(self) -> nn.Module:
        """With random weights, in evaluation mode, on the device of the caller's context."""
        builder: Callable[[], nn.Module] = getattr(import_module(f"explorer.models.{self.module}"), self.builder)
        return builder().eval()


NETWORKS: dict[str, Network] = {
    builder: Network(name, year, module, builder, f"{builder.replace('_', '-')}-imagenet-v1")
    for name, year, module, builder in (
        ("AlexNet", 2012, "alexnet", "alexnet"),
        ("VGG-11", 2014, "vgg", "vgg11"),
        ("VGG-16", 2014, "vgg", "vgg16"),
        ("VGG-19", 2014, "vgg", "vgg19"),
        ("GoogLeNet", 2014, "googlenet", "googlenet"),
        ("ResNet-18", 2015, "resnet", "resnet18"),
        ("ResNet-34", 2015, "resnet", "resnet34"),
        ("ResNet-50", 2015, "resnet", "resnet50"),
        ("ResNet-152", 2015, "resnet", "resnet152"),
        ("ViT-B/16", 2020, "vit", "vit_b_16"),
        ("Swin-T", 2021, "swin", "swin_t"),
    )
}


@dataclass(frozen=True)
class Stage:
    """All that happens on maps of one size.

    side: cells along a side of the map, 1 for vectors. channels: of what leaves it. counts: what it consists of, such as
    {"conv 3×3": 4}. parameters, macs: its own.
    """

    side: int
    channels: int
    counts: dict[str, int]
    parameters: int
    macs: int


@dataclass(frozen=True)
class Outline:
    """depth: layers with weights on the longest way from the photo to the logits. macs: of one photo.

    parameters: of all of it, GoogLeNet's auxiliary heads left out, which never answer.
    """

    network: Network
    stages: tuple[Stage, ...]
    depth: int
    parameters: int
    macs: int


@cache
def outline(key: str) -> Outline:
    """Of one of NETWORKS, counted by running its code without any numbers, on torch's meta device."""
    network = NETWORKS[key]
    with torch.device("meta"), torch.no_grad():
        module, x = network.build(), torch.zeros(1, 3, SIDE, SIDE)
        with _Depth() as depth:
            logits = module(x)
        facts = layer_facts(module, x)
        maps = [on_grid(cast(Backbone, module), one) for one in cast(Backbone, module).maps(x).values()]
    return Outline(
        network,
        stages=_stages(module, facts, {one.shape[2]: one.shape[1] for one in maps}),
        depth=depth.of(logits),
        parameters=sum(p.numel() for name, p in module.named_parameters() if not name.startswith("aux")),
        macs=sum(layer.macs for layer in facts),
    )


def _stages(module: nn.Module, facts: tuple[LayerFacts, ...], channels: dict[int, int]) -> tuple[Stage, ...]:
    """The layers, gathered by the side of the map that they give. channels: of the last map of each side, where known."""
    groups: dict[int, list[LayerFacts]] = {}
    side = SIDE
    for layer in facts:
        side = 1 if layer.name.split(".")[0] in HEADS else _side(layer) or side
        groups.setdefault(side, []).append(layer)
    return tuple(
        Stage(
            side=side,
            channels=channels.get(side) or layers[-1].output[1],
            counts=dict(Counter(kind for layer in layers if (kind := _kind(module, layer)))),
            parameters=sum(layer.parameters for layer in layers),
            macs=sum(layer.macs for layer in layers),
        )
        for side, layers in groups.items()
    )


def _is_grid(layer: LayerFacts) -> bool:
    """Whether its output is a square map with the channels last, as Swin's are; windows of patches are none."""
    return layer.kind in {"Linear", "LayerNorm"} and len(layer.output) == 4 and layer.output[1] == layer.output[2]


def _side(layer: LayerFacts) -> int:
    """Of the map that it gives, 0 where it gives none."""
    if _is_grid(layer):
        return layer.output[1]
    return layer.output[2] if len(layer.output) == 4 and layer.kind in {"Conv2d", "BatchNorm2d", "MaxPool2d"} else 0


def _kind(module: nn.Module, layer: LayerFacts) -> str:
    """What it is called in an outline, "" for what is not counted there."""
    if layer.kind == "Conv2d":
        rows, columns = module.get_submodule(layer.name).kernel_size  # type: ignore[misc]
        return f"conv {rows}×{columns}"
    if "Attention" in layer.kind:
        return "self-attention"
    inside_attention = "attn" in layer.name or "attention" in layer.name
    return "linear" if layer.kind == "Linear" and not inside_attention else ""


class _Depth(TorchDispatchMode):
    """Counts, for every tensor, the layers with weights on the longest way to it."""

    WITH_WEIGHTS = frozenset({"convolution", "addmm", "mm", "linear"})

    def __init__(self) -> None:
        super().__init__()
        self._depths: dict[int, int] = {}
        self._kept: list[Tensor] = []  # an id belongs to one tensor only as long as that one lives

    def of(self, x: Tensor) -> int:
        return self._depths[id(x)]

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        output = func(*args, **(kwargs or {}))
        before = max((self._depths.get(id(leaf), 0) for leaf in tree_leaves(args)), default=0)
        here = before + (func.overloadpacket.__name__ in self.WITH_WEIGHTS)
        for leaf in tree_leaves(output):
            if isinstance(leaf, Tensor):
                self._depths[id(leaf)] = max(here, self._depths.get(id(leaf), 0))
                self._kept.append(leaf)
        return output

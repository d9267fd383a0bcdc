"""Parts of a classifier to step through on a visitor's photo: real weights, real inputs, and few enough numbers to look at.

Each part is a function of this file or a module of explorer.models, and what goes into it in the photo's own pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.explain import Pass
from explorer.models.alexnet import AlexNet
from explorer.models.googlenet import GoogLeNet
from explorer.models.resnet import ResNet
from explorer.models.swin import SwinTransformer
from explorer.models.vgg import Vgg
from explorer.models.vit import EncoderBlock, VisionTransformer
from explorer.trace import Trace, trace

HEAD = "head"
MOST = 150_000
"""Numbers of a part's input; of a larger map a window is taken."""
Cut = Literal["", "window", "whole window", "class token"]
"""What of the input is taken: all, a window whose border sees zeros, one attention window, what the class token asks for."""


@dataclass(frozen=True, eq=False)
class Part:
    """function: what is stepped through; inputs: what goes in; start: the operation to open on; cut: what of the map it is."""

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    start: str
    cut: Cut = ""


def parts(network: Any) -> list[str]:
    """Names of what can be stepped through, in order; "head" is the last. None of a network that shows no maps."""
    if not hasattr(network, "blocks"):
        return []
    if isinstance(network, GoogLeNet):
        blocks = [block for block in network.blocks() if block.startswith("inception")]
    elif isinstance(network, (AlexNet, Vgg)):
        blocks = network.blocks()
    elif isinstance(network, VisionTransformer):
        blocks = list(network.encoder.layers)
    elif isinstance(network, SwinTransformer):
        # In every second block the windows lie half-way between others; one alone would not see what it sees in the map.
        blocks = [block for block in network.blocks()[1:] if int(block.partition(".")[2]) % 2 == 0]
    else:
        blocks = network.blocks()[1:]
    return [*blocks, HEAD]


def part(one: Pass, name: str) -> Part:
    """A part by its name, on the photo of this pass."""
    network = one.network
    with torch.inference_mode():
        maps = {key: tensor.detach() for key, tensor in one.maps.items()}
        if name == HEAD:
            *_, last = maps.values()
            return Part(network.logits, (last,), "linear")
        before = _before(maps, name, one.x.detach())
        if isinstance(network, ResNet):
            x, cut = _window(before, maps[name].shape[1])
            return Part(network.get_submodule(name), (x,), "add", cut)
        if isinstance(network, GoogLeNet):
            x, cut = _window(_pooled(before, name), maps[name].shape[1])
            return Part(network.get_submodule(name), (x,), "cat", cut)
        if isinstance(network, (AlexNet, Vgg)):
            return _convolution(network, name, before)
        if isinstance(network, VisionTransformer):
            block = network.encoder.layers[name]
            return Part(read_by_class_token, (block, before), "softmax", "class token")
        return _swin(network, name, before)


def trace_part(part: Part) -> Trace:
    """Its steps."""
    with torch.inference_mode():
        return trace(part.function, *part.inputs)


def convolve(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """One layer of AlexNet or VGG. x: float (1, C_in, h, w) → (1, C_out, h', w')."""
    out = convolution(x)
    return F.relu(out)


def read_by_class_token(block: EncoderBlock, tokens: Tensor) -> Tensor:
    """What a Transformer's block does to the class token alone, which asks all tokens. (1, T, width) → (1, 1, width)."""
    x = tokens[:, :1]  # (1, 1, width): the class token
    normed = block.ln_1(tokens)  # (1, T, width)
    attended, _ = block.self_attention(normed[:, :1], normed, normed)  # query: the class token
    x = x + attended
    return x + block.mlp(block.ln_2(x))


def _before(maps: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """The map that comes before this one; the photo before the first."""
    names = list(maps)
    place = names.index(name)
    return maps[names[place - 1]] if place else x


def _window(x: Tensor, channels_out: int) -> tuple[Tensor, Cut]:
    """All of x, or as large a square from its middle as leaves no more than MOST numbers in the input and in the output."""
    _, channels, rows, columns = x.shape
    side = max(int((MOST / max(channels, channels_out)) ** 0.5), 8)
    if rows <= side and columns <= side:
        return x, ""
    top, left = max(rows - side, 0) // 2, max(columns - side, 0) // 2
    return x[:, :, top : top + side, left : left + side].contiguous(), "window"


def _pooled(x: Tensor, name: str) -> Tensor:
    """The map as GoogLeNet hands it to this block: halved before the first of each stage."""
    if not name.endswith(("3a", "4a", "5a")):
        return x
    return F.max_pool2d(x, 2 if name.endswith("5a") else 3, stride=2, ceil_mode=True)


def _convolution(network: AlexNet | Vgg, name: str, before: Tensor) -> Part:
    """A convolution and its ReLU, on the map as it comes there."""
    blocks = network.blocks()
    convolutions = [module for module in network.features.values() if isinstance(module, nn.Conv2d)]
    convolution = convolutions[blocks.index(name)]
    if isinstance(network, AlexNet):
        x = F.max_pool2d(before, 3, stride=2) if name in {"conv2", "conv3"} else before
    else:
        x = F.max_pool2d(before, 2, stride=2) if name.endswith("_1") and name != blocks[0] else before
    x, cut = _window(x, convolution.out_channels)
    return Part(convolve, (convolution, x), "conv2d", cut)


def _swin(network: SwinTransformer, name: str, before: Tensor) -> Part:
    """A block on the attention window in the middle of the map: windows that do not move know nothing of each other."""
    stage, number = (int(text) for text in name.removeprefix("stage").split("."))
    if stage > 1 and number == 0:
        before = network.features[f"{2 * stage - 2}"](before)
    block = list(network.features[f"{2 * stage - 1}"].children())[number]
    window = network.config.window
    top, left = ((side // window) // 2 * window if side > window else 0 for side in before.shape[1:3])
    x = before[:, top : top + window, left : left + window].contiguous()
    return Part(block, (x,), "softmax", "whole window")

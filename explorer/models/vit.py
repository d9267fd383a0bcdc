"""The Vision Transformer (Dosovitskiy et al. 2021, "An Image Is Worth 16x16 Words").

Parameter names are torchvision's, so `load_state_dict` takes the official checkpoints as they are.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.models.attention import MultiHeadAttention


@dataclass(frozen=True)
class VitConfig:
    """The sizes of vit_b_16. image_size: side of the square photo, a multiple of patch, the side of a patch; pixels.

    width: of a token's vector; heads: a divisor of it; d_ff: width inside the feed-forward part; classes: length of the
    logits; distilled: whether a second extra token learns from a teacher (Touvron et al. 2021).
    """

    image_size: int = 224
    patch: int = 16
    layers: int = 12
    heads: int = 12
    width: int = 768
    d_ff: int = 3072
    classes: int = 1000
    distilled: bool = False

    @property
    def side(self) -> int:
        """Patches along one side of the photo."""
        return self.image_size // self.patch

    @property
    def extra(self) -> int:
        """Tokens that stand before the patches: the class token and, in a distilled network, the distillation token."""
        return 2 if self.distilled else 1


@dataclass(frozen=True)
class VitOutput:
    """tokens: what goes into the first layer and comes out of each, layers + 1 times float (B, T, width).

    attention: each layer's weights, float (B, heads, T, T); T = extra tokens + patches, row by row. logits: (B, classes).
    """

    tokens: tuple[Tensor, ...]
    attention: tuple[Tensor, ...]
    logits: Tensor


class Mlp(nn.ModuleDict):
    """Two linear layers with GELU between, each token for itself; numbered as in torchvision, where dropout stands too."""

    def __init__(self, width: int, hidden: int):
        super().__init__({"0": nn.Linear(width, hidden), "3": nn.Linear(hidden, width)})

    def forward(self, x: Tensor) -> Tensor:
        """float (..., width) → the same shape."""
        hidden = F.gelu(self["0"](x))  # (..., hidden)
        return self["3"](hidden)  # (..., width)


class EncoderBlock(nn.Module):
    """Norm, self-attention, add; norm, feed-forward part, add (Dosovitskiy et al. 2021, eq. 2 and 3)."""

    def __init__(self, config: VitConfig):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.width, eps=1e-6)
        self.self_attention = MultiHeadAttention(config.width, config.heads)
        self.ln_2 = nn.LayerNorm(config.width, eps=1e-6)
        self.mlp = Mlp(config.width, config.d_ff)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x: float (B, T, width); mask: bool, broadcast to (B, heads, T, T), True where a token may look.

        → the same shape as x, and the attention weights (B, heads, T, T).
        """
        normed = self.ln_1(x)
        attended, weights = self.self_attention(normed, normed, normed, mask)  # (B, T, width)
        x = x + attended
        x = x + self.mlp(self.ln_2(x))
        return x, weights

    def ask(self, x: Tensor, places: list[int]) -> tuple[Tensor, Tensor]:
        """As forward, for these tokens only, which still look at all: (B, places, width) and (B, heads, places, T)."""
        normed = self.ln_1(x)  # (B, T, width)
        asking = normed[:, places]  # (B, places, width)
        attended, weights = self.self_attention(asking, normed, normed)
        x = x[:, places] + attended
        x = x + self.mlp(self.ln_2(x))
        return x, weights


class Encoder(nn.Module):
    """The learned positions, the stack of blocks, the last norm."""

    def __init__(self, config: VitConfig):
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, config.extra + config.side**2, config.width))
        self.layers = nn.ModuleDict({f"encoder_layer_{i}": EncoderBlock(config) for i in range(config.layers)})
        self.ln = nn.LayerNorm(config.width, eps=1e-6)


def project_both_ways(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The linear projection of patches: as a matrix product, and as the convolution with stride P that it is.

    x: float (B, 3, H, W), H and W multiples of P; weight: (width, 3, P, P); bias: (width,) → the tokens (B, N, width), and how
    far the two ways are apart, the same shape.
    """
    patch = weight.shape[-1]
    vectors = F.unfold(x, patch, stride=patch).mT  # (B, N, 3 · P²): each patch read out as one vector
    # x_p E
    tokens = F.linear(vectors, weight.flatten(1), bias)  # (B, N, width)
    maps = F.conv2d(x, weight, bias, stride=patch)  # (B, width, H/P, W/P)
    difference = maps.flatten(2).mT - tokens  # (B, N, width)
    return tokens, difference


class VisionTransformer(nn.Module):
    """A photo becomes a sequence of patches, which a Transformer encoder reads; the class token gives the logits."""

    def __init__(self, config: VitConfig):
        super().__init__()
        self.config = config
        self.class_token = nn.Parameter(torch.zeros(1, 1, config.width))
        if config.distilled:
            self.distillation_token = nn.Parameter(torch.zeros(1, 1, config.width))
        self.conv_proj = nn.Conv2d(3, config.width, config.patch, stride=config.patch)
        self.encoder = Encoder(config)
        heads = OrderedDict(head=nn.Linear(config.width, config.classes))
        if config.distilled:
            heads["distillation"] = nn.Linear(config.width, config.classes)
        self.heads = nn.ModuleDict(heads)
        nn.init.normal_(self.encoder.pos_embedding, std=0.02)

    def embed(self, x: Tensor) -> Tensor:
        """Patches as tokens, the extra tokens before them, positions added (eq. 1). (B, 3, H, W) → (B, T, width)."""
        patches = self.conv_proj(x)  # (B, width, H/P, W/P): each patch times the same matrix
        rows, columns = patches.shape[2:]
        tokens = patches.flatten(2).transpose(1, 2)  # (B, H/P · W/P, width)
        extra = torch.cat([self.class_token, self.distillation_token], 1) if self.config.distilled else self.class_token
        tokens = torch.cat([extra.expand(len(x), -1, -1), tokens], dim=1)  # (B, T, width)
        return tokens + self.positions(rows, columns)

    def positions(self, rows: int, columns: int) -> Tensor:
        """The position embeddings of a grid of patches, resized if it is not the one they were learned on. → (1, T, width)."""
        config, learned = self.config, self.encoder.pos_embedding
        if (rows, columns) == (config.side, config.side):
            return learned
        extra, grid = learned[:, : config.extra], learned[:, config.extra :]
        grid = grid.unflatten(1, (config.side, config.side)).permute(0, 3, 1, 2)  # (1, width, side, side)
        grid = F.interpolate(grid, (rows, columns), mode="bicubic", align_corners=True)
        return torch.cat([extra, grid.flatten(2).transpose(1, 2)], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """x: float32 (B, 3, H, W), normalised RGB, H and W multiples of the patch → logits float32 (B, classes)."""
        tokens = self.embed(x)
        for layer in self.encoder.layers.values():
            tokens, _ = layer(tokens)
        return self.logits(tokens)

    def read(self, x: Tensor, masks: Sequence[Tensor] | None = None) -> VitOutput:
        """As forward, keeping every layer's tokens and attention. masks: one for each layer, as EncoderBlock's."""
        tokens, attention = [self.embed(x)], []
        layers = self.encoder.layers.values()
        given: Sequence[Tensor | None] = masks or [None] * len(layers)
        for layer, mask in zip(layers, given, strict=True):
            out, weights = layer(tokens[-1], mask)
            tokens.append(out)
            attention.append(weights)
        return VitOutput(tuple(tokens), tuple(attention), self.logits(tokens[-1]))

    def blocks(self) -> list[str]:
        """Names of those maps whose patches the logits depend on: of the last block only the extra tokens are read."""
        return ["patches", *self.encoder.layers][:-1]

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """The tokens that go into the first block and come out of each, (B, T, width), by name, in order."""
        return dict(zip(["patches", *self.encoder.layers], self.read(x).tokens, strict=True))

    def to_grid(self, tokens: Tensor) -> Tensor:
        """The patches of a square photo as a map: (B, T, width) → (B, width, h, w)."""
        patches = tokens[:, self.config.extra :]  # (B, h · w, width)
        side = math.isqrt(patches.shape[1])
        return patches.transpose(1, 2).unflatten(2, (side, side))

    def logits(self, tokens: Tensor) -> Tensor:
        """The last layer's tokens (B, T, width) → logits (B, classes); a distilled network's are the mean of both heads'."""
        if self.config.distilled:
            by_class, by_teacher = self.both_heads(tokens)
            return (by_class + by_teacher) / 2
        return self.heads["head"](self.encoder.ln(tokens)[:, 0])

    def both_heads(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the class token, and of the distillation token, each (B, classes). tokens: as `logits`."""
        tokens = self.encoder.ln(tokens)
        return self.heads["head"](tokens[:, 0]), self.heads["distillation"](tokens[:, 1])


def vit_b_16(classes: int = 1000) -> VisionTransformer:
    """86.6 M parameters at 1000 classes; torchvision.models.vit_b_16."""
    return VisionTransformer(VitConfig(classes=classes))


def vit_b_32(classes: int = 1000) -> VisionTransformer:
    """88.2 M parameters at 1000 classes; torchvision.models.vit_b_32."""
    return VisionTransformer(VitConfig(patch=32, classes=classes))


def vit_l_16(classes: int = 1000) -> VisionTransformer:
    """304.3 M parameters at 1000 classes; torchvision.models.vit_l_16."""
    return VisionTransformer(VitConfig(layers=24, heads=16, width=1024, d_ff=4096, classes=classes))


def vit_l_32(classes: int = 1000) -> VisionTransformer:
    """306.5 M parameters at 1000 classes; torchvision.models.vit_l_32."""
    return VisionTransformer(VitConfig(patch=32, layers=24, heads=16, width=1024, d_ff=4096, classes=classes))


def vit_h_14(classes: int = 1000) -> VisionTransformer:
    """632.0 M parameters at 1000 classes; torchvision.models.vit_h_14."""
    return VisionTransformer(VitConfig(patch=14, layers=32, heads=16, width=1280, d_ff=5120, classes=classes))


def vit_small_96(classes: int = 110) -> VisionTransformer:
    """The one that comes with the explorer: 4.9 M parameters, 12 × 12 patches, a distillation token."""
    return VisionTransformer(
        VitConfig(96, patch=8, layers=6, heads=8, width=256, d_ff=1024, classes=classes, distilled=True)
    )


def vit_small_96_plain(classes: int = 110) -> VisionTransformer:
    """The same without the distillation token, for comparison."""
    return VisionTransformer(VitConfig(96, patch=8, layers=6, heads=8, width=256, d_ff=1024, classes=classes))

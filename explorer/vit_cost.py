"""What patches of a given size cost a Vision Transformer: tokens, attention, multiply–adds, weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from explorer.models.vit import VitConfig
from explorer.shapes import conv_macs, conv_parameters, linear_parameters

FLOAT = 4
"""Bytes of a number."""

SIDES = (96, 224, 384)
"""Of the square photo, pixels: what the bundled network sees, what most see, what many are tuned on at last."""

SIZES = {
    "ViT-B": VitConfig(),
    "ViT-L": VitConfig(layers=24, heads=16, width=1024, d_ff=4096),
    "ViT-H": VitConfig(layers=32, heads=16, width=1280, d_ff=5120),
}
"""Dosovitskiy et al. 2021, table 1; their patches and photos are chosen apart."""


@dataclass(frozen=True)
class PatchCost:
    """Of one photo in a network of these sizes.

    tokens: n; projection: multiply–adds of the patches' matrix; linear: of all other matrices, which grow with n; attention:
    of QKᵀ and αV in all layers, which grow with n²; parameters: of the network.
    """

    config: VitConfig
    tokens: int
    projection: int
    linear: int
    attention: int
    parameters: int

    @property
    def macs(self) -> int:
        """Multiply–adds of the whole network."""
        return self.projection + self.linear + self.attention

    @property
    def matrix_bytes(self) -> int:
        """Attention weights of one head in one layer, n² numbers."""
        return FLOAT * self.tokens**2

    @property
    def layer_bytes(self) -> int:
        """Of all heads of a layer."""
        return self.config.heads * self.matrix_bytes

    @property
    def all_bytes(self) -> int:
        """Of all heads of all layers, as they are kept for training."""
        return self.config.layers * self.layer_bytes

    @property
    def weight_bytes(self) -> int:
        """The network's parameters."""
        return FLOAT * self.parameters


def patch_cost(config: VitConfig) -> PatchCost:
    """Counted by formulas; the tests count the same by running the network."""
    width, side, heads = config.width, config.side, 2 if config.distilled else 1
    tokens = side**2 + config.extra
    matrices = layer_matrices(config)
    parameters = (
        conv_parameters(3, width, (config.patch, config.patch))
        + config.extra * width
        + tokens * width  # positions
        + config.layers * (matrices + 4 * width + config.d_ff + width + 4 * width)  # biases, two norms
        + 2 * width
        + heads * linear_parameters(width, config.classes)
    )
    return PatchCost(
        config,
        tokens,
        projection=conv_macs(3, width, (config.patch, config.patch), (side, side)),
        linear=config.layers * tokens * matrices + heads * width * config.classes,
        attention=config.layers * attention_macs(config, tokens),
        parameters=parameters,
    )


def layer_matrices(config: VitConfig) -> int:
    """Weights of a layer's matrices: Q, K, V and W_O, and the two of the feed-forward part."""
    return 4 * config.width**2 + 2 * config.width * config.d_ff


def attention_macs(config: VitConfig, tokens: int) -> int:
    """Multiply–adds of QKᵀ and αV in one layer."""
    return 2 * tokens**2 * config.width


def layer_macs(config: VitConfig, tokens: int) -> int:
    """Multiply–adds of one whole layer."""
    return tokens * layer_matrices(config) + attention_macs(config, tokens)


def patch_sizes(side: int) -> tuple[int, ...]:
    """Those that cut a photo of this side evenly into at least four patches."""
    return tuple(patch for patch in range(1, side // 2 + 1) if side % patch == 0)


def patch_costs(config: VitConfig, side: int) -> Sequence[PatchCost]:
    """Of every patch size that fits, from single pixels on."""
    return [patch_cost(replace(config, image_size=side, patch=patch)) for patch in patch_sizes(side)]

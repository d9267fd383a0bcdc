"""The bundled attention blocks, which go on the bundled ResNet-18's maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from explorer.models.attention_blocks import map_heads
from pretrained import catalog
from pretrained.loading import fill, load_state_dict
from pretrained.records import MapHeadsCard, MapHeadsModel

BUNDLED = "map-heads-resnet18"


@dataclass(frozen=True)
class MapHeads:
    """heads: "none", "squeeze" and "attention", in evaluation mode, frozen; card: what was measured of them."""

    model: MapHeadsModel
    heads: Mapping[str, nn.Module]
    card: MapHeadsCard


def load_map_heads(key: str = BUNDLED) -> MapHeads:
    """Build the heads and fill in their weights, checked by their SHA-256.

    UserError: no such model. LoadError: the weights or their card are missing or damaged, or do not fit.
    """
    model = catalog.get(key, MapHeadsModel)
    state = load_state_dict(model)
    with torch.inference_mode(False), torch.device("meta"):  # no time spent on random weights
        heads = map_heads(model.channels, model.classes, model.squeezed, model.heads)
    fill(heads, state, model.name)
    return MapHeads(model, dict(heads.eval().requires_grad_(False).items()), catalog.card(model, MapHeadsCard))

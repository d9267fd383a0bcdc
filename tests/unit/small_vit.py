"""A Vision Transformer small enough for unit tests, its numbers drawn with one seed."""

from __future__ import annotations

import torch

from explorer.models.vit import VisionTransformer, VitConfig

CONFIG = VitConfig(32, 4, layers=2, heads=2, width=16, d_ff=16, classes=5, distilled=True)


def small_vit() -> VisionTransformer:
    """In evaluation mode, its parameters frozen."""
    torch.manual_seed(0)
    made = VisionTransformer(CONFIG)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made.eval().requires_grad_(False)

"""Warm up the U-Nets' encoder: it learns to tell the 110 classes of imagenette96 and caltech101 apart, on a CPU.

python -m training.unet_warm_up --data DIR --out DIR      # resumes; the result is DIR/encoder.pt
"""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from torch import Tensor, nn

from explorer.models.unet import UNet, UNetConfig
from training import warm_up
from training.photos import normalise
from training.running import command_line
from training.segmenter import DEPTH, ENCODER, WIDTH


class Encoder(nn.Module):
    """A U-Net down to its bottom; parameters have the names that they have there. width, depth: as in UNetConfig."""

    def __init__(self, width: int = WIDTH, depth: int = DEPTH):
        super().__init__()
        whole = UNet(UNetConfig(1, width, depth))
        self.encoder, self.bottom = whole.encoder, whole.bottom

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, 3, H, W), normalised RGB → (B, width · 2^depth, H / 2^depth, W / 2^depth)."""
        for block in self.encoder:
            x = F.max_pool2d(block(x), 2)
        return self.bottom(x)


RECIPE = warm_up.WarmUp(Encoder, WIDTH * 2**DEPTH, normalise, (64, 96), ENCODER)


def train(data: Path, out: Path, epochs: int) -> None:
    """As warm_up.train."""
    warm_up.train(RECIPE, data, out, epochs)


def export(data: Path, out: Path) -> None:
    """There is nothing to export: training.unet_pets reads the checkpoint."""
    raise SystemExit(f"training.unet_pets begins with {out / ENCODER}; it is not exported by itself.")


if __name__ == "__main__":
    command_line(
        __doc__,
        data="folder with imagenette96/ and caltech101_max120/",
        amount="epochs",
        default=12,
        train=train,
        export=export,
    )

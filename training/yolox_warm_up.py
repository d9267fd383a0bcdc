"""Warm up the detector's backbone: it learns to tell the 110 classes of imagenette96 and caltech101 apart, on a CPU.

python -m training.yolox_warm_up --data DIR --out DIR      # resumes; the result is DIR/backbone.pt
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from explorer.models.yolo import CSPDarknet
from training import warm_up
from training.running import command_line
from training.yolox_highway import BACKBONE, CONFIG


class Backbone(CSPDarknet):
    """Its coarsest maps alone."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """x: float (B, 3, H, W), BGR, 0–255 → (B, channels, H/32, W/32)."""
        return super().forward(x)[-1]


def as_detector_sees(batch: Tensor) -> Tensor:
    """float (B, 3, H, W), 0–1 RGB → 0–255 BGR."""
    return batch.flip(1) * 255


RECIPE = warm_up.WarmUp(lambda: Backbone(CONFIG), CONFIG.channels(1024), as_detector_sees, (96, 128), BACKBONE)


def train(data: Path, out: Path, epochs: int) -> None:
    """As warm_up.train."""
    warm_up.train(RECIPE, data, out, epochs)


def export(data: Path, out: Path) -> None:
    """There is nothing to export: training.yolox_highway reads the checkpoint."""
    raise SystemExit(f"training.yolox_highway begins with {out / BACKBONE}; it is not exported by itself.")


if __name__ == "__main__":
    command_line(
        __doc__,
        data="folder with imagenette96/ and caltech101_max120/",
        amount="epochs",
        default=20,
        train=train,
        export=export,
    )

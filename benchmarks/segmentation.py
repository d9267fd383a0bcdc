"""A photo's classes in the app's path against the bare network; scaling, softmax and the mask at full size included."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch

from benchmarks.timing import compare, median_ratio
from explorer.gallery import load_sample
from explorer.models.unet import UNet, UNetConfig
from pretrained import LoadError, catalog
from pretrained.records import Segmenter
from pretrained.segmentation import LoadedSegmenter, load_segmenter, segment, to_input

ROUNDS = 30
PHOTO = "coco_street_bus_cars.jpg"
GOAL = "≤ 1.05"


def run() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, goal)."""
    return [row(model) for model in catalog.models(Segmenter) if model.source == "bundled"]


def row(model: Segmenter) -> tuple[str, str, str]:
    """One model on one photo. The tensor of the bare pass is the very one that the app makes."""
    segmenter, pixels = loaded(model), load_sample(PHOTO).pixels
    x, _size = to_input(segmenter, pixels)

    def bare() -> None:
        with torch.inference_mode():
            segmenter.module(x)

    tasks: dict[str, Callable[[], object]] = {"app": lambda: segment(segmenter, pixels), "bare": bare}
    seconds = compare(tasks, ROUNDS)
    app, alone = (1000 * statistics.median(seconds[name]) for name in ("app", "bare"))
    height, width = pixels.shape[:2]
    name = f"{model.name}: a photo of {width} × {height}, in the app ÷ the bare network"
    return name, f"{median_ratio(seconds, 'app', 'bare'):.2f} ({app:.1f} ms ÷ {alone:.1f} ms)", GOAL


def loaded(model: Segmenter) -> LoadedSegmenter:
    """The bundled network; where its weights are missing, one of its size with random weights, which take as long."""
    try:
        return load_segmenter(model.key, download=False)
    except LoadError:
        torch.manual_seed(0)
        network = UNet(UNetConfig(11, width=24)).eval().requires_grad_(False)
        return LoadedSegmenter(model, network, tuple(str(label) for label in range(11)))


if __name__ == "__main__":
    for measured in run():
        print(*measured, sep=" | ")

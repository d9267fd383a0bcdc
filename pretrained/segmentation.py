"""A photo in, the class of every pixel out, or a mask for every object, whichever network it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.detections import best_first
from explorer.models import fcn
from explorer.models.unet import UNet, UNetConfig
from explorer.segmentations import Instances, Segmentation
from pretrained import catalog
from pretrained.detection import as_tensor, bundled_facts, guarded, torchvision_network
from pretrained.download import Cancelled, Progress
from pretrained.image_models import IMAGENET_MEAN, IMAGENET_STD
from pretrained.loading import fill, load_state_dict
from pretrained.records import Segmenter

LEAST_MASK = 0.5  # probability from which a pixel belongs to an object


@dataclass(frozen=True, eq=False)
class LoadedSegmenter:
    """module: in evaluation mode, its parameters frozen, safe to share between sessions; classes: of its labels."""

    model: Segmenter
    module: nn.Module
    classes: tuple[str, ...]


def load_segmenter(key: str, progress: Progress | None = None, cancelled: Cancelled | None = None) -> LoadedSegmenter:
    """Build the network and fill in its weights, downloading them if need be.

    UserError: no such model. LoadError: its weights could not be had, or do not fit.
    """
    model = catalog.get(key, Segmenter)
    state = load_state_dict(model, progress, cancelled)
    with torch.inference_mode(False):
        module, classes = _network(model)
        fill(module, state, model.name)
    return LoadedSegmenter(model, module.eval().requires_grad_(False), classes)


def segment(segmenter: LoadedSegmenter, pixels: np.ndarray, cut: Collection[int] = ()) -> Segmentation:
    """Show it a photo. pixels: uint8 (H, W, 3) RGB; cut: levels of U-Net whose skip connection is switched off.

    UserError: there is not enough memory, or the network cannot see it.
    """
    with guarded(segmenter.model):
        x, (height, width) = to_input(segmenter, pixels)
        if isinstance(segmenter.module, UNet):
            logits = segmenter.module(x, cut)
        elif isinstance(segmenter.module, fcn.FCN):
            logits = segmenter.module(x)
        else:
            logits = segmenter.module(x)["out"]
        probabilities = logits.softmax(1)[:, :, :height, :width]  # (1, classes, h, w)
        mask = _argmax_at(probabilities[0], pixels.shape[:2])
        return Segmentation(mask, probabilities[0].numpy(), segmenter.classes)


def unet_maps(segmenter: LoadedSegmenter, pixels: np.ndarray, cut: Collection[int] = ()) -> dict[str, np.ndarray]:
    """Every level's feature map of a U-Net by name, float32 (C, h, w): see explorer.models.unet. Arguments as segment."""
    unet = cast(UNet, segmenter.module)
    with guarded(segmenter.model):
        x, _size = to_input(segmenter, pixels)
        return {name: maps[0].numpy() for name, maps in unet.maps(x, cut).items()}


def find_instances(segmenter: LoadedSegmenter, pixels: np.ndarray) -> Instances:
    """Show a photo to a network that finds objects. Arguments and errors as segment; best first."""
    with guarded(segmenter.model):
        (made,) = segmenter.module([as_tensor(pixels)])
        boxes, scores, labels = (made[name].numpy() for name in ("boxes", "scores", "labels"))
        found = best_first(boxes, scores, labels, segmenter.classes)
        order = np.argsort(-scores, kind="stable")
        return Instances(made["masks"][:, 0].numpy()[order] >= LEAST_MASK, found)


def to_input(segmenter: LoadedSegmenter, pixels: np.ndarray) -> tuple[Tensor, tuple[int, int]]:
    """uint8 (H, W, 3) → (float32 (1, 3, h, w), normalised; (height, width) of the photo at its top left).

    For U-Net the longer side is input_size, and the photo is continued by its reflection to a multiple of 2^depth; for the
    others the shorter side is input_size, as torchvision's transforms make it.
    """
    model, (height, width) = segmenter.model, pixels.shape[:2]
    mean, std = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_STD).view(3, 1, 1)
    if isinstance(segmenter.module, UNet):
        scale, step = model.input_size / max(height, width), 2**segmenter.module.config.depth
        size = max(1, round(width * scale)), max(1, round(height * scale))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=way)
        padding = ((0, -size[1] % step), (0, -size[0] % step), (0, 0))
        whole = np.pad(small, padding, mode="reflect")
        return ((as_tensor(whole) - mean) / std)[None], (size[1], size[0])
    from torchvision.transforms.functional import resize

    x = resize(torch.from_numpy(pixels.copy()).permute(2, 0, 1), [model.input_size], antialias=True)
    return ((x.float() / 255 - mean) / std)[None], (x.shape[1], x.shape[2])


def _network(model: Segmenter) -> tuple[nn.Module, tuple[str, ...]]:
    if model.way == "unet":
        classes, sizes = bundled_facts(model)
        with torch.device("meta"):
            return UNet(UNetConfig(len(classes), **sizes)), classes
    if model.instances:
        return torchvision_network(model)
    classes = tuple(catalog.official(model).meta["categories"])
    if model.way == "fcn":
        with torch.device("meta"):
            return getattr(fcn, model.architecture)(len(classes)), classes
    from torchvision.models import get_model

    options = {} if model.architecture.startswith("lraspp") else {"aux_loss": True}
    module = get_model(model.architecture, weights=None, weights_backbone=None, num_classes=len(classes), **options)
    return module, classes


def _argmax_at(probabilities: Tensor, size: tuple[int, ...], rows: int = 256) -> np.ndarray:
    """The likeliest class of each pixel of the photo, uint8 (H, W): float32 (classes, h, w) interpolated, band by band."""
    height, width = size
    mask = np.empty((height, width), np.uint8)
    if probabilities.shape[1:] == (height, width):
        return probabilities.argmax(0).numpy().astype(np.uint8)
    # The whole at once would need classes · H · W numbers: 21 · 1.5 million.
    y = (torch.arange(height) + 0.5) * probabilities.shape[1] / height - 0.5
    low = y.floor().clamp(0, probabilities.shape[1] - 1).long()
    high = (low + 1).clamp(max=probabilities.shape[1] - 1)
    share = (y - low).clamp(0, 1)[None, :, None]
    for top in range(0, height, rows):
        band = slice(top, min(top + rows, height))
        lines = torch.lerp(probabilities[:, low[band]], probabilities[:, high[band]], share[:, band])
        wide = F.interpolate(lines[None], (lines.shape[1], width), mode="bilinear", align_corners=False)
        mask[band] = wide[0].argmax(0).numpy()
    return mask

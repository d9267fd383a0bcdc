"""A photo in, the class of every pixel out, or a mask for every object, whichever network it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
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


def load_segmenter(
    key: str, progress: Progress | None = None, cancelled: Cancelled | None = None, *, download: bool = True
) -> LoadedSegmenter:
    """Build the network and fill in its weights, downloading them if need be.

    UserError: no such model. LoadError: its weights could not be had, or do not fit. DamagedError: download is False, and a
    copy is not sound.
    """
    model = catalog.get(key, Segmenter)
    state = load_state_dict(model, progress, cancelled, download=download)
    with torch.inference_mode(False):
        module, classes = _network(model)
        fill(module, state, model.name)
    return LoadedSegmenter(model, module.eval().requires_grad_(False), classes)


@dataclass(frozen=True, eq=False)
class Look:
    """What one pass over a photo gives.

    maps: only of U-Net, every level's feature map by name, float32 (C, h, w): see explorer.models.unet.
    """

    segmentation: Segmentation
    maps: Mapping[str, np.ndarray]


def look(segmenter: LoadedSegmenter, pixels: np.ndarray, cut: Collection[int] = ()) -> Look:
    """Show it a photo. pixels: uint8 (H, W, 3) RGB; cut: levels of U-Net whose skip connection is switched off.

    UserError: there is not enough memory, or the network cannot see it.
    """
    module = segmenter.module
    with guarded(segmenter.model):
        x, (height, width) = to_input(segmenter, pixels)
        maps: dict[str, Tensor] = {}
        if isinstance(module, UNet):
            maps = module.maps(x, cut)
            logits = module.head(maps["decoder.0"])
        elif isinstance(module, fcn.FCN):
            logits = module(x)
        else:
            logits = module(x)["out"]
        probabilities = logits.softmax(1)[0, :, :height, :width]  # (classes, h, w)
        mask = _argmax_at(probabilities, pixels.shape[:2])
        made = Segmentation(mask, probabilities.numpy(), segmenter.classes)
        return Look(made, {name: one[0].numpy() for name, one in maps.items()})


def segment(segmenter: LoadedSegmenter, pixels: np.ndarray, cut: Collection[int] = ()) -> Segmentation:
    """The class of every pixel. Arguments and errors as `look`."""
    return look(segmenter, pixels, cut).segmentation


def unet_maps(segmenter: LoadedSegmenter, pixels: np.ndarray, cut: Collection[int] = ()) -> Mapping[str, np.ndarray]:
    """Every level's feature map of a U-Net by name, float32 (C, h, w). Arguments and errors as `look`."""
    return look(segmenter, pixels, cut).maps


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


def _argmax_at(probabilities: Tensor, size: tuple[int, ...]) -> np.ndarray:
    """The likeliest class of each pixel of the photo, uint8 (H, W): float32 (classes, h, w) interpolated, class by class.

    All at once would need classes · H · W numbers: 21 · 1.5 million.
    """
    height, width = size
    if probabilities.shape[1:] == (height, width):
        return probabilities.argmax(0).numpy().astype(np.uint8)
    mask, best = np.zeros((height, width), np.uint8), np.full((height, width), -1, np.float32)
    for label, one in enumerate(probabilities.numpy()):
        here = cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR)
        np.copyto(mask, label, where=here > best)
        np.maximum(best, here, out=best)
    return mask

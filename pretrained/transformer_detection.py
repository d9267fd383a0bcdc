"""DETR (Carion et al. 2020) and YOLOS (Fang et al. 2021) by transformers, without the timm library.

The official DETR has timm's ResNet, whose names are those of explorer.models.resnet: that one stands in its place.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image
from torch import Tensor, nn
from transformers import DetrForObjectDetection, YolosForObjectDetection

from explorer.detections import Detections, best_first
from explorer.models.resnet import ResNet, ResNetConfig
from explorer.text import _
from pretrained import LoadError, hub, memory
from pretrained.download import Cancelled, Progress
from pretrained.foreign_loading import SAFE, one_at_a_time, unmap
from pretrained.image_models import IMAGENET_MEAN, IMAGENET_STD
from pretrained.records import Detector

BLOCKS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}
LONGEST = 5 / 3  # of the shorter side; a longer photo is scaled down further, as DETR was trained (800 to 1333)
STRIDE = 32  # pixels of the input for a cell of DETR's map


class Backbone(ResNet):
    """What DETR takes of a ResNet: the last map."""

    def __init__(self, config: ResNetConfig):
        super().__init__(config)
        del self.fc

    def forward(self, x: Tensor) -> list[Tensor]:  # type: ignore[override]
        """x: float32 (B, 3, H, W), normalised RGB → [(B, 2048, ⌈H/32⌉, ⌈W/32⌉)]."""
        *_others, last = self.maps(x).values()
        return [last]


class Detr(DetrForObjectDetection):
    """DETR with the explorer's ResNet, under timm's names, if its configuration asks for timm's."""

    def __init__(self, config: Any):
        asked = config.backbone_config
        blocks = BLOCKS.get(str(asked.backbone)) if asked.model_type == "timm_backbone" else None
        if blocks is not None:
            config = copy.deepcopy(config)
            config.backbone_config = transformers.ResNetConfig(out_features=["stage4"])  # type: ignore[call-arg]  # as wide
        super().__init__(config)
        if blocks is not None:
            self.model.backbone.model = Backbone(ResNetConfig(blocks=blocks, bottleneck=True, classes=1))


CLASSES: dict[str, Any] = {"DetrForObjectDetection": Detr, "YolosForObjectDetection": YolosForObjectDetection}


def load(
    model: Detector, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> tuple[nn.Module, tuple[str, ...]]:
    """(the network, names of its classes). LoadError: it could not be had, or its weights do not fit."""
    if hub.find(model.hub_repo, reads_text=False) is None:
        memory.check(int(model.megabytes * 1e6), model.name)
    folder = hub.fetch_repository(model.hub_repo, progress, cancelled, reads_text=False)
    return from_folder(folder, model.name, CLASSES[model.architecture])


def from_folder(folder: Path, name: str, kind: Any) -> tuple[nn.Module, tuple[str, ...]]:
    """As load, of files that are here: only safetensors are read, and no code. kind: one of CLASSES."""
    with one_at_a_time:
        try:
            module, report = kind.from_pretrained(
                folder,
                use_safetensors=True,
                attn_implementation="eager",
                dtype=torch.float32,
                output_loading_info=True,
                **SAFE,
            )
        except Exception as error:  # a foreign file can fail anywhere in the reader
            if memory.is_lack_of_memory(error):
                raise LoadError(_("There is not enough memory to load {name}.").format(name=name)) from error
            message = _("The weights of {name} are damaged, or do not fit what its configuration says.")
            raise LoadError(message.format(name=name)) from error
        unmap(module)
    missing = [key for key in report["missing_keys"] if not key.endswith("num_batches_tracked")]
    unknown = [key for key in report["unexpected_keys"] if not key.endswith("num_batches_tracked")]
    if missing or unknown or report["mismatched_keys"]:
        count = len(missing) + len(unknown) + len(report["mismatched_keys"])
        message = _(
            "The weights of {name} do not fit the network: {count} tensors are missing, left over or misshapen."
        )
        raise LoadError(message.format(name=name, count=count))
    names: dict[int, str] = module.config.id2label
    classes = tuple(names.get(number, "N/A") for number in range(max(names) + 1))
    return module.eval().requires_grad_(False), classes


def to_input(pixels: np.ndarray, shorter: int) -> Tensor:
    """uint8 (H, W, 3) RGB → float32 (1, 3, h, w), normalised. shorter: its shorter side; the longer is at most 5/3 of that."""
    height, width = pixels.shape[:2]
    scale = min(shorter / min(height, width), shorter * LONGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    x = torch.from_numpy(small.copy()).permute(2, 0, 1).contiguous().float() / 255
    mean, std = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_STD).view(3, 1, 1)
    return ((x - mean) / std)[None]


def look(
    module: nn.Module, classes: tuple[str, ...], pixels: np.ndarray, shorter: int
) -> tuple[Detections, np.ndarray, np.ndarray | None]:
    """(a box of each query, best first; which query; where the decoder's queries look, None where there is no decoder).

    The shapes are those of detection.Look.
    """
    x = to_input(pixels, shorter)
    is_detr = isinstance(module, DetrForObjectDetection)
    output = module(pixel_values=x, output_attentions=is_detr)
    probabilities = output.logits[0].softmax(-1)[:, :-1]  # (queries, classes); the last says that there is nothing
    scores, labels = probabilities.max(1)
    centre, size = output.pred_boxes[0, :, :2], output.pred_boxes[0, :, 2:]
    edges = torch.tensor([pixels.shape[1], pixels.shape[0]] * 2)
    boxes = (torch.cat([centre - size / 2, centre + size / 2], dim=1) * edges).clamp(min=0).minimum(edges)
    order = np.argsort(-scores.numpy(), kind="stable")
    found = best_first(boxes.numpy(), scores.numpy(), labels.numpy(), classes)
    if not is_detr:
        return found, order, None
    height, width = (-(-side // STRIDE) for side in x.shape[2:])
    maps = torch.cat(output.cross_attentions)  # (layers, heads, queries, height · width)
    return found, order, maps.unflatten(-1, (height, width)).numpy()

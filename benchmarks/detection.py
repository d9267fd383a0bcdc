"""Detection: the app's way from photo to boxes against the bare forward pass, YOLOX against torchvision's blocks, suppression.

torchvision has no YOLOX. Its peer here is the same network with each block of convolution, batch norm and SiLU replaced by
torchvision.ops.Conv2dNormActivation, on the same weights and in the same order; both give the same numbers.
"""

from __future__ import annotations

import copy
import statistics
from functools import partial

import torch
from torch import Tensor, nn
from torchvision import ops

from benchmarks.timing import compare, median_ratio
from explorer.detections import keep
from explorer.gallery import load_sample
from explorer.letterbox import letterbox
from explorer.models import boxes
from explorer.models.yolo import Convolution
from explorer.units import seconds_text
from pretrained import LoadError
from pretrained.detection import LoadedDetector, load_detector, look

MODEL = "yolox-highway"
PHOTO = "coco_street_bus_cars.jpg"
ROUNDS = 40
SCORE, OVERLAP = 0.3, 0.45
BOXES = (100, 1000)
GOAL = "≤ 1.05"


def run() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, goal)."""
    try:
        detector = load_detector(MODEL)
    except LoadError as error:
        return [("photo → boxes ÷ bare forward pass", str(error), GOAL)]
    with torch.inference_mode():
        return [whole_way(detector), against_blocks(detector), *(suppression(count) for count in BOXES)]


def whole_way(detector: LoadedDetector) -> tuple[str, str, str]:
    """Letterbox, network, decoding, sorting and suppression, as the app does it, against the network alone."""
    pixels, x = load_sample(PHOTO).pixels, network_input(detector)
    seconds = compare(
        {
            "ours": lambda: keep(look(detector, pixels).found, SCORE, OVERLAP),
            "bare": lambda: detector.module(x),
        },
        ROUNDS,
    )
    name = f"photo → boxes ÷ bare forward pass, {detector.model.name}, {detector.model.input_size}²"
    return name, _told(seconds, "ours", "bare"), GOAL


def against_blocks(detector: LoadedDetector) -> tuple[str, str, str]:
    """The forward pass against the same network in torchvision's blocks."""
    x, peer = network_input(detector), with_torchvisions_blocks(detector.module)
    for mine, other in zip(detector.module(x), peer(x), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)
    seconds = compare({"ours": lambda: detector.module(x), "blocks": lambda: peer(x)}, ROUNDS)
    return "YOLOX forward ÷ the same of torchvision's Conv2dNormActivation", _told(seconds, "ours", "blocks"), ""


def suppression(count: int) -> tuple[str, str, str]:
    """The readable suppression that is stepped through, against torchvision's compiled one, which the app runs."""
    found, scores = random_boxes(count)
    mine, other = boxes.nms(found, scores, OVERLAP), ops.nms(found, scores, OVERLAP)
    if not torch.equal(mine, other):
        raise AssertionError("the two keep different boxes")
    seconds = compare(
        {"ours": lambda: boxes.nms(found, scores, OVERLAP), "theirs": lambda: ops.nms(found, scores, OVERLAP)}, ROUNDS
    )
    return f"readable NMS ÷ torchvision.ops.nms, {count} boxes, {len(mine)} kept", _told(seconds, "ours", "theirs"), ""


def network_input(detector: LoadedDetector) -> Tensor:
    """The sample photo as the network takes it, float32 (1, 3, side, side)."""
    pixels = letterbox(load_sample(PHOTO).pixels[..., ::-1], detector.model.input_size).pixels
    return torch.from_numpy(pixels).permute(2, 0, 1).float()[None]


def with_torchvisions_blocks(module: nn.Module) -> nn.Module:
    """A copy whose Convolutions are torchvision's blocks, with the same weights."""
    copied = copy.deepcopy(module)
    for parent in list(copied.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Convolution):
                setattr(parent, name, torchvisions_block(child))
    return copied.eval().requires_grad_(False)


def torchvisions_block(block: Convolution) -> nn.Module:
    """Convolution, batch norm and SiLU by torchvision.ops, with the block's weights."""
    conv, norm = block.conv, block.bn
    made = ops.Conv2dNormActivation(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        conv.stride,
        groups=conv.groups,
        norm_layer=partial(nn.BatchNorm2d, eps=norm.eps, momentum=norm.momentum),
        activation_layer=nn.SiLU,
    )
    made[0].load_state_dict(conv.state_dict())
    made[1].load_state_dict(norm.state_dict())
    return made


def random_boxes(count: int) -> tuple[Tensor, Tensor]:
    """float32 (count, 4) boxes of 20 to 80 pixels in a photo of 400, and their scores, always the same."""
    made = torch.Generator().manual_seed(0)
    corner = torch.rand(count, 2, generator=made) * 320
    found = torch.cat([corner, corner + 20 + 60 * torch.rand(count, 2, generator=made)], dim=1)
    return found, torch.rand(count, generator=made)


def _told(seconds: dict[str, list[float]], ours: str, peer: str) -> str:
    mine, other = (seconds_text(statistics.median(seconds[name])) for name in (ours, peer))
    return f"{median_ratio(seconds, ours, peer):.2f} ({mine} ÷ {other})"


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")

"""Classification against the bare libraries: an answer in the app, Grad-CAM, and a forward pass of each family, in turns.

Our networks and torchvision's have the same weights and see the same photo. Each comparison is made twice: with as many
threads as torch takes by itself, and with one.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torchvision
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from benchmarks.timing import compare, median_ratio
from explorer.explain import enlarge, evidence, grad_cam, pass_through
from explorer.gallery import load_sample
from explorer.models import alexnet, googlenet, resnet, swin, vgg, vit
from pretrained.classification import Classifier, classify, load_classifier, look, named, preprocess

PHOTO = "coco_pizza.jpg"
BUNDLED = "resnet18-photos110"
SIDE = 224
ROUNDS = 60
FEW = 15
"""Rounds of the large networks."""
FAMILIES: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module], int]] = {
    "ResNet-18": (resnet.resnet18, torchvision.models.resnet18, ROUNDS),
    "ResNet-50": (resnet.resnet50, torchvision.models.resnet50, FEW),
    "GoogLeNet": (googlenet.googlenet, lambda: torchvision.models.googlenet(
        aux_logits=True, transform_input=True, init_weights=False), ROUNDS),
    "AlexNet": (alexnet.alexnet, torchvision.models.alexnet, ROUNDS),
    "VGG-16": (vgg.vgg16, torchvision.models.vgg16, FEW),
    "ViT-B/16": (vit.vit_b_16, torchvision.models.vit_b_16, FEW),
    "Swin-T": (swin.swin_t, torchvision.models.swin_t, FEW),
}  # fmt: skip
Row = tuple[str, str, str]


def run() -> list[Row]:
    """Rows of (what, measured, goal)."""
    rows = []
    for count in dict.fromkeys((torch.get_num_threads(), 1)):
        with threads(count):
            said = "1 thread" if count == 1 else f"{count} threads"
            rows += [*answers(said), *cams(said), *forwards(said)]
    return rows


def answers(said: str) -> Iterator[Row]:
    """From the photo to named classes, as the page does it and as its other models do, ÷ torchvision's forward pass alone."""
    classifier = load_classifier(BUNDLED)
    pixels = load_sample(PHOTO).pixels
    x = preprocess(classifier, pixels)
    theirs = resnet18_of_torchvision(classifier)
    seconds = compare(
        {
            "page": lambda: named(classifier, look(classifier, pixels).logits[0], pixels),
            "beside": lambda: classify(classifier, pixels),
            "theirs": lambda: forward(theirs, x),
        },
        2 * ROUNDS,
        warm_up=5,
    )
    side = classifier.model.input_size
    for name, what in (("beside", "classify"), ("page", "with all that Grad-CAM needs later")):
        yield (f"photo → named classes, ResNet-18, {side}², {what} ÷ torchvision's forward, {said}",
               ratio(seconds, name), "≤ 1.05")  # fmt: skip


def cams(said: str) -> Iterator[Row]:
    """Grad-CAM at the last block, at the size of the photo, ÷ pytorch-grad-cam's on torchvision's network; trained weights."""
    classifier = load_classifier(BUNDLED)
    ours, theirs = classifier.module, resnet18_of_torchvision(classifier)
    x = preprocess(classifier, load_sample(PHOTO).pixels)
    target, side = int(forward(ours, x)[0].argmax()), classifier.model.input_size
    targets = [ClassifierOutputTarget(target)]
    # The peer needs something that asks for gradients: the weights, as they come, or the photo, which is less work.
    waiting = x.clone().requires_grad_()
    with GradCAM(theirs, [theirs.layer4[1]]) as peer:
        expected = peer(waiting, targets)[0]
        found = scale_cam_image(scale_cam_image(grad_cam(ours, x, "layer4.1", target).cam[None], (side, side)))[0]
        correlation = float(np.corrcoef(found.ravel(), expected.ravel())[0, 1])
        tasks: dict[str, Callable[[], object]] = {
            "ours": lambda: enlarge(grad_cam(ours, x, "layer4.1", target).cam, side, side),
            "page": lambda: evidence(pass_through(ours, x), target),
            "theirs": lambda: peer(waiting, targets),
        }
        seconds = compare(tasks, ROUNDS)
    yield (f"Grad-CAM ÷ pytorch-grad-cam's, ResNet-18, {said}; correlation of the maps",
           f"{ratio(seconds, 'ours')}; {correlation:.6f}", "≤ 1.0; > 0.999")  # fmt: skip
    yield (f"the gradients at all blocks and at the photo ÷ the same, {said}", ratio(seconds, "page"), "")


def forwards(said: str) -> Iterator[Row]:
    """A photo's forward pass through each family ÷ torchvision's, with the same random weights."""
    for name, (build, reference, rounds) in FAMILIES.items():
        ours, theirs = twins(build(), reference())
        x = photo()
        off = float((forward(ours, x) - forward(theirs, x)).abs().max())
        seconds = compare({"ours": lambda: forward(ours, x), "theirs": lambda: forward(theirs, x)}, rounds)  # noqa: B023
        yield f"{name}, {SIDE}²: ours ÷ torchvision's, {said}", f"{ratio(seconds, 'ours')}; {off:.0e} apart", "≤ 1.1"


def ratio(seconds: dict[str, list[float]], name: str) -> str:
    """Of the medians, and the medians."""
    ours, theirs = (1000 * statistics.median(seconds[key]) for key in (name, "theirs"))
    return f"{median_ratio(seconds, name, 'theirs'):.2f} ({ours:.1f} ÷ {theirs:.1f} ms)"


def forward(network: Any, x: Tensor) -> Tensor:
    """Logits."""
    with torch.inference_mode():
        return network(x)


def photo() -> Tensor:
    """A sample photo at the size of the official networks, float32 (1, 3, SIDE, SIDE), normalised."""
    model = load_classifier(BUNDLED).model
    return torch.nn.functional.interpolate(
        preprocess(Classifier(model, None, ()), load_sample(PHOTO).pixels), (SIDE, SIDE), mode="bilinear"
    )


def resnet18_of_torchvision(classifier: Classifier) -> nn.Module:
    """torchvision's network with this classifier's weights."""
    theirs = torchvision.models.resnet18(num_classes=len(classifier.labels))
    theirs.load_state_dict(classifier.module.state_dict())
    return theirs.eval().requires_grad_(False)


def twins(ours: nn.Module, theirs: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The same weights in both, frozen, in evaluation mode."""
    ours.load_state_dict(theirs.state_dict())
    return ours.eval().requires_grad_(False), theirs.eval().requires_grad_(False)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Torch computes with so many inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")

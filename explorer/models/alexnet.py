"""AlexNet, in the form of Krizhevsky 2014 ("One weird trick …"): five convolutions, then three fully connected layers.

Parameter names are torchvision's, so `load_state_dict` takes the official checkpoint as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class AlexNetConfig:
    """channels: of the five convolutions; hidden: width of the fully connected layers; classes: length of the logits."""

    channels: tuple[int, int, int, int, int] = (64, 192, 384, 256, 256)
    hidden: int = 4096
    classes: int = 1000


class AlexNet(nn.Module):
    """Convolutions that see ever more of the photo, then layers that see all of it."""

    def __init__(self, config: AlexNetConfig):
        super().__init__()
        self.config = config
        c1, c2, c3, c4, c5 = config.channels
        # The numbers count ReLU, pooling and dropout too, as torchvision's do.
        self.features = nn.ModuleDict(
            {
                "0": nn.Conv2d(3, c1, 11, stride=4, padding=2),
                "3": nn.Conv2d(c1, c2, 5, padding=2),
                "6": nn.Conv2d(c2, c3, 3, padding=1),
                "8": nn.Conv2d(c3, c4, 3, padding=1),
                "10": nn.Conv2d(c4, c5, 3, padding=1),
            }
        )
        self.classifier = nn.ModuleDict(
            {
                "1": nn.Linear(c5 * 6 * 6, config.hidden),
                "4": nn.Linear(config.hidden, config.hidden),
                "6": nn.Linear(config.hidden, config.classes),
            }
        )

    def blocks(self) -> list[str]:
        """Names of what `maps` gives, in order."""
        return [f"conv{number}" for number in range(1, 6)]

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """The output of every convolution after its ReLU, by name ("conv1"), in order. Sizes for 224 pixels."""
        conv1, conv2, conv3, conv4, conv5 = self.features.values()
        maps = {}
        maps["conv1"] = x = F.relu(conv1(x))  # (B, 64, 55, 55)
        x = F.max_pool2d(x, 3, stride=2)  # (B, 64, 27, 27)
        maps["conv2"] = x = F.relu(conv2(x))  # (B, 192, 27, 27)
        x = F.max_pool2d(x, 3, stride=2)  # (B, 192, 13, 13)
        maps["conv3"] = x = F.relu(conv3(x))  # (B, 384, 13, 13)
        maps["conv4"] = x = F.relu(conv4(x))  # (B, 256, 13, 13)
        maps["conv5"] = x = F.relu(conv5(x))  # (B, 256, 13, 13)
        return maps

    def logits(self, x: Tensor) -> Tensor:
        """Last feature map (B, C, h, w) → logits (B, classes). Half of the hidden values are dropped in training."""
        fc1, fc2, fc3 = self.classifier.values()
        x = F.max_pool2d(x, 3, stride=2)  # (B, C, 6, 6) for 224 pixels
        x = F.adaptive_avg_pool2d(x, 6)  # (B, C, 6, 6) for any
        x = torch.flatten(x, 1)  # (B, C · 36)
        x = F.dropout(x, 0.5, self.training)
        x = F.relu(fc1(x))  # (B, hidden)
        x = F.dropout(x, 0.5, self.training)
        x = F.relu(fc2(x))  # (B, hidden)
        return fc3(x)

    def forward(self, x: Tensor) -> Tensor:
        """x: float32 (B, 3, H, W), normalised RGB, H and W ≥ 63 → logits float32 (B, classes)."""
        *_, last = self.maps(x).values()
        return self.logits(last)


def alexnet(classes: int = 1000) -> AlexNet:
    """61.1 M parameters at 1000 classes; torchvision.models.alexnet."""
    return AlexNet(AlexNetConfig(classes=classes))

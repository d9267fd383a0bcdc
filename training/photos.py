"""The photos that the bundled classifier learns from: imagenette96 and caltech101, 110 classes.

Images are decoded once into memory (about 700 MB as uint8); augmentation is one affine warp per image.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

STORED_SIZE = 128  # pixels: photos to learn from are kept as squares of this side
MEAN = (0.485, 0.456, 0.406)  # of ImageNet's training photos, RGB in 0–1
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Photos:
    """images: uint8 (N, side, side, 3) RGB; labels: int64 (N,); classes: the names that labels point at."""

    images: np.ndarray
    labels: Tensor
    classes: tuple[str, ...]


def class_folders(root: Path, split: str) -> list[tuple[str, Path]]:
    """(class name, folder) of all 110 classes, imagenette's ten first. split: "train" or "test"."""
    names = json.loads((root / "imagenette96/classes.json").read_text())
    imagenette = root / "imagenette96" / ("val" if split == "test" else split)
    caltech = root / "caltech101_max120" / split
    folders = [(names[folder.name], folder) for folder in sorted(imagenette.iterdir())]
    folders += [(folder.name.replace("_", " ").lower(), folder) for folder in sorted(caltech.iterdir())]
    return folders


def load_photos(root: Path, split: str, side: int = STORED_SIZE) -> Photos:
    """Decode one split. root: the folder in which both archives were unpacked, each into a folder of its name.

    side: of the squares that the photos are made, pixels.
    """
    images, labels, classes = [], [], []
    for label, (name, folder) in enumerate(class_folders(root, split)):
        classes.append(name)
        for path in sorted(folder.glob("*.jpg")):
            pixels = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            images.append(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA))
            labels.append(label)
    return Photos(np.stack(images), torch.tensor(labels), tuple(classes))


def random_view(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """A random crop of 30–100 % of the area, ratio 3:4–4:3, ±15° turned, perhaps mirrored. → uint8 (size, size, 3)."""
    side = image.shape[0]
    area, ratio = rng.uniform(0.3, 1.0), np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
    width, height = min(1.0, np.sqrt(area * ratio)) * side, min(1.0, np.sqrt(area / ratio)) * side
    centre_x = rng.uniform(width / 2, side - width / 2)
    centre_y = rng.uniform(height / 2, side - height / 2)
    angle = np.deg2rad(rng.uniform(-15, 15)) if rng.random() < 0.5 else 0.0
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    # Maps a pixel of the view (u, v) to one of the photo (x, y).
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = matrix @ np.diag([mirror * width / size, height / size])
    offset = np.array([centre_x, centre_y]) - matrix @ np.full(2, (size - 1) / 2)
    affine = np.column_stack([matrix, offset])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, affine, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101)


def jitter(batch: Tensor, strength: float = 0.3) -> Tensor:
    """Brightness, contrast and saturation each times 1 ± strength, per image. batch: float (B, 3, H, W), 0–1."""

    def factor() -> Tensor:
        return 1 + strength * (2 * torch.rand(len(batch), 1, 1, 1) - 1)

    batch = batch * factor()
    mean = batch.mean(dim=(1, 2, 3), keepdim=True)
    batch = (batch - mean) * factor() + mean
    grey = batch.mean(dim=1, keepdim=True)
    return ((batch - grey) * factor() + grey).clamp(0, 1)


def normalise(batch: Tensor) -> Tensor:
    """float (B, 3, H, W), 0–1 RGB → zero mean, unit deviation by ImageNet's figures."""
    mean, std = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(STD).view(1, 3, 1, 1)
    return (batch - mean) / std


def to_batch(images: list[np.ndarray]) -> Tensor:
    """uint8 (H, W, 3) images → float32 (B, 3, H, W), 0–1, channels last in memory."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(255)

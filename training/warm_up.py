"""What warms up a network that later learns another task from few photos: its trunk tells 110 classes of photo apart.

training/yolox_warm_up.py and training/unet_warm_up.py say which trunk.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.photos import Photos, jitter, load_photos, random_view, to_batch
from training.resnet18_classifier import cutmix
from training.running import cosine, decay_groups, learn, resume, save_checkpoint, write_line

BATCH = 128
PEAK_LEARNING_RATE = 0.2
WEIGHT_DECAY = 5e-4
LOG = "warm_up.jsonl"


@dataclass(frozen=True)
class WarmUp:
    """What differs between the networks.

    trunk: makes it, with random weights: float (B, 3, H, W) → its last maps (B, channels, h, w); seen: what it is given,
    from float (B, 3, H, W), RGB, 0–1; sizes: sides of the views in the first and the second half; file: of its checkpoint.
    """

    trunk: Callable[[], nn.Module]
    channels: int
    seen: Callable[[Tensor], Tensor]
    sizes: tuple[int, int]
    file: str


class Classifier(nn.Module):
    """The trunk, global average pooling, one linear layer."""

    def __init__(self, trunk: nn.Module, channels: int, classes: int):
        super().__init__()
        self.trunk = trunk
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: what the trunk is given → logits (B, classes)."""
        return self.fc(self.trunk(x).mean((2, 3)))


def load_trunk(path: Path) -> dict[str, Tensor]:
    """The trunk's state dict in the checkpoint."""
    saved = torch.load(path, weights_only=True)["model"]
    return {name.removeprefix("trunk."): tensor for name, tensor in saved.items() if name.startswith("trunk.")}


def epochs_run(out: Path) -> int:
    """How many epochs the log in `out` says that the warm-up has had."""
    return json.loads((out / LOG).read_text().splitlines()[-1])["epoch"] + 1


@torch.inference_mode()
def top1(model: nn.Module, photos: Photos, recipe: WarmUp) -> float:
    """Share of the photos named right, one view of 128 pixels each."""
    model.eval()
    right = 0
    for start in range(0, len(photos.images), BATCH):
        x = recipe.seen(to_batch(list(photos.images[start : start + BATCH])))
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(x.contiguous(memory_format=torch.channels_last))
        right += int((logits.argmax(1) == photos.labels[start : start + BATCH]).sum())
    return right / len(photos.images)


def train(recipe: WarmUp, data: Path, out: Path, epochs: int) -> None:
    """Train, or go on training, with a checkpoint after each epoch and a line in out/warm_up.jsonl."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    photos, held_out = load_photos(data, "train"), load_photos(data, "test")
    model = Classifier(recipe.trunk(), recipe.channels, len(photos.classes)).to(memory_format=torch.channels_last)
    groups = decay_groups(model.parameters(), WEIGHT_DECAY)
    optimizer = torch.optim.SGD(groups, lr=0.0, momentum=0.9, nesterov=True)
    first = resume(out / recipe.file, model=model, optimizer=optimizer)
    steps = len(photos.images) // BATCH
    for epoch in range(first, epochs):
        started, losses, rng = time.time(), [], np.random.default_rng(epoch)
        model.train()
        torch.manual_seed(epoch)
        order, size = rng.permutation(len(photos.images)), recipe.sizes[2 * epoch >= epochs]  # small and cheap at first
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = PEAK_LEARNING_RATE * cosine((epoch + step / steps) / epochs, 0.01)
            chosen = order[step * BATCH : (step + 1) * BATCH]
            x = recipe.seen(jitter(to_batch([random_view(photos.images[i], size, rng) for i in chosen])))
            target = F.one_hot(photos.labels[chosen], len(photos.classes)).float()
            target = 0.9 * target + 0.1 / len(photos.classes)
            if rng.random() < 0.3:
                x, target = cutmix(x, target, rng)
            losses.append(learn(model, optimizer, x, target))
        line = {"epoch": epoch, "of": epochs, "size": size, "loss": float(np.mean(losses))}
        line["seconds"] = time.time() - started
        if epoch % 5 == 4 or epoch == epochs - 1:
            line["top1"] = top1(model, held_out, recipe)
        write_line(out / LOG, line)
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
        save_checkpoint(state, out, recipe.file)

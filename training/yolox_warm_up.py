"""Warm up the detector's backbone: it learns to tell the 110 classes of imagenette96 and caltech101 apart, on a CPU.

python -m training.yolox_warm_up --data DIR --out DIR      # resumes; the result is DIR/backbone.pt
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.models.yolo import CSPDarknet
from training.photos import Photos, jitter, load_photos, random_view, to_batch
from training.resnet18_classifier import cutmix
from training.running import command_line, decay_groups, resume
from training.yolox_highway import BACKBONE, CONFIG, schedule

BATCH = 128
PEAK_LEARNING_RATE = 0.2
WEIGHT_DECAY = 5e-4


class Classifier(nn.Module):
    """The backbone, global average pooling, one linear layer."""

    def __init__(self, classes: int):
        super().__init__()
        self.backbone = CSPDarknet(CONFIG)
        self.fc = nn.Linear(CONFIG.channels(1024), classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: float (B, 3, H, W), BGR, 0–255 → logits (B, classes)."""
        *_, coarse = self.backbone(x)
        return self.fc(coarse.mean((2, 3)))


def view_size(epoch: int, epochs: int) -> int:
    """Side of the views in pixels: small and cheap at first."""
    return 96 if epoch < epochs / 2 else 128


def as_detector_sees(batch: Tensor) -> Tensor:
    """float (B, 3, H, W), 0–1 RGB → 0–255 BGR."""
    return batch.flip(1) * 255


@torch.inference_mode()
def top1(model: nn.Module, photos: Photos) -> float:
    """Share of the photos named right, one view of 128 pixels each."""
    model.eval()
    right = 0
    for start in range(0, len(photos.images), BATCH):
        x = as_detector_sees(to_batch(list(photos.images[start : start + BATCH])))
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(x.contiguous(memory_format=torch.channels_last))
        right += int((logits.argmax(1) == photos.labels[start : start + BATCH]).sum())
    return right / len(photos.images)


def train(data: Path, out: Path, epochs: int) -> None:
    """Train, or go on training, with a checkpoint after each epoch and a line in out/warm_up.jsonl."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    photos, held_out = load_photos(data, "train"), load_photos(data, "test")
    model = Classifier(len(photos.classes)).to(memory_format=torch.channels_last)
    groups = decay_groups(model.parameters(), WEIGHT_DECAY)
    optimizer = torch.optim.SGD(groups, lr=0.0, momentum=0.9, nesterov=True)
    first = resume(out / BACKBONE, model=model, optimizer=optimizer)
    steps = len(photos.images) // BATCH
    for epoch in range(first, epochs):
        started, losses, rng = time.time(), [], np.random.default_rng(epoch)
        model.train()
        torch.manual_seed(epoch)
        order, size = rng.permutation(len(photos.images)), view_size(epoch, epochs)
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = PEAK_LEARNING_RATE * schedule((epoch + step / steps) / epochs)
            chosen = order[step * BATCH : (step + 1) * BATCH]
            x = as_detector_sees(jitter(to_batch([random_view(photos.images[i], size, rng) for i in chosen])))
            target = F.one_hot(photos.labels[chosen], len(photos.classes)).float()
            target = 0.9 * target + 0.1 / len(photos.classes)
            if rng.random() < 0.3:
                x, target = cutmix(x, target, rng)
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(x.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits.float(), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        line = {"epoch": epoch, "of": epochs, "size": size, "loss": float(np.mean(losses))}
        line["seconds"] = time.time() - started
        if epoch % 5 == 4 or epoch == epochs - 1:
            line["top1"] = top1(model, held_out)
        with (out / "warm_up.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        print(line, flush=True)
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
        torch.save(state, out / "next.pt")
        (out / "next.pt").replace(out / BACKBONE)


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

"""Train the bundled ResNet-18 on imagenette96 + caltech101 (110 classes) on a CPU.

    python -m training.resnet18_classifier --data DIR --out DIR            # resumes from DIR/last.pt
    python -m training.resnet18_classifier --data DIR --out DIR --export   # the weights and their score

The views grow from 64 to 128 pixels while the network learns; the photos held out are scored at 128 pixels.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from explorer.models.resnet import resnet18
from training.photos import Photos, jitter, load_photos, normalise, random_view, to_batch
from training.running import (
    command_line,
    cosine,
    decay_groups,
    file_facts,
    learn,
    resume,
    save_checkpoint,
    to_full,
    to_half,
    write_card,
    write_line,
)

BATCH = 128
PEAK_LEARNING_RATE = 0.2
WEIGHT_DECAY = 5e-4
WEIGHTS = Path(__file__).parents[1] / "pretrained/weights/resnet18-photos110.safetensors"


def view_size(epoch: int, epochs: int) -> int:
    """Side of the training views in pixels: small and cheap at first, near the test size at last."""
    progress = epoch / epochs
    return 64 if progress < 0.4 else 80 if progress < 0.65 else 96 if progress < 0.9 else 112


def batches(photos: Photos, size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled, augmented batches: float32 (B, 3, size, size) normalised, soft targets float32 (B, 110)."""
    order = rng.permutation(len(photos.images))
    classes = len(photos.classes)
    for start in range(0, len(order) - BATCH + 1, BATCH):
        chosen = order[start : start + BATCH]
        x = normalise(jitter(to_batch([random_view(photos.images[i], size, rng) for i in chosen])))
        target = F.one_hot(photos.labels[chosen], classes).float()
        target = 0.9 * target + 0.1 / classes  # label smoothing (Szegedy et al. 2016)
        if rng.random() < 0.5:
            x, target = cutmix(x, target, rng)
        yield x, target


def cutmix(x: Tensor, target: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Paste a box of a shuffled batch into x and mix the targets by area (Yun et al. 2019)."""
    size, share = x.shape[-1], np.sqrt(1 - rng.beta(1.0, 1.0))
    half = int(size * share) // 2
    cx, cy = rng.integers(0, size, 2)
    top, bottom, left, right = max(cy - half, 0), min(cy + half, size), max(cx - half, 0), min(cx + half, size)
    other = torch.from_numpy(rng.permutation(len(x)))
    x = x.clone()
    x[:, :, top:bottom, left:right] = x[other, :, top:bottom, left:right]
    kept = 1 - (bottom - top) * (right - left) / size**2
    return x, kept * target + (1 - kept) * target[other]


@torch.inference_mode()
def score(model: nn.Module, photos: Photos, fast: bool = False, imagenette_classes: int = 10) -> dict[str, float]:
    """Top-1 and top-5 on a held-out split, over all photos and per source; one view a photo, as it is kept. fast: in bf16."""
    model.eval()
    ranks = []
    for start in range(0, len(photos.images), BATCH):
        x = normalise(to_batch(list(photos.images[start : start + BATCH])))
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            logits = model(x.contiguous(memory_format=torch.channels_last)).float()
        own = logits.gather(1, photos.labels[start : start + BATCH, None])
        ranks.append((logits > own).sum(1))
    rank = torch.cat(ranks)
    is_imagenette = photos.labels < imagenette_classes
    return {
        "top1": (rank < 1).float().mean().item(),
        "top5": (rank < 5).float().mean().item(),
        "top1_imagenette": (rank[is_imagenette] < 1).float().mean().item(),
        "top1_caltech101": (rank[~is_imagenette] < 1).float().mean().item(),
    }


def train(data: Path, out: Path, epochs: int) -> None:
    """Train, or go on training, with a checkpoint after each epoch and a line in out/log.jsonl."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    photos, held_out = load_photos(data, "train"), load_photos(data, "test")
    model = resnet18(len(photos.classes)).to(memory_format=torch.channels_last)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.998), use_buffers=True)
    optimizer = torch.optim.SGD(decay_groups(model.parameters(), WEIGHT_DECAY), lr=0.0, momentum=0.9, nesterov=True)
    first = resume(out / "last.pt", model=model, averaged=averaged, optimizer=optimizer)
    steps = len(photos.images) // BATCH
    for epoch in range(first, epochs):
        started, size, losses = time.time(), view_size(epoch, epochs), []
        model.train()
        rng = np.random.default_rng(epoch)
        for step, (x, target) in enumerate(batches(photos, size, rng)):
            for group in optimizer.param_groups:
                group["lr"] = PEAK_LEARNING_RATE * cosine((epoch + step / steps) / epochs, rising=0.1)
            losses.append(learn(model, optimizer, x, target))
            averaged.update_parameters(model)
        line = {"epoch": epoch, "size": size, "loss": float(np.mean(losses)), "seconds": time.time() - started}
        if epoch % 3 == 2 or epoch >= epochs - 3:
            line |= score(averaged.module, held_out, fast=True)
        write_line(out / "log.jsonl", line)
        state = {"model": model.state_dict(), "averaged": averaged.state_dict(), "optimizer": optimizer.state_dict()}
        save_checkpoint(state | {"epoch": epoch}, out)


def export(data: Path, out: Path) -> None:
    """Write the averaged weights as fp16 safetensors, and beside them the score of exactly that file as JSON."""
    held_out = load_photos(data, "test")
    model = resnet18(len(held_out.classes))
    averaged = AveragedModel(model)
    state = torch.load(out / "last.pt", weights_only=True)
    averaged.load_state_dict(state["averaged"])
    half = to_half(averaged.module.state_dict())
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, WEIGHTS, metadata={"classes": json.dumps(held_out.classes), "epochs": str(state["epoch"] + 1)})
    model.load_state_dict(to_full(half))
    facts = score(model.to(memory_format=torch.channels_last), held_out)
    facts |= {"epochs": state["epoch"] + 1} | file_facts(WEIGHTS)
    write_card(WEIGHTS, facts)


if __name__ == "__main__":
    command_line(
        __doc__,
        data="folder with imagenette96/ and caltech101_max120/",
        amount="epochs",
        default=43,
        train=train,
        export=export,
    )

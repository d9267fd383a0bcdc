"""How the bundled U-Nets are trained and scored; training/unet_camvid.py and training/unet_pets.py say on what."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from explorer.models.unet import UNet, UNetConfig
from training.photos import jitter, normalise, to_batch
from training.running import cosine, decay_groups, file_facts, resume, save_checkpoint, to_full, to_half, write_line
from training.warm_up import epochs_run, load_trunk

IGNORED = 255
BATCH = 8
PEAK_LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
AVERAGE = 0.995  # share of the averaged weights that a step keeps
WIDTH, DEPTH = 24, 4  # of the networks
ENCODER = "encoder.pt"


@dataclass(frozen=True)
class Scene:
    """image: uint8 (H, W, 3) RGB; mask: uint8 (H, W), the class of each pixel, IGNORED where none is known."""

    image: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class Recipe:
    """What differs between the two: the classes and the training views; width and depth of the network are the same.

    size: side of a training view; least, most: the side of what it shows, as shares of the photo's shorter side;
    turn: degrees to either side; weights: file name of the export; begins_with: weights of a U-Net of other classes, None for
    the warmed-up encoder; rarity: power to which the classes' weights in the loss are raised, 0 for equal ones.
    """

    classes: tuple[str, ...]
    size: int
    least: float
    most: float
    turn: float
    weights: Path
    begins_with: Path | None = None
    rarity: float = 1.0
    width: int = WIDTH
    depth: int = DEPTH

    def network(self) -> UNet:
        """With random weights."""
        return UNet(UNetConfig(len(self.classes), self.width, self.depth))

    def folder(self, out: Path) -> Path:
        """For its checkpoints and its log, in the folder in which the warmed-up encoder is."""
        return out / self.weights.stem


def view(scene: Scene, recipe: Recipe, rng: np.random.Generator) -> Scene:
    """A random square of the scene, perhaps turned and mirrored, recipe.size pixels a side."""
    height, width = scene.mask.shape
    side = np.exp(rng.uniform(np.log(recipe.least), np.log(recipe.most))) * min(height, width)
    ratio = np.exp(rng.uniform(-0.15, 0.15))  # of the sides, as a photo taken at a slant
    scale_x, scale_y = side * ratio / recipe.size, side / ratio / recipe.size
    reach_x, reach_y = min(side * ratio, width) / 2, min(side / ratio, height) / 2
    centre = np.array([rng.uniform(reach_x, width - reach_x), rng.uniform(reach_y, height - reach_y)])
    angle = np.deg2rad(rng.uniform(-recipe.turn, recipe.turn))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    # Maps a pixel of the view to one of the scene.
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = matrix @ np.diag([mirror * scale_x, scale_y])
    affine = np.column_stack([matrix, centre - matrix @ np.full(2, (recipe.size - 1) / 2)])
    size = (recipe.size, recipe.size)
    smooth, sharp = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return Scene(
        cv2.warpAffine(scene.image, affine, size, flags=smooth, borderMode=cv2.BORDER_REFLECT_101),
        cv2.warpAffine(scene.mask, affine, size, flags=sharp, borderMode=cv2.BORDER_CONSTANT, borderValue=IGNORED),
    )


def batches(scenes: list[Scene], recipe: Recipe, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled views: float32 (B, 3, size, size) normalised, int64 (B, size, size)."""
    order = rng.permutation(len(scenes))
    for start in range(0, len(order) - BATCH + 1, BATCH):
        views = [view(scenes[i], recipe, rng) for i in order[start : start + BATCH]]
        x = normalise(jitter(to_batch([v.image for v in views]), 0.4))
        yield x, torch.from_numpy(np.stack([v.mask for v in views])).long()


def class_weights(scenes: list[Scene], classes: int, power: float = 1.0) -> Tensor:
    """1 / ln(1.02 + share of the pixels): rare classes count more (Paszke et al. 2016, ENet); to this power, with mean 1."""
    counts = sum(np.bincount(scene.mask.ravel(), minlength=256)[:classes] for scene in scenes)
    weights = np.log(1.02 + counts / counts.sum()) ** -power
    return torch.tensor(weights / weights.mean(), dtype=torch.float32)


@torch.inference_mode()
def confusion(model: UNet, scenes: list[Scene], fast: bool = False) -> np.ndarray:
    """int64 (classes, classes): pixels by true class (row) and predicted class (column), ignored pixels left out.

    Each photo as it is, continued at the bottom and at the right by its reflection to a multiple of 2^depth. fast: in bf16.
    """
    model.eval()
    classes, step = model.config.classes, 2**model.config.depth
    counts = np.zeros((classes, classes), np.int64)
    for scene in scenes:
        height, width = scene.mask.shape
        x = normalise(to_batch([scene.image]))
        x = F.pad(x, (0, -width % step, 0, -height % step), mode="reflect")
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            logits = model(x.contiguous(memory_format=torch.channels_last))
        predicted = logits[0, :, :height, :width].argmax(0).numpy()
        known = scene.mask != IGNORED
        pairs = scene.mask[known].astype(np.int64) * classes + predicted[known]
        counts += np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    return counts


def ious(counts: np.ndarray) -> np.ndarray:
    """Intersection over union of each class, float64 (classes,), of what `confusion` counted."""
    right = counts.diagonal()
    return right / (counts.sum(0) + counts.sum(1) - right)


def beginning(recipe: Recipe, out: Path) -> UNet:
    """The network as its training begins: all but the last layer from recipe.begins_with, or the warmed-up encoder alone."""
    model = recipe.network()
    if recipe.begins_with is None:
        state, new = load_trunk(out / ENCODER), ("up.", "decoder.", "head.")
    else:
        state, new = to_full(load_file(recipe.begins_with)), ("head.",)
    found = model.load_state_dict({name: t for name, t in state.items() if not name.startswith(new)}, strict=False)
    assert not found.unexpected_keys, found
    assert all(name.startswith(new) for name in found.missing_keys), found
    return model


def train(recipe: Recipe, scenes: list[Scene], held_out: list[Scene], out: Path, epochs: int) -> None:
    """Train, or go on training, with a checkpoint after each epoch and a line in log.jsonl, both in recipe.folder(out).

    held_out is scored now and then for the log; nothing is chosen by it.
    """
    torch.manual_seed(0)
    model = beginning(recipe, out).to(memory_format=torch.channels_last)
    out = recipe.folder(out)
    out.mkdir(parents=True, exist_ok=True)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE), use_buffers=True)
    groups = decay_groups(model.parameters(), WEIGHT_DECAY)
    optimizer = torch.optim.AdamW(groups, lr=0.0)
    weights = class_weights(scenes, len(recipe.classes), recipe.rarity)
    first = resume(out / "last.pt", model=model, averaged=averaged, optimizer=optimizer)
    steps = len(scenes) // BATCH
    for epoch in range(first, epochs):
        started, losses = time.time(), []
        model.train()
        torch.manual_seed(epoch)
        for step, (x, target) in enumerate(batches(scenes, recipe, np.random.default_rng(epoch))):
            for group in optimizer.param_groups:
                group["lr"] = PEAK_LEARNING_RATE * cosine((epoch + step / steps) / epochs)
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(x.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(logits.float(), target, weights, ignore_index=IGNORED)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            averaged.update_parameters(model)
            losses.append(loss.item())
        line: dict[str, Any] = {"epoch": epoch, "of": epochs, "loss": float(np.mean(losses))}
        line["seconds"] = time.time() - started
        if epoch % 10 == 9 or epoch == epochs - 1:
            line["iou"] = ious(confusion(averaged.module, held_out, fast=True)).round(4).tolist()
            line["mean_iou"] = float(np.mean(line["iou"]))
        write_line(out / "log.jsonl", line)
        state = {"model": model.state_dict(), "averaged": averaged.state_dict(), "optimizer": optimizer.state_dict()}
        save_checkpoint(state | {"epoch": epoch}, out)


def export(recipe: Recipe, held_out: list[Scene], out: Path) -> dict[str, Any]:
    """Write the averaged weights as fp16 safetensors; → what exactly that file scores, for `write_card`."""
    averaged = AveragedModel(recipe.network())
    saved = torch.load(recipe.folder(out) / "last.pt", weights_only=True)
    averaged.load_state_dict(saved["averaged"])
    state = averaged.module.state_dict()
    half = to_half(state)
    recipe.weights.parent.mkdir(parents=True, exist_ok=True)
    config = {"width": recipe.width, "depth": recipe.depth}
    save_file(half, recipe.weights, metadata={"classes": json.dumps(recipe.classes), "config": json.dumps(config)})
    found = ious(confusion(exported(recipe), held_out))
    log = [json.loads(line) for line in (recipe.folder(out) / "log.jsonl").read_text().splitlines()]
    begun = {"begins_with": recipe.begins_with.stem} if recipe.begins_with else {"warm_up_epochs": epochs_run(out)}
    return {
        "mean_iou": float(found.mean()),
        "iou": dict(zip(recipe.classes, found.round(4).tolist(), strict=True)),
        "photos": len(held_out),
        "epochs": saved["epoch"] + 1,
        "loss_curve": [[line["epoch"], round(line["loss"], 4)] for line in log],
    } | (begun | file_facts(recipe.weights))


def exported(recipe: Recipe) -> UNet:
    """The network with the weights that were written, in fp32."""
    model = recipe.network().to(memory_format=torch.channels_last)
    model.load_state_dict(to_full(load_file(recipe.weights)))
    return model.eval()

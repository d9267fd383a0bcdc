"""Train the bundled YOLOX, depth 0.33 and width 0.25 with plain convolutions, on photos of roads, on a CPU.

    python -m training.yolox_warm_up --data DIR --out DIR            # first: the backbone learns from photos of other things
    python -m training.yolox_highway --data DIR --out DIR            # resumes from DIR/last.pt
    python -m training.yolox_highway --data DIR --out DIR --export   # the weights and their score

Most views are mosaics of four photos; the last fifth of the epochs shows whole photos. The validation photos are scored, those
that nearly equal a training photo left out, at 320 pixels.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchvision.ops import batched_nms

from explorer.letterbox import letterbox
from explorer.models.boxes import corners
from explorer.models.yolo import YOLOX, YoloxConfig, decode
from training.highway import Road, classes, load, mosaic, recolour, single
from training.running import (
    command_line,
    cosine,
    decay_groups,
    file_facts,
    resume,
    save_checkpoint,
    to_full,
    to_half,
    write_card,
    write_line,
)
from training.simota import losses
from training.warm_up import epochs_run, load_trunk

CONFIG = YoloxConfig(classes=5, depth=0.33, width=0.25)
BATCH = 32
PEAK_LEARNING_RATE = 0.02
WEIGHT_DECAY = 5e-4
SIZES = (224, 256, 288, 320)
"""Sides of the training views, one for each batch."""
TEST_SIZE = 320
MOSAICS = 0.6  # of the views
PLAIN_FROM = 0.8  # of the training; from there on no mosaics
LEAST_SCORE, OVERLAP = 0.01, 0.65  # of the boxes that are scored
BACKBONE = "backbone.pt"
WEIGHTS = Path(__file__).parents[1] / "pretrained/weights/yolox-highway.safetensors"


def to_input(images: list[np.ndarray]) -> Tensor:
    """uint8 (H, W, 3) BGR → float32 (B, 3, H, W), 0–255, channels last in memory."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()


def batches(
    roads: list[Road], progress: float, rng: np.random.Generator
) -> Iterator[tuple[Tensor, list[Tensor], list[Tensor]]]:
    """Shuffled views: float32 (B, 3, size, size) BGR; of each the boxes as centre, width, height, and the labels."""
    order = rng.permutation(len(roads))
    for start in range(0, len(order) - BATCH + 1, BATCH):
        size = int(rng.choice(SIZES))
        views = []
        for i in order[start : start + BATCH]:
            mixed = progress < PLAIN_FROM and rng.random() < MOSAICS
            views.append(mosaic(roads, size, rng) if mixed else single(roads[i], size, rng))
        x = to_input([recolour(v.image, rng) for v in views])
        boxes = [torch.from_numpy(v.boxes) for v in views]
        objects = [torch.cat([(b[:, :2] + b[:, 2:]) / 2, b[:, 2:] - b[:, :2]], dim=1) for b in boxes]
        yield x, objects, [torch.from_numpy(v.labels) for v in views]


@torch.inference_mode()
def score(model: YOLOX, roads: list[Road], names: tuple[str, ...], fast: bool = False) -> dict[str, Any]:
    """mAP as COCO measures it (pycocotools): at an IoU of 0.5, over 0.5–0.95, and by class at 0.5. fast: in bf16."""
    model.eval()
    images, annotations, found = [], [], []
    for number, road in enumerate(roads):
        images.append({"id": number, "height": road.image.shape[0], "width": road.image.shape[1]})
        for (x0, y0, x1, y1), label in zip(road.boxes.tolist(), road.labels.tolist(), strict=True):
            box = [x0, y0, x1 - x0, y1 - y0]
            facts = {"id": len(annotations) + 1, "image_id": number, "category_id": label, "iscrowd": 0}
            annotations.append(facts | {"bbox": box, "area": box[2] * box[3]})
        box = letterbox(road.image, TEST_SIZE)
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            grids = model(to_input([box.pixels]).contiguous(memory_format=torch.channels_last))
        rows = decode([grid.float() for grid in grids])[0]
        scores, labels = (rows[:, 4:5] * rows[:, 5:]).max(1)
        likely = scores > LEAST_SCORE
        boxes, scores, labels = corners(rows[likely, :4]), scores[likely], labels[likely]
        kept = batched_nms(boxes, scores, labels, OVERLAP)
        for (x0, y0, x1, y1), s, label in zip(
            box.to_photo(boxes[kept].numpy()).tolist(), scores[kept].tolist(), labels[kept].tolist(), strict=True
        ):
            found.append({"image_id": number, "category_id": label, "bbox": [x0, y0, x1 - x0, y1 - y0], "score": s})
    if not found:
        return {"map50": 0.0, "map": 0.0, "ap50": dict.fromkeys(names, 0.0)}
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        truth = COCO()
        truth.dataset = {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": i, "name": name} for i, name in enumerate(names)],
        }
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(found), "bbox")
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][..., 0, -1]  # (10 IoUs, 101 recalls, classes)
    there = [i for i in range(len(names)) if any((road.labels == i).any() for road in roads)]
    by_class = {names[i]: float(precision[0, :, i].mean()) for i in there}
    precision = precision[..., there]
    return {"map50": float(precision[0].mean()), "map": float(precision.mean()), "ap50": by_class}


def warmed_up(out: Path) -> YOLOX:
    """The network, its backbone as the warm-up left it."""
    model = YOLOX(CONFIG)
    model.backbone.backbone.load_state_dict(load_trunk(out / BACKBONE))
    return model


def train(data: Path, out: Path, epochs: int) -> None:
    """Train, or go on training, with a checkpoint after each epoch and a line in out/log.jsonl."""
    torch.manual_seed(0)
    roads, held_out, names = load(data, "train"), load(data, "valid"), classes(data)
    model = warmed_up(out).to(memory_format=torch.channels_last)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.998), use_buffers=True)
    groups = decay_groups(model.parameters(), WEIGHT_DECAY)
    optimizer = torch.optim.SGD(groups, lr=0.0, momentum=0.9, nesterov=True)
    first = resume(out / "last.pt", model=model, averaged=averaged, optimizer=optimizer)
    steps = len(roads) // BATCH
    for epoch in range(first, epochs):
        started, seen = time.time(), []
        model.train()
        for step, (x, objects, labels) in enumerate(batches(roads, epoch / epochs, np.random.default_rng(epoch))):
            for group in optimizer.param_groups:
                group["lr"] = PEAK_LEARNING_RATE * cosine((epoch + step / steps) / epochs, 0.01)
            with torch.autocast("cpu", torch.bfloat16):
                grids = model(x.contiguous(memory_format=torch.channels_last))
            loss = losses([grid.float() for grid in grids], objects, labels, precise=epoch / epochs >= PLAIN_FROM)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
            averaged.update_parameters(model)
            seen.append(loss.item())
        line: dict[str, Any] = {"epoch": epoch, "of": epochs, "loss": float(np.mean(seen))}
        line["seconds"] = time.time() - started
        if epoch % 10 == 9 or epoch == epochs - 1:
            line |= score(averaged.module, held_out, names, fast=True)
        write_line(out / "log.jsonl", line)
        state = {"model": model.state_dict(), "averaged": averaged.state_dict(), "optimizer": optimizer.state_dict()}
        save_checkpoint(state | {"epoch": epoch}, out)


def export(data: Path, out: Path) -> None:
    """Write the averaged weights as fp16 safetensors, and beside them the score of exactly that file as JSON."""
    names, held_out = classes(data), load(data, "valid")
    averaged = AveragedModel(YOLOX(CONFIG))
    saved = torch.load(out / "last.pt", weights_only=True)
    averaged.load_state_dict(saved["averaged"])
    half = to_half(averaged.module.state_dict())
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, WEIGHTS, metadata={"classes": json.dumps(names), "config": json.dumps(asdict(CONFIG))})
    model = YOLOX(CONFIG).to(memory_format=torch.channels_last)
    model.load_state_dict(to_full(load_file(WEIGHTS)))
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    facts = score(model, held_out, names)
    facts |= {
        "photos": len(held_out),
        "epochs": saved["epoch"] + 1,
        "warm_up_epochs": epochs_run(out),
        "loss_curve": [[line["epoch"], round(line["loss"], 4)] for line in log],
    } | file_facts(WEIGHTS)
    write_card(WEIGHTS, facts)


if __name__ == "__main__":
    command_line(
        __doc__,
        data="folder with highway5_304/ and highway5_near_duplicates_of_train.json",
        amount="epochs",
        default=130,
        train=train,
        export=export,
    )

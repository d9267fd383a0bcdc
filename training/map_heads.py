"""Train attention blocks on the bundled ResNet-18's maps, on imagenette96 + caltech101 (110 classes): minutes on a CPU.

    python -m training.map_heads --data DIR --out DIR            # writes DIR/last.pt
    python -m training.map_heads --data DIR --out DIR --export   # the weights and their scores

The ResNet stays as it is. Its maps after stage 3, 256 channels of 8 × 8 cells, are computed once for every photo and its
mirror image; on them three small heads learn side by side, with the same batches and the same schedule.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from explorer.models.attention_blocks import map_heads
from pretrained.catalog import get
from pretrained.classification import load_classifier
from pretrained.map_heads import BUNDLED
from pretrained.records import MapHeadsModel
from training.photos import Photos, load_photos, normalise, to_batch
from training.running import command_line, file_facts, save_checkpoint, to_full, to_half, write_card

BATCH = 256
PEAK_LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
WEIGHTS = Path(__file__).parents[1] / f"pretrained/weights/{BUNDLED}.safetensors"


@torch.inference_mode()
def maps_of(photos: Photos, model: MapHeadsModel, mirrored: bool = False) -> Tensor:
    """The maps that the heads see, float16 (N, C, h, w), computed in bf16."""
    network = load_classifier(model.backbone).module.to(memory_format=torch.channels_last)
    found = []
    for start in range(0, len(photos.images), BATCH):
        x = normalise(to_batch(list(photos.images[start : start + BATCH])))
        x = (x.flip(3) if mirrored else x).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            found.append(network.maps(x)[model.layer].half().contiguous())
    return torch.cat(found)


def new_heads(model: MapHeadsModel, classes: int) -> nn.ModuleDict:
    """Untrained. The attention block begins by changing nothing (Wang et al. 2018, section 4.1)."""
    torch.manual_seed(0)
    heads = map_heads(model.channels, classes, model.squeezed, model.heads)
    out = heads["attention"].block.attention.out_proj
    nn.init.zeros_(out.weight)
    nn.init.zeros_(out.bias)
    return heads


def fit(heads: nn.ModuleDict, maps: Tensor, labels: Tensor, epochs: int) -> list[dict[str, float]]:
    """Teach all heads, each by its own optimizer. maps: float16 (N, C, h, w). → of each epoch, each head's mean loss."""
    optimizers = {name: torch.optim.AdamW(head.parameters(), lr=0.0, weight_decay=WEIGHT_DECAY)
                  for name, head in heads.items()}  # fmt: skip
    steps, log = len(maps) // BATCH, []
    for epoch in range(epochs):
        order = torch.from_numpy(np.random.default_rng(epoch).permutation(len(maps)))
        seen: dict[str, list[float]] = {name: [] for name in heads}
        for step in range(steps):
            chosen = order[step * BATCH : (step + 1) * BATCH]
            x, target = maps[chosen].float(), labels[chosen]
            progress = (epoch + step / steps) / epochs
            for name, head in heads.items():
                optimizers[name].param_groups[0]["lr"] = PEAK_LEARNING_RATE * min(progress / 0.1, (1 - progress) / 0.9)
                with torch.autocast("cpu", torch.bfloat16):
                    logits = head(x)
                loss = F.cross_entropy(logits.float(), target, label_smoothing=0.1)
                optimizers[name].zero_grad()
                loss.backward()
                optimizers[name].step()
                seen[name].append(loss.item())
        log.append({name: float(np.mean(losses)) for name, losses in seen.items()})
        print({"epoch": epoch} | log[-1], flush=True)
    return log


@torch.inference_mode()
def right(heads: nn.ModuleDict, maps: Tensor, labels: Tensor) -> dict[str, float]:
    """The share of photos whose best answer is right, by head."""
    return {
        name: torch.cat([head(part.float()).argmax(1) for part in maps.split(BATCH)]).eq(labels).float().mean().item()
        for name, head in heads.items()
    }


def train(data: Path, out: Path, epochs: int) -> None:
    """From start to end in one go: it takes minutes."""
    out.mkdir(parents=True, exist_ok=True)
    model, photos = get(BUNDLED, MapHeadsModel), load_photos(data, "train")
    maps = torch.cat([maps_of(photos, model), maps_of(photos, model, mirrored=True)])
    heads = new_heads(model, len(photos.classes))
    log = fit(heads, maps, photos.labels.repeat(2), epochs)
    save_checkpoint({"heads": heads.state_dict(), "epochs": epochs, "loss_curve": log}, out)


def export(data: Path, out: Path) -> None:
    """Write the weights as fp16 safetensors, and beside them the scores of exactly that file as JSON."""
    model, held_out = get(BUNDLED, MapHeadsModel), load_photos(data, "test")
    saved = torch.load(out / "last.pt", weights_only=True)
    half = to_half(saved["heads"])
    save_file(half, WEIGHTS, metadata={"classes": json.dumps(held_out.classes), "epochs": str(saved["epochs"])})
    heads = new_heads(model, len(held_out.classes))
    heads.load_state_dict(to_full(half))
    facts = {
        "top1": right(heads.eval(), maps_of(held_out, model), held_out.labels),
        "parameters": {name: sum(p.numel() for p in head.parameters()) for name, head in heads.items()},
        "photos": len(held_out.images),
        "epochs": saved["epochs"],
    } | file_facts(WEIGHTS)
    write_card(WEIGHTS, facts)


if __name__ == "__main__":
    command_line(
        __doc__,
        data="folder with imagenette96/ and caltech101_max120/",
        amount="epochs",
        default=8,
        train=train,
        export=export,
    )

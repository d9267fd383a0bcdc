"""Train the bundled Vision Transformer on imagenette96 + caltech101 (110 classes) on a CPU, taught by the bundled ResNet-18.

    python -m training.vit_classifier --data DIR --out DIR            # resumes from DIR/last.pt
    python -m training.vit_classifier --data DIR --out DIR --export   # the weights and their score
    python -m training.vit_classifier --data DIR --out DIR --plain    # the same network without a teacher, for comparison

A Transformer knows nothing of neighbourhoods at first and has few photos to learn it from, so the ResNet helps in two ways,
on the very view that the student sees (Beyer et al. 2022). The distillation token learns what the teacher answers (Touvron
et al. 2021), and the patches of three layers learn what the teacher's stages hold at their place (Li et al. 2022, "Locality
Guidance"). The views grow from 64 to 96 pixels; the positions are interpolated.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from explorer.models.positions import sinusoid_positions
from explorer.models.resnet import ResNet
from explorer.models.vit import VisionTransformer, vit_small_96, vit_small_96_plain
from pretrained.classification import load_classifier
from training.photos import load_photos
from training.resnet18_classifier import BATCH, batches, score
from training.running import command_line, file_facts, save_checkpoint, to_full, to_half, write_card, write_line

PEAK_LEARNING_RATE = 1e-3  # of AdamW
PEAK_ENCODER_LEARNING_RATE = 3e-3  # of Muon, in the scale of "match_rms_adamw"
WEIGHT_DECAY = 0.05
TEACHER = "resnet18-photos110"
TEACHER_SIZE = 96  # pixels: the teacher sees smaller views enlarged to this
STAGES = {2: "layer2.1", 4: "layer3.1", 6: "layer4.1"}  # after so many blocks the patches resemble this stage
WEIGHTS = Path(__file__).parents[1] / "pretrained/weights/vit-photos110.safetensors"


class Lessons(nn.Module):
    """What the student's patches are compared by: one linear map for each stage, from their width to its channels."""

    def __init__(self, width: int, channels: tuple[int, ...] = (128, 256, 512)):
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(width, count) for count in channels)

    def forward(self, tokens: list[Tensor], stages: list[Tensor], side: int) -> Tensor:
        """About the share of the stages' variance that the patches do not explain, summed over the stages: 3 at first.

        tokens: patches after some layers, each (B, side · side, width); stages: (B, C, h, w).
        """
        losses = []
        for linear, patches, stage in zip(self.maps, tokens, stages, strict=True):
            wanted = stage.float()
            wanted = (wanted - wanted.mean((0, 2, 3), keepdim=True)) / (wanted.std((0, 2, 3), keepdim=True) + 1e-3)
            wanted = F.interpolate(wanted, (side, side), mode="bilinear", align_corners=False)
            losses.append(F.mse_loss(linear(patches).float(), wanted.flatten(2).transpose(1, 2)))
        return torch.stack(losses).sum()


def view_size(epoch: int, epochs: int) -> int:
    """Side of the student's views in pixels: small and cheap at first, the test size at last."""
    progress = epoch / epochs
    return 64 if progress < 0.7 else 80 if progress < 0.9 else 96


def schedule(progress: float) -> float:
    """The share of the peak learning rate: linear warm-up over the first 5 %, then linear to zero. progress: 0–1."""
    return min(progress / 0.05, (1 - progress) / 0.95)


@torch.no_grad()
def initialise(model: VisionTransformer) -> None:
    """Begin like a trained network: heads look at what is like them, and so near them (Trockman and Kolter 2023).

    W_Q W_Kᵀ ≈ I and W_V W_O ≈ −I, each with noise; the positions begin as sines and cosines of row and column.
    """
    config = model.config
    width, d_head = config.width, config.width // config.heads

    def factors(diagonal: float, noise: float, rank: int) -> tuple[Tensor, Tensor]:
        """Two (width, rank) matrices A, B with A Bᵀ near diagonal · I + noise."""
        target = noise * torch.randn(width, width) / width**0.5 + diagonal * torch.eye(width)
        u, s, v = torch.linalg.svd(target)
        return u[:, :rank] * s[:rank].sqrt(), v.T[:, :rank] * s[:rank].sqrt()

    for block in model.encoder.layers.values():
        attention = block.self_attention
        heads = [factors(0.7, 0.7, d_head) for _ in range(config.heads)]
        w_query, w_key = (torch.cat([head[i].T for head in heads]) for i in (0, 1))
        w_value, w_out = factors(-0.4, 0.4, width)
        attention.in_proj_weight.copy_(torch.cat([w_query, w_key, w_value.T]))
        attention.out_proj.weight.copy_(w_out)
        nn.init.zeros_(attention.out_proj.bias)
    along = sinusoid_positions(config.side, width // 2, base=100.0)  # (side, width/2)
    rows = along[:, None].expand(-1, config.side, -1)
    columns = along[None].expand(config.side, -1, -1)
    model.encoder.pos_embedding[0, config.extra :] = torch.cat([rows, columns], dim=-1).flatten(0, 1)
    for name, token in model.named_parameters():
        if name.endswith("_token"):
            nn.init.normal_(token, std=0.5)


def make_optimizers(model: VisionTransformer, lessons: Lessons) -> list[tuple[torch.optim.Optimizer, float]]:
    """Each with its peak learning rate: Muon (Jordan et al. 2024) for the encoder's matrices, AdamW for all else."""
    encoder = [p for p in model.encoder.layers.parameters() if p.ndim == 2]
    taken = {id(p) for p in encoder}
    rest = [p for p in (*model.parameters(), *lessons.parameters()) if id(p) not in taken]
    groups = [
        {"params": [p for p in rest if p.ndim in (2, 4)], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in rest if p.ndim not in (2, 4)], "weight_decay": 0.0},  # biases, norms, tokens, positions
    ]
    muon = torch.optim.Muon(encoder, lr=0.0, weight_decay=WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98))
    return [(muon, PEAK_ENCODER_LEARNING_RATE), (adamw, PEAK_LEARNING_RATE)]


def losses(
    model: VisionTransformer, lessons: Lessons, teacher: ResNet | None, view: Tensor, target: Tensor, size: int
) -> dict[str, Tensor]:
    """What is to become small, by name. view: float32 (B, 3, S, S) normalised, S ≥ size; target: float32 (B, classes)."""
    x = view if view.shape[-1] == size else F.interpolate(view, (size, size), mode="bilinear", antialias=True)
    with torch.autocast("cpu", torch.bfloat16):
        output = model.read(x.contiguous())
        if teacher is None:
            return {"class": F.cross_entropy(output.logits.float(), target)}
        with torch.no_grad():
            stages = teacher.maps(view.contiguous(memory_format=torch.channels_last))
            answer = teacher.logits(stages["layer4.1"]).float().softmax(dim=1)
        by_class, by_teacher = model.both_heads(output.tokens[-1])
        patches = [output.tokens[layer][:, model.config.extra :] for layer in STAGES]
        places = lessons(patches, [stages[name] for name in STAGES.values()], size // model.config.patch)
    return {
        "class": 0.5 * F.cross_entropy(by_class.float(), target),
        "answer": 0.5 * F.cross_entropy(by_teacher.float(), answer),
        "places": places,
    }


class OneHead(nn.Module):
    """A distilled network that answers with one of its heads alone. head: 0 the class token's, 1 the distillation token's."""

    def __init__(self, model: VisionTransformer, head: int):
        super().__init__()
        self.model, self.head = model, head

    def forward(self, x: Tensor) -> Tensor:
        """As the network."""
        return self.model.both_heads(self.model.read(x).tokens[-1])[self.head]


def train(data: Path, out: Path, epochs: int, plain: bool = False) -> None:
    """Train, or go on training, with a checkpoint after each epoch and a line in out/log.jsonl."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    photos = load_photos(data, "train")
    model = (vit_small_96_plain if plain else vit_small_96)(len(photos.classes))
    held_out = load_photos(data, "test", model.config.image_size)
    lessons = Lessons(model.config.width)
    initialise(model)
    teacher = None if plain else load_classifier(TEACHER).module.to(memory_format=torch.channels_last)
    optimizers = make_optimizers(model, lessons)
    first, last = 0, out / "last.pt"
    if last.exists():
        saved = torch.load(last, weights_only=True)
        model.load_state_dict(saved["model"])
        lessons.load_state_dict(saved["lessons"])
        for (optimizer, _peak), state in zip(optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        first = saved["epoch"] + 1
    steps = len(photos.images) // BATCH
    for epoch in range(first, epochs):
        started, size, seen = time.time(), view_size(epoch, epochs), []
        model.train()
        rng = np.random.default_rng(epoch)
        for step, (view, target) in enumerate(batches(photos, size if plain else TEACHER_SIZE, rng)):
            parts = losses(model, lessons, teacher, view, target, size)
            for optimizer, _peak in optimizers:
                optimizer.zero_grad()
            torch.stack(list(parts.values())).sum().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer, peak in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = peak * schedule((epoch + step / steps) / epochs)
                optimizer.step()
            seen.append({name: part.item() for name, part in parts.items()})
        line: dict[str, Any] = {"epoch": epoch, "size": size, "seconds": time.time() - started}
        line |= {name: float(np.mean([one[name] for one in seen])) for name in seen[0]}
        if epoch % 4 == 3 or epoch == epochs - 1:
            line |= score(model, held_out, fast=True)
        write_line(out / "log.jsonl", line)
        states = [optimizer.state_dict() for optimizer, _peak in optimizers]
        state = {"model": model.state_dict(), "lessons": lessons.state_dict(), "optimizers": states, "epoch": epoch}
        save_checkpoint(state, out)


def export(data: Path, out: Path, plain: bool = False) -> None:
    """Write the weights as fp16 safetensors, and beside them the score of exactly that file as JSON.

    plain: the weights stay in out, and their score goes into the card of the taught ones.
    """
    held_out = load_photos(data, "test", vit_small_96().config.image_size)
    model = (vit_small_96_plain if plain else vit_small_96)(len(held_out.classes))
    saved = torch.load(out / "last.pt", weights_only=True)
    half = to_half(saved["model"])
    file, card = out / "plain.safetensors" if plain else WEIGHTS, WEIGHTS.with_suffix(".json")
    save_file(half, file, metadata={"classes": json.dumps(held_out.classes), "epochs": str(saved["epoch"] + 1)})
    model.load_state_dict(to_full(half))
    facts: dict[str, Any] = score(model, held_out) | {"epochs": saved["epoch"] + 1}
    if plain:
        facts = {f"plain_{name}": value for name, value in facts.items()}
    else:
        facts |= {
            f"top1_{name}_token": score(OneHead(model, head), held_out)["top1"]
            for head, name in enumerate(("class", "distillation"))
        }
        facts |= file_facts(WEIGHTS)
    known = json.loads(card.read_text()) if card.exists() else {}
    known |= facts
    write_card(WEIGHTS, known)


if __name__ == "__main__":
    command_line(
        __doc__,
        data="folder with imagenette96/ and caltech101_max120/",
        amount="epochs",
        default=28,
        train=train,
        export=export,
        switches={"plain": "the same network without a teacher"},
    )

"""What the training scripts share: their command line, checkpoints that are never half written, the facts about a file."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def command_line(
    doc: str | None,
    *,
    data: str,
    amount: str,
    default: int,
    train: Callable[..., None],
    export: Callable[..., None],
    switches: Mapping[str, str] | None = None,
) -> None:
    """Parse the command line and train, or export with --export.

    doc: the script's own text; data: what --data is; amount: the option that says how long to train, "epochs"; default: its
    value; switches: name → help of further options that are on or off. train(data, out, amount, **switches) and
    export(data, out, **switches) are called.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help=data)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints and the log")
    parser.add_argument(f"--{amount}", type=int, default=default, dest="amount")
    parser.add_argument("--export", action="store_true", help="write pretrained/weights from the last checkpoint")
    for name, text in (switches or {}).items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    arguments = parser.parse_args()
    chosen = {name: getattr(arguments, name) for name in switches or {}}
    if arguments.export:
        export(arguments.data, arguments.out, **chosen)
    else:
        train(arguments.data, arguments.out, arguments.amount, **chosen)


def decay_groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """For an optimizer: matrices and kernels shrink with every update, biases and norms do not."""
    known = list(parameters)
    return [
        {"params": [p for p in known if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in known if p.ndim <= 1], "weight_decay": 0.0},
    ]


def cosine(progress: float, least: float = 0.0, rising: float = 0.05) -> float:
    """The share of the peak learning rate: linear warm-up, then a cosine to `least`. progress: 0–1; rising: its first part."""
    falling = (1 + math.cos(math.pi * max(progress - rising, 0) / (1 - rising))) / 2
    return min(progress / rising, least + (1 - least) * falling)


def learn(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, target: Tensor) -> float:
    """One step of a classifier of photos, its convolutions in bf16. x: (B, 3, H, W); target: (B, classes) → the loss."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(x.contiguous(memory_format=torch.channels_last))
    loss = F.cross_entropy(logits.float(), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def resume(checkpoint: Path, **parts: Any) -> int:
    """Fill the parts, such as model= and optimizer=, from the file if it is there. → the epoch to go on with, else 0."""
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    return int(saved["epoch"]) + 1


def save_checkpoint(state: dict[str, Any], out: Path, name: str = "last.pt") -> None:
    """Write the file of this name in out; a run that is stopped in the middle leaves the one before."""
    torch.save(state, out / "next.pt")
    (out / "next.pt").replace(out / name)


def write_line(log: Path, line: Mapping[str, Any]) -> None:
    """Append to the log, as JSON, and print."""
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(line, flush=True)


def to_half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict as it is shipped: numbers in fp16, tensors with any beyond its range in fp32, counters as they are."""
    shipped = {}
    for name, tensor in state.items():
        fits = tensor.is_floating_point() and bool((tensor.abs() <= torch.finfo(torch.float16).max).all())
        shipped[name] = (tensor.half() if fits else tensor).contiguous()
    return shipped


def to_full(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is computed with: the numbers of a shipped state dict in fp32."""
    return {name: t.float() if t.is_floating_point() else t for name, t in state.items()}


def write_card(weights: Path, facts: Mapping[str, Any]) -> None:
    """Put the figures beside the weights as JSON, and print them without the loss curve."""
    weights.with_suffix(".json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in facts.items() if name != "loss_curve"}))


def file_facts(path: Path) -> dict[str, Any]:
    """The sha256 and the size in bytes, as model cards give them."""
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}

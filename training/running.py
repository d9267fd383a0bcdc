"""What the training scripts share: their command line, checkpoints that are never half written, the facts about a file."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn


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


def resume(checkpoint: Path, **parts: Any) -> int:
    """Fill the parts, such as model= and optimizer=, from the file if it is there. → the epoch to go on with, else 0."""
    if not checkpoint.exists():
        return 0
    saved = torch.load(checkpoint, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    return int(saved["epoch"]) + 1


def save_checkpoint(state: dict[str, Any], out: Path) -> None:
    """Write out/last.pt; a run that is stopped in the middle leaves the one before."""
    torch.save(state, out / "next.pt")
    (out / "next.pt").replace(out / "last.pt")


def file_facts(path: Path) -> dict[str, Any]:
    """The sha256 and the size in bytes, as model cards give them."""
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}

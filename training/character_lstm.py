"""Train the bundled character-level LSTM on public-domain children's books, on a CPU.

    python -m training.character_lstm --data FILE --out DIR            # resumes from DIR/last.pt
    python -m training.character_lstm --data FILE --out DIR --export   # the weights and their bits per character

FILE: see training/character_text.py.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from explorer.models.characters import CharacterLSTM, encode
from training.character_baselines import baselines
from training.character_text import chapters, split
from training.running import command_line, file_facts, save_checkpoint, to_full, to_half, write_card, write_line

STREAMS = 64
CHUNK = 128  # characters between two updates; the state is carried over
PEAK_LEARNING_RATE = 3e-3
WEIGHTS = Path(__file__).parents[1] / "pretrained/weights/character-lstm-640.safetensors"


def learning_rate(progress: float) -> float:
    """Warm-up over the first 2 %, then a cosine to zero. progress: 0–1."""
    return PEAK_LEARNING_RATE * min(progress / 0.02, 0.5 * (1 + math.cos(math.pi * progress)))


@torch.inference_mode()
def bits_per_character(model: nn.Module, texts: list[str]) -> float:
    """Mean of −log₂ P(next character) over each chapter, its first character excepted; the state starts at zero there."""
    model.eval()
    order = sorted(texts, key=len)
    total, count = 0.0, 0
    for start in range(0, len(order), 16):
        batch = order[start : start + 16]
        longest = max(map(len, batch))
        characters = torch.stack([F.pad(encode(t), (0, longest - len(t)), value=-1) for t in batch], dim=1)
        state = None
        for at in range(0, longest - 1, 512):
            x, target = characters[at : at + 512], characters[at + 1 : at + 513]
            logits, _hidden, state = model(x[: len(target)].clamp(min=0), state)
            total += F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-1, reduction="sum").item()
            count += int((target >= 0).sum())
    model.train()
    return total / count / math.log(2)


def train(data: Path, out: Path, epochs: int) -> None:
    """Train, or go on training, with a checkpoint every 500 updates and a line in out/log.jsonl."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    texts, held_out = split(chapters(data))
    characters = encode("".join(texts))
    length = len(characters) // STREAMS
    streams = characters[: length * STREAMS].view(STREAMS, length).T.contiguous()  # (length, streams)
    per_epoch = (length - 1) // CHUNK
    model = CharacterLSTM(lstm=nn.LSTM)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, weight_decay=0.01)
    first, last = 0, out / "last.pt"
    hidden_state = None
    if last.exists():
        saved = torch.load(last, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first, hidden_state = saved["step"], saved["state"]
    started, losses = time.time(), []
    for step in range(first, epochs * per_epoch):
        at = step % per_epoch * CHUNK
        hidden_state = None if at == 0 else tuple(s.detach() for s in hidden_state)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step / (epochs * per_epoch))
        with torch.autocast("cpu", torch.bfloat16):
            logits, _hidden, hidden_state = model(streams[at : at + CHUNK], hidden_state)
        loss = F.cross_entropy(logits.float().flatten(0, 1), streams[at + 1 : at + CHUNK + 1].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item() / math.log(2))
        if step % 500 == 499 or step == epochs * per_epoch - 1:
            line = {
                "step": step + 1,
                "of": epochs * per_epoch,
                "bits": sum(losses) / len(losses),
                "seconds": time.time() - started,
            }
            if step % 1500 == 1499 or step == epochs * per_epoch - 1:
                line["bits_held_out"] = bits_per_character(model, held_out[:16])
            write_line(out / "log.jsonl", line)
            saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            saved |= {"step": step + 1, "state": tuple(s.detach() for s in hidden_state)}
            save_checkpoint(saved, out)
            losses = []


def export(data: Path, out: Path) -> None:
    """Write the weights as fp16 safetensors, and beside them what that very file scores, as JSON."""
    train_texts, held_out = split(chapters(data))
    saved = torch.load(out / "last.pt", weights_only=True)
    half = to_half(saved["model"])
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, WEIGHTS, metadata={"updates": str(saved["step"])})
    model = CharacterLSTM(lstm=nn.LSTM)
    model.load_state_dict(to_full(half))
    facts = {
        "bits_per_character": bits_per_character(model, held_out),
        "held_out_characters": sum(map(len, held_out)),
        "updates": saved["step"],
        **baselines(train_texts, held_out),
        **file_facts(WEIGHTS),
    }
    write_card(WEIGHTS, facts)


if __name__ == "__main__":
    command_line(__doc__, data="the text", amount="epochs", default=3, train=train, export=export)

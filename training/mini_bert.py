"""Pre-train the bundled mini BERT on public-domain books and on image captions, on a CPU: masked words and next sentence.

    python -m training.mini_bert --data DIR --out DIR            # resumes from DIR/last.pt
    python -m training.mini_bert --data DIR --out DIR --export   # the weights, the vocabulary and their scores

--data has en_children_classics.txt, en_easy_novels.txt (a sentence a line, an empty line after each chapter) and
en_captions_multi30k.txt (a caption a line). Every 50th chapter is held out. A caption stands alone in its input and says
nothing about the next sentence.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import BertWordPieceTokenizer
from torch import Tensor, nn

from explorer.models.bert import BertConfig, BertForPreTraining, BertOutput
from training.running import (
    command_line,
    decay_groups,
    file_facts,
    save_checkpoint,
    to_full,
    to_half,
    write_card,
    write_line,
)

VOCABULARY = 8192
CONFIG = BertConfig(vocabulary=VOCABULARY, hidden=256, layers=4, heads=4, intermediate=1024, positions=128)
BOOKS = ("en_children_classics.txt", "en_easy_novels.txt")
CAPTIONS = "en_captions_multi30k.txt"
HELD_OUT_EVERY = 50
PEAK_LEARNING_RATE = 1e-3  # of AdamW
PEAK_ENCODER_LEARNING_RATE = 3e-3  # of Muon, in the scale of "match_rms_adamw"
LONG_AFTER = 0.15  # of the training; before, the inputs are short, too short to tell much of the next sentence
SHORT, LONG = 64, 128  # tokens
TOKENS_PER_UPDATE = 4096
FOLLOWS_WEIGHT = 3.0  # of the next sentence in the loss: one bit of each pair stands against dozens of masked words
CAPTION_SHARE, ALONE_SHARE = 0.12, 0.15  # of the inputs: captions, and a few sentences of a book without a second part
FIRST_MASKED, LAST_MASKED = 0.30, 0.15  # of the words, at the start and from MASKED_UNTIL on: Yang et al. 2023
MASKED_UNTIL = 0.85  # of the training
IGNORED = -100
WEIGHTS = Path(__file__).parents[1] / "pretrained/weights/mini-bert.safetensors"

Chapter = list[np.ndarray]
"""The tokens of each sentence, int32."""


@dataclass(frozen=True)
class Corpus:
    """Tokenised sentences. train, held_out: chapters of the books; captions: a sentence each."""

    train: list[Chapter]
    held_out: list[Chapter]
    captions: list[np.ndarray]


@dataclass(frozen=True)
class Batch:
    """tokens, types: int64 (B, T); keep: bool (B, T). words: int64 (B, T), the masked ones, −100 elsewhere.

    follows: int64 (B,), 0 where B follows A, 1 where it does not, −100 where there is no B.
    """

    tokens: Tensor
    types: Tensor
    keep: Tensor
    words: Tensor
    follows: Tensor


def make_tokenizer(data: Path, out: Path) -> BertWordPieceTokenizer:
    """Lower-case WordPiece of 8,192 pieces, learned from all three files once and kept in out/vocab.txt."""
    if not (out / "vocab.txt").exists():
        tokenizer = BertWordPieceTokenizer(lowercase=True)
        files = [str(data / name) for name in (*BOOKS, CAPTIONS)]
        tokenizer.train(files, vocab_size=VOCABULARY, min_frequency=5, limit_alphabet=200, show_progress=False)
        tokenizer.save_model(str(out))
    return BertWordPieceTokenizer(str(out / "vocab.txt"), lowercase=True)


def load_corpus(data: Path, tokenizer: BertWordPieceTokenizer) -> Corpus:
    """All three files in tokens."""

    def encode(lines: list[str]) -> list[np.ndarray]:
        found = tokenizer.encode_batch(lines, add_special_tokens=False)
        return [np.array(e.ids, np.int32) for e in found if e.ids]

    chapters = []
    for name in BOOKS:
        for part in (data / name).read_text(encoding="utf-8").split("\n\n"):
            chapter = encode([line for line in part.split("\n") if line.strip()])
            if len(chapter) >= 4:
                chapters.append(chapter)
    captions = encode((data / CAPTIONS).read_text(encoding="utf-8").splitlines())
    train = [chapter for i, chapter in enumerate(chapters) if i % HELD_OUT_EVERY]
    return Corpus(train, chapters[::HELD_OUT_EVERY], captions)


def run_of(chapter: Chapter, start: int, room: int, cut: bool) -> tuple[np.ndarray, int]:
    """Sentences from `start` on in at most `room` tokens, and the place after them. cut: fill the room, with a part of one.

    The first sentence is there in any case, cut if need be.
    """
    parts, used, at = [], 0, start
    while at < len(chapter) and used < room and (cut or not parts or used + len(chapter[at]) <= room):
        parts.append(chapter[at])
        used += len(chapter[at])
        at += 1
    return np.concatenate(parts)[:room], at


def pairs(
    chapters: list[Chapter], length: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """(A, B, 0 where B follows A, else 1), chapters in random order. A and B have at most length − 3 tokens together."""
    for number in rng.permutation(len(chapters)):
        chapter, at = chapters[number], 0
        while at < len(chapter) - 1:
            room = length - 3 if rng.random() > 0.1 else int(rng.integers(16, length - 3))
            a, after = run_of(chapter, at, int(room * rng.uniform(0.3, 0.7)), cut=False)
            if after >= len(chapter):
                break
            if rng.random() < 0.5:
                b, at = run_of(chapter, after, max(room - len(a), 4), cut=True)
                yield a, b, 0
            else:
                other = chapters[(number + int(rng.integers(1, len(chapters)))) % len(chapters)]
                b, _after = run_of(other, int(rng.integers(0, len(other))), max(room - len(a), 4), cut=True)
                at = after
                yield a, b, 1


def examples(corpus: Corpus, length: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Pairs from the books with captions and lone sentences strewn in, shuffled in blocks, without end."""
    nothing = np.zeros(0, np.int32)
    while True:
        block = []
        for pair in pairs(corpus.train, length, rng):
            block.append(pair)
            pairs_share = 1 - CAPTION_SHARE - ALONE_SHARE
            if rng.random() < CAPTION_SHARE / pairs_share:
                caption = corpus.captions[int(rng.integers(len(corpus.captions)))]
                block.append((caption[: length - 2], nothing, IGNORED))
            if rng.random() < ALONE_SHARE / pairs_share:
                chapter = corpus.train[int(rng.integers(len(corpus.train)))]
                room = int(rng.integers(16, length // 2))
                alone, _after = run_of(chapter, int(rng.integers(len(chapter))), room, cut=False)
                block.append((alone[: length - 2], nothing, IGNORED))
            if len(block) >= 8192:
                yield from (block[i] for i in rng.permutation(len(block)))
                block = []


def collate(
    rows: list[tuple[np.ndarray, np.ndarray, int]],
    ids: dict[str, int],
    length: int,
    rng: np.random.Generator,
    share: float = LAST_MASKED,
) -> Batch:
    """[CLS] A [SEP] B [SEP], padded; this share of the words to be guessed: 80 % masked, 10 % another word, 10 % left alone."""
    tokens = np.full((len(rows), length), ids["[PAD]"])
    types = np.zeros((len(rows), length), np.int64)
    maskable = np.zeros((len(rows), length), bool)
    keep = np.zeros((len(rows), length), bool)
    for i, (a, b, _follows) in enumerate(rows):
        parts = [[ids["[CLS]"]], a, [ids["[SEP]"]]] + ([b, [ids["[SEP]"]]] if len(b) else [])
        row = np.concatenate(parts)
        tokens[i, : len(row)] = row
        types[i, len(a) + 2 : len(row)] = 1
        keep[i, : len(row)] = True
        maskable[i, 1 : 1 + len(a)] = True
        maskable[i, 2 + len(a) : 2 + len(a) + len(b)] = True
    chosen = maskable & (rng.random(tokens.shape) < share)
    words = np.where(chosen, tokens, IGNORED)
    way = rng.random(tokens.shape)
    tokens = np.where(chosen & (way < 0.8), ids["[MASK]"], tokens)
    tokens = np.where(chosen & (way > 0.9), rng.integers(5, VOCABULARY, tokens.shape), tokens)
    follows = torch.tensor([row[2] for row in rows])
    return Batch(
        torch.from_numpy(tokens), torch.from_numpy(types), torch.from_numpy(keep), torch.from_numpy(words), follows
    )


def losses(model: BertForPreTraining, encode: Callable[..., BertOutput], batch: Batch) -> tuple[Tensor, Tensor]:
    """(mean cross-entropy of the masked words, of the next sentence). encode: model.bert, or a faster form of it."""
    output = encode(batch.tokens, batch.types, batch.keep)
    masked = batch.words != IGNORED
    words = F.cross_entropy(model.masked_words(output.last[masked]).float(), batch.words[masked])
    follows = F.cross_entropy(model.next_sentence(output.pooled).float(), batch.follows, ignore_index=IGNORED)
    return words, follows


@torch.inference_mode()
def score(model: BertForPreTraining, corpus: Corpus, ids: dict[str, int], most: int = 4000) -> dict[str, float]:
    """Shares of masked words and of pairs that are right on the chapters held out; the same inputs at each call."""
    model.eval()
    rng = np.random.default_rng(0)
    rows = [pair for _, pair in zip(range(most), pairs(corpus.held_out, LONG, rng), strict=False)]
    right = asked = pairs_right = 0
    for start in range(0, len(rows), 32):
        batch = collate(rows[start : start + 32], ids, LONG, rng)
        output = model(batch.tokens, batch.types, batch.keep)
        masked = batch.words != IGNORED
        right += int((model.masked_words(output.last[masked]).argmax(-1) == batch.words[masked]).sum())
        asked += int(masked.sum())
        pairs_right += int((model.next_sentence(output.pooled).argmax(-1) == batch.follows).sum())
    model.train()
    return {
        "masked_accuracy": right / asked,
        "masked_words": asked,
        "next_sentence_accuracy": pairs_right / len(rows),
        "pairs": len(rows),
    }


def initialise(model: BertForPreTraining) -> None:
    """Normal with deviation 0.02, biases zero (Devlin et al. 2019)."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)


def schedule(progress: float) -> float:
    """The share of the peak learning rate: linear warm-up over the first 4 %, then linear to zero. progress: 0–1."""
    return min(progress / 0.04, (1 - progress) / 0.96)


def make_optimizers(model: BertForPreTraining) -> list[tuple[torch.optim.Optimizer, float]]:
    """Each with its peak learning rate: Muon (Jordan et al. 2024) for the encoder's matrices, AdamW for all else."""
    encoder = [p for p in model.bert.encoder.parameters() if p.ndim == 2]
    rest = [p for p in model.parameters() if not any(p is one for one in encoder)]
    muon = torch.optim.Muon(encoder, lr=0.0, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(decay_groups(rest, 0.01), lr=0.0, betas=(0.9, 0.98), eps=1e-6)
    return [(muon, PEAK_ENCODER_LEARNING_RATE), (adamw, PEAK_LEARNING_RATE)]


@torch.no_grad()
def lengthen(model: BertForPreTraining) -> None:
    """Let the positions that short inputs do not reach begin as copies: which ones are neighbours need not be learned again."""
    positions = model.bert.embeddings.position_embeddings.weight
    positions[SHORT:LONG] = positions[: LONG - SHORT] + 0.02 * torch.randn(CONFIG.hidden)


def train(data: Path, out: Path, updates: int) -> None:
    """Train, or go on training, with a checkpoint every 250 updates and a line in out/log.jsonl."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(data, out)
    ids = {name: tokenizer.token_to_id(name) for name in ("[PAD]", "[CLS]", "[SEP]", "[MASK]")}
    corpus = load_corpus(data, tokenizer)
    torch.manual_seed(0)
    model = BertForPreTraining(CONFIG)
    initialise(model)
    optimizers = make_optimizers(model)
    first, last, length = 0, out / "last.pt", SHORT
    if last.exists():
        saved = torch.load(last, weights_only=True)
        model.load_state_dict(saved["model"])
        for (optimizer, _peak), state in zip(optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        first, length = saved["update"], saved.get("length", SHORT)
    encode = torch.compile(model.bert)  # about three times as fast on a CPU
    rng = np.random.default_rng(first)
    stream, started, seen = None, time.time(), []
    for update in range(first, updates):
        progress = update / updates
        wanted = LONG if progress >= LONG_AFTER else SHORT
        if stream is None or wanted != length:
            if wanted > length:
                lengthen(model)
            stream, length = examples(corpus, wanted, rng), wanted
        share = LAST_MASKED + (FIRST_MASKED - LAST_MASKED) * max(0.0, 1 - progress / MASKED_UNTIL)
        batch = collate([next(stream) for _ in range(TOKENS_PER_UPDATE // length)], ids, length, rng, share)
        with torch.autocast("cpu", torch.bfloat16):
            words, follows = losses(model, encode, batch)
        model.zero_grad()
        (words + FOLLOWS_WEIGHT * follows).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, peak in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = peak * schedule(progress)
            optimizer.step()
        seen.append((words.item(), follows.item()))
        if update % 250 == 249 or update == updates - 1:
            means = np.mean(seen, axis=0)
            line = {"update": update + 1, "of": updates, "words": float(means[0]), "follows": float(means[1])}
            line["seconds"] = time.time() - started
            if update % 1000 == 999 or update == updates - 1:
                line |= score(model, corpus, ids, most=1000)
            write_line(out / "log.jsonl", line)
            states = [optimizer.state_dict() for optimizer, _peak in optimizers]
            save_checkpoint(
                {"model": model.state_dict(), "optimizers": states, "update": update + 1, "length": length}, out
            )
            seen = []


def export(data: Path, out: Path) -> None:
    """Write the weights as fp16 safetensors with vocabulary and sizes, and beside them what that very file scores."""
    tokenizer = make_tokenizer(data, out)
    ids = {name: tokenizer.token_to_id(name) for name in ("[PAD]", "[CLS]", "[SEP]", "[MASK]")}
    saved = torch.load(out / "last.pt", weights_only=True)
    shared = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
    half = to_half({name: t for name, t in saved["model"].items() if name not in shared})
    vocabulary = (out / "vocab.txt").read_text(encoding="utf-8").split()
    metadata = {"vocabulary": json.dumps(vocabulary), "config": json.dumps(asdict(CONFIG))}
    WEIGHTS.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, WEIGHTS, metadata=metadata)
    model = BertForPreTraining(CONFIG)
    model.load_state_dict(to_full(half), strict=False)
    facts = score(model, load_corpus(data, tokenizer), ids)
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    facts |= {
        "updates": saved["update"],
        "loss_curve": [[x["update"], round(x["words"], 3), round(x["follows"], 3)] for x in log],
    }
    facts |= file_facts(WEIGHTS)
    write_card(WEIGHTS, facts)


if __name__ == "__main__":
    command_line(
        __doc__, data="folder with the three texts", amount="updates", default=9700, train=train, export=export
    )

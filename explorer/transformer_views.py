"""What the Transformer page shows, computed: one run of the translator cut into the blocks of the diagram, and its words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from explorer.models.sequence_transformers import Translator
from explorer.trace import Step, Trace, trace
from explorer.translation import END, ENGLISH, FRENCH, START, numbers

LAYER = re.compile(r"transformer\.(encoder|decoder)\.layers\.(\d+)(?:\.(\w+))?$")
ATTENTION = {("encoder", "self_attn"): "attention", ("decoder", "self_attn"): "masked",
             ("decoder", "multihead_attn"): "cross"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Block:
    """Some steps of the run, from start to before stop. output: float32 (T, units), what comes out, a row for each word."""

    start: int
    stop: int
    output: np.ndarray


@dataclass(frozen=True, eq=False)
class Run:
    """The translator on one sentence and on what is written so far.

    source, target: words, <start> first in the target. steps: the whole trace. blocks: by name, in the order in which they
    ran: "source.embedding", "encoder.0.attention", "decoder.1.norm3", "softmax" …
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    steps: Trace
    blocks: Mapping[str, Block]

    @property
    def probabilities(self) -> np.ndarray:
        """Of the word after each word of the target: float32 (T, French words), rows sum to 1."""
        return self.blocks["softmax"].output

    def part(self, block: str) -> Trace:
        """The steps of one block alone."""
        return self.steps.part(self.blocks[block].start, self.blocks[block].stop)

    def weights(self, block: str) -> np.ndarray:
        """Of an attention block: float32 (heads, queries, keys), rows sum to 1."""
        inside = self.steps.steps[self.blocks[block].start : self.blocks[block].stop]
        (softmax,) = (step for step in inside if step.op == "softmax")
        return cast(Tensor, softmax.output)[0].numpy()


def run(model: Translator, source: Sequence[str], target: Sequence[str]) -> Run:
    """source: English words; target: French ones, without <start>. Unknown ones are read as <unk>."""
    english, french = torch.tensor([numbers(source, ENGLISH)]), torch.tensor([numbers([START, *target], FRENCH)])
    with torch.inference_mode():
        steps = trace(model.probabilities, english, french)
    return Run(tuple(source), (START, *target), steps, _blocks(steps, model.config.pre_norm))


def _blocks(steps: Trace, pre_norm: bool) -> dict[str, Block]:
    """Cut the trace where another part of the model begins."""
    names: list[str] = []
    counts: Counter[tuple[str, str]] = Counter()
    for step in steps.steps:
        names.append(_name(step, names[-1] if names else "", pre_norm, counts))
    blocks = {}
    for name in dict.fromkeys(names):
        start, stop = names.index(name), len(names) - names[::-1].index(name)
        output = cast(Tensor, steps.steps[stop - 1].outputs[0])
        blocks[name] = Block(start, stop, output.reshape(-1, output.shape[-1]).float().numpy())
    return blocks


def _name(step: Step, before: str, pre_norm: bool, counts: Counter[tuple[str, str]]) -> str:
    """The block that a step belongs to. before: that of the step before it; counts: norms and sums so far in each layer."""
    layer = LAYER.match(step.scope)
    if layer:
        stack, number, module = layer.groups()
        if module:
            return f"{stack}.{number}.{ATTENTION[stack, module]}"
        if step.op not in ("add", "layer_norm"):
            return f"{stack}.{number}.feed_forward"
        counts[layer[0], step.op] += 1
        # With the norm behind it, a sum is in one block with it: Add & Norm.
        kind = "add" if pre_norm and step.op == "add" else "norm"
        return f"{stack}.{number}.{kind}{counts[layer[0], step.op]}"
    if step.scope in ("source_vectors", "target_vectors"):
        return f"{step.scope.partition('_')[0]}.{'positions' if step.op == 'add' else 'embedding'}"
    if step.scope.startswith("transformer."):
        return f"{step.scope.partition('.')[2]}.final"
    # What stands in no module: functions that the block before calls, or the outermost lines.
    file = Path(step.file).stem
    if file == "positions":
        return before.replace("embedding", "positions")
    if file == "attention":
        return "mask" if before in ("target.positions", "mask") else before
    return "softmax" if step.op == "softmax" else "output"


@dataclass(frozen=True)
class Written:
    """What the translator writes by itself. words: all of it, without <start>; given: how many of them the visitor gave.

    probabilities: of each word, at the time it was written or read. ended: whether <end> came, which is the last word then.
    """

    words: tuple[str, ...]
    given: int
    probabilities: tuple[float, ...]
    ended: bool


def write(model: Translator, source: Sequence[str], given: Sequence[str], most: int) -> Written:
    """Greedy: always the likeliest word. most: words in all, <end> included. given: how it has to begin."""
    english, begun = torch.tensor([numbers(source, ENGLISH)]), torch.tensor([numbers([START, *given], FRENCH)])
    with torch.inference_mode():
        written = model.greedy(english, begun, FRENCH.index(END), most + 1)
        probabilities = model.probabilities(english, written)[0]
    chosen = written[0, 1:]
    of_each = probabilities[torch.arange(len(chosen)), chosen].tolist()
    words = (*given, *(FRENCH[place] for place in chosen[len(given) :].tolist()))
    return Written(words, len(given), tuple(of_each), words[-1:] == (END,))


def likeliest(probabilities: np.ndarray, count: int) -> list[tuple[str, float]]:
    """The words that probably come next, the first one first. probabilities: (French words,)."""
    order = np.argsort(-probabilities, kind="stable")[:count]
    return [(FRENCH[place], float(probabilities[place])) for place in order]

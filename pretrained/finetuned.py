"""Models that were trained on for a task: judging a text, and finding the answer to a question in a text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForQuestionAnswering, AutoModelForSequenceClassification, TextClassificationPipeline

from explorer.text import _
from explorer.tokens import Tokens, encode
from pretrained import LoadError, hub, memory
from pretrained.download import Cancelled, Progress
from pretrained.foreign import ForeignModel, guarded, inputs_of, reading_of, run
from pretrained.foreign_loading import fetch, load, plan_of
from pretrained.observing import observing
from pretrained.readers import Described
from pretrained.reading import Reading

LONGEST_ANSWER = 15  # tokens

Task = Literal["judging", "answering"]
AUTO: dict[Task, Any] = {"judging": AutoModelForSequenceClassification, "answering": AutoModelForQuestionAnswering}
"""Task of a record → transformers' class for it."""


@dataclass(frozen=True, eq=False)
class TextClassifier:
    """labels: of its classes, in order. pipeline: transformers' own, on the model; shared between sessions as that is."""

    model: ForeignModel
    labels: tuple[str, ...]
    pipeline: Any


@dataclass(frozen=True, eq=False)
class AnswerFinder:
    """Finds the answer to a question in a text, as a piece of that text."""

    model: ForeignModel


@dataclass(frozen=True, eq=False)
class Classification:
    """labels: of all classes, likeliest first; probabilities: float32 (classes,), 0–1, of each.

    reading: of the same run. place: the token whose vector after the last layer is all that the class is read from.
    """

    labels: tuple[str, ...]
    probabilities: np.ndarray
    reading: Reading
    place: int


@dataclass(frozen=True, eq=False)
class Answer:
    """text: a piece of the context, from its character `start` up to, not with, `end`; score: the probability of that piece,
    0–1: its first token's times its last one's. first, last: these tokens.

    starts, ends: float32 (T,), the probability of each token to be the first or the last, 0 where it may not be; each
    sums to 1. nothing: the probability that the text has no answer, by models that were trained to say so. reading: of the
    same run, of question and context as a pair.
    """

    text: str
    start: int
    end: int
    score: float
    first: int
    last: int
    starts: np.ndarray
    ends: np.ndarray
    nothing: float
    reading: Reading


def describe(repository: str, task: Task) -> Described:
    """What a model on the hub is, before its weights are here, and whether it could do the task.

    UserError: it is no id. LoadError: it cannot be had, or is of a kind that does not do this.
    """
    repository = hub.checked(repository)
    folder = hub.fetch_description(repository)
    plan = plan_of(folder, repository, AUTO[task])
    memory.check(plan.bytes, repository)
    size = None if hub.find(repository) else hub.weights_size(repository)
    return Described(repository, False, plan.config.model_type, size)


def classifier_from_hub(
    repository: str, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> TextClassifier:
    """A text classifier by its id. UserError: it is no id. LoadError: it cannot be had, or does not do this."""
    return _classifier(load(*fetch(repository, AutoModelForSequenceClassification, progress, cancelled)))


def classifier_from_folder(folder: Path, name: str) -> TextClassifier:
    """As classifier_from_hub, of files that are here."""
    return _classifier(load(folder, name, plan_of(folder, name, AutoModelForSequenceClassification)))


def finder_from_hub(
    repository: str, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> AnswerFinder:
    """A model that answers questions, by its id. UserError: it is no id. LoadError: it cannot be had, or does not do this."""
    return AnswerFinder(load(*fetch(repository, AutoModelForQuestionAnswering, progress, cancelled)))


def finder_from_folder(folder: Path, name: str) -> AnswerFinder:
    """As finder_from_hub, of files that are here."""
    return AnswerFinder(load(folder, name, plan_of(folder, name, AutoModelForQuestionAnswering)))


def classify(classifier: TextClassifier, text: str) -> Classification:
    """Judge a text. UserError: there is nothing in it, or it cannot be read."""
    model, pipe = classifier.model, classifier.pipeline
    tokens = encode(model.tokenizer, text, limit=model.limit)
    ids, segments = torch.from_numpy(tokens.ids), torch.from_numpy(tokens.segments)
    with guarded(model, tokens), observing() as calls:
        output = pipe.forward(inputs_of(model.module, ids, segments, None, inside=True))
    scores = pipe.postprocess(output, top_k=None, _legacy=False)
    return Classification(
        labels=tuple(score["label"] for score in scores),
        probabilities=np.array([score["score"] for score in scores], np.float32),
        reading=reading_of(tokens, calls, output),
        place=len(tokens) - 1 if model.kind == "decoder" or _sums_up_at_the_end(model) else 0,
    )


def answer(finder: AnswerFinder, question: str, context: str) -> Answer:
    """The piece of the context that most likely answers. UserError: one is empty, or they cannot be read."""
    model = finder.model
    tokens = encode(model.tokenizer, question, context, limit=model.limit)
    with observing() as calls:
        output = run(model.module, model, tokens, inside=True)
    inside = (tokens.segments == 1) & ~tokens.special
    starts, ends = (_probabilities(logits[0], inside) for logits in (output.start_logits, output.end_logits))
    first, last = best_span(starts * inside, ends * inside)
    begin, end = int(tokens.spans[first, 0]), int(tokens.spans[last, 1])
    return Answer(
        text=(tokens.pair or "")[begin:end],
        start=begin,
        end=end,
        score=float(starts[first] * ends[last]),
        first=first,
        last=last,
        starts=starts,
        ends=ends,
        nothing=float(starts[0] * ends[0]),
        reading=reading_of(tokens, calls, output),
    )


def best_span(starts: np.ndarray, ends: np.ndarray, longest: int = LONGEST_ANSWER) -> tuple[int, int]:
    """(first, last) with the greatest starts[first]·ends[last], first ≤ last < first + longest. float (T,) both."""
    joint = np.tril(np.triu(np.outer(starts, ends)), longest - 1)
    first, last = np.unravel_index(int(joint.argmax()), joint.shape)
    return int(first), int(last)


def attention_from(reading: Reading, places: range) -> np.ndarray:
    """(layers, heads, T): where the tokens in these places look, on average; each row sums to 1."""
    return reading.attention[:, :, places.start : places.stop].mean(2)


def shares(reading: Reading, places: range) -> dict[str, np.ndarray]:
    """How the attention of the tokens in these places is spread: (layers, heads) each, which sum to 1.

    "answer": over themselves; "question", "context": over the other tokens of the first and of the second text; "special":
    over [CLS] and the like.
    """
    tokens, attention = reading.tokens, attention_from(reading, places)
    own = np.zeros(len(tokens), bool)
    own[places.start : places.stop] = True
    groups = {
        "answer": own & ~tokens.special,
        "question": _of_sentence(tokens, 0) & ~own,
        "context": _of_sentence(tokens, 1) & ~own,
        "special": tokens.special,
    }
    return {name: attention[:, :, group].sum(-1) for name, group in groups.items()}


def _sums_up_at_the_end(model: ForeignModel) -> bool:
    """XLNet, an encoder, puts what sums up a text behind it."""
    return getattr(model.module.config, "summary_type", "") == "last"


def _of_sentence(tokens: Tokens, number: int) -> np.ndarray:
    return (tokens.segments == number) & ~tokens.special


def _probabilities(logits: Tensor, inside: np.ndarray) -> np.ndarray:
    """Over the tokens of the context and the first token, which stands for “no answer”; 0 elsewhere. float32 (T,)."""
    allowed = inside.copy()
    allowed[0] = True
    return logits.float().masked_fill(torch.from_numpy(~allowed), -torch.inf).softmax(0).numpy()


def _classifier(model: ForeignModel) -> TextClassifier:
    names: dict[Any, Any] = model.module.config.id2label or {}
    labels = tuple(str(names[number]) for number in sorted(names))
    try:
        # The tokens come from the explorer, so that each is known by its place in the text.
        pipe = TextClassificationPipeline(model=model.module, device="cpu")
    except Exception as error:  # of somebody's own settings
        raise LoadError(_("{name} does not judge texts here; choose another model.").format(name=model.name)) from error
    return TextClassifier(model, labels, pipe)

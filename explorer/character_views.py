"""What the character LSTM makes of a text: how surprised it is, what its units follow, and how it writes on.

T: characters of the text; H: hidden size.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.models.characters import ALPHABET, CharacterLSTM, decode, encode, generate, read
from explorer.models.recurrent import LSTM, lstm_gates
from explorer.trace import Trace, trace

MOST = 1000
"""Characters that are read; the rest is cut off."""
SAMPLE = Path(__file__).parent / "texts/number_47.txt"
"""A story written for this page, set like the books the model was trained on, and in none of them."""

Property = Literal["quotes", "line", "word", "capital", "digit"]
Signal = Literal["cell", "hidden", "forget", "input"]


@dataclass(frozen=True)
class Typed:
    """A typed text as the model can read it. unknown: the characters that were left out, each once; left_out: how many
    they were; cut: how many characters behind the first MOST were left out.
    """

    text: str
    unknown: tuple[str, ...] = ()
    left_out: int = 0
    cut: int = 0


def typed(text: str, line: int = 0) -> Typed:
    """Leave out what the model does not know, and what is too much. line: set it in lines of so many; 0 leaves it as it is."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    unknown = [character for character in text if character not in ALPHABET]
    known = "".join(character for character in text if character in ALPHABET)
    if line:
        paragraphs = [" ".join(paragraph.split()) for paragraph in known.split("\n\n")]  # as training/character_text.py
        known = "\n\n".join("\n".join(textwrap.wrap(paragraph, line)) for paragraph in paragraphs if paragraph)
    return Typed(known[:MOST], tuple(dict.fromkeys(unknown)), len(unknown), max(len(known) - MOST, 0))


@dataclass(frozen=True, eq=False)
class Reading:
    """A text and what the model had in mind after each of its characters.

    probabilities: float32 (T, 96), of the next character; hidden, cell: float32 (T, H);
    surprise: float32 (T,), −log₂ of the probability that the character had been given, NaN for the first.
    """

    text: str
    probabilities: np.ndarray
    hidden: np.ndarray
    cell: np.ndarray
    surprise: np.ndarray

    @property
    def bits(self) -> float:
        """Mean surprise, bits per character, of all but the first; NaN for a single character."""
        return float(self.surprise[1:].mean()) if len(self.text) > 1 else float("nan")


def read_text(model: CharacterLSTM, text: str) -> Reading:
    """Read a text of at least one character, beginning with an empty memory."""
    return read_texts(model, [text])[0]


@torch.inference_mode()
def read_texts(model: CharacterLSTM, texts: Sequence[str]) -> list[Reading]:
    """Read several texts side by side, each with a memory of its own."""
    longest = max(map(len, texts))
    characters = torch.stack([F.pad(encode(text), (0, longest - len(text))) for text in texts], dim=1)  # (T, B)
    logits, hidden, cell = read(model, characters)
    probabilities = logits.softmax(dim=-1)
    readings = []
    for number, text in enumerate(texts):
        own = probabilities[: len(text), number].numpy()
        h, c = (part[: len(text), number].numpy() for part in (hidden, cell))
        readings.append(Reading(text, own, h, c, _surprise(own, characters[: len(text), number].numpy())))
    return readings


def _surprise(probabilities: np.ndarray, characters: np.ndarray) -> np.ndarray:
    """probabilities: (T, 96), after each character → bits of each character, float32 (T,), the first NaN."""
    given = np.take_along_axis(probabilities[:-1], characters[1:, None], axis=1)[:, 0]
    return np.concatenate([[np.nan], -np.log2(given)]).astype(np.float32)


def likeliest(reading: Reading, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest next characters after each: (places in ALPHABET, uint8, their probabilities, float32), (T, count)."""
    order = np.argsort(-reading.probabilities, axis=1, kind="stable")[:, :count]
    return order.astype(np.uint8), np.take_along_axis(reading.probabilities, order, axis=1)


@dataclass(frozen=True, eq=False)
class Unit:
    """One unit over a text, float32 (T,) each: tanh of its cell and its hidden state, −1 to 1; its gates, 0 to 1."""

    cell: np.ndarray
    hidden: np.ndarray
    forget: np.ndarray
    input: np.ndarray


@torch.inference_mode()
def unit(model: CharacterLSTM, reading: Reading, number: int) -> Unit:
    """Its state is what the model had; its gates are decided once more, by its rows of the weights on the same states."""
    assert isinstance(model.lstm, LSTM)  # noqa: S101 — for the type checker: torch.nn's has no weights() by direction
    weights = model.lstm.weights()
    rows = torch.arange(4) * model.lstm.hidden_size + number  # input gate, forget gate, candidate, output gate
    x = model.embedding(encode(reading.text))  # (T, embedding)
    before = F.pad(torch.from_numpy(reading.hidden)[:-1], (0, 0, 1, 0))  # (T, H): h before each character, at first 0
    input_gate, forget_gate, _candidate, _output_gate = lstm_gates(x, before, *(weight[rows] for weight in weights))
    gates = (gate[:, 0].numpy() for gate in (forget_gate, input_gate))
    return Unit(np.tanh(reading.cell[:, number]), reading.hidden[:, number], *gates)


def _inside_quotes(text: str) -> np.ndarray:
    """1 from an opening double quote up to the last character before the closing one; a blank line closes it."""
    inside, values = False, []
    for place, character in enumerate(text):
        if character == '"':
            inside = not inside
        if text[place - 1 : place + 1] == "\n\n":
            inside = False
        values.append(inside)
    return np.array(values)


def _place_in_line(text: str) -> np.ndarray:
    """How many characters the line has so far; 0 for the line break."""
    ends = np.array([character == "\n" for character in text])
    places = np.arange(len(text))
    return places - np.maximum.accumulate(np.where(ends, places, -1))


def _each(test: Callable[[str], bool]) -> Callable[[str], np.ndarray]:
    return lambda text: np.array([test(character) for character in text])


PROPERTIES: dict[Property, Callable[[str], np.ndarray]] = {
    "quotes": _inside_quotes,
    "line": _place_in_line,
    "word": _each(str.isalpha),
    "capital": _each(str.isupper),
    "digit": _each(str.isdigit),
}
"""What a unit may follow: text → a number for each character, (T,)."""


def follow(name: Property, texts: Sequence[str]) -> np.ndarray:
    """The property over texts one after the other, float64 (sum of T,)."""
    return np.concatenate([PROPERTIES[name](text) for text in texts]).astype(np.float64)


def states(readings: Sequence[Reading]) -> np.ndarray:
    """tanh of all cells over texts one after the other, float32 (sum of T, H)."""
    return np.tanh(np.concatenate([reading.cell for reading in readings]))


def correlations(units: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Pearson's r of each unit with the values, float64 (H,). units: (N, H); values: (N,). NaN where one never changes."""
    a = units.astype(np.float64) - units.mean(axis=0, dtype=np.float64)
    b = values - values.mean()
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum())
    return np.divide(b @ a, size, out=np.full(units.shape[1], np.nan), where=size > 1e-12)


def ranked(r: np.ndarray) -> np.ndarray:
    """Units by |r|, strongest first; those without one last. int64 (H,)."""
    return np.argsort(-np.nan_to_num(np.abs(r)), kind="stable")


@cache
def sample_texts() -> tuple[str, ...]:
    """The paragraphs of SAMPLE."""
    return tuple(SAMPLE.read_text(encoding="utf-8").rstrip("\n").split("\n\n"))


@dataclass(frozen=True, eq=False)
class Written:
    """What the model wrote. surprise: float32 (n,), bits that each character had been given at temperature 1."""

    text: str
    surprise: np.ndarray


@torch.inference_mode()
def write_on(model: CharacterLSTM, reading: Reading, count: int, temperature: float, seed: int) -> Written:
    """Go on after the text, count ≥ 1 characters. temperature: see models.characters.generate. The seed fixes the draws."""
    state = _state(reading, -1)
    first = torch.from_numpy(reading.probabilities[-1:]).log()  # logits but for a constant, which the softmax ignores
    generator = torch.Generator().manual_seed(seed)
    characters = generate(model, first, state, count, temperature, generator)  # (count, 1)
    logits, _hidden, _cell = read(model, characters, state)
    probabilities = torch.cat([first, logits[:, 0]]).softmax(dim=-1).numpy()  # (count + 1, 96), before each character
    written = decode(characters[:, 0])
    bits = -np.log2(np.take_along_axis(probabilities[:-1], characters.numpy(), axis=1)[:, 0])
    return Written(written, bits.astype(np.float32))


def last_step(model: CharacterLSTM, reading: Reading) -> Trace:
    """The model on the last character of the text, with the memory of all before."""
    state = None if len(reading.text) == 1 else _state(reading, -2)
    return trace(model, encode(reading.text[-1])[None], state)


def _state(reading: Reading, place: int) -> tuple[Tensor, Tensor]:
    """h and c after that character, each (1, 1, H)."""
    h, c = (torch.from_numpy(part[place])[None, None] for part in (reading.hidden, reading.cell))
    return h, c

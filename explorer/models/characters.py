"""A language model of characters: after each character, the probability of every next one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.models.recurrent import LSTM, State

ALPHABET = "\n" + "".join(chr(code) for code in range(32, 127))
"""The 96 characters that it knows: the line break and printable ASCII."""


class CharacterLSTM(nn.Module):
    """Embedding → LSTM → linear. lstm: LSTM, or torch.nn.LSTM, which has the same parameters and trains faster."""

    def __init__(self, embedding_size: int = 64, hidden_size: int = 640, lstm: type[nn.Module] = LSTM):
        super().__init__()
        self.embedding = nn.Embedding(len(ALPHABET), embedding_size)
        self.lstm = lstm(embedding_size, hidden_size)
        self.decoder = nn.Linear(hidden_size, len(ALPHABET))

    def forward(self, characters: Tensor, state: State | None = None) -> tuple[Tensor, Tensor, State]:
        """characters: int64 (T, B), places in ALPHABET; state: (h, c), each (1, B, hidden_size); zeros if None.

        → logits of the next character (T, B, 96), the hidden state after each (T, B, hidden_size), the last state.
        """
        x = self.embedding(characters)  # (T, B, embedding)
        hidden, state = self.lstm(x, state)  # (T, B, hidden)
        return self.decoder(hidden), hidden, state


def encode(text: str) -> Tensor:
    """int64 (len(text),), places in ALPHABET. Raises KeyError for a character that is not in it."""
    place = {character: i for i, character in enumerate(ALPHABET)}
    return torch.tensor([place[character] for character in text], dtype=torch.int64)


def decode(characters: Tensor) -> str:
    """The text of these places in ALPHABET, int64 (T,)."""
    return "".join(ALPHABET[place] for place in characters.tolist())


def read(model: CharacterLSTM, characters: Tensor, state: State | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """One character after the other, keeping the memory after each. characters: int64 (T, B), T ≥ 1.

    → logits of the next character (T, B, 96), hidden states h and cells c (T, B, hidden_size).
    """
    logits, hidden, cells = [], [], []
    for character in characters.split(1):  # (1, B)
        scores, h, state = model(character, state)
        logits.append(scores)
        hidden.append(h)
        cells.append(state[1])  # (1, B, hidden)
    return torch.cat(logits), torch.cat(hidden), torch.cat(cells)


def generate(
    model: CharacterLSTM,
    logits: Tensor,
    state: State,
    count: int,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Let it write: each character is drawn, fed back, and followed by the next. → int64 (count, B).

    logits: of the first character to write, (B, 96); state: what the text so far left behind. temperature: the logits are
    divided by it before the softmax; at 0 the likeliest character is taken.
    """
    written = []
    for _ in range(count):
        if temperature == 0:
            character = logits.argmax(dim=-1)  # (B,)
        else:
            probabilities = (logits / temperature).softmax(dim=-1)  # (B, 96)
            character = torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)  # (B,)
        written.append(character)
        scores, _hidden, state = model(character[None], state)  # (1, B, 96)
        logits = scores[-1]
    return torch.stack(written)

"""A language model of characters: after each character, the probability of every next one."""

from __future__ import annotations

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

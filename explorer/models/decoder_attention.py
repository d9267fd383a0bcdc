"""A decoder that looks back at all states of its encoder (Bahdanau et al. 2015; Luong et al. 2015).

Each step has no batch dimension: one sentence, one word to predict.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.models.recurrent import RNN


class DecoderAttention(nn.Module):
    """What the decoder does for one word, in five steps."""

    def __init__(self, hidden_size: int, vocabulary: int):
        super().__init__()
        self.combine = nn.Linear(2 * hidden_size, hidden_size)
        self.predict = nn.Linear(hidden_size, vocabulary)

    def forward(self, encoder_states: Tensor, decoder_state: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """encoder_states: float (S, hidden); decoder_state: (hidden,).

        → scores (S,), weights (S,), context (hidden,), combined (hidden,), probabilities (vocabulary,).
        """
        # 1  the encoder's states are the values, and the keys too; the decoder's state is the query
        values, query = encoder_states, decoder_state
        # 2  score_s = value_s · query
        scores = values @ query  # (S,)
        # 3  α = softmax(score)
        weights = scores.softmax(dim=-1)  # (S,)
        # 4  context = Σ α_s value_s
        context = weights @ values  # (hidden,)
        # 5  combine with the decoder's state, and predict: tanh(W_c [context; query])
        both = torch.cat([context, query])  # (2 · hidden,)
        combined = torch.tanh(self.combine(both))  # (hidden,)
        logits = self.predict(combined)  # (vocabulary,)
        probabilities = logits.softmax(dim=-1)  # (vocabulary,)
        return scores, weights, context, combined, probabilities


class EncoderDecoder(nn.Module):
    """An RNN reads the sentence, a second one, which begins where the first ended, writes; attention joins them."""

    def __init__(self, width: int, hidden_size: int, vocabulary: int):
        super().__init__()
        self.encoder = RNN(width, hidden_size)
        self.decoder = RNN(width, hidden_size)
        self.attention = DecoderAttention(hidden_size, vocabulary)

    def states(self, words: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """words: float (S, width); start: (width,), what the decoder reads first.

        → the encoder's states (S, hidden) and the decoder's first state (hidden,).
        """
        encoder_states, last = self.encoder(words[:, None])  # (S, 1, hidden)
        decoder_states, _ = self.decoder(start[None, None], last)  # (1, 1, hidden)
        return encoder_states[:, 0], decoder_states[0, 0]

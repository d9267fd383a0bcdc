"""The bundled language model of characters."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from explorer.models.characters import CharacterLSTM
from pretrained import catalog
from pretrained.loading import fill, load_state_dict
from pretrained.records import CharacterCard, CharacterModel

BUNDLED = "character-lstm-640"


@dataclass(frozen=True)
class CharacterReader:
    """module: in evaluation mode, its parameters frozen, safe to share between sessions; card: what was measured of it."""

    model: CharacterModel
    module: CharacterLSTM
    card: CharacterCard


def load_characters(key: str = BUNDLED) -> CharacterReader:
    """Build the network and fill in its weights, checked by their SHA-256.

    UserError: no such model. LoadError: its weights or their card are missing or damaged, or do not fit.
    """
    model = catalog.get(key, CharacterModel)
    state = load_state_dict(model)
    with torch.inference_mode(False), torch.device("meta"):  # no time spent on random weights
        module = CharacterLSTM(model.embedding_size, model.hidden_size)
    fill(module, state, model.name)
    return CharacterReader(model, module.eval().requires_grad_(False), catalog.card(model, CharacterCard))

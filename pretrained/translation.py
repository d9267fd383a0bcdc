"""The bundled translator of explorer.translation's English into its French."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from explorer.models.sequence_transformers import Translator
from explorer.models.transformer import TransformerConfig
from explorer.translation import ENGLISH, FRENCH
from pretrained import catalog
from pretrained.loading import fill, load_state_dict
from pretrained.records import TranslationCard, TranslationModel

BUNDLED = "translator-32"


@dataclass(frozen=True)
class BundledTranslator:
    """module: in evaluation mode, its parameters frozen, safe to share between sessions; card: what was measured of it."""

    model: TranslationModel
    module: Translator
    card: TranslationCard


def config_of(model: TranslationModel) -> TransformerConfig:
    """The sizes of its network."""
    return TransformerConfig(model.d_model, model.heads, model.d_ff, model.layers)


def load_translator(key: str = BUNDLED) -> BundledTranslator:
    """Build the network and fill in its weights, checked by their SHA-256.

    UserError: no such model. LoadError: its weights or their card are missing or damaged, or do not fit.
    """
    model = catalog.get(key, TranslationModel)
    state = load_state_dict(model)
    with torch.inference_mode(False), torch.device("meta"):  # no time spent on random weights
        module = Translator(len(ENGLISH), len(FRENCH), config_of(model))
    fill(module, state, model.name)
    return BundledTranslator(model, module.eval().requires_grad_(False), catalog.card(model, TranslationCard))

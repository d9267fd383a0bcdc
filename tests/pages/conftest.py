"""What several of the page tests need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import streamlit as st
import torch
from detection_visits import arrange, road_model  # noqa: F401 — fixtures
from safetensors.torch import save_file

from explorer.models.bert import BertConfig, BertForPreTraining
from pretrained import catalog
from tests.unit.conftest import served  # noqa: F401 — a fixture
from training.running import file_facts

WORDS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] the cat ##s sat on mat because it was tired . very old he hungry she bank of river and "
    "watched boats took his money to came home rich green full flowers king angry sent for soldiers two men are standing "
    "near a stove"
).split()


@pytest.fixture
def mini_bert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A bundled mini BERT with random weights, in the form of the trained one; nothing that was loaded before is kept."""
    folder = tmp_path / "weights"
    folder.mkdir()
    config = BertConfig(vocabulary=len(WORDS), hidden=32, layers=4, heads=4, intermediate=48, positions=64)
    torch.manual_seed(0)
    model = BertForPreTraining(config)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape) * 0.3
    shared = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
    state = {name: tensor.clone() for name, tensor in model.state_dict().items() if name not in shared}
    path = folder / "mini-bert.safetensors"
    save_file(state, path, metadata={"config": json.dumps(asdict(config)), "vocabulary": json.dumps(WORDS)})
    facts = {
        "masked_accuracy": 0.375,
        "masked_words": 1234,
        "next_sentence_accuracy": 0.75,
        "pairs": 4321,
        "updates": 9,
    }
    path.with_suffix(".json").write_text(json.dumps(facts | {"loss_curve": [[9, 1.0, 0.5]]} | file_facts(path)))
    monkeypatch.setattr(catalog, "WEIGHTS", folder)
    st.cache_resource.clear()
    yield path
    st.cache_resource.clear()

"""The bundled attention blocks: they load, fit the bundled ResNet, and their training learns and exports."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from explorer.gallery import load_sample
from explorer.map_attention import block_look
from pretrained import catalog
from pretrained.classification import load_classifier, preprocess
from pretrained.map_heads import BUNDLED, load_map_heads
from pretrained.records import ImageClassifier, MapHeadsModel
from training import map_heads as training
from training.photos import Photos


def test_the_bundled_blocks_read_the_bundled_resnets_maps():
    found = load_map_heads()
    backbone = load_classifier(found.model.backbone)
    assert len(catalog.labels(catalog.get(found.model.backbone, ImageClassifier))) == found.model.classes
    x = preprocess(backbone, load_sample("china_temple.jpg").pixels)
    look = block_look(backbone.module, found.model.layer, found.heads, x)
    assert look.maps.shape == (found.model.channels, 8, 8)
    assert look.attention.shape == (found.model.heads, 64, 64)
    np.testing.assert_allclose(look.attention.sum(-1), 1, rtol=1e-5)
    assert ((look.gates > 0) & (look.gates < 1)).all()
    # the gates follow from the photo: another one opens others
    other = preprocess(backbone, load_sample("coco_pizza.jpg").pixels)
    assert np.abs(block_look(backbone.module, found.model.layer, found.heads, other).gates - look.gates).max() > 0.01
    assert set(found.card.top1) == set(found.card.parameters) == set(found.heads)
    assert all(1 / found.model.classes < score < 1 for score in found.card.top1.values())
    counted = {name: sum(p.numel() for p in head.parameters()) for name, head in found.heads.items()}
    assert counted == found.card.parameters


def test_the_heads_learn_and_the_attention_begins_by_changing_nothing(monkeypatch):
    monkeypatch.setattr(training, "BATCH", 16)
    model = catalog.get(BUNDLED, MapHeadsModel)
    heads = training.new_heads(model, 3)
    torch.manual_seed(0)
    labels = torch.arange(512) % 3
    maps = torch.rand(512, model.channels, 2, 2)
    maps[torch.arange(512), labels] += 2
    x = maps[:4]
    with torch.no_grad():
        torch.testing.assert_close(heads["attention"].block(x)[0], x)
    before = training.right(heads, maps.half(), labels)
    log = training.fit(heads, maps.half(), labels, epochs=3)
    after = training.right(heads, maps.half(), labels)
    for name in heads:
        assert log[-1][name] < log[0][name]
        assert after[name] > max(before[name], 0.6)


def test_the_export_scores_the_very_file(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    photos = Photos(
        rng.integers(0, 255, (6, 64, 64, 3), dtype=np.uint8), torch.tensor([0, 1, 2, 0, 1, 2]), ("a", "b", "c")
    )
    monkeypatch.setattr(training, "load_photos", lambda *_: photos)
    monkeypatch.setattr(training, "BATCH", 4)
    monkeypatch.setattr(training, "WEIGHTS", tmp_path / "heads.safetensors")
    training.train(tmp_path, tmp_path / "out", 1)
    training.export(tmp_path, tmp_path / "out")
    card = json.loads((tmp_path / "heads.json").read_text())
    assert card["bytes"] == (tmp_path / "heads.safetensors").stat().st_size
    assert card["photos"] == 6
    assert card["epochs"] == 1
    assert list(card["top1"]) == ["none", "squeeze", "attention"]
    assert card["top1"]["none"] * 6 == pytest.approx(round(card["top1"]["none"] * 6))

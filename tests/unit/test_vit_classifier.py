from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from explorer.models.resnet import ResNet, ResNetConfig
from explorer.models.vit import VisionTransformer, VitConfig, vit_small_96
from training import resnet18_classifier, vit_classifier
from training.vit_classifier import Lessons, initialise, losses, schedule, view_size


def small(classes: int = 4, distilled: bool = True) -> VisionTransformer:
    torch.manual_seed(0)
    return VisionTransformer(
        VitConfig(96, 8, layers=6, heads=2, width=16, d_ff=16, classes=classes, distilled=distilled)
    )


@pytest.fixture
def teacher() -> ResNet:
    torch.manual_seed(0)
    return ResNet(ResNetConfig(classes=4)).eval().requires_grad_(False)


@pytest.fixture
def data(tmp_path) -> Path:
    """Two kinds of each source, eight photos each, in the layout of the archives."""
    rng = np.random.default_rng(0)
    root = tmp_path / "data"
    folders = [root / "imagenette96" / split / name for split in ("train", "val") for name in ("n1", "n2")]
    folders += [root / "caltech101_max120" / split / name for split in ("train", "test") for name in ("Anchor", "cup")]
    for kind, folder in enumerate(folders):
        folder.mkdir(parents=True)
        for number in range(8):
            shade = rng.integers(0, 60, (96, 90, 3), dtype=np.uint8) + 60 * (kind % 4)
            cv2.imwrite(str(folder / f"{number}.jpg"), shade.astype(np.uint8))
    (root / "imagenette96/classes.json").write_text(json.dumps({"n1": "tench", "n2": "church"}))
    return root


def test_the_schedules():
    assert [view_size(epoch, 10) for epoch in (0, 6, 7, 8, 9)] == [64, 64, 80, 80, 96]
    assert (schedule(0), schedule(0.05), schedule(1)) == (0, 1, 0)
    assert all(size % 16 == 0 for size in (64, 80, 96))


def test_heads_begin_by_looking_at_what_is_like_them_and_near():
    torch.manual_seed(0)
    model = vit_small_96()
    initialise(model)
    attention = model.encoder.layers["encoder_layer_2"].self_attention
    w_query, w_key, w_value = attention.in_proj_weight.chunk(3)
    product = w_query[:32].T @ w_key[:32]  # one head's
    assert product.diagonal().mean() > 4 * product.abs().mean()
    through = attention.out_proj.weight @ w_value
    assert -0.5 < through.diagonal().mean() < -0.3
    grid = model.encoder.pos_embedding[0, 2:].unflatten(0, (12, 12))
    assert grid[5, 5] @ grid[5, 6] > grid[5, 5] @ grid[5, 9] > grid[5, 5] @ grid[11, 11]
    with torch.inference_mode():
        weights = model.read(torch.zeros(1, 3, 96, 96)).attention[0][0, :, 2:, 2:].unflatten(1, (12, 12))[:, 5, 5]
    assert (weights.unflatten(1, (12, 12))[:, 5, 5] > 2 / 146).all()


def test_lessons_are_learned_when_the_patches_hold_the_stage():
    lessons = Lessons(16, channels=(8,))
    with torch.no_grad():
        lessons.maps[0].weight.copy_(torch.eye(8, 16))
        lessons.maps[0].bias.zero_()
    stage = torch.randn(4, 8, 6, 6)
    unit = (stage - stage.mean((0, 2, 3), keepdim=True)) / stage.std((0, 2, 3), keepdim=True)
    patches = torch.cat([unit, torch.randn(4, 8, 6, 6)], dim=1).flatten(2).transpose(1, 2)
    assert lessons([patches], [stage], 6) < 1e-4
    assert lessons([torch.zeros_like(patches)], [stage], 6).item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("size", [64, 80, 96])
def test_every_part_of_the_loss_teaches_its_part_of_the_network(teacher, size):
    model, lessons = small(), Lessons(16)
    view, target = torch.randn(3, 3, 96, 96), torch.eye(4)[:3]
    parts = losses(model, lessons, teacher, view, target, size)
    assert list(parts) == ["class", "answer", "places"]
    parts["answer"].backward(retain_graph=True)
    assert model.heads["head"].weight.grad is None
    assert model.heads["distillation"].weight.grad.abs().sum() > 0
    parts["class"].backward(retain_graph=True)
    assert model.heads["head"].weight.grad.abs().sum() > 0
    parts["places"].backward()
    assert all(p.grad.abs().sum() > 0 for p in lessons.parameters())
    assert all(p.grad is None for p in teacher.parameters())
    assert list(losses(small(distilled=False), lessons, None, view, target, size)) == ["class"]


@pytest.mark.parametrize("plain", [False, True])
def test_a_run_goes_on_where_it_stopped_and_is_exported(plain, data, tmp_path, monkeypatch, teacher):
    monkeypatch.setattr(vit_classifier, "BATCH", 8)
    monkeypatch.setattr(resnet18_classifier, "BATCH", 8)
    monkeypatch.setattr(vit_classifier, "WEIGHTS", tmp_path / "weights.safetensors")
    monkeypatch.setattr(vit_classifier, "vit_small_96", small)
    monkeypatch.setattr(vit_classifier, "vit_small_96_plain", lambda classes: small(classes, distilled=False))
    monkeypatch.setattr(vit_classifier, "load_classifier", lambda _key: SimpleNamespace(module=teacher))
    out = tmp_path / "out"
    vit_classifier.train(data, out, 1, plain=plain)
    vit_classifier.train(data, out, 3, plain=plain)
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log] == [0, 1, 2]
    assert ("places" in log[0]) != plain
    assert 0 <= log[-1]["top1"] <= log[-1]["top5"] == 1  # of four classes
    vit_classifier.export(data, out, plain=plain)
    facts = json.loads((tmp_path / "weights.json").read_text())
    names = {"top1", "top5", "top1_imagenette", "top1_caltech101", "epochs"}
    if plain:
        assert facts.keys() == {f"plain_{name}" for name in names}
        return
    assert facts.keys() == names | {"top1_class_token", "top1_distillation_token", "sha256", "bytes"}
    assert facts["epochs"] == 3
    half = load_file(tmp_path / "weights.safetensors")
    small().load_state_dict({name: t.float() for name, t in half.items()}, strict=True)
    assert all(t.dtype == torch.float16 for t in half.values())

"""The trainings of the detector and of the U-Nets, on made-up photos: views, scores, resuming, what is written."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from explorer.letterbox import letterbox
from explorer.models.yolo import STRIDES
from training import segmenter, unet_warm_up, warm_up, yolox_highway
from training.highway import Road
from training.photos import Photos
from training.running import to_full, to_half, write_card
from training.segmenter import IGNORED, Recipe, Scene

RECIPE = Recipe(("a", "b"), width=2, depth=2, size=16, least=0.5, most=1.2, turn=10, weights=None)


def scenes(count: int, seed: int = 0) -> list[Scene]:
    """A dark photo with a bright rectangle, which is class 1."""
    rng, made = np.random.default_rng(seed), []
    for _ in range(count):
        mask = np.zeros((24, 32), np.uint8)
        top, left = rng.integers(2, 10, 2)
        mask[top : top + 10, left : left + 14] = 1
        made.append(Scene(np.repeat(mask[..., None] * 200 + 20, 3, axis=2).astype(np.uint8), mask))
    return made


@pytest.mark.parametrize("seed", range(20))
def test_photo_and_mask_of_a_view_stay_together(seed):
    (scene,) = scenes(1, seed)
    made = segmenter.view(scene, RECIPE, np.random.default_rng(seed))
    assert made.image.shape == (16, 16, 3)
    assert made.mask.shape == (16, 16)
    known = made.mask != IGNORED
    bright = made.image[..., 0] > 120
    assert known.mean() > 0.3
    assert (bright[known] == (made.mask[known] == 1)).mean() > 0.93  # edges are half and half


def test_intersection_over_union_by_hand():
    counts = np.array([[50, 10], [5, 35]])
    np.testing.assert_allclose(segmenter.ious(counts), [50 / 65, 35 / 50])


def test_rare_classes_count_more():
    weights = segmenter.class_weights(scenes(3), 2)
    assert weights.mean() == pytest.approx(1)
    share = np.mean([scene.mask.mean() for scene in scenes(3)])
    assert weights[1] / weights[0] == pytest.approx(math.log(1.02 + 1 - share) / math.log(1.02 + share), rel=1e-4)


def test_ignored_pixels_are_not_counted():
    scene = scenes(1)[0]
    mask = scene.mask.copy()
    mask[:, :7] = IGNORED
    counts = segmenter.confusion(RECIPE.network(), [Scene(scene.image, mask)])
    assert counts.sum() == 24 * 25
    assert counts.sum(1)[1] == (mask == 1).sum()


def photos_to_warm_up(count: int) -> Photos:
    """Of two kinds: bright at the left, bright at the right."""
    images = np.full((count, 32, 32, 3), 40, np.uint8)
    images[::2, :, :16] = 220
    images[1::2, :, 16:] = 220
    return Photos(images, torch.arange(count) % 2, ("left", "right"))


def warm_up_encoder(out, monkeypatch, width: int, epochs: int) -> None:
    """As training.unet_warm_up does it, a small one with a few photos that are shown as they are."""
    monkeypatch.setattr(warm_up, "load_photos", lambda data, split: photos_to_warm_up(24))
    monkeypatch.setattr(warm_up, "random_view", lambda image, size, rng: image[:size, :size])
    monkeypatch.setattr(warm_up, "BATCH", 8)
    monkeypatch.setattr(warm_up, "PEAK_LEARNING_RATE", 0.05)
    recipe = replace(
        unet_warm_up.RECIPE, trunk=lambda: unet_warm_up.Encoder(width, 2), channels=4 * width, sizes=(32, 32)
    )
    warm_up.train(recipe, out, out, epochs)


def test_the_encoder_is_warmed_up_and_the_u_net_begins_with_it(tmp_path, monkeypatch):
    warm_up_encoder(tmp_path, monkeypatch, width=4, epochs=2)
    warm_up_encoder(tmp_path, monkeypatch, width=4, epochs=15)
    log = [json.loads(line) for line in (tmp_path / "warm_up.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log] == list(range(15))
    assert log[-1]["top1"] == 1.0
    saved = torch.load(tmp_path / segmenter.ENCODER, weights_only=True)["model"]
    model = segmenter.beginning(replace(RECIPE, width=4), tmp_path)
    own = model.state_dict()
    for name, tensor in saved.items():
        if name.startswith("trunk."):
            assert torch.equal(own[name.removeprefix("trunk.")], tensor), name
    assert {name.partition(".")[0] for name in own} > {"encoder", "bottom"}
    assert sum(name.startswith("trunk.") for name in saved) == sum(
        name.startswith(("encoder.", "bottom.")) for name in own
    )


def test_a_u_net_learns_resumes_and_is_exported(tmp_path, monkeypatch):
    warm_up_encoder(tmp_path, monkeypatch, width=4, epochs=1)
    monkeypatch.setattr(segmenter, "AVERAGE", 0.9)  # few steps
    monkeypatch.setattr(segmenter, "PEAK_LEARNING_RATE", 0.02)
    recipe = replace(RECIPE, width=4, weights=tmp_path / "weights/tiny.safetensors")
    photos, held_out = scenes(32), scenes(4, seed=1)
    segmenter.train(recipe, photos, held_out, tmp_path, 3)
    segmenter.train(recipe, photos, held_out, tmp_path, 20)
    log = [json.loads(line) for line in (tmp_path / "tiny/log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log] == list(range(20))
    assert log[-1]["loss"] < 0.6 * log[0]["loss"]
    assert log[-1]["mean_iou"] > 0.8
    facts = segmenter.export(recipe, held_out, tmp_path)
    write_card(recipe.weights, facts)
    card = json.loads(recipe.weights.with_suffix(".json").read_text())
    assert card["mean_iou"] == pytest.approx(np.mean(list(card["iou"].values())), abs=1e-4)
    assert (card["photos"], card["epochs"], len(card["loss_curve"]), card["warm_up_epochs"]) == (4, 20, 20, 1)
    content = recipe.weights.read_bytes()
    assert (card["sha256"], card["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    with safe_open(recipe.weights, framework="np") as file:
        assert json.loads(file.metadata()["classes"]) == ["a", "b"]
        assert json.loads(file.metadata()["config"]) == {"width": 4, "depth": 2}
        assert file.get_tensor("head.weight").dtype == np.float16
    other = replace(
        recipe, classes=("x", "y", "z"), begins_with=recipe.weights, weights=tmp_path / "weights/other.safetensors"
    )
    taught, own = load_file(recipe.weights), segmenter.beginning(other, tmp_path).state_dict()
    assert own["head.weight"].shape[0] == 3
    assert {
        name for name in own if name not in taught or not torch.equal(own[name], taught[name].to(own[name].dtype))
    } == {
        "head.weight",
        "head.bias",
    }
    segmenter.train(other, scenes(8), held_out, tmp_path, 1)
    facts = segmenter.export(other, held_out, tmp_path)
    assert (facts["begins_with"], facts["epochs"]) == ("tiny", 1)
    assert "warm_up_epochs" not in facts


def test_what_is_shipped_is_in_fp16_unless_that_cannot_hold_it():
    state = {
        "weight": torch.tensor([0.1, -65504.0]),
        "variance": torch.tensor([2.0, 117_566.0]),
        "steps": torch.tensor(70_000),
    }
    shipped = to_half(state)
    assert {name: tensor.dtype for name, tensor in shipped.items()} == {
        "weight": torch.float16,
        "variance": torch.float32,
        "steps": torch.int64,
    }
    full = to_full(shipped)
    assert torch.equal(full["variance"], state["variance"])
    assert torch.equal(full["steps"], state["steps"])
    torch.testing.assert_close(full["weight"], state["weight"], rtol=5e-4, atol=0)


class Knows(nn.Module):
    """Gives the boxes of the photos that it is shown, one after the other. shift: pixels of the input by which it errs."""

    def __init__(self, roads: list[Road], shift: float = 0.0):
        super().__init__()
        self.roads, self.shift = iter(roads), shift

    def forward(self, x):
        road = next(self.roads)
        boxes = letterbox(road.image, yolox_highway.TEST_SIZE).from_photo(road.boxes) + self.shift
        side = yolox_highway.TEST_SIZE // STRIDES[0]
        grids = [
            torch.full((1, 10, yolox_highway.TEST_SIZE // s, yolox_highway.TEST_SIZE // s), -20.0) for s in STRIDES
        ]
        for number, ((x0, y0, x1, y1), label) in enumerate(zip(boxes.tolist(), road.labels.tolist(), strict=True)):
            row, column = divmod(number, side)
            cell = grids[0][0, :, row, column]
            cell[:2] = torch.tensor([(x0 + x1) / 2 / 8 - column, (y0 + y1) / 2 / 8 - row])
            cell[2:4] = torch.tensor([(x1 - x0) / 8, (y1 - y0) / 8]).log()
            cell[4], cell[5 + label] = 20, 20
        return tuple(grids)


NAMES = ("bus", "car", "motorbike", "person", "truck")
ROADS = [
    Road(
        np.zeros((200, 304, 3), np.uint8),
        np.array([[10, 20, 110, 90], [150, 30, 250, 130]], np.float32),
        np.array([0, 1]),
    ),
    Road(np.zeros((304, 240, 3), np.uint8), np.array([[5, 5, 205, 105]], np.float32), np.array([4])),
]


def test_a_detector_that_knows_all_scores_one():
    found = yolox_highway.score(Knows(ROADS), ROADS, NAMES)
    assert found["ap50"] == pytest.approx({"bus": 1, "car": 1, "truck": 1})  # of the others there are none
    assert found["map50"] == pytest.approx(1)
    assert found["map"] == pytest.approx(1)


def test_a_detector_that_errs_scores_less_where_the_overlap_must_be_great():
    found = yolox_highway.score(Knows(ROADS, shift=12.0), ROADS, NAMES)
    assert found["ap50"]["car"] == pytest.approx(1)
    assert found["map"] < found["map50"]
    nothing = yolox_highway.score(Knows([replace(road, labels=road.labels * 0 + 3) for road in ROADS]), ROADS, NAMES)
    assert nothing["ap50"]["car"] == 0

"""Detectors against their makers' own way of running them, for made-up weights in the official format."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models import detection as reference

from explorer.detections import keep, rounds
from explorer.errors import UserError
from explorer.models import yolo
from explorer.models.yolo import YOLOX, YoloxConfig
from pretrained import LoadError, catalog, detection, loading, transformer_detection
from pretrained.detection_models import DETECTORS
from pretrained.records import Detector
from tests.unit.fileserver import serving
from tests.unit.hubserver import serving_models

PHOTO = np.random.default_rng(0).integers(0, 256, (120, 200, 3)).astype(np.uint8)
NANO = catalog.get("yolox-nano-coco", Detector)
TORCHVISION = [model for model in DETECTORS if model.way == "torchvision"]


@pytest.fixture
def empty_caches(tmp_path, monkeypatch) -> Path:
    monkeypatch.delenv("EXPLORER_MODELS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "huggingface"))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    return tmp_path / "hub" / "checkpoints"


def record(monkeypatch, model: Detector) -> None:
    monkeypatch.setattr(catalog, "get", lambda key, kind: model)


def randomise(module: nn.Module) -> nn.Module:
    """Statistics and heads as after a training, so that boxes differ."""
    torch.manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(std=0.1)
            part.running_var.uniform_(0.5, 1.5)
    return module


def checkpoint(path: Path, network: nn.Module) -> str:
    """As Megvii's training writes it, with a score of NumPy's kind; → its SHA-256."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    state = {"start_epoch": 300, "model": network.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(state | {"best_ap": np.float64(25.8), "curr_ap": np.mean([0.2, 0.3])}, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_records_say_what_torchvision_says():
    for model in TORCHVISION:
        weights = catalog.official(model)
        assert weights.url.rsplit("/", 1)[1] == model.file
        assert model.megabytes == pytest.approx(weights.meta["_file_size"] * 2**20 / 1e6, abs=0.1)
        assert model.average_precision == pytest.approx(weights.meta["_metrics"]["COCO-val2017"]["box_map"] / 100)


def test_the_records_of_yolox():
    official = [model for model in DETECTORS if model.source == "web"]
    assert [model.architecture for model in official] == list(detection.YOLOX)
    for model in official:
        assert model.url == f"https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/{model.file}"
        assert len(model.sha256) == 64
    assert len(set(detection.COCO_CLASSES)) == len(detection.COCO_CLASSES) == 80
    coco = reference.FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
    assert tuple(name for name in coco if name not in ("__background__", "N/A")) == detection.COCO_CLASSES


@pytest.fixture(scope="module")
def nano():
    return randomise(yolo.yolox_nano()).eval()


def test_an_official_checkpoint_is_downloaded_checked_and_run(empty_caches, tmp_path, monkeypatch, nano):
    digest = checkpoint(tmp_path / "made.pth", nano)
    with serving((tmp_path / "made.pth").read_bytes()) as server:
        record(monkeypatch, replace(NANO, url=server.url("whole", NANO.file), sha256=digest))
        loaded = detection.load_detector(NANO.key)
        detection.load_detector(NANO.key)
        assert server.requests["whole"] == 1
    look = detection.look(loaded, PHOTO)
    # Megvii's own steps: preproc, the network, the boxes by the ratio of sizes.
    import cv2

    canvas = np.full((416, 416, 3), 114, np.uint8)
    canvas[: int(120 * 416 / 200)] = cv2.resize(PHOTO[..., ::-1], (416, int(120 * 416 / 200)))
    with torch.inference_mode():
        rows = yolo.decode(nano(torch.from_numpy(canvas.transpose(2, 0, 1)).float()[None]))[0].numpy()
    scores = (rows[:, 4:5] * rows[:, 5:]).max(1)
    np.testing.assert_allclose(look.found.scores, np.sort(scores)[::-1], rtol=1e-5)
    best = rows[scores.argmax()]
    corner = (best[:2] - best[2:4] / 2) / (416 / 200)
    np.testing.assert_allclose(look.found.boxes[0, :2], corner.clip(0, (200, 120)), rtol=1e-4, atol=1e-3)
    assert look.found.names[0] == detection.COCO_CLASSES[best[5:].argmax()]
    assert [grid.shape for grid in look.grids] == [(85, 52, 52), (85, 26, 26), (85, 13, 13)]
    assert len(look.found) == 52**2 + 26**2 + 13**2
    assert (look.found.boxes[:, 2:] <= (200, 120)).all()


def test_another_file_under_the_official_name_is_not_loaded(empty_caches, tmp_path, monkeypatch, nano):
    checkpoint(empty_caches / NANO.file, nano)
    with serving(b"") as server:
        record(monkeypatch, replace(NANO, url=server.url("500")))
        with pytest.raises(LoadError, match=r"yolox_nano\.pth is damaged \(its checksum differs\)"):
            detection.load_detector(NANO.key)


def test_a_checkpoint_of_another_size_is_said_in_a_sentence(empty_caches, monkeypatch, nano):
    digest = checkpoint(empty_caches / "yolox_tiny.pth", nano)
    record(monkeypatch, replace(catalog.get("yolox-tiny-coco", Detector), sha256=digest))
    with pytest.raises(LoadError, match=r"The weights of YOLOX-tiny do not fit the network: .* of another shape"):
        detection.load_detector("yolox-tiny-coco")


@pytest.mark.parametrize("content", [{"epoch": 3}, {"model": 7}, {"model": {"a": "b"}}, [1]])
def test_a_file_without_the_part_is_no_file_of_weights(tmp_path, content):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(LoadError, match=r"^x\.pth is damaged or not a file of weights"):
        loading._read(loading.Copy(tmp_path / "x.pth", "", "model"))


def test_a_bundled_detector_knows_its_classes_and_sizes(tmp_path, monkeypatch):
    config = YoloxConfig(classes=2, depth=0.33, width=0.125)
    network = randomise(YOLOX(config)).eval()
    model = catalog.models(Detector)[0]
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    half = {name: t.half() if t.is_floating_point() else t for name, t in network.state_dict().items()}
    metadata = {"classes": json.dumps(["bus", "car"]), "config": json.dumps(asdict(config))}
    save_file(half, tmp_path / model.file, metadata=metadata)
    digest = hashlib.sha256((tmp_path / model.file).read_bytes()).hexdigest()
    (tmp_path / model.file).with_suffix(".json").write_text(json.dumps({"sha256": digest, "bytes": 1}))
    loaded = detection.load_detector(model.key)
    assert loaded.classes == ("bus", "car")
    look = detection.look(loaded, PHOTO)
    assert [grid.shape for grid in look.grids] == [(7, 40, 40), (7, 20, 20), (7, 10, 10)]
    few = keep(look.found, float(look.found.scores[50]), 0.5)
    assert 0 < len(few) == len(rounds(keep(look.found, float(look.found.scores[50])), 0.5))


@pytest.mark.parametrize("model", TORCHVISION, ids=lambda model: model.key)
def test_torchvisions_detectors_give_torchvisions_boxes(empty_caches, monkeypatch, model):
    """Its own builder, given the same weights as if they were the official ones, and its own suppression."""
    monkeypatch.setattr(detection, "MOST", 30_000)  # weights at random propose more than trained ones
    weights = catalog.official(model)
    network, _classes = detection.torchvision_network(model)
    state = randomise(network).state_dict()
    sharpen(state)
    monkeypatch.setattr(type(weights), "get_state_dict", lambda self, **_: dict(state))
    theirs = getattr(reference, model.architecture)(weights=weights).eval()
    monkeypatch.setattr(detection, "load_state_dict", lambda *_, **__: state)
    loaded = detection.load_detector(model.key)
    if "rcnn" in model.architecture:
        least, overlap, most = 0.05, 0.5, 100  # torchvision's own
        for one in (loaded.module, theirs):
            one.transform.min_size = (160,)  # quicker than the official 800
    else:
        # With random weights many scores are equal, so that it is left to chance which box suppresses which.
        least, overlap, most = 0.01, None, None
        theirs.score_thresh, theirs.nms_thresh, theirs.detections_per_img = 0.01, 1.0, 30_000
    with torch.inference_mode():
        (expected,) = theirs([detection.as_tensor(PHOTO)])
    found = detection.look(loaded, PHOTO).found
    kept = keep(found, least, overlap, most=most)
    sure = expected["scores"] >= least
    assert 5 < len(kept) == int(sure.sum())
    np.testing.assert_allclose(kept.scores, expected["scores"][sure], atol=2e-3)
    np.testing.assert_allclose(kept.boxes, expected["boxes"][sure], atol=0.1)
    assert loaded.classes == tuple(weights.meta["categories"])
    assert overlap is None or len(found) > len(kept)


def sharpen(state: dict[str, torch.Tensor]) -> None:
    """Let some classes win, as in a trained network: with random weights all are near 1 of 91."""
    for name, tensor in state.items():
        if "cls_score" in name or ("classification_head" in name and name.endswith("1.weight")):
            tensor.mul_(40 if "cls_score" in name else 3)


SMALL = {
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16,
    "encoder_attention_heads": 2, "decoder_attention_heads": 2, "num_queries": 5, "id2label": {0: "N/A", 1: "cat", 2: "dog"},
}  # fmt: skip


def official_detr(folder: Path) -> transformers.DetrForObjectDetection:
    """Few of everything but the ResNet-50, saved as the official one is: timm's names in the file, timm in the configuration.

    → the same network with transformers' own ResNet.
    """
    torch.manual_seed(0)
    own = transformers.ResNetConfig(out_features=["stage4"])
    theirs = transformers.DetrForObjectDetection(transformers.DetrConfig(backbone_config=own, **SMALL)).eval()
    for name, buffer in theirs.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
        elif name.endswith("normalization.weight"):
            buffer.uniform_(0.5, 0.8)
    theirs.save_pretrained(folder)
    state = {as_timm(name): tensor for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    config = transformers.DetrConfig(**SMALL)  # asks for timm's ResNet-50
    assert config.backbone_config.model_type == "timm_backbone"
    config.save_pretrained(folder)
    return theirs


def as_timm(name: str) -> str:
    """….model.encoder.stages.0.layers.1.layer.2.convolution.weight → ….model.layer1.1.conv3.weight."""
    start, found, rest = name.partition("conv_encoder.model.")
    if not found:
        return name
    rest = rest.replace("embedder.embedder.convolution", "conv1").replace("embedder.embedder.normalization", "bn1")
    if rest.startswith("encoder.stages."):
        _, _, stage, _, block, part, *tail = rest.split(".")
        if part == "shortcut":
            layer = "downsample." + {"convolution": "0", "normalization": "1"}[tail[0]]
            rest = f"layer{int(stage) + 1}.{block}.{layer}.{tail[1]}"
        else:
            kind = {"convolution": "conv", "normalization": "bn"}[tail[1]]
            rest = f"layer{int(stage) + 1}.{block}.{kind}{int(tail[0]) + 1}.{tail[2]}"
    return start + found + rest


def test_the_official_detr_without_timm_gives_the_same(tmp_path, monkeypatch):
    folder = tmp_path / "models/facebook/detr-resnet-50"
    theirs = official_detr(folder)
    theirs.set_attn_implementation("eager")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "huggingface"))
    with serving_models(tmp_path / "models") as endpoint:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
        loaded = detection.load_detector("detr-resnet50-coco")
    assert loaded.classes == ("N/A", "cat", "dog")
    monkeypatch.setattr(transformer_detection, "LONGEST", 1.0)
    look = detection.look(replace(loaded, model=replace(loaded.model, input_size=200)), PHOTO)
    with torch.inference_mode():
        output = theirs(pixel_values=transformer_detection.to_input(PHOTO, 200), output_attentions=True)
    processor = transformers.DetrImageProcessorPil()
    (expected,) = processor.post_process_object_detection(output, threshold=0, target_sizes=[PHOTO.shape[:2]])
    order = expected["scores"].argsort(descending=True)
    np.testing.assert_allclose(look.found.scores, expected["scores"][order], atol=1e-4)
    np.testing.assert_allclose(
        look.found.boxes, expected["boxes"][order].clamp(min=0).minimum(torch.tensor([200, 120, 200, 120])), atol=0.05
    )
    assert look.found.labels.tolist() == expected["labels"][order].tolist()
    assert look.queries.tolist() == order.tolist()
    assert look.attention.shape == (2, 2, 5, 4, 7)  # 120 × 200 pixels in cells of 32
    np.testing.assert_allclose(look.attention.sum((-1, -2)), 1, atol=1e-4)
    np.testing.assert_allclose(look.attention, torch.cat(output.cross_attentions).view(2, 2, 5, 4, 7), atol=1e-4)


def test_yolos(tmp_path, monkeypatch):
    torch.manual_seed(0)
    config = transformers.YolosConfig(
        hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=16, image_size=[64, 96],
        patch_size=16, num_detection_tokens=6, id2label={0: "a", 1: "b"},
    )  # fmt: skip
    theirs = transformers.YolosForObjectDetection(config).eval()
    for parameter in theirs.parameters():
        parameter.data.normal_(std=0.3)
    folder = tmp_path / "hustvl--yolos-tiny"
    theirs.save_pretrained(folder)
    monkeypatch.setenv("EXPLORER_MODELS", str(tmp_path))
    loaded = detection.load_detector("yolos-tiny-coco")
    look = detection.look(replace(loaded, model=replace(loaded.model, input_size=96)), PHOTO)
    with torch.inference_mode():
        output = theirs(pixel_values=transformer_detection.to_input(PHOTO, 96))
    scores = output.logits[0].softmax(-1)[:, :-1].max(-1).values
    np.testing.assert_allclose(look.found.scores, scores.sort(descending=True).values, atol=1e-5)
    assert look.attention is None
    assert sorted(look.queries.tolist()) == list(range(6))


def test_a_detr_with_another_head_does_not_fit(tmp_path):
    official_detr(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    del state["class_labels_classifier.weight"]
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(LoadError, match="do not fit the network: 1 tensors"):
        transformer_detection.from_folder(tmp_path, "DETR", transformer_detection.Detr)


def test_a_pickle_is_not_read(tmp_path):
    official_detr(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(LoadError, match="weights of DETR are damaged, or do not fit"):
        transformer_detection.from_folder(tmp_path, "DETR", transformer_detection.Detr)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "There is not enough memory for YOLOX-nano"),
        (MemoryError(), "There is not enough memory for YOLOX-nano"),
        (ValueError("size 0"), "YOLOX-nano cannot see a photo of this shape"),
    ],
)
def test_what_goes_wrong_is_said_in_a_sentence(error, sentence):
    class Fails(nn.Module):
        def forward(self, x):
            raise error

    with pytest.raises(UserError, match=sentence):
        detection.look(detection.LoadedDetector(NANO, Fails(), detection.COCO_CLASSES), PHOTO)


@pytest.mark.parametrize("shape", [(1, 4000), (4000, 1), (1, 1), (8, 512)])
def test_a_photo_of_any_shape(shape, nano):
    loaded = detection.LoadedDetector(NANO, nano, detection.COCO_CLASSES)
    look = detection.look(loaded, np.zeros((*shape, 3), np.uint8))
    assert (look.found.boxes >= 0).all()
    assert (look.found.boxes[:, 2:] <= (shape[1], shape[0])).all()

from __future__ import annotations

import torch
from torchvision.ops import Conv2dNormActivation

from benchmarks import detection
from explorer.models.yolo import YOLOX, Convolution, YoloxConfig
from pretrained import LoadError
from tests.unit.test_detection import randomise


def test_the_peer_is_the_same_network_in_torchvisions_blocks():
    network = randomise(YOLOX(YoloxConfig(classes=2, depth=0.33, width=0.125, depthwise=True))).eval()
    peer = detection.with_torchvisions_blocks(network)
    kinds = [type(part) for part in peer.modules()]
    assert Convolution not in kinds
    assert kinds.count(Conv2dNormActivation) == sum(isinstance(part, Convolution) for part in network.modules()) > 50
    x = torch.rand(1, 3, 64, 96) * 255
    with torch.inference_mode():
        for mine, other in zip(network(x), peer(x), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)


def test_suppression_is_compared_on_the_same_boxes(monkeypatch):
    monkeypatch.setattr(detection, "ROUNDS", 1)
    name, measured, _goal = detection.suppression(50)
    assert name.startswith("readable NMS ÷ torchvision.ops.nms, 50 boxes, ")
    assert "÷" in measured
    boxes, scores = detection.random_boxes(50)
    assert boxes.shape == (50, 4)
    assert ((boxes[:, 2:] - boxes[:, :2]) >= 20).all()
    assert torch.equal(detection.random_boxes(50)[1], scores)


def test_without_the_weights_the_row_says_so(monkeypatch):
    def missing(_key: str) -> None:
        raise LoadError("They are not here.")

    monkeypatch.setattr(detection, "load_detector", missing)
    assert detection.run() == [("photo → boxes ÷ bare forward pass", "They are not here.", "≤ 1.05")]

"""YOLOX against the official implementation.

That is Megvii's code as packaged in pixeltable-yolox 0.4.3 (Apache-2.0), a fork that loads Megvii's checkpoints strictly. What
it gives for made-up weights was written down here, so that nobody needs it: the names and shapes of all tensors as a hash, and
some outputs. Where the package is importable, all outputs are compared for random weights:

    pip install --target DIR --no-deps pixeltable-yolox==0.4.3 loguru tabulate psutil    # then PYTHONPATH=DIR
"""

from __future__ import annotations

import hashlib
import math
import zlib
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.models import yolo

SIZES = ("nano", "tiny", "s", "m")
NAMES = {
    "nano": "3bb40b0511a5f905e83e76a1f0e839ecdea868e60750b0f87b4e2423686f4189",
    "tiny": "94b84951f5111594d1d0ea1535fade275cbdd0632963619dfd43412b3eee7163",
    "s": "d0fc0633634b486ce43bb7a834f100a391b89b6d3678bb389d023f39a2e84e74",
    "m": "446823ef5ea1313d2c1061684c6c4b5f97fb40e07edac9500faad06c2d312dd7",
}
OUTPUTS = {
    "nano": [
        [1.16275, -0.218208, 7.57726, 7.10332, 0.526019, 0.483145, 0.485439],
        [17.1609, 31.7809, 7.5787, 7.10354, 0.526056, 0.483063, 0.485386],
        [89.1619, 55.7792, 7.58021, 7.10094, 0.526046, 0.483124, 0.4854],
        [29.0444, 31.892, 13.4928, 14.9254, 0.4872, 0.5274, 0.49164],
        [59.9743, 28.7015, 34.0625, 34.4186, 0.51545, 0.473658, 0.515596],
    ],
    "tiny": [
        [1.16643, -0.216801, 7.58197, 7.08639, 0.52708, 0.482875, 0.485248],
        [17.1587, 31.7787, 7.58412, 7.0783, 0.527828, 0.483041, 0.48476],
        [89.1648, 55.7915, 7.57669, 7.09379, 0.527259, 0.483058, 0.484565],
        [29.0006, 31.8785, 13.4391, 14.9067, 0.486945, 0.527118, 0.491889],
        [59.9878, 28.6534, 34.0794, 34.4596, 0.51489, 0.473924, 0.515586],
    ],
}


def build(size: str, classes: int = 80) -> yolo.YOLOX:
    return getattr(yolo, f"yolox_{size}")(classes).eval()


def names(module: nn.Module) -> str:
    lines = [f"{name} {tuple(tensor.shape)}" for name, tensor in module.state_dict().items()]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def scattered(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Numbers in −1…1, as if at random, that depend on the name alone."""
    places = torch.arange(math.prod(shape), dtype=torch.float64) + zlib.crc32(name.encode()) % 1000
    return (torch.sin(places * 12.9898) * 43758.5453).remainder(1).mul(2).sub(1).reshape(shape)


def fill(module: nn.Module) -> None:
    """Made-up weights, the same in each implementation."""
    state = {}
    for name, tensor in module.state_dict().items():
        values = scattered(name, tuple(tensor.shape))
        if name.endswith(("running_var", "bn.weight")):
            values = 1 + values / 3
        elif tensor.ndim == 4:
            values = values * ((0.001 if "preds" in name else 2) / math.prod(tensor.shape[1:])) ** 0.5
        elif name.endswith("num_batches_tracked"):
            values = values * 0
        else:
            values = values / 5
        state[name] = values.to(tensor.dtype)
    module.load_state_dict(state)


def picture(height: int = 64, width: int = 96) -> torch.Tensor:
    return (scattered("picture", (1, 3, height, width)) * 127 + 128).float()


@pytest.mark.parametrize("size", SIZES)
def test_names_and_shapes_are_the_official_ones(size):
    with torch.device("meta"):
        assert names(build(size)) == NAMES[size]


@pytest.mark.parametrize(("size", "millions"), [("nano", 0.91), ("tiny", 5.06), ("s", 9.0), ("m", 25.3)])
def test_the_parameters_are_as_many_as_published(size, millions):
    with torch.device("meta"):
        count = sum(p.numel() for p in build(size).parameters()) / 1e6
    assert count == pytest.approx(millions, abs=0.05 if size in ("s", "m") else 0.005)


@pytest.mark.parametrize("size", ["nano", "tiny"])
def test_outputs_are_the_official_ones(size):
    """Boxes, objectness and the first two classes of five cells, as the official implementation gave them."""
    network = build(size)
    fill(network)
    with torch.inference_mode():
        found = yolo.decode(network(picture()))
    assert found.shape == (1, 8 * 12 + 4 * 6 + 2 * 3, 85)
    torch.testing.assert_close(found[0, [0, 50, 95, 110, 125], :7], torch.tensor(OUTPUTS[size]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_all_outputs_equal_the_official_implementation(size):
    pytest.importorskip("yolox.models", reason="pixeltable-yolox is not installed")
    from yolox.config import YoloxConfig

    torch.manual_seed(0)
    theirs = YoloxConfig.get_named_config(f"yolox_{size}").get_model().eval()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    ours = build(size)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert names(theirs) == NAMES[size]
    x = torch.rand(2, 3, 96, 64) * 255
    with torch.inference_mode():
        torch.testing.assert_close(yolo.decode(ours(x)), theirs(x), rtol=1e-5, atol=1e-5)


@settings(max_examples=10)
@given(rows=st.integers(1, 4), columns=st.integers(1, 4), classes=st.integers(1, 3))
def test_every_cell_proposes_a_box(rows, columns, classes):
    with torch.inference_mode():
        grids = small(classes)(torch.rand(2, 3, 32 * rows, 32 * columns) * 255)
        boxes = yolo.decode(grids)
    shapes = [(2, 5 + classes, 32 * rows // stride, 32 * columns // stride) for stride in yolo.STRIDES]
    assert [tuple(grid.shape) for grid in grids] == shapes
    assert boxes.shape == (2, 21 * rows * columns, 5 + classes)
    assert ((boxes[..., 4:] >= 0) & (boxes[..., 4:] <= 1)).all()


@cache
def small(classes: int) -> yolo.YOLOX:
    return build("nano", classes)


def test_decoding_by_hand():
    """One cell: stride 16, row 1, column 2."""
    grids = [torch.zeros(1, 6, 32 // stride * 2, 32 // stride * 3) for stride in yolo.STRIDES]
    grids[1][0, :, 1, 2] = torch.tensor([0.25, -0.5, math.log(2), math.log(0.5), 0.0, math.log(3)])
    row = yolo.decode(grids)[0, 8 * 12 + 1 * 6 + 2]
    np.testing.assert_allclose(row, [(2 + 0.25) * 16, (1 - 0.5) * 16, 32, 8, 0.5, 0.75], rtol=1e-6)


def test_everything_begins_at_one_percent():
    network = build("nano", 3)
    for layer in (*network.head.cls_preds, *network.head.obj_preds):
        np.testing.assert_allclose(layer.bias.sigmoid().detach(), 0.01, rtol=1e-5)

"""Parts of the networks for photos, stepped through: the trace is complete and gives what the part gives."""

from __future__ import annotations

import pytest
import torch

from explorer.models.alexnet import AlexNet, AlexNetConfig
from explorer.models.googlenet import Inception, InceptionConfig
from explorer.models.swin import SwinBlock
from explorer.models.vit import EncoderBlock, VisionTransformer, VitConfig
from explorer.trace import trace

VIT = VitConfig(32, 8, layers=1, heads=2, width=8, d_ff=16, classes=5, distilled=True)
ALEXNET = AlexNetConfig(channels=(4, 4, 4, 4, 4), hidden=8, classes=3)


@pytest.mark.parametrize(
    ("part", "x", "ops"),
    [
        (Inception(8, InceptionConfig(2, 3, 4, 2, 3, 2)), (1, 8, 5, 5), {"conv2d": 6, "max_pool2d": 1, "cat": 1}),
        (SwinBlock(8, heads=2, window=2, shift=1), (1, 4, 4, 8), {"roll": 2, "softmax": 1, "linear": 4, "add": 4}),
        (SwinBlock(8, heads=2, window=2, shift=0), (1, 4, 4, 8), {"softmax": 1, "linear": 4, "add": 3}),
        (EncoderBlock(VIT), (1, 18, 8), {"softmax": 1, "linear": 6, "gelu": 1, "add": 2}),
        (VisionTransformer(VIT).embed, (1, 3, 32, 32), {"conv2d": 1, "cat": 2, "add": 1}),
        (AlexNet(ALEXNET).maps, (1, 3, 64, 64), {"conv2d": 5, "relu": 5, "max_pool2d": 2}),
    ],
    ids=["inception", "moved windows", "windows", "vit block", "patches", "alexnet"],
)
def test_a_part_can_be_stepped_through(part, x, ops):
    x = torch.randn(x)
    with torch.inference_mode():
        steps, expected = trace(part, x), part(x)
    found = [step.op for step in steps.steps]
    assert {op: found.count(op) for op in ops} == ops
    assert steps.left_out == ()
    torch.testing.assert_close(steps.result, expected)

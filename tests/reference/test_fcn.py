from __future__ import annotations

import pytest
import torch
import torchvision.models.segmentation as reference

from explorer.models import fcn


@pytest.mark.parametrize("name", ["fcn_resnet50", "fcn_resnet101"])
def test_names_and_shapes_are_torchvisions(name):
    with torch.device("meta"):
        ours = {key: t.shape for key, t in getattr(fcn, name)().state_dict().items()}
        theirs = getattr(reference, name)(weights=None, weights_backbone=None, aux_loss=True, num_classes=21)
    assert ours == {key: t.shape for key, t in theirs.state_dict().items()}


def test_the_parameters_are_counted_right():
    with torch.device("meta"):
        counts = {
            depth: sum(p.numel() for p in getattr(fcn, f"fcn_resnet{depth}")().parameters()) / 1e6
            for depth in (50, 101)
        }
        extra = sum(p.numel() for p in fcn.FCNHead(1024, 21).parameters()) / 1e6
    assert {depth: round(count, 1) for depth, count in counts.items()} == {50: 35.3, 101: 54.3}
    assert round(extra, 1) == 2.4


@pytest.mark.parametrize("size", [(64, 96), (65, 90)])
def test_logits_equal_torchvision(size):
    torch.manual_seed(0)
    theirs = reference.fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True, num_classes=7).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    ours = fcn.fcn_resnet50(7).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(1, 3, *size)
    with torch.inference_mode():
        expected = theirs(x)["out"]
        found = ours(x)
    assert found.shape == (1, 7, *size)
    assert expected.std() > 0.01
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)

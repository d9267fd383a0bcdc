"""Our network and torchvision's with the same random state."""

from __future__ import annotations

import torch
from torch import nn


def randomise(module: nn.Module) -> None:
    """Fill everything that training would change, so that no term of the arithmetic is zero or one."""
    for name, tensor in module.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith(("running_mean", "bias", "token", "pos_embedding", "bias_table")):
            tensor.normal_(std=0.2)
        elif tensor.ndim == 1 and tensor.is_floating_point():  # the scale of a norm
            tensor.normal_(1, 0.2)
        elif tensor.is_floating_point():
            tensor.normal_(std=1.4 / tensor[0].numel() ** 0.5)


def twins(ours: nn.Module, reference: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Both in evaluation mode with one state, loaded strictly."""
    torch.manual_seed(0)
    with torch.no_grad():
        randomise(reference)
    ours.load_state_dict(reference.state_dict(), strict=True)
    return ours.eval().requires_grad_(False), reference.eval().requires_grad_(False)


def assert_same_layout(ours: nn.Module, reference: nn.Module) -> None:
    """The same names, in the same order, with the same shapes. Both may lie on the meta device."""
    layouts = [{name: tuple(t.shape) for name, t in network.state_dict().items()} for network in (ours, reference)]
    assert layouts[0] == layouts[1]


def assert_equal_logits(ours: nn.Module, reference: nn.Module, x: torch.Tensor) -> None:
    """Within 1e-4, of logits that are not trivially small."""
    with torch.inference_mode():
        expected = reference(x)
        assert expected.std() > 0.01
        torch.testing.assert_close(ours(x), expected, rtol=1e-4, atol=1e-4)

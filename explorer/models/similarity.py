"""How alike two vectors are."""

from __future__ import annotations

from torch import Tensor


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """a · b / (‖a‖ ‖b‖), −1 to 1, as torch.nn.functional.cosine_similarity. a, b: float (n,) → ()."""
    products = a * b  # (n,)
    dot = products.sum()
    length_a = (a * a).sum().sqrt()
    length_b = (b * b).sum().sqrt()
    similarity = dot / (length_a * length_b)
    return similarity

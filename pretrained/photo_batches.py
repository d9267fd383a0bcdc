"""Several photos at once through a classifier."""

from __future__ import annotations

import numpy as np
import torch

from pretrained.classification import Classifier, preprocess


@torch.inference_mode()
def probabilities(classifier: Classifier, photos: np.ndarray) -> np.ndarray:
    """uint8 (n, H, W, 3) RGB → float32 (n, classes), each row sums to 1."""
    x = torch.cat([preprocess(classifier, photo) for photo in photos])  # (n, 3, size, size)
    return classifier.module(x).softmax(dim=1).numpy()

"""The filters of explorer.models.filters at the speed of OpenCV, for the live picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from explorer.models.filters import Border

CV2_BORDERS: dict[Border, int] = {
    "constant": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "reflect_101": cv2.BORDER_REFLECT_101,
    "wrap": cv2.BORDER_WRAP,
}


def fast_filter(image: np.ndarray, kernel: np.ndarray, border: Border = "reflect_101") -> np.ndarray:
    """What filter_image gives, through cv2.filter2D.

    image: float32 0–1 or uint8, (H, W) or (H, W, C); kernel: float32 (kh, kw), both odd → float32, shaped as the image
    and in its units (a uint8 picture answers on its own scale, 0–255).
    """
    if border != "wrap":
        return cv2.filter2D(image, cv2.CV_32F, kernel, borderType=CV2_BORDERS[border]).reshape(image.shape)
    # filter2D refuses BORDER_WRAP, copyMakeBorder knows it.
    height, width = image.shape[:2]
    rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = cv2.copyMakeBorder(image, rows, rows, columns, columns, cv2.BORDER_WRAP)
    filtered = cv2.filter2D(padded, cv2.CV_32F, kernel)
    return filtered[rows : rows + height, columns : columns + width].reshape(image.shape)


def fast_gradient(
    image: np.ndarray, kernel_x: np.ndarray, kernel_y: np.ndarray, border: Border = "reflect_101"
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """gx, gy, magnitude, direction (radians, −π to π) as explorer.models.filters.gradient; shaped as the image."""
    gx = fast_filter(image, kernel_x, border)
    gy = fast_filter(image, kernel_y, border)
    magnitude = cv2.magnitude(gx, gy).reshape(image.shape)
    return gx, gy, magnitude, np.arctan2(gy, gx)  # cv2.phase is off by up to 0.3°

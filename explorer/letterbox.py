"""A photo of any shape in a square of a network's size, and boxes in the square back in the photo."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

GREY = 114  # what fills the rest, as YOLOX was trained


@dataclass(frozen=True, eq=False)
class Letterbox:
    """pixels: uint8 (side, side, 3), the photo scaled to fit in at the top left, the rest grey; same channels as the photo.

    scale: pixels here per pixel of the photo; width, height: of the photo; inside: (width, height) of the photo in here.
    """

    pixels: np.ndarray = field(repr=False)
    scale: float
    width: int
    height: int
    inside: tuple[int, int]

    def to_photo(self, boxes: np.ndarray) -> np.ndarray:
        """float (…, 4), x0, y0, x1, y1 in here → the same in pixels of the photo, cut at its edges."""
        edges = np.array([self.width, self.height, self.width, self.height], np.float32)
        return np.clip(boxes / self.scale, 0, edges).astype(np.float32)

    def from_photo(self, boxes: np.ndarray) -> np.ndarray:
        """The way there."""
        return (boxes * self.scale).astype(np.float32)


def letterbox(pixels: np.ndarray, side: int) -> Letterbox:
    """Scale a photo, uint8 (H, W, 3), so that its longer side is `side` pixels; its proportions stay.

    A side that would vanish keeps one pixel.
    """
    height, width = pixels.shape[:2]
    scale = min(side / height, side / width)
    inside = max(1, int(width * scale)), max(1, int(height * scale))
    canvas = np.full((side, side, 3), GREY, np.uint8)
    canvas[: inside[1], : inside[0]] = cv2.resize(np.ascontiguousarray(pixels), inside, interpolation=cv2.INTER_LINEAR)
    return Letterbox(canvas, scale, width, height, inside)

"""The live picture's filter against cv2.filter2D on a grey picture of 1024 × 1024, in turns."""

from __future__ import annotations

import statistics

import cv2
import numpy as np

from benchmarks.timing import compare, median_ratio
from explorer.filtering import fast_filter

ROUNDS = 200
SIDE = 1024
KERNELS = (3, 7)


def run() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, goal)."""
    numbers = np.random.default_rng(0)
    image = numbers.random((SIDE, SIDE), dtype=np.float32)
    rows = []
    for side in KERNELS:
        kernel = numbers.standard_normal((side, side), dtype=np.float32)

        def ours(kernel: np.ndarray = kernel) -> None:
            fast_filter(image, kernel)

        def theirs(kernel: np.ndarray = kernel) -> None:
            cv2.filter2D(image, cv2.CV_32F, kernel)

        seconds = compare({"ours": ours, "theirs": theirs}, ROUNDS)
        milliseconds = [1000 * statistics.median(seconds[name]) for name in ("ours", "theirs")]
        rows.append(
            (
                f"filter ÷ cv2.filter2D, {SIDE}² float32, {side}×{side}",
                f"{median_ratio(seconds, 'ours', 'theirs'):.2f} ({milliseconds[0]:.2f} ms ÷ {milliseconds[1]:.2f} ms)",
                "≤ 1.1",
            )
        )
    return rows


if __name__ == "__main__":
    for row in run():
        print(*row, sep=" | ")

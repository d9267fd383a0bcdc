"""Filters against OpenCV: every kernel, every border, every size."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from explorer.filtering import CV2_BORDERS, fast_filter, fast_gradient
from explorer.kernels import KERNELS, gaussian, separable
from explorer.models.filters import Border, border_indices, filter_image, filter_separable, gradient

# cv2.Sobel, Laplacian and GaussianBlur refuse BORDER_WRAP, as filter2D does.
BORDERS = [border for border in CV2_BORDERS if border != "wrap"]
ODD = (1, 3, 5, 7, 9, 11, 13, 15)


def picture(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, channels), dtype=np.float32)


def tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)


def array(image: Tensor) -> np.ndarray:
    return image.permute(1, 2, 0).numpy()


def assert_close(ours: np.ndarray, reference: np.ndarray, kernel: np.ndarray) -> None:
    """Equal up to float32 rounding of the sum of |weights|, the largest that an answer can be."""
    assert ours.shape == reference.shape
    assert ours.dtype == reference.dtype == np.float32
    np.testing.assert_allclose(ours, reference, rtol=0, atol=2e-6 * max(1.0, float(np.abs(kernel).sum())))


def test_borders_are_those_of_the_model():
    assert tuple(CV2_BORDERS) == get_args(Border)


@given(size=st.integers(1, 9), extra=st.integers(0, 30), border=st.sampled_from(get_args(Border)))
def test_border_indices_are_cv2s(size: int, extra: int, border: Border):
    cells = np.arange(1, size + 1, dtype=np.float32)[None]
    padded = cv2.copyMakeBorder(cells, 0, 0, extra, extra, CV2_BORDERS[border])[0]
    if border == "constant":
        with pytest.raises(ValueError, match="constant"):
            border_indices(size, extra, border)
        assert np.array_equal(padded, np.pad(cells[0], extra))
        return
    assert np.array_equal(cells[0, border_indices(size, extra, border)], padded)


@settings(max_examples=150)
@given(
    height=st.integers(1, 24),
    width=st.integers(1, 24),
    channels=st.integers(1, 4),
    kernel_height=st.sampled_from(ODD),
    kernel_width=st.sampled_from(ODD),
    border=st.sampled_from(get_args(Border)),
    seed=st.integers(0, 2**32 - 1),
)
def test_filter_image_and_fast_filter_are_filter2d(
    height: int, width: int, channels: int, kernel_height: int, kernel_width: int, border: Border, seed: int
):
    image = picture(height, width, channels, seed)
    kernel = np.random.default_rng(seed).normal(size=(kernel_height, kernel_width)).astype(np.float32)
    rows, columns = kernel_height // 2, kernel_width // 2
    # Padded by OpenCV, filtered by OpenCV, so that it serves BORDER_WRAP too.
    padded = cv2.copyMakeBorder(image, rows, rows, columns, columns, CV2_BORDERS[border]).reshape(
        height + 2 * rows, width + 2 * columns, channels
    )
    full = cv2.filter2D(padded, cv2.CV_32F, kernel).reshape(padded.shape)
    reference = full[rows : rows + height, columns : columns + width]

    filtered = array(filter_image(tensor(image), torch.from_numpy(kernel), border))
    assert_close(filtered, reference, kernel)
    assert_close(fast_filter(image, kernel, border), filtered, kernel)
    if border != "wrap":
        direct = cv2.filter2D(image, cv2.CV_32F, kernel, borderType=CV2_BORDERS[border]).reshape(image.shape)
        assert_close(filtered, direct, kernel)


@pytest.mark.parametrize("border", get_args(Border))
@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 1), (6, 7, 3), (2, 2)])
def test_fast_filter_takes_bytes_and_keeps_the_shape(shape: tuple[int, ...], border: Border):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    kernel = KERNELS["sobel"](5).x
    filtered = fast_filter(image, kernel, border)
    planes = np.atleast_3d(image).astype(np.float32)
    reference = array(filter_image(tensor(planes), torch.tensor(kernel), border)).reshape(shape)
    np.testing.assert_allclose(filtered, reference, rtol=0, atol=2e-2)
    assert filtered.dtype == np.float32


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("size", [3, 5, 7])
def test_sobel_and_laplacian_are_cv2s(size: int, border: Border):
    image = picture(19, 23)
    sobel, laplacian = KERNELS["sobel"](size), KERNELS["laplacian"](size)
    assert sobel.y is not None
    flag = CV2_BORDERS[border]
    for kernel, reference in [
        (sobel.x, cv2.Sobel(image, cv2.CV_32F, 1, 0, ksize=size, borderType=flag)),
        (sobel.y, cv2.Sobel(image, cv2.CV_32F, 0, 1, ksize=size, borderType=flag)),
        (laplacian.x, cv2.Laplacian(image, cv2.CV_32F, ksize=size, borderType=flag)),
    ]:
        assert_close(array(filter_image(tensor(image), torch.tensor(kernel), border)), reference, kernel)


@pytest.mark.parametrize("border", BORDERS)
def test_scharr_and_the_small_laplacian_are_cv2s(border: Border):
    image = picture(19, 23)
    scharr, laplacian = KERNELS["scharr"](), KERNELS["laplacian_4"]()
    assert scharr.y is not None
    flag = CV2_BORDERS[border]
    for kernel, reference in [
        (scharr.x, cv2.Scharr(image, cv2.CV_32F, 1, 0, borderType=flag)),
        (scharr.y, cv2.Scharr(image, cv2.CV_32F, 0, 1, borderType=flag)),
        (laplacian.x, cv2.Laplacian(image, cv2.CV_32F, ksize=1, borderType=flag)),
    ]:
        assert_close(array(filter_image(tensor(image), torch.tensor(kernel), border)), reference, kernel)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("size", ODD)
@pytest.mark.parametrize("sigma", [None, 0.7, 2.5])
def test_gaussian_and_box_blur_are_cv2s(size: int, sigma: float | None, border: Border):
    image = picture(21, 26)
    flag = CV2_BORDERS[border]
    kernel = gaussian(size, sigma).x
    reference = cv2.GaussianBlur(image, (size, size), sigma or 0, borderType=flag)
    assert_close(array(filter_image(tensor(image), torch.tensor(kernel), border)), reference, kernel)
    box = np.full((size, size), 1 / size**2, np.float32)
    reference = cv2.blur(image, (size, size), borderType=flag)
    assert_close(array(filter_image(tensor(image), torch.tensor(box), border)), reference, box)


@pytest.mark.parametrize("border", get_args(Border))
@pytest.mark.parametrize("key", ["prewitt", "sobel", "scharr", "gaussian", "box", "vertical_edge"])
def test_two_passes_are_one(key: str, border: Border):
    kernel = KERNELS[key]().x
    factors = separable(kernel)
    assert factors is not None
    image = tensor(picture(11, 4))
    two = filter_separable(image, torch.from_numpy(factors[0]), torch.from_numpy(factors[1]), border)
    assert_close(two.numpy(), filter_image(image, torch.tensor(kernel), border).numpy(), kernel)


@pytest.mark.parametrize("border", get_args(Border))
@pytest.mark.parametrize("key", ["prewitt", "sobel", "scharr"])
def test_gradient_magnitude_and_direction(key: str, border: Border):
    kernel = KERNELS[key]()
    assert kernel.y is not None
    image = picture(13, 17)
    ours = gradient(tensor(image), torch.tensor(kernel.x), torch.tensor(kernel.y), border)
    fast = fast_gradient(image, kernel.x, kernel.y, border)
    for model, live in zip(ours[:3], fast[:3], strict=True):
        assert_close(array(model), live, kernel.x)
    gx, gy, magnitude, direction = (array(part).astype(np.float64) for part in ours)
    np.testing.assert_allclose(magnitude, np.hypot(gx, gy), rtol=1e-6)
    # An angle is compared as a point on the circle, for −π and π are one, and where there is one at all.
    strong = magnitude > 1e-2
    for angle in (direction, fast[3]):
        np.testing.assert_allclose(np.exp(1j * angle)[strong], (gx + 1j * gy)[strong] / magnitude[strong], atol=1e-3)
    assert strong.mean() > 0.9


@pytest.mark.parametrize(
    ("across", "degrees"),
    [((1, 0), 0), ((1, 1), 45), ((0, 1), 90), ((-1, 1), 135), ((-1, 0), 180), ((0, -1), -90), ((1, -1), -45)],
)
def test_direction_points_to_the_brighter_side(across: tuple[int, int], degrees: float):
    y, x = np.mgrid[:9, :9]
    ramp = ((across[0] * x + across[1] * y + 20) / 40).astype(np.float32)[..., None]
    kernel = KERNELS["scharr"]()
    assert kernel.y is not None
    _, _, magnitude, direction = gradient(tensor(ramp), torch.tensor(kernel.x), torch.tensor(kernel.y))
    off = torch.rad2deg(direction[0, 4, 4]).item() - degrees
    assert (off + 180) % 360 - 180 == pytest.approx(0, abs=1e-3)
    slope = np.hypot(*across) / 40
    assert magnitude[0, 4, 4].item() / kernel.scale == pytest.approx(slope, rel=1e-5)


def test_unknown_border_is_refused():
    with pytest.raises(ValueError, match="mirror"):
        filter_image(torch.zeros(1, 3, 3), torch.ones(3, 3), "mirror")  # type: ignore[arg-type]

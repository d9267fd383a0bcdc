"""Kernels against OpenCV; rank, separation, typed kernels and the measured angle error."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import UserError
from explorer.kernels import (
    KERNELS,
    MAX_SIZE,
    Kernel,
    format_kernel,
    gaussian,
    gradient_angle_error,
    laplacian,
    own_kernel,
    parse_kernel,
    prewitt,
    rank,
    scharr,
    separable,
    sobel,
)

EVERY = [
    family.build(size) if len(family.sizes) > 1 else family() for family in KERNELS.values() for size in family.sizes
]
IDS = [f"{kernel.key}-{kernel.size}" for kernel in EVERY]
whole = st.integers(-9, 9).map(float)
odd = st.sampled_from([1, 3, 5, 7])


@pytest.mark.parametrize("kernel", EVERY, ids=IDS)
def test_every_kernel_is_odd_square_and_named(kernel: Kernel):
    assert kernel.size % 2 == 1
    assert kernel.size <= MAX_SIZE
    for part in (kernel.x, kernel.y):
        if part is not None:
            assert part.shape == (kernel.size, kernel.size)
            assert part.dtype == np.float32
            with pytest.raises(ValueError, match="read-only"):
                part[0, 0] = 1
    assert kernel.y is None or np.array_equal(kernel.y, kernel.x.T)
    assert kernel.name
    assert kernel.note.endswith(".")
    assert kernel.source


@pytest.mark.parametrize("kernel", EVERY, ids=IDS)
def test_scale_is_the_answer_to_a_unit_of_what_the_kernel_measures(kernel: Kernel):
    y, x = np.mgrid[-10:11, -10:11].astype(np.float32)
    unit = {
        "vertical_edge": -x,
        "horizontal_edge": -y,
        "prewitt": x,
        "sobel": x,
        "scharr": x,
        "laplacian": (x**2 + y**2) / 4,
        "laplacian_4": (x**2 + y**2) / 4,
    }.get(kernel.key, np.ones_like(x))
    assert cv2.filter2D(unit, -1, kernel.x)[10, 10] / kernel.scale == pytest.approx(1, rel=1e-5)
    if kernel.y is not None:
        assert cv2.filter2D(y, -1, kernel.y)[10, 10] / kernel.scale == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("kernel", EVERY, ids=IDS)
def test_reach_is_reached(kernel: Kernel):
    middle = kernel.size // 2
    lowest = cv2.filter2D((kernel.x < 0).astype(np.float32), -1, kernel.x)[middle, middle]
    highest = cv2.filter2D((kernel.x > 0).astype(np.float32), -1, kernel.x)[middle, middle]
    assert kernel.reach == pytest.approx((lowest, highest), rel=1e-5)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_sobel_and_laplacian_are_cv2s(size: int):
    across, along = cv2.getDerivKernels(1, 0, size)
    assert np.array_equal(sobel(size).x, along @ across.T)
    impulse = np.zeros((2 * size + 1, 2 * size + 1), np.float32)
    impulse[size, size] = 1
    middle = slice(size - size // 2, size + size // 2 + 1)
    assert np.array_equal(laplacian(size).x, cv2.Laplacian(impulse, -1, ksize=size)[middle, middle])


def test_scharr_is_cv2s():
    across, along = cv2.getDerivKernels(1, 0, cv2.FILTER_SCHARR)
    assert np.array_equal(scharr().x, along @ across.T)


@pytest.mark.parametrize("sigma", [None, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("size", range(1, 22, 2))
def test_gaussian_is_cv2s(size: int, sigma: float | None):
    bell = cv2.getGaussianKernel(size, sigma or 0)
    np.testing.assert_allclose(gaussian(size, sigma).x, bell @ bell.T, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("key", "size", "given"), [("sobel", 11, 7), ("gaussian", 4, 3), ("gaussian", 99, 15)])
def test_a_family_gives_the_nearest_size(key: str, size: int, given: int):
    assert KERNELS[key](size).size == given
    assert KERNELS[key]().size == 3


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        ("identity", 1),
        ("vertical_edge", 1),
        ("sobel", 1),
        ("scharr", 1),
        ("gaussian", 1),
        ("box", 1),
        ("laplacian", 2),
        ("laplacian_4", 2),
        ("sharpen", 2),
    ],
)
def test_rank(kernel: str, expected: int):
    for size in KERNELS[kernel].sizes:
        x = KERNELS[kernel](size).x
        assert rank(x) == expected
        assert (separable(x) is None) == (expected != 1)


def test_a_zero_kernel_has_rank_0_and_an_eye_rank_3():
    assert rank(np.zeros((3, 3))) == 0
    assert separable(np.zeros((3, 3))) is None
    assert rank(np.eye(3)) == 3


@pytest.mark.parametrize(
    ("kernel", "column", "row"),
    [
        (sobel().x, [1, 2, 1], [-1, 0, 1]),
        (sobel().x.T, [-1, 0, 1], [1, 2, 1]),
        (scharr().x, [3, 10, 3], [-1, 0, 1]),
        (KERNELS["vertical_edge"]().x, [1, 1, 1], [1, 0, -1]),
        (KERNELS["horizontal_edge"]().x, [1, 0, -1], [1, 1, 1]),
        (sobel().x / 8, [0.25, 0.5, 0.25], [-0.5, 0, 0.5]),
        (gaussian(5).x, [1 / 16, 1 / 4, 3 / 8, 1 / 4, 1 / 16], [1 / 16, 1 / 4, 3 / 8, 1 / 4, 1 / 16]),
        (KERNELS["box"]().x, [1 / 3] * 3, [1 / 3] * 3),
        (KERNELS["identity"]().x, [0, 1, 0], [0, 1, 0]),
        (np.full((3, 3), -2), [-2, -2, -2], [1, 1, 1]),
        (np.array([[-6.0]]), [-6], [1]),
    ],
)
def test_separable_is_as_one_would_print_it(kernel: np.ndarray, column: list[float], row: list[float]):
    factors = separable(kernel)
    assert factors is not None
    np.testing.assert_allclose(factors[0], column, rtol=1e-6)
    np.testing.assert_allclose(factors[1], row, rtol=1e-6)
    assert not np.signbit(np.concatenate(factors)[np.concatenate(factors) == 0]).any()  # no −0


@given(k=odd, whole_numbers=st.booleans(), data=st.data())
def test_separable_undoes_the_outer_product(k: int, whole_numbers: bool, data: st.DataObject):
    numbers = whole if whole_numbers else st.floats(-4, 4, width=32).filter(lambda v: v == 0 or abs(v) > 1e-3)
    column = np.array(data.draw(st.lists(numbers, min_size=k, max_size=k)), np.float32)
    row = np.array(data.draw(st.lists(numbers, min_size=k, max_size=k)), np.float32)
    kernel = np.outer(column, row)
    factors = separable(kernel)
    if not kernel.any():
        assert factors is None
        return
    assert factors is not None
    np.testing.assert_allclose(np.outer(*factors), kernel, rtol=0, atol=1e-5 * np.abs(kernel).max())
    if whole_numbers:
        assert np.array_equal(np.outer(*factors), kernel)
        assert all(np.array_equal(part, np.rint(part)) for part in factors)


@given(k=odd, data=st.data())
def test_rank_counts_the_products_in_the_sum(k: int, data: st.DataObject):
    terms = data.draw(st.integers(1, k))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    columns, _ = np.linalg.qr(generator.normal(size=(k, k)))
    rows, _ = np.linalg.qr(generator.normal(size=(k, k)))
    kernel = (columns[:, :terms] * generator.uniform(0.5, 2, terms)) @ rows[:terms]
    assert rank(kernel) == terms


@given(k=st.sampled_from(range(1, MAX_SIZE + 1, 2)), seed=st.integers(0, 2**32 - 1), exponent=st.integers(-30, 30))
def test_a_kernel_survives_its_text(k: int, seed: int, exponent: int):
    kernel = (np.random.default_rng(seed).normal(size=(k, k)) * 10.0**exponent).astype(np.float32)
    assert np.array_equal(parse_kernel(format_kernel(kernel)), kernel)
    assert np.array_equal(parse_kernel(kernel), kernel)
    assert np.array_equal(parse_kernel(kernel.tolist()), kernel)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("7", [[7]]),
        ("1 0 -1; 2 0 -2; 1 0 -1", [[1, 0, -1], [2, 0, -2], [1, 0, -1]]),
        ("1, 0, −1\n2, 0, −2\r\n1, 0, −1\n", [[1, 0, -1], [2, 0, -2], [1, 0, -1]]),
        ([["1/4", " .5 ", 1e-3], [0, 1, 2], [True, "-3/2", "1e2"]], [[0.25, 0.5, 0.001], [0, 1, 2], [1, -1.5, 100]]),
    ],
)
def test_parse_kernel(values: object, expected: list[list[float]]):
    parsed = parse_kernel(values)  # type: ignore[arg-type]
    assert parsed.dtype == np.float32
    np.testing.assert_allclose(parsed, expected)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("", "0 rows"),
        ("1 2; 3 4", "odd"),
        ([[1] * 17] * 17, "at most 15"),
        ("1 2 3; 4 5; 6 7 8", "Row 2 .* 2 numbers"),
        ([[1, 2, 3]], "Row 1 .* 3 numbers"),
        ([[1, 2, 3], [4, None, 6], [7, 8, 9]], "Row 2, column 2"),
        ([[math.nan]], "finite"),
        ([[math.inf]], "finite"),
        ([["1/0"]], "finite"),
        ([["1e39"]], "finite"),  # infinite as float32
        ([["1e999999999"]], "finite"),
        ([["one"]], "finite"),
        ([["1/2/3"]], "finite"),
        ([[10**400]], "finite"),
        ([[1j]], "finite"),
    ],
)
def test_parse_kernel_refuses_in_one_sentence(values: object, reason: str):
    with pytest.raises(UserError, match=reason) as refusal:
        parse_kernel(values)  # type: ignore[arg-type]
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


@given(text=st.text(alphabet="0123456789.eE+-−/ ,;\nnaif", max_size=60))
def test_any_text_is_a_kernel_or_a_sentence(text: str):
    try:
        kernel = parse_kernel(text)
    except UserError:
        return
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert np.isfinite(kernel).all()


def test_own_kernel():
    kernel = own_kernel("0 1 0; 1 1 1; 0 1 0")
    assert kernel.key == "own"
    assert kernel.y is None
    assert "5" in kernel.note


@pytest.mark.parametrize("frequency", [0.05, 0.1, 0.125, 0.2, 0.25])
def test_scharrs_angle_is_far_truer_than_sobels(frequency: float):
    worst = {}
    for kernel in (prewitt(), sobel(), scharr()):
        assert kernel.y is not None
        _, errors = gradient_angle_error(kernel.x, kernel.y, frequency=frequency)
        worst[kernel.key] = np.abs(errors).max()
    assert worst["scharr"] < 0.27 * worst["sobel"]
    assert worst["sobel"] < 0.55 * worst["prewitt"]


@given(
    degrees=st.floats(-180, 180), frequency=st.floats(0.03, 0.4), kernel=st.sampled_from([prewitt(), sobel(), scharr()])
)
def test_measured_angle_error_is_that_of_the_kernels_frequency_response(
    degrees: float, frequency: float, kernel: Kernel
):
    assert kernel.y is not None
    orientations, errors = gradient_angle_error(kernel.x, kernel.y, np.array([degrees]), frequency)
    theta = math.radians(degrees)
    u, v = 2 * np.pi * frequency * math.cos(theta), 2 * np.pi * frequency * math.sin(theta)
    offset = np.arange(3) - 1
    wave = np.exp(1j * (u * offset[None, :] + v * offset[:, None]))
    response_x, response_y = ((part * wave).sum().imag for part in (kernel.x, kernel.y))
    expected = math.degrees(math.atan2(response_y, response_x)) - degrees
    assert orientations.tolist() == [degrees]
    assert (errors[0] - expected + 90) % 180 - 90 == pytest.approx(0, abs=1e-5)


def test_angle_error_vanishes_on_the_axes_and_diagonals():
    orientations, errors = gradient_angle_error(sobel().x, sobel().x.T, np.array([0.0, 45, 90, 135, 180]))
    np.testing.assert_allclose(errors, 0, atol=1e-9)
    assert errors.shape == orientations.shape == (5,)

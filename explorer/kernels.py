"""The kernels of the filters page, what they are made of, and how true a direction their gradient gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.errors import UserError
from explorer.text import _

MAX_SIZE = 15
"""Rows of the largest kernel a visitor may type."""

Values = np.ndarray | Sequence[Sequence[float | str | None]]


@dataclass(frozen=True, eq=False)
class Kernel:
    """One filter, or a pair of them where it has a direction.

    key: its name in a permalink; name: its name on screen. x: float32 (k, k), k odd; y: x transposed, None where the
    filter has no direction. scale: what to divide an answer by to get the brightness itself (smoothing), its slope per
    pixel (first derivatives) or its Laplacian. note: one sentence on what it does. source: where it is from.
    """

    key: str
    name: str
    x: np.ndarray
    y: np.ndarray | None
    scale: float
    note: str
    source: str

    @property
    def size(self) -> int:
        """Rows, and columns, of the kernel."""
        return len(self.x)

    @property
    def reach(self) -> tuple[float, float]:
        """The lowest and highest answer that a picture with brightness 0–1 can get."""
        return float(np.minimum(self.x, 0).sum()), float(np.maximum(self.x, 0).sum())


def identity(size: int = 3) -> Kernel:
    """1 in the middle, 0 elsewhere. size: odd."""
    x = np.zeros((size, size))
    x[size // 2, size // 2] = 1
    note = _("Each pixel answers with itself: the picture comes out unchanged.")
    return _kernel("identity", _("Identity"), x, None, 1, note, _("definition"))


def vertical_edge() -> Kernel:
    """Left column minus right column."""
    x = np.outer([1, 1, 1], [1, 0, -1])
    note = _("Positive where the left is brighter than the right; Prewitt's x with the sign turned.")
    return _kernel("vertical_edge", _("Vertical edge"), x, None, -_slope(x), note, _("definition"))


def horizontal_edge() -> Kernel:
    """Top row minus bottom row."""
    x = np.outer([1, 0, -1], [1, 1, 1])
    note = _("Positive where the top is brighter than the bottom; Prewitt's y with the sign turned.")
    return _kernel("horizontal_edge", _("Horizontal edge"), x, None, -_slope(x.T), note, _("definition"))


def prewitt() -> Kernel:
    """Central difference, averaged over three rows."""
    x = np.outer([1, 1, 1], [-1, 0, 1])
    note = _("A central difference, averaged over three lines with equal weights.")
    return _kernel("prewitt", _("Prewitt"), x, x.T, _slope(x), note, "Prewitt 1970")


def sobel(size: int = 3) -> Kernel:
    """A derivative across and binomial smoothing along; cv2.getDerivKernels(1, 0, size). size: odd, ≥ 3."""
    x = np.outer(_binomial(size, 0), _binomial(size, 1))
    note = _("A derivative in one direction times binomial smoothing in the other.")
    return _kernel("sobel", _("Sobel"), x, x.T, _slope(x), note, "Sobel & Feldman 1968; cv2.Sobel")


def scharr() -> Kernel:
    """Sobel's derivative with the smoothing 3, 10, 3; cv2.Scharr."""
    x = np.outer([3, 10, 3], [-1, 0, 1])
    note = _("Sobel's shape with weights chosen so that the gradient's angle comes out nearly right.")
    return _kernel("scharr", _("Scharr"), x, x.T, _slope(x), note, "Scharr 2000; cv2.Scharr")


def laplacian(size: int = 3) -> Kernel:
    """∂²/∂x² + ∂²/∂y², each smoothed as Sobel is; cv2.Laplacian(ksize=size). size: odd, ≥ 3."""
    second = np.outer(_binomial(size, 0), _binomial(size, 2))
    x = second + second.T
    note = _("The sum of both second derivatives: it answers on both sides of an edge, with opposite signs.")
    return _kernel("laplacian", _("Laplacian"), x, None, _curvature(x), note, "cv2.Laplacian")


def laplacian_4() -> Kernel:
    """The four neighbours minus four times the middle; cv2.Laplacian(ksize=1)."""
    x = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    note = _("The four neighbours minus four times the pixel itself.")
    return _kernel("laplacian_4", _("Laplacian, 4 neighbours"), x, None, _curvature(x), note, "cv2.Laplacian(ksize=1)")


def gaussian(size: int = 3, sigma: float | None = None) -> Kernel:
    """A bell of standard deviation sigma pixels, its weights summing to 1; cv2.GaussianBlur. size: odd.

    sigma None: OpenCV's rule, 0.3·((size − 1)·0.5 − 1) + 0.8, rounded to fractions of a power of two up to size 9.
    """
    if sigma is None and size in _SMALL_GAUSSIANS:
        bell = np.array(_SMALL_GAUSSIANS[size], float)
    else:
        sigma = 0.3 * ((size - 1) * 0.5 - 1) + 0.8 if sigma is None else sigma
        bell = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    bell /= bell.sum()
    note = _("A weighted average in which near pixels count for more; the weights sum to 1.")
    return _kernel("gaussian", _("Gaussian blur"), np.outer(bell, bell), None, 1, note, "cv2.getGaussianKernel")


def box(size: int = 3) -> Kernel:
    """The mean of size × size pixels; cv2.blur. size: odd."""
    x = np.full((size, size), 1 / size**2)
    note = _("The plain average: every pixel of the window counts the same.")
    return _kernel("box", _("Box blur"), x, None, 1, note, "cv2.blur")


def sharpen() -> Kernel:
    """The picture minus its Laplacian."""
    x = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    note = _("The pixel itself minus the Laplacian of its four neighbours: differences grow, flat parts stay.")
    return _kernel("sharpen", _("Sharpen"), x, None, 1, note, _("identity − Laplacian"))


@dataclass(frozen=True)
class Family:
    """A kernel in all its sizes. sizes: the odd sizes to offer; where there is one only, build takes no argument."""

    build: Callable[..., Kernel]
    sizes: tuple[int, ...] = (3,)

    def __call__(self, size: int | None = None) -> Kernel:
        """The kernel of that size, or of the nearest size there is."""
        if len(self.sizes) == 1:
            return self.build()
        return self.build(min(self.sizes, key=lambda s: abs(s - (size or 3))))


ODD = tuple(range(3, MAX_SIZE + 1, 2))

KERNELS: dict[str, Family] = {
    "vertical_edge": Family(vertical_edge),
    "horizontal_edge": Family(horizontal_edge),
    "prewitt": Family(prewitt),
    "sobel": Family(sobel, (3, 5, 7)),
    "scharr": Family(scharr),
    "laplacian": Family(laplacian, (3, 5, 7)),
    "laplacian_4": Family(laplacian_4),
    "gaussian": Family(gaussian, ODD),
    "box": Family(box, ODD),
    "sharpen": Family(sharpen),
    "identity": Family(identity, ODD),
}
"""Key → how to build it, in the order of the page."""


def own_kernel(values: Values | str) -> Kernel:
    """What a visitor typed, as a Kernel. Raises UserError as parse_kernel does."""
    x = parse_kernel(values)
    total = float(x.sum())
    note = _("The weights sum to {total:g}: that is the answer to a flat picture of brightness 1.").format(total=total)
    return _kernel("own", _("Your kernel"), x, None, 1, note, _("typed by you"))


def parse_kernel(values: Values | str) -> np.ndarray:
    """Typed values → float32 (k, k), k odd and at most MAX_SIZE, all finite.

    values: rows of numbers or of texts such as "-1", "0.5" or "1/9"; or one text with ";" or a new line between rows
    and blanks or commas between numbers. Raises UserError.
    """
    if isinstance(values, str):
        values = [row.replace(",", " ").split() for row in values.replace("\n", ";").split(";") if row.strip(" ,\t\r")]
    rows = [list(row) for row in values]
    k = len(rows)
    if k > MAX_SIZE:
        message = _("The kernel has {k} rows: use at most {most}.")
        raise UserError(message.format(k=k, most=MAX_SIZE))
    if k % 2 == 0:
        message = _("The kernel has {k} rows: use an odd number, so that one pixel is its middle.")
        raise UserError(message.format(k=k))
    for number, row in enumerate(rows, start=1):
        if len(row) != k:
            message = _(
                "Row {number} of the kernel has {found} numbers: give every row {k}, as many as there are rows."
            )
            raise UserError(message.format(number=number, found=len(row), k=k))
    return np.array([[_number(value, i, j) for j, value in enumerate(row)] for i, row in enumerate(rows)], np.float32)


def format_kernel(kernel: np.ndarray) -> str:
    """The kernel as one text that parse_kernel reads back exactly: "1 0 -1; 1 0 -1; 1 0 -1"."""
    rows = np.asarray(kernel, np.float32)
    return "; ".join(" ".join(np.format_float_positional(v, trim="-") for v in row) for row in rows)


def rank(kernel: np.ndarray) -> int:
    """How many column·row products the kernel is the sum of: its singular values above rounding error."""
    return int(np.linalg.matrix_rank(np.asarray(kernel, np.float32)))


def separable(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """column and row, each float32 (k,), whose outer product is the kernel; None if its rank is not 1.

    From the largest singular value. Of the many ways to share its factor and sign, the one that a book prints: whole
    numbers stay whole, with no common factor in the row; else the smoothing part sums to 1; and that part is positive.
    """
    if rank(kernel) != 1:
        return None
    kernel = np.asarray(kernel, np.float64)
    columns, strengths, rows = np.linalg.svd(kernel)
    column, row = columns[:, 0] * strengths[0], rows[0]
    if np.array_equal(kernel, np.rint(kernel)):
        whole = kernel[np.abs(column).argmax()]
        row = whole / math.gcd(*(int(v) for v in whole))
        column = np.rint(kernel @ row / (row @ row))
    elif _sums_to_zero(row) and _sums_to_zero(column):
        column, row = column / math.sqrt(strengths[0]), row * math.sqrt(strengths[0])
    elif _sums_to_zero(row):
        column, row = column / column.sum(), row * column.sum()
    else:
        column, row = column * row.sum(), row / row.sum()
    smoothing = column if _sums_to_zero(row) else row
    sign = -1 if smoothing.sum() < 0 else 1
    # + 0.0 turns −0 into 0; values at rounding error are zeros of the kernel.
    clean = [np.where(np.abs(v) < 1e-7 * np.abs(v).max(), 0, sign * v) + 0.0 for v in (column, row)]
    return clean[0].astype(np.float32), clean[1].astype(np.float32)


def gradient_angle_error(
    kernel_x: np.ndarray,
    kernel_y: np.ndarray,
    orientations: np.ndarray | None = None,
    frequency: float = 0.125,
    pixels: int = 64,
) -> tuple[np.ndarray, np.ndarray]:
    """How far the gradient's direction is off, measured on waves whose direction is known.

    For each orientation a plane wave ½ + ½·sin(2π·frequency·(x·cos θ + y·sin θ)) of pixels × pixels is rendered and
    filtered with both kernels. Its gradient points along θ everywhere; the measured direction is the principal axis of
    all (gx, gy), where each pixel counts by its squared magnitude.
    orientations: degrees, default 0 … 90 in steps of 1; frequency: waves a pixel, above 0 and below 0.5 → orientations
    and signed errors, both float64 degrees (n,); errors from −90 to 90.
    """
    orientations = np.arange(0.0, 91.0) if orientations is None else np.asarray(orientations, float)
    y, x = np.mgrid[:pixels, :pixels]
    errors = np.empty(len(orientations))
    for n, orientation in enumerate(orientations):
        theta = math.radians(orientation)
        wave = 0.5 + 0.5 * np.sin(2 * np.pi * frequency * (x * math.cos(theta) + y * math.sin(theta)))
        windows = np.lib.stride_tricks.sliding_window_view(wave, kernel_x.shape)
        gx = np.tensordot(windows, kernel_x, axes=2)
        gy = np.tensordot(windows, kernel_y, axes=2)
        # Principal axis of the structure tensor (Bigün & Granlund 1987).
        axis = 0.5 * math.atan2(2 * (gx * gy).sum(), (gx**2 - gy**2).sum())
        errors[n] = (math.degrees(axis) - orientation + 90) % 180 - 90
    return orientations, errors


_SMALL_GAUSSIANS = {
    1: (1,),
    3: (1, 2, 1),
    5: (1, 4, 6, 4, 1),
    7: (2, 7, 14, 18, 14, 7, 2),
    9: (4, 13, 30, 51, 60, 51, 30, 13, 4),
}


def _kernel(key: str, name: str, x: np.ndarray, y: np.ndarray | None, scale: float, note: str, source: str) -> Kernel:
    x = np.array(x, np.float32)
    x.setflags(write=False)
    if y is not None:
        y = np.array(y, np.float32)
        y.setflags(write=False)
    return Kernel(key, name, x, y, float(scale), note, source)


def _binomial(size: int, derivative: int) -> np.ndarray:
    """[−1, 1] `derivative` times, then [1, 1] until the length is size: differences and averages of neighbours."""
    weights = np.ones(1)
    for step in range(size - 1):
        weights = np.convolve(weights, [-1, 1] if step < derivative else [1, 1])
    return weights


def _slope(x: np.ndarray) -> float:
    """The answer to a picture that brightens by 1 a pixel to the right."""
    return float((x * (np.arange(len(x)) - len(x) // 2)).sum())


def _curvature(x: np.ndarray) -> float:
    """The answer to a picture whose Laplacian is 1: brightness x²/2."""
    return float((x * (np.arange(len(x)) - len(x) // 2) ** 2 / 2).sum())


def _sums_to_zero(values: np.ndarray) -> bool:
    return abs(values.sum()) < 1e-6 * np.abs(values).sum()


def _number(value: object, i: int, j: int) -> float:
    try:
        if isinstance(value, str):
            numerator, slash, denominator = value.replace("−", "-").partition("/")
            number = float(numerator) / float(denominator) if slash else float(numerator)
        else:
            number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        number = math.nan
    if not abs(number) <= float(np.finfo(np.float32).max):
        message = _("Row {row}, column {column} of the kernel is not a finite number: type one such as -1, 0.5 or 1/9.")
        raise UserError(message.format(row=i + 1, column=j + 1))
    return number
